// The part of SqliteOutbox that queues the AuditEvents of what was written.

#include "core/digest.h"
#include "core/uuid.h"
#include "outbox/inbox.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {

IntendedResource AuditEventOf(const WorkRow& row, const DeliveryReport& report, const ResourceWrite& write,
                              audit::Sequence sequence) {
  IntendedResource event;
  event.key = ResourceKey{"AuditEvent", report.audit_event_system, AuditEventValue(row.site, sequence)};
  event.uuid = UuidOfUrl(event.key.system + "|" + event.key.value);
  event.json = write.audit_event;
  event.sha256 = Sha256Hex(event.json);
  event.has_identifier_search = false;
  return event;
}

Result<void> SqliteOutbox::QueueAuditEvents(storage::Transaction& transaction, const WorkRow& cause,
                                            const std::vector<IntendedResource>& events, TimeUs now) {
  const std::string line = AuditKey(cause.patient_key);
  ADAPTER_CHECK(KeyTable::AddLine(transaction, line));
  const NewWork work{
      WorkId{keys_.NewName()}, WorkKind::kAuditEvent, AuditKey(cause.subject_key), cause.revision, line, {}};
  ADAPTER_TRY(const std::int64_t position, work_.Insert(transaction, work, cause.audit_sequence, now));
  int ordinal = 0;
  for (const IntendedResource& event : events) {
    ADAPTER_CHECK(UseWork(transaction, "insert_resource")
                      .Bind(position, ordinal++, event.key.type, event.key.system, event.key.value,
                            event.uuid, event.sha256, 0, storage::Blob{event.json})
                      .Run());
  }
  ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
  row.next_attempt = now;
  // No map made it: it is what the log says, in FHIR.
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kMapped, SystemPrincipal(), now);
  entry.operation = Name(WorkKind::kAuditEvent);
  entry.outcome = "ok";
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kMapped, entry));
  entry.event = audit::EventKind::kQueued;
  return work_.ChangeState(transaction, row, WorkState::kQueued, entry);
}

}  // namespace fhir_adapter::outbox
