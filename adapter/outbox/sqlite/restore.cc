#include "outbox/sqlite/restore.h"

#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {

Result<void> RecordRestore(storage::Transaction& transaction, audit::AuditLog& log, const Change& change) {
  audit::Entry entry;
  entry.time = change.now;
  entry.event = audit::EventKind::kRestored;
  entry.actor = change.actor;
  entry.role = Name(Role::kOperator);
  ADAPTER_TRY(const audit::Sequence sequence, log.Append(transaction, entry));
  ADAPTER_CHECK(UseWork(transaction, "put_setting").Bind("sending", "stopped", sequence).Run());
  if (change.reason.empty()) return {};
  return UseWork(transaction, "insert_remark").Bind(sequence, std::nullopt, change.reason).Run();
}

}  // namespace fhir_adapter::outbox
