#include "app/local_user.h"

#include <string>
#include <unistd.h>

namespace fhir_adapter::app {

Principal LocalUser() {
  Principal principal;
  principal.kind = ActorKind::kLocalUser;
  principal.id = "uid:" + std::to_string(getuid());
  principal.roles = RoleSet::All();
  principal.authentication = "local";
  return principal;
}

}  // namespace fhir_adapter::app
