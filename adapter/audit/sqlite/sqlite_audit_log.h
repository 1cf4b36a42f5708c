// AuditLog in the SQLite store.
//
// Holds nothing but the name of this run: every number comes from the table, within the transaction.
#pragma once

#include "audit/audit_log.h"
#include "core/clock.h"

namespace fhir_adapter::audit {

class SqliteAuditLog final : public AuditLog {
 public:
  explicit SqliteAuditLog(Random& random);

  Result<Sequence> Append(storage::Transaction& transaction, const Entry& entry) override;
  Result<Sequence> Size(storage::Snapshot& snapshot) override;
  Result<void> ForEach(storage::Snapshot& snapshot, Sequence first, Sequence last,
                       const Visit& visit) override;
  Result<void> ForEachOfTrace(storage::Snapshot& snapshot, std::string_view trace_id,
                              const Visit& visit) override;
  const std::string& boot_id() const override { return boot_id_; }

 private:
  std::string boot_id_;  // 32 hex digits
};

}  // namespace fhir_adapter::audit
