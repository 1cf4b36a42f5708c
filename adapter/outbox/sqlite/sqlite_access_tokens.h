// AccessTokens in the SQLite store.
#pragma once

#include "audit/audit_log.h"
#include "outbox/access_tokens.h"

namespace fhir_adapter::outbox {

class SqliteAccessTokens final : public AccessTokens {
 public:
  explicit SqliteAccessTokens(audit::AuditLog& log) : log_(log) {}

  Result<void> Create(storage::Transaction& transaction, const AccessToken& token,
                      const Change& change) override;
  Result<void> Revoke(storage::Transaction& transaction, std::string_view name,
                      const Change& change) override;
  Result<std::vector<AccessToken>> List(storage::Snapshot& snapshot) override;

 private:
  Result<audit::Sequence> Note(storage::Transaction& transaction, audit::EventKind event,
                               std::string_view name, const Change& change);

  audit::AuditLog& log_;
};

}  // namespace fhir_adapter::outbox
