#include "outbox/sqlite/sqlite_queue_reader.h"

#include <algorithm>
#include <charconv>

#include "core/limits.h"
#include "outbox/inbox.h"
#include "outbox/sqlite/ledger_table.h"
#include "outbox/sqlite/patient_table.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(QueueQueries()[query]);
}

Result<std::vector<Reason>> RejectionReasons(storage::Snapshot& snapshot, std::int64_t inbox_id) {
  Statement statement = Use(snapshot, "inbox_issues");
  statement.Bind(inbox_id);
  std::vector<Reason> reasons;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return reasons;
    reasons.push_back(Reason{CodeFromName(statement.View(0), false), statement.Text(1), statement.Text(2)});
  }
}

Result<void> AppendRejected(storage::Snapshot& snapshot, const std::string& subject_key,
                            std::vector<RevisionState>& revisions) {
  Statement statement = Use(snapshot, "rejected_revisions");
  statement.Bind(subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    RevisionState state;
    state.revision = statement.Integer(0);
    state.state = WorkState::kRejected;
    state.receipt = statement.Text(1);
    ADAPTER_TRY(state.reasons, RejectionReasons(snapshot, statement.Integer(2)));
    revisions.push_back(std::move(state));
  }
}

}  // namespace

Result<QueueStatistics> SqliteQueueReader::Counts(storage::Snapshot& snapshot) {
  QueueStatistics statistics;
  Statement counts = Use(snapshot, "counts");
  while (true) {
    ADAPTER_TRY(const bool has_row, counts.Step());
    if (!has_row) return statistics;
    if (const auto state = WorkStateFromName(counts.View(0))) {
      statistics.by_state[static_cast<std::size_t>(*state)] = counts.Integer(1);
    }
  }
}

Result<std::int64_t> SqliteQueueReader::Undelivered(storage::Snapshot& snapshot) {
  ADAPTER_TRY(const QueueStatistics statistics, Counts(snapshot));
  return statistics.undelivered();
}

Result<QueueStatistics> SqliteQueueReader::Statistics(storage::Snapshot& snapshot) {
  ADAPTER_TRY(QueueStatistics statistics, Counts(snapshot));
  Statement oldest = Use(snapshot, "oldest_waiting");
  ADAPTER_CHECK(oldest.Step());
  if (const auto received = oldest.OptionalInteger(0)) statistics.oldest_waiting = TimeUs{*received};
  Statement setting = UseWork(snapshot, "setting");
  setting.Bind("sending");
  ADAPTER_TRY(const bool has_setting, setting.Step());
  statistics.sending_stopped = has_setting && setting.View(0) == "stopped";
  Statement events = Use(snapshot, "held_audit_events");
  ADAPTER_CHECK(events.Step());
  statistics.held_audit_events = events.Integer(0);
  return statistics;
}

Result<QueueEntry> SqliteQueueReader::LoadEntry(storage::Snapshot& snapshot, const WorkRow& row) {
  QueueEntry entry;
  entry.id = row.id;
  entry.kind = row.kind;
  entry.site = row.site;
  entry.record_id = row.record_id;
  entry.revision = row.revision;
  entry.state = row.state;
  ADAPTER_TRY(entry.reasons, WorkTable::LoadReasons(snapshot, row.position, false));
  entry.received = row.received;
  const bool has_time =
      row.state == WorkState::kQueued || row.state == WorkState::kRetry || row.state == WorkState::kAmbiguous;
  if (has_time) entry.next_attempt = row.next_attempt;
  entry.attempts = row.attempts;
  return entry;
}

Result<QueuePage> SqliteQueueReader::List(storage::Snapshot& snapshot, const QueueFilter& filter) {
  std::int64_t after = 0;
  std::from_chars(filter.after.data(), filter.after.data() + filter.after.size(), after);
  const std::size_t entries_max = std::min(filter.entries_max, limits::kQueuePageEntriesMax);
  const auto wanted = static_cast<std::int64_t>(entries_max) + 1;
  std::vector<std::int64_t> positions;
  {
    Statement statement = Use(snapshot, filter.state ? "list_of_state" : "list");
    if (filter.state) statement.Bind(Name(*filter.state));
    statement.Bind(after, wanted);
    ADAPTER_TRY(positions, FirstColumn(statement));
  }
  QueuePage page;
  if (positions.size() > entries_max) {
    positions.resize(entries_max);
    page.next = std::to_string(positions.empty() ? after : positions.back());
  }
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(const WorkRow row, work_.LoadAt(snapshot, position));
    ADAPTER_TRY(QueueEntry entry, LoadEntry(snapshot, row));
    page.entries.push_back(std::move(entry));
  }
  return page;
}

Result<QueueDetail> SqliteQueueReader::Show(storage::Snapshot& snapshot, const WorkId& id) {
  ADAPTER_TRY(const WorkRow row, work_.Load(snapshot, id));
  QueueDetail detail;
  ADAPTER_TRY(detail.entry, LoadEntry(snapshot, row));
  {
    Statement mapping = storage::ConnectionOf(snapshot).Use(MappingQueries()["has_mapping"]);
    mapping.Bind(row.position);
    ADAPTER_TRY(const bool has_row, mapping.Step());
    if (has_row) detail.map_set_sha256 = mapping.Text(0);
  }
  ADAPTER_TRY(detail.resources, LoadIntended(snapshot, row.position));
  ADAPTER_TRY(detail.ledger, LedgerTable::OfSubjectEverywhere(snapshot, row.subject_key));
  {
    Statement answer = UseWork(snapshot, "answer");
    answer.Bind(row.position);
    ADAPTER_TRY(const bool has_row, answer.Step());
    if (has_row) detail.answer = answer.Text(0);
  }
  if (row.state == WorkState::kHeld) {
    ADAPTER_TRY(detail.conflicts, LoadConflicts(snapshot, row.position));
  }
  Statement remarks = UseWork(snapshot, "remarks");
  remarks.Bind(row.position);
  while (true) {
    ADAPTER_TRY(const bool has_row, remarks.Step());
    if (!has_row) return detail;
    detail.remarks.push_back(remarks.Text(0));
  }
}

Result<std::vector<RevisionState>> SqliteQueueReader::Revisions(storage::Snapshot& snapshot,
                                                                std::string_view site,
                                                                std::string_view record_id) {
  const std::string subject_key = SubjectKey(site, record_id);
  std::vector<RevisionState> revisions;
  Statement statement = Use(snapshot, "revisions");
  statement.Bind(subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) break;
    RevisionState state;
    state.revision = statement.Integer(0);
    state.receipt = statement.Text(1);
    state.state = WorkStateFromName(statement.View(3)).value_or(WorkState::kReceived);
    ADAPTER_TRY(state.reasons, WorkTable::LoadReasons(snapshot, statement.Integer(2), false));
    if (state.state == WorkState::kDelivered) {
      ADAPTER_TRY(state.resources, LedgerTable::OfSubjectEverywhere(snapshot, subject_key));
    }
    revisions.push_back(std::move(state));
  }
  ADAPTER_CHECK(AppendRejected(snapshot, subject_key, revisions));
  std::sort(revisions.begin(), revisions.end(),
            [](const RevisionState& a, const RevisionState& b) { return a.revision < b.revision; });
  return revisions;
}

Result<std::vector<HeldPatient>> SqliteQueueReader::HeldPatients(storage::Snapshot& snapshot,
                                                                 std::string_view after,
                                                                 std::size_t patients_max) {
  std::vector<HeldPatient> held;
  Statement statement = Use(snapshot, "held_patients");
  statement.Bind(after).Bind(static_cast<std::int64_t>(patients_max));
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return held;
    HeldPatient patient;
    ADAPTER_TRY(patient.patient, LoadPatient(snapshot, statement.Text(0)));
    ADAPTER_CHECK(LoadPatientCheck(snapshot, statement.Integer(3), patient.patient));
    patient.reason = CodeFromName(statement.View(1), false);
    patient.items = statement.Integer(2);
    held.push_back(std::move(patient));
  }
}

Result<std::optional<TimeUs>> SqliteQueueReader::NextDue(storage::Snapshot& snapshot) {
  Statement statement = UseWork(snapshot, "next_due");
  ADAPTER_CHECK(statement.Step());
  const auto due = statement.OptionalInteger(0);
  return due ? std::optional(TimeUs{*due}) : std::optional<TimeUs>();
}

Result<std::vector<LedgerRow>> SqliteQueueReader::LedgerOfSubject(storage::Snapshot& snapshot,
                                                                  std::string_view endpoint,
                                                                  std::string_view subject_key) {
  return LedgerTable::OfSubject(snapshot, endpoint, subject_key);
}

Result<std::optional<LedgerRow>> SqliteQueueReader::LedgerRowOf(storage::Snapshot& snapshot,
                                                                std::string_view endpoint,
                                                                const ResourceKey& key) {
  return LedgerTable::Row(snapshot, endpoint, key);
}

Result<LedgerSubject> SqliteQueueReader::LedgerSubjectOf(storage::Snapshot& snapshot,
                                                         std::string_view endpoint,
                                                         std::string_view subject_key) {
  LedgerSubject subject;
  subject.subject_key = subject_key;
  ADAPTER_TRY(subject.rows, LedgerTable::OfSubject(snapshot, endpoint, subject_key));
  for (const LedgerRow& row : subject.rows) {
    const bool is_known = std::ranges::any_of(
        subject.patients, [&](const PatientReference& patient) { return patient.key == row.patient_key; });
    if (is_known) continue;
    ADAPTER_TRY(PatientReference patient, LoadPatient(snapshot, row.patient_key));
    subject.patients.push_back(std::move(patient));
  }
  return subject;
}

Result<std::vector<LedgerSubject>> SqliteQueueReader::LedgerSubjects(storage::Snapshot& snapshot,
                                                                     const LedgerFilter& filter) {
  ADAPTER_TRY(const std::vector<std::string> keys,
              LedgerTable::Subjects(snapshot, filter.endpoint, filter.after, filter.mrn, filter.since,
                                    std::min(filter.subjects_max, limits::kQueuePageEntriesMax)));
  std::vector<LedgerSubject> subjects;
  for (const std::string& key : keys) {
    ADAPTER_TRY(LedgerSubject subject, LedgerSubjectOf(snapshot, filter.endpoint, key));
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

Result<std::optional<ResourceKey>> SqliteQueueReader::LedgerKeyOf(storage::Snapshot& snapshot,
                                                                  std::string_view endpoint,
                                                                  std::string_view type,
                                                                  std::string_view server_id) {
  return LedgerTable::KeyOf(snapshot, endpoint, type, server_id);
}

}  // namespace fhir_adapter::outbox
