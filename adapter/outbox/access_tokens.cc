#include "outbox/access_tokens.h"

#include <algorithm>

namespace fhir_adapter::outbox {

std::optional<RoleSet> RolesFromText(std::string_view text) {
  std::optional<RoleSet> roles;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('+'), text.size());
    bool is_known = false;
    for (const Role role : kAllRoles) {
      if (Name(role) != text.substr(0, end)) continue;
      if (!roles) roles.emplace();
      roles->Add(role);
      is_known = true;
    }
    if (!is_known) return std::nullopt;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return roles;
}

}  // namespace fhir_adapter::outbox
