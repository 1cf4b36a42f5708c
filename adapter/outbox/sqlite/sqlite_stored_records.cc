#include "outbox/sqlite/sqlite_stored_records.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "outbox/sqlite/patient_table.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(RemapQueries()[query]);
}

// Why the record is left alone; empty: it can be mapped again.
std::string ObstacleOf(const WorkRow& last) {
  switch (last.state) {
    case WorkState::kReceived:
    case WorkState::kMapped:
      return "it waits to be mapped anyway";
    case WorkState::kQuarantined:
      return "it is quarantined: `queue retry` maps it again";
    case WorkState::kHeld:
      return last.reason_code == Name(Code::kConflict) ? "it is held as a conflict: decide that first" : "";
    case WorkState::kSuperseded:
    case WorkState::kRejected:
      return "it is never sent";
    case WorkState::kQueued:
    case WorkState::kSending:
    case WorkState::kRetry:
    case WorkState::kAmbiguous:
    case WorkState::kDelivered:
      break;
  }
  return "";
}

audit::Entry RemapEntry(const WorkRow& row, audit::EventKind event, const Change& change) {
  audit::Entry entry = WorkTable::EntryFor(row, event, change.actor, change.now);
  if (change.actor.kind != ActorKind::kSystem) entry.role = Name(Role::kOperator);
  entry.attempt = 0;
  entry.operation = "remap";
  entry.outcome = "ok";
  return entry;
}

Result<void> Remark(storage::Transaction& transaction, audit::Sequence sequence, std::int64_t position,
                    const Change& change) {
  return UseWork(transaction, "insert_remark").Bind(sequence, position, change.reason).Run();
}

Result<std::vector<std::string>> SubjectsOf(storage::Snapshot& snapshot, const StoredRecordFilter& filter) {
  const auto records_max =
      static_cast<std::int64_t>(std::min(filter.records_max, limits::kStoredRecordsPageMax));
  Statement statement = Use(snapshot, filter.record_id.empty() ? "stored_records" : "stored_records_of_id");
  if (filter.record_id.empty()) {
    const std::optional<std::int64_t> since =
        filter.since ? std::optional(filter.since->us) : std::optional<std::int64_t>();
    statement.Bind(filter.after, filter.site, since, records_max);
  } else {
    statement.Bind(filter.record_id, filter.after, filter.site, records_max);
  }
  std::vector<std::string> subjects;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return subjects;
    subjects.push_back(statement.Text(0));
  }
}

}  // namespace

Result<std::optional<WorkRow>> SqliteStoredRecords::LastWork(storage::Snapshot& snapshot,
                                                             std::string_view subject_key) {
  std::int64_t position = 0;
  {
    Statement statement = Use(snapshot, "last_work");
    statement.Bind(subject_key);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return std::optional<WorkRow>();
    position = statement.Integer(0);
  }
  ADAPTER_TRY(WorkRow row, work_.LoadAt(snapshot, position));
  return std::optional(std::move(row));
}

Result<StoredRecord> SqliteStoredRecords::LoadRecord(storage::Snapshot& snapshot, const WorkRow& last) {
  StoredRecord record;
  record.subject_key = last.subject_key;
  record.site = last.site;
  record.record_id = last.record_id;
  record.revision = last.revision;
  record.id = last.id;
  record.state = last.state;
  record.obstacle = ObstacleOf(last);
  auto task = inbox_.LoadMapping(snapshot, last.id);
  if (!task && task.error().code != Code::kNotFound) return Fail(std::move(task).error());
  if (task) {
    record.task = std::move(*task);
  } else {
    record.obstacle = "it was erased";
  }
  record.can_be_remapped = record.obstacle.empty();
  {
    Statement mapping = storage::ConnectionOf(snapshot).Use(MappingQueries()["has_mapping"]);
    mapping.Bind(last.position);
    ADAPTER_TRY(const bool has_row, mapping.Step());
    if (has_row) record.map_set_sha256 = mapping.Text(0);
  }
  ADAPTER_TRY(record.resources, LoadIntended(snapshot, last.position));
  ADAPTER_TRY(record.notes, WorkTable::LoadReasons(snapshot, last.position, true));
  return record;
}

Result<StoredRecordPage> SqliteStoredRecords::List(storage::Snapshot& snapshot,
                                                   const StoredRecordFilter& filter) {
  StoredRecordPage page;
  ADAPTER_TRY(const auto subjects, SubjectsOf(snapshot, filter));
  for (const std::string& subject_key : subjects) {
    page.next = subject_key;
    ADAPTER_TRY(const auto last, LastWork(snapshot, subject_key));
    if (!last || last->kind == WorkKind::kObservation) continue;
    ADAPTER_TRY(StoredRecord record, LoadRecord(snapshot, *last));
    page.records.push_back(std::move(record));
  }
  return page;
}

Result<void> SqliteStoredRecords::Remap(storage::Transaction& transaction, std::string_view subject_key,
                                        std::int64_t revision, const Change& change) {
  if (change.actor.kind != ActorKind::kSystem && change.reason.empty()) {
    return Fail(Code::kUsage, "mapping a stored record again needs a reason");
  }
  ADAPTER_TRY(auto last, LastWork(transaction, subject_key));
  if (!last || last->kind == WorkKind::kObservation) {
    return Fail(Code::kNotFound, "there is no record of this name");
  }
  if (last->revision != revision) {
    return Fail(Code::kNotAllowed, "another revision is the newest: call remap again");
  }
  if (const std::string obstacle = ObstacleOf(*last); !obstacle.empty()) {
    return Fail(Code::kNotAllowed, obstacle);
  }
  return last->state == WorkState::kHeld ? MapAgainInPlace(transaction, *last, change)
                                         : QueueBehind(transaction, *last, change);
}

// What is held has its place in the line already, and goes to the server by the maps in force or not at all.
Result<void> SqliteStoredRecords::MapAgainInPlace(storage::Transaction& transaction, WorkRow& row,
                                                  const Change& change) {
  const audit::Entry entry = RemapEntry(row, audit::EventKind::kRetried, change);
  row.reason_code.clear();
  row.next_attempt = change.now;
  row.attempts = 0;
  row.first_attempt.reset();
  ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, {}));
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kReceived, entry));
  return Remark(transaction, row.audit_sequence, row.position, change);
}

// Behind what waits of the patient. While the record itself does not get through, neither does this.
Result<void> SqliteStoredRecords::QueueBehind(storage::Transaction& transaction, const WorkRow& last,
                                              const Change& change) {
  ADAPTER_TRY(const audit::Sequence sequence,
              work_.log().Append(transaction, RemapEntry(last, audit::EventKind::kRepairQueued, change)));
  const NewWork work{WorkId{keys_.NewName()}, WorkKind::kRepair, last.subject_key,
                     last.revision,           last.patient_key,  last.subject_key};
  ADAPTER_TRY(const std::int64_t position, work_.Insert(transaction, work, sequence, change.now));
  return Remark(transaction, sequence, position, change);
}

}  // namespace fhir_adapter::outbox
