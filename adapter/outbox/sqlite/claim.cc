// The half of SqliteOutbox that gives work out: Claim, Extend, EndLeases.

#include <algorithm>

#include "core/limits.h"
#include "outbox/sqlite/patient_table.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

// A patient whose work waits for another patient's is looked at again after this.
constexpr std::int64_t kWaitForOtherUs = 1'000'000;

Result<bool> IsSendingStopped(storage::Snapshot& snapshot) {
  Statement statement = UseWork(snapshot, "setting");
  statement.Bind("sending");
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row && statement.View(0) == "stopped";
}

Result<std::vector<std::string>> DuePatients(storage::Snapshot& snapshot, TimeUs now,
                                             std::size_t patients_max) {
  Statement statement = UseWork(snapshot, "due_patients");
  statement.Bind(now.us, static_cast<std::int64_t>(patients_max));
  std::vector<std::string> patients;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return patients;
    patients.push_back(statement.Text(0));
  }
}

Result<std::optional<std::int64_t>> HeadOfLine(storage::Snapshot& snapshot, const std::string& patient_key,
                                               TimeUs now) {
  Statement head = UseWork(snapshot, "head_of_line");
  head.Bind(patient_key);
  ADAPTER_TRY(const bool has_row, head.Step());
  if (!has_row || head.Integer(2) > now.us) return std::optional<std::int64_t>();
  const auto state = WorkStateFromName(head.View(1));
  if (state != WorkState::kQueued && state != WorkState::kRetry && state != WorkState::kAmbiguous) {
    return std::optional<std::int64_t>();
  }
  return std::optional(head.Integer(0));
}

Result<int> WriteNumber(storage::Snapshot& snapshot, const WorkRow& row) {
  Statement statement = UseWork(snapshot, "written_before");
  statement.Bind(row.subject_key, row.revision, row.position);
  ADAPTER_CHECK(statement.Step());
  return static_cast<int>(statement.Integer(0)) + 1;
}

Result<WorkItem> LoadItem(storage::Snapshot& snapshot, const WorkRow& row,
                          const std::vector<std::string>& former, const Lease& lease) {
  WorkItem item;
  item.id = row.id;
  item.kind = row.kind;
  item.subject_key = row.subject_key;
  item.site = row.site;
  item.record_id = row.record_id;
  item.revision = row.revision;
  item.record_status = row.record_status;
  item.received = row.received;
  ADAPTER_TRY(item.patient, LoadPatient(snapshot, row.patient_key));
  ADAPTER_CHECK(LoadPatientCheck(snapshot, row.position, item.patient));
  for (const std::string& patient_key : former) {
    ADAPTER_TRY(PatientReference patient, LoadPatient(snapshot, patient_key));
    item.former_patients.push_back(std::move(patient));
  }
  item.patient_generation = row.patient_generation;
  item.is_ambiguous = row.is_ambiguous;
  item.attempt = row.attempts;
  item.first_attempt = row.first_attempt.value_or(TimeUs{});
  ADAPTER_TRY(item.write_number, WriteNumber(snapshot, row));
  item.lease = lease;
  ADAPTER_TRY(item.resources, LoadIntended(snapshot, row.position));
  ADAPTER_TRY(item.ledger, LedgerTable::OfSubject(snapshot, lease.endpoint, row.subject_key));
  return item;
}

}  // namespace

Result<std::vector<WorkItem>> SqliteOutbox::Claim(storage::Transaction& transaction,
                                                  const ClaimRequest& request) {
  std::vector<WorkItem> items;
  ADAPTER_TRY(const bool is_stopped, IsSendingStopped(transaction));
  if (is_stopped) return items;
  std::size_t looked_at = 0;
  while (items.size() < request.items_max && looked_at < limits::kClaimPatientsMax) {
    const std::size_t wanted =
        std::min(request.items_max - items.size(), limits::kClaimPatientsMax - looked_at);
    ADAPTER_TRY(const auto patients, DuePatients(transaction, request.now, wanted));
    if (patients.empty()) break;
    for (const std::string& patient_key : patients) {
      ++looked_at;
      ADAPTER_TRY(auto item, ClaimOfPatient(transaction, patient_key, request));
      if (item) items.push_back(std::move(*item));
    }
  }
  return items;
}

// Afterwards the patient is not due any more: its work was taken, or waits for a later time.
Result<std::optional<WorkItem>> SqliteOutbox::ClaimOfPatient(storage::Transaction& transaction,
                                                             const std::string& patient_key,
                                                             const ClaimRequest& request) {
  ADAPTER_CHECK(EndExpired(transaction, patient_key, request.now));
  ADAPTER_TRY(const PatientLine line, work_.LineOf(transaction, patient_key));
  // Taken since the list of those that are due was made, by a record that leaves this patient.
  if (line.owner) return std::optional<WorkItem>();
  // Each turn takes one item out of the line or ends.
  while (true) {
    ADAPTER_TRY(const auto position, HeadOfLine(transaction, patient_key, request.now));
    if (!position) {
      ADAPTER_CHECK(work_.RefreshDue(transaction, patient_key, request.now));
      return std::optional<WorkItem>();
    }
    ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, *position));
    ADAPTER_TRY(const bool is_out, TakeOutOfLine(transaction, row, request.now));
    if (is_out) continue;
    ADAPTER_TRY(const auto former, LedgerTable::FormerPatients(transaction, request.endpoint, row));
    ADAPTER_TRY(const bool has_to_wait, HasToWait(transaction, row, former, request.now));
    if (has_to_wait) {
      ADAPTER_CHECK(
          UseWork(transaction, "set_due").Bind(request.now.us + kWaitForOtherUs, patient_key).Run());
      return std::optional<WorkItem>();
    }
    ADAPTER_TRY(WorkItem item, Take(transaction, row, former, request));
    return std::optional(std::move(item));
  }
}

// The work that is due but must not be sent: an older revision, or work about a record that is parked.
Result<bool> SqliteOutbox::TakeOutOfLine(storage::Transaction& transaction, WorkRow& row, TimeUs now) {
  if (row.state != WorkState::kQueued) return false;
  ADAPTER_TRY(const bool is_old, work_.HasHigherDeliverable(transaction, row));
  if (is_old) {
    ADAPTER_CHECK(work_.Supersede(transaction, row, now));
    return true;
  }
  if (row.depends_on.empty()) return false;
  {
    Statement delivered = UseWork(transaction, "delivered_revision");
    delivered.Bind(row.depends_on, row.depends_on == row.subject_key ? row.revision : 0);
    ADAPTER_TRY(const bool is_delivered, HasRow(delivered));
    if (is_delivered) return false;
  }
  row.reason_code = Name(Code::kUnresolvedLink);
  ADAPTER_CHECK(
      WorkTable::SetReasons(transaction, row.position, false,
                            {Reason{Code::kUnresolvedLink, {}, "waits for the record it is about"}}));
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kHeld, SystemPrincipal(), now);
  entry.outcome = row.reason_code;
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kHeld, entry));
  return true;
}

// A lower revision of the record is on its way for another patient, or another patient's lease is needed and
// taken.
Result<bool> SqliteOutbox::HasToWait(storage::Transaction& transaction, const WorkRow& row,
                                     const std::vector<std::string>& former, TimeUs now) {
  {
    Statement lower = UseWork(transaction, "lower_in_flight");
    lower.Bind(row.subject_key, row.revision);
    ADAPTER_TRY(const bool is_in_flight, HasRow(lower));
    if (is_in_flight) return true;
  }
  for (const std::string& patient_key : former) {
    ADAPTER_CHECK(EndExpired(transaction, patient_key, now));
    ADAPTER_TRY(const PatientLine line, work_.LineOf(transaction, patient_key));
    if (line.owner) return true;
  }
  return false;
}

Result<WorkItem> SqliteOutbox::Take(storage::Transaction& transaction, WorkRow& row,
                                    const std::vector<std::string>& former, const ClaimRequest& request) {
  const Lease lease{request.owner + ":" + row.id.value, TimeUs{request.now.us + request.lease_us},
                    request.endpoint};
  std::vector<std::string> patients = former;
  patients.push_back(row.patient_key);
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(UseWork(transaction, "take_lease")
                      .Bind(lease.owner, lease.until.us, lease.until.us, patient_key)
                      .Run());
  }
  ++row.attempts;
  if (!row.first_attempt) row.first_attempt = request.now;
  row.reason_code.clear();
  const audit::Entry entry =
      WorkTable::EntryFor(row, audit::EventKind::kAttempt, SystemPrincipal(), request.now);
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kSending, entry));
  return LoadItem(transaction, row, former, lease);
}

// What was being sent under a lease that ran out may have arrived.
Result<void> SqliteOutbox::EndExpired(storage::Transaction& transaction, const std::string& patient_key,
                                      TimeUs now) {
  ADAPTER_TRY(const PatientLine line, work_.LineOf(transaction, patient_key));
  if (!line.owner || line.until > now) return {};
  ADAPTER_CHECK(UseWork(transaction, "end_lease_of_patient").Bind(patient_key).Run());
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "sending_of_patient", patient_key));
  for (const std::int64_t position : positions) ADAPTER_CHECK(MakeAmbiguous(transaction, position, now));
  return work_.RefreshDue(transaction, patient_key, now);
}

Result<void> SqliteOutbox::MakeAmbiguous(storage::Transaction& transaction, std::int64_t position,
                                         TimeUs now) {
  ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
  row.is_ambiguous = true;
  row.next_attempt = now;
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kAmbiguous, SystemPrincipal(), now);
  entry.outcome = "lease-ended";
  return work_.ChangeState(transaction, row, WorkState::kAmbiguous, entry);
}

Result<Lease> SqliteOutbox::Extend(storage::Transaction& transaction, const WorkId& id, const Lease& lease,
                                   TimeUs until) {
  ADAPTER_TRY(const WorkRow row, work_.Load(transaction, id));
  ADAPTER_CHECK(
      UseWork(transaction, "extend_lease").Bind(until.us, until.us, lease.owner, lease.until.us).Run());
  if (row.state != WorkState::kSending || storage::ConnectionOf(transaction).changes() == 0) {
    return Fail(Code::kNotAllowed, "the lease of this work was lost");
  }
  return Lease{lease.owner, until, lease.endpoint};
}

Result<std::int64_t> SqliteOutbox::EndLeases(storage::Transaction& transaction, TimeUs now) {
  std::vector<std::string> patients;
  {
    Statement leased = UseWork(transaction, "leased_patients");
    while (true) {
      ADAPTER_TRY(const bool has_row, leased.Step());
      if (!has_row) break;
      patients.push_back(leased.Text(0));
    }
  }
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(UseWork(transaction, "end_lease_of_patient").Bind(patient_key).Run());
  }
  ADAPTER_TRY(const auto positions, WorkTable::Positions(transaction, "all_sending"));
  for (const std::int64_t position : positions) ADAPTER_CHECK(MakeAmbiguous(transaction, position, now));
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(work_.RefreshDue(transaction, patient_key, now));
  }
  return static_cast<std::int64_t>(positions.size());
}

}  // namespace fhir_adapter::outbox
