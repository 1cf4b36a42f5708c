// The half of SqliteOutbox that takes answers and changes by people.

#include "outbox/sqlite/sqlite_outbox.h"

#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

struct Ending {
  WorkState state;
  audit::EventKind event;
};

Ending EndingOf(DeliveryOutcome outcome) {
  switch (outcome) {
    case DeliveryOutcome::kDelivered:
      return {WorkState::kDelivered, audit::EventKind::kDelivered};
    case DeliveryOutcome::kRetry:
      return {WorkState::kRetry, audit::EventKind::kRetry};
    case DeliveryOutcome::kDeferred:
      return {WorkState::kQueued, audit::EventKind::kDeferred};
    case DeliveryOutcome::kAmbiguous:
      return {WorkState::kAmbiguous, audit::EventKind::kAmbiguous};
    case DeliveryOutcome::kQuarantined:
      return {WorkState::kQuarantined, audit::EventKind::kQuarantined};
    case DeliveryOutcome::kHeld:
      return {WorkState::kHeld, audit::EventKind::kHeld};
  }
  return {WorkState::kQuarantined, audit::EventKind::kQuarantined};
}

Principal SenderOf(const DeliveryReport& report) {
  Principal sender = SystemPrincipal();
  sender.request_id = report.request_id;
  return sender;
}

audit::Entry EntryOf(const WorkRow& row, audit::EventKind event, const DeliveryReport& report,
                     const Principal& actor, TimeUs now) {
  audit::Entry entry = WorkTable::EntryFor(row, event, actor, now);
  entry.operation = report.operation;
  entry.status = report.http_status;
  entry.outcome = report.reasons.empty() ? "ok" : Name(report.reasons.front().code);
  return entry;
}

audit::Entry EntryOf(const WorkRow& row, audit::EventKind event, const Change& change) {
  audit::Entry entry = WorkTable::EntryFor(row, event, change.actor, change.now);
  if (change.actor.kind != ActorKind::kSystem) entry.role = Name(Role::kOperator);
  return entry;
}

// Whether it is known what is to be sent.
Result<bool> IsMapped(storage::Snapshot& snapshot, const WorkRow& row) {
  if (row.kind == WorkKind::kAuditEvent) return true;
  storage::Statement mapping = UseWork(snapshot, "is_mapped");
  mapping.Bind(row.position);
  return HasRow(mapping);
}

Failure NotInState(const WorkRow& row, std::string_view wanted) {
  return Fail(Code::kNotAllowed,
              "work in state " + std::string(Name(row.state)) + " cannot be " + std::string(wanted));
}

}  // namespace

SqliteOutbox::SqliteOutbox(audit::AuditLog& log, Random& random)
    : work_(log), keys_(random), ledger_(log, keys_) {}

Result<WorkState> SqliteOutbox::Complete(storage::Transaction& transaction, const DeliveryReport& report,
                                         TimeUs now) {
  ADAPTER_TRY(WorkRow row, work_.Load(transaction, report.id));
  ADAPTER_TRY(const PatientLine line, work_.LineOf(transaction, row.patient_key));
  if (row.state != WorkState::kSending || line.owner != report.lease.owner ||
      line.until != report.lease.until) {
    return Fail(Code::kNotAllowed, "the lease of this work was lost");
  }
  const Principal actor = SenderOf(report);
  std::vector<IntendedResource> events;
  for (const ResourceWrite& write : report.writes) {
    ADAPTER_TRY(const audit::Sequence sequence, ledger_.Write(transaction, row, report, write, actor, now));
    if (!write.audit_event.empty()) events.push_back(AuditEventOf(row, report, write, sequence));
  }
  if (!events.empty()) ADAPTER_CHECK(QueueAuditEvents(transaction, row, events, now));
  if (!report.writes.empty()) ++row.writes;
  ADAPTER_CHECK(StoreConflicts(transaction, row, report.conflicts, actor, now));
  if (!report.answer.empty()) {
    ADAPTER_CHECK(UseWork(transaction, "put_answer").Bind(row.position, storage::Blob{report.answer}).Run());
  }
  if (row.is_ambiguous && report.outcome == DeliveryOutcome::kDelivered) {
    const audit::Entry entry = EntryOf(row, audit::EventKind::kResolved, report, actor, now);
    ADAPTER_CHECK(work_.log().Append(transaction, entry));
    row.is_ambiguous = false;
  }
  ADAPTER_CHECK(EndLease(transaction, report.lease.owner, now));
  ADAPTER_CHECK(Settle(transaction, row, report, actor, now));
  if (row.state != WorkState::kDelivered) return row.state;
  if (row.kind == WorkKind::kAuditEvent) {  // the ledger has them; nothing waits for them
    ADAPTER_CHECK(UseWork(transaction, "delete_resources").Bind(row.position).Run());
    return row.state;
  }
  if (!report.patient.empty()) {
    ADAPTER_CHECK(UseWork(transaction, "put_patient_found")
                      .Bind(report.lease.endpoint, report.patient, row.patient_key, row.audit_sequence)
                      .Run());
  }
  ADAPTER_CHECK(ReleaseDependents(transaction, row, now));
  if (row.kind != WorkKind::kObservation) {
    ADAPTER_CHECK(LookForLinks(transaction, row.patient_key, Change{SystemPrincipal(), {}, now}));
  }
  return row.state;
}

// Something of the patient is on the server that was not there before: pushed Observations may speak of it.
Result<void> SqliteOutbox::LookForLinks(storage::Transaction& transaction, const std::string& patient_key,
                                        const Change& change) {
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "unlinked_of_patient", patient_key));
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
    ADAPTER_CHECK(ToReceived(transaction, row, audit::EventKind::kReleased, change));
  }
  storage::Statement waiting = UseWork(transaction, "has_unmapped_observation");
  waiting.Bind(patient_key);
  ADAPTER_TRY(const bool is_waiting, HasRow(waiting));
  // One that was looked at before this and is not stored yet is looked at again.
  return is_waiting ? UseWork(transaction, "new_facts").Bind(patient_key).Run() : Result<void>();
}

Result<void> SqliteOutbox::EndLease(storage::Transaction& transaction, const std::string& owner, TimeUs now) {
  std::vector<std::string> patients;
  {
    storage::Statement ended = UseWork(transaction, "end_lease");
    ended.Bind(owner);
    while (true) {
      ADAPTER_TRY(const bool has_row, ended.Step());
      if (!has_row) break;
      patients.push_back(ended.Text(0));
    }
  }
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(work_.RefreshDue(transaction, patient_key, now));
  }
  return {};
}

// The new state, and `superseded` after it when a higher revision waits for this one to leave the line.
Result<void> SqliteOutbox::Settle(storage::Transaction& transaction, WorkRow& row,
                                  const DeliveryReport& report, const Principal& actor, TimeUs now) {
  Ending ending = EndingOf(report.outcome);
  // What may have arrived earlier stays so until it has been looked for.
  if (report.outcome == DeliveryOutcome::kDeferred && row.is_ambiguous) ending.state = WorkState::kAmbiguous;
  const audit::Entry entry = EntryOf(row, ending.event, report, actor, now);
  row.reason_code = report.reasons.empty() ? "" : Name(report.reasons.front().code);
  row.next_attempt = now;
  switch (report.outcome) {
    case DeliveryOutcome::kDeferred:
      --row.attempts;
      if (row.attempts == 0) row.first_attempt.reset();
      row.next_attempt = report.next_attempt;
      break;
    case DeliveryOutcome::kAmbiguous:
      row.is_ambiguous = true;
      row.next_attempt = report.next_attempt;
      break;
    case DeliveryOutcome::kRetry:
      row.next_attempt = report.next_attempt;
      break;
    case DeliveryOutcome::kDelivered:
    case DeliveryOutcome::kQuarantined:
    case DeliveryOutcome::kHeld:
      break;
  }
  ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, report.reasons));
  ADAPTER_CHECK(work_.ChangeState(transaction, row, ending.state, entry));
  if (!MayFollow(row.state, WorkState::kSuperseded)) return {};
  ADAPTER_TRY(const bool is_old, work_.HasHigherDeliverable(transaction, row));
  if (!is_old) return {};
  return work_.Supersede(transaction, row, now);
}

Result<void> SqliteOutbox::ReleaseDependents(storage::Transaction& transaction, const WorkRow& row,
                                             TimeUs now) {
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "dependents", row.subject_key));
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow dependent, work_.LoadAt(transaction, position));
    ADAPTER_CHECK(ToQueued(transaction, dependent, audit::EventKind::kReleased, SystemPrincipal(), now));
  }
  return {};
}

Result<void> SqliteOutbox::ToQueued(storage::Transaction& transaction, WorkRow& row, audit::EventKind event,
                                    const Principal& actor, TimeUs now) {
  row.reason_code.clear();
  row.next_attempt = now;
  row.attempts = 0;
  row.first_attempt.reset();
  ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, {}));
  return work_.ChangeState(transaction, row, WorkState::kQueued, EntryOf(row, event, Change{actor, {}, now}));
}

// To be mapped again, with the maps in force then.
Result<void> SqliteOutbox::ToReceived(storage::Transaction& transaction, WorkRow& row, audit::EventKind event,
                                      const Change& change) {
  row.reason_code.clear();
  row.next_attempt = change.now;
  row.attempts = 0;
  row.first_attempt.reset();
  ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, {}));
  return work_.ChangeState(transaction, row, WorkState::kReceived, EntryOf(row, event, change));
}

Result<WorkRow> SqliteOutbox::LoadForChange(storage::Transaction& transaction, const WorkId& id,
                                            const Change& change) {
  if (change.actor.kind != ActorKind::kSystem && change.reason.empty()) {
    return Fail(Code::kUsage, "a change of the queue needs a reason");
  }
  return work_.Load(transaction, id);
}

Result<void> SqliteOutbox::Remark(storage::Transaction& transaction, audit::Sequence sequence,
                                  std::optional<std::int64_t> position, const Change& change) {
  if (change.reason.empty()) return {};
  return UseWork(transaction, "insert_remark").Bind(sequence, position, change.reason).Run();
}

Result<void> SqliteOutbox::Retry(storage::Transaction& transaction, const WorkId& id, const Change& change) {
  ADAPTER_TRY(WorkRow row, LoadForChange(transaction, id, change));
  switch (row.state) {
    case WorkState::kQuarantined:
      if (row.kind == WorkKind::kAuditEvent) {
        ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kRetried, change.actor, change.now));
        break;
      }
      ADAPTER_CHECK(ToReceived(transaction, row, audit::EventKind::kRetried, change));
      break;
    case WorkState::kHeld: {
      ADAPTER_TRY(const bool is_mapped, IsMapped(transaction, row));
      if (is_mapped) {
        ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kRetried, change.actor, change.now));
        break;
      }
      ADAPTER_CHECK(ToReceived(transaction, row, audit::EventKind::kRetried, change));
      break;
    }
    case WorkState::kRetry:
    case WorkState::kAmbiguous:
      row.next_attempt = change.now;
      row.first_attempt.reset();
      ADAPTER_CHECK(
          work_.ChangeState(transaction, row, row.state, EntryOf(row, audit::EventKind::kRetried, change)));
      break;
    default:
      return NotInState(row, "retried");
  }
  return Remark(transaction, row.audit_sequence, row.position, change);
}

Result<void> SqliteOutbox::Release(storage::Transaction& transaction, const WorkId& id,
                                   const Change& change) {
  ADAPTER_TRY(WorkRow row, LoadForChange(transaction, id, change));
  if (row.state != WorkState::kHeld) return NotInState(row, "released");
  ADAPTER_TRY(const bool is_mapped, IsMapped(transaction, row));
  if (!is_mapped) {
    return Fail(Code::kNotAllowed,
                "the administration it speaks of is not known: deliver that first, or push a version that "
                "names it; `queue retry` looks again");
  }
  ADAPTER_TRY(const auto conflicts, LoadConflicts(transaction, row.position));
  if (!conflicts.empty()) {
    return Fail(Code::kNotAllowed,
                "both sides changed a resource: `queue show` has them; say --ours or --theirs");
  }
  ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kReleased, change.actor, change.now));
  return Remark(transaction, row.audit_sequence, row.position, change);
}

Result<void> SqliteOutbox::Quarantine(storage::Transaction& transaction, const WorkId& id,
                                      const Change& change) {
  ADAPTER_TRY(WorkRow row, LoadForChange(transaction, id, change));
  if (row.state == WorkState::kSending || !MayFollow(row.state, WorkState::kQuarantined)) {
    return NotInState(row, "quarantined");
  }
  row.reason_code = "by-operator";
  const audit::Entry entry = EntryOf(row, audit::EventKind::kQuarantined, change);
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kQuarantined, entry));
  return Remark(transaction, row.audit_sequence, row.position, change);
}

Result<std::int64_t> SqliteOutbox::ReleasePatient(storage::Transaction& transaction,
                                                  std::string_view patient_key, const Change& change) {
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "held_for_patient", patient_key));
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
    ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kReleased, change.actor, change.now));
    ADAPTER_CHECK(Remark(transaction, row.audit_sequence, row.position, change));
  }
  return static_cast<std::int64_t>(positions.size());
}

Result<std::int64_t> SqliteOutbox::ReleaseHeldFor(storage::Transaction& transaction, Code reason,
                                                  const Change& change) {
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "held_for_reason", Name(reason)));
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
    ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kReleased, change.actor, change.now));
    ADAPTER_CHECK(Remark(transaction, row.audit_sequence, row.position, change));
  }
  return static_cast<std::int64_t>(positions.size());
}

Result<void> SqliteOutbox::ResumeSending(storage::Transaction& transaction, const Change& change) {
  if (change.actor.kind != ActorKind::kSystem && change.reason.empty()) {
    return Fail(Code::kUsage, "resuming after a restore needs a reason");
  }
  audit::Entry entry;
  entry.time = change.now;
  entry.event = audit::EventKind::kResumed;
  entry.actor = change.actor;
  entry.role = Name(Role::kOperator);
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  ADAPTER_CHECK(UseWork(transaction, "put_setting").Bind("sending", "on", sequence).Run());
  return Remark(transaction, sequence, std::nullopt, change);
}

}  // namespace fhir_adapter::outbox
