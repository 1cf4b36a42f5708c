// Retention in the SQLite store.
#pragma once

#include "audit/audit_log.h"
#include "outbox/retention.h"

namespace fhir_adapter::outbox {

class SqliteRetention final : public Retention {
 public:
  explicit SqliteRetention(audit::AuditLog& log) : log_(log) {}

  Result<ExpiryBatch> Expire(storage::Transaction& transaction, const ExpiryRequest& request) override;
  Result<void> NoteFiles(storage::Transaction& transaction, std::string_view what, TimeUs now) override;

 private:
  Result<void> ExpireRecord(storage::Transaction& transaction, const std::string& subject_key, TimeUs now);

  audit::AuditLog& log_;
};

}  // namespace fhir_adapter::outbox
