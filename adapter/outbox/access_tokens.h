// AccessTokens: who may use the HTTP interface. A token is 256 random bits; the store keeps its SHA-256, its
// name and roles, when it ends, and the client certificate that it is bound to. A revoked one stays listed
// and its name is never given again, so that the log stays readable.
//
// Thread rules are those of storage::Snapshot and storage::Transaction. Create and Revoke append their audit
// entries in the caller's transaction. Errors: those of the store; kUsage for an unusable name, no role, no
// reason; kNotAllowed for a name that is taken, or a token revoked before; kNotFound.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct AccessToken {
  std::string name;
  RoleSet roles;
  std::string sha256;  // of the token's text, in lower-case hex
  TimeUs created;
  std::optional<TimeUs> revoked;
  std::optional<TimeUs> ends;      // nothing: it does not end by itself
  std::string certificate_sha256;  // of the one client certificate that it is good with; empty: any, or none
};

// "ingest+operator"; nothing for an unknown role or none.
std::optional<RoleSet> RolesFromText(std::string_view text);

class AccessTokens {
 public:
  virtual ~AccessTokens() = default;

  virtual Result<void> Create(storage::Transaction& transaction, const AccessToken& token,
                              const Change& change) = 0;
  virtual Result<void> Revoke(storage::Transaction& transaction, std::string_view name,
                              const Change& change) = 0;
  virtual Result<std::vector<AccessToken>> List(storage::Snapshot& snapshot) = 0;  // by name
};

}  // namespace fhir_adapter::outbox
