// The half of SqliteInbox that carries records from received to queued.

#include <charconv>
#include <set>

#include "core/fault_point.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/sqlite_inbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

// Names of facts; that of another record has none.
constexpr std::string_view kDeliveredFact = "delivered";
constexpr std::string_view kMrnFact = "mrn";
constexpr std::string_view kErasedFact = "erased";

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(MappingQueries()[query]);
}

Result<void> LoadFacts(storage::Snapshot& snapshot, const std::string& subject_key,
                       const std::string& patient_key, MappingFacts& facts) {
  Statement firings = Use(snapshot, "firings");
  firings.Bind(subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, firings.Step());
    if (!has_row) break;
    facts.firings.push_back(Firing{firings.Text(0), firings.Text(1)});
  }
  Statement others = Use(snapshot, "facts_of_others");
  others.Bind(patient_key, subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, others.Step());
    if (!has_row) return {};
    facts.other_records.push_back(others.Text(0));
  }
}

Result<void> LoadDelivered(storage::Snapshot& snapshot, const std::string& patient_key, MappingFacts& facts) {
  {
    Statement mrn = Use(snapshot, "mrn_of_patient");
    mrn.Bind(patient_key);
    ADAPTER_TRY(const bool has_row, mrn.Step());
    if (has_row) facts.mrn = mrn.Text(0);
  }
  Statement statement = Use(snapshot, "delivered_of_patient");
  statement.Bind(patient_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    facts.delivered.push_back(statement.Text(0));
  }
}

Result<void> StoreFacts(storage::Transaction& transaction, std::int64_t position, const MappingFacts& facts) {
  ADAPTER_CHECK(Use(transaction, "delete_mapping_facts").Bind(position).Run());
  Statement insert = Use(transaction, "insert_mapping_fact");
  int ordinal = 0;
  for (const Firing& firing : facts.firings) {
    ADAPTER_CHECK(insert.Bind(position, ordinal++, "firing", firing.issue, firing.recorded).Run());
  }
  for (const std::string& record : facts.other_records) {
    ADAPTER_CHECK(insert.Bind(position, ordinal++, "record", "", record).Run());
  }
  if (!facts.mrn.empty()) {
    ADAPTER_CHECK(insert.Bind(position, ordinal++, "record", kMrnFact, facts.mrn).Run());
  }
  for (const std::string& resource : facts.delivered) {
    ADAPTER_CHECK(insert.Bind(position, ordinal++, "record", kDeliveredFact, resource).Run());
  }
  return {};
}

Result<void> StoreResources(storage::Transaction& transaction, std::int64_t position,
                            const std::vector<IntendedResource>& resources) {
  ADAPTER_CHECK(UseWork(transaction, "delete_resources").Bind(position).Run());
  Statement insert = UseWork(transaction, "insert_resource");
  int ordinal = 0;
  for (const IntendedResource& resource : resources) {
    ADAPTER_CHECK(insert
                      .Bind(position, ordinal++, resource.key.type, resource.key.system, resource.key.value,
                            resource.uuid, resource.sha256, static_cast<int>(resource.has_identifier_search),
                            storage::Blob{resource.json})
                      .Run());
  }
  return {};
}

}  // namespace

Result<std::vector<PendingMapping>> SqliteInbox::Pending(storage::Snapshot& snapshot, std::string_view after,
                                                         std::size_t items_max) {
  std::int64_t position = 0;
  std::from_chars(after.data(), after.data() + after.size(), position);
  Statement statement = Use(snapshot, "pending");
  statement.Bind(position, static_cast<std::int64_t>(items_max));
  std::vector<PendingMapping> pending;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return pending;
    pending.push_back(
        PendingMapping{WorkId{statement.Text(1)}, statement.Text(2), std::to_string(statement.Integer(0))});
  }
}

Result<MappingTask> SqliteInbox::LoadMapping(storage::Snapshot& snapshot, const WorkId& id) {
  MappingTask task;
  task.id = id;
  ADAPTER_TRY(const WorkRow row, work_.Load(snapshot, id));
  task.kind = row.kind;
  task.state = row.state;
  task.subject_key = row.subject_key;
  task.revision = row.revision;
  task.facts.patient_generation = row.patient_generation;
  task.facts.revision = row.revision;
  {
    Statement statement = Use(snapshot, "task");
    statement.Bind(id.value);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return Fail(Code::kNotFound, "this work has no record to map");
    task.bytes = statement.Text(0);
    task.facts_version = statement.Integer(1);
    task.map = statement.Text(2);
    task.facts.received = TimeUs{statement.Integer(3)};
  }
  if (row.kind == WorkKind::kObservation) {
    ADAPTER_CHECK(LoadDelivered(snapshot, row.patient_key, task.facts));
  } else {
    ADAPTER_CHECK(LoadFacts(snapshot, row.subject_key, row.patient_key, task.facts));
  }
  return task;
}

Result<PinnedMapping> SqliteInbox::LoadPinned(storage::Snapshot& snapshot, const WorkId& id) {
  PinnedMapping pinned;
  std::int64_t position = 0;
  {
    Statement statement = Use(snapshot, "pinned");
    statement.Bind(id.value);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return Fail(Code::kNotFound, "this work was not mapped, or its record was erased");
    position = statement.Integer(0);
    pinned.bytes = statement.Text(1);
    pinned.map_set_sha256 = statement.Text(2);
    pinned.engine = statement.Text(3);
    pinned.output_sha256 = statement.Text(4);
    pinned.facts.patient_generation = static_cast<int>(statement.Integer(5));
    pinned.map_id = statement.Text(6);
    pinned.facts.revision = statement.Integer(7);
    pinned.facts.received = TimeUs{statement.Integer(8)};
  }
  Statement facts = Use(snapshot, "mapping_facts");
  facts.Bind(position);
  while (true) {
    ADAPTER_TRY(const bool has_row, facts.Step());
    if (!has_row) return pinned;
    if (facts.View(0) == "firing") {
      pinned.facts.firings.push_back(Firing{facts.Text(1), facts.Text(2)});
    } else if (facts.View(1) == kErasedFact) {
      pinned.lacks_facts = true;
    } else if (facts.View(1) == kMrnFact) {
      pinned.facts.mrn = facts.Text(2);
    } else if (facts.View(1) == kDeliveredFact) {
      pinned.facts.delivered.push_back(facts.Text(2));
    } else {
      pinned.facts.other_records.push_back(facts.Text(2));
    }
  }
}

Result<MappingOutcome> SqliteInbox::CompleteMapping(storage::Transaction& transaction,
                                                    const MappingResult& result, TimeUs now) {
  ADAPTER_TRY(WorkRow row, work_.Load(transaction, result.id));
  if (row.state != WorkState::kReceived) return MappingOutcome::kGone;
  ADAPTER_TRY(const MappingTask task, LoadMapping(transaction, result.id));
  if (task.facts_version != result.facts_version) return MappingOutcome::kStale;
  ADAPTER_TRY(const bool is_old, work_.HasHigherDeliverable(transaction, row));
  if (is_old) {
    ADAPTER_CHECK(work_.Supersede(transaction, row, now));
    return MappingOutcome::kSuperseded;
  }
  if (!result.notes.empty()) {
    ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, true, result.notes));
  }
  if (!result.reasons.empty()) return Park(transaction, row, result, now);
  const std::string output = OutputHash(result.resources);
  ADAPTER_TRY(const bool is_unchanged, IsUnchanged(transaction, row, output));
  ADAPTER_CHECK(StoreOutput(transaction, row, result, task.facts, now));
  if (is_unchanged) {
    audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kDelivered, SystemPrincipal(), now);
    entry.outcome = "unchanged";
    ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kDelivered, entry));
    return MappingOutcome::kUnchanged;
  }
  ADAPTER_CHECK(PutInQueue(transaction, row, now));
  const bool is_record = row.kind == WorkKind::kRecord || row.kind == WorkKind::kRepair;
  if (is_record) ADAPTER_CHECK(StoreFact(transaction, row, result, now));
  ADAPTER_FAULT_POINT("mapped");
  return MappingOutcome::kQueued;
}

// What work was mapped to before must not be sent once it cannot be mapped any more.
Result<void> SqliteInbox::ForgetOutput(storage::Transaction& transaction, std::int64_t position) {
  ADAPTER_CHECK(UseWork(transaction, "delete_resources").Bind(position).Run());
  for (const char* query : {"delete_mapping_facts", "delete_mapping_patient", "delete_mapping"}) {
    ADAPTER_CHECK(Use(transaction, query).Bind(position).Run());
  }
  return {};
}

Result<MappingOutcome> SqliteInbox::Park(storage::Transaction& transaction, WorkRow& row,
                                         const MappingResult& result, TimeUs now) {
  const bool is_held = Describe(result.reasons.front().code).disposition == Disposition::kHeld;
  row.reason_code = Name(result.reasons.front().code);
  ADAPTER_CHECK(ForgetOutput(transaction, row.position));
  ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, result.reasons));
  audit::Entry entry = WorkTable::EntryFor(
      row, is_held ? audit::EventKind::kHeld : audit::EventKind::kQuarantined, SystemPrincipal(), now);
  entry.outcome = row.reason_code;
  entry.mapping =
      audit::MappingReference{result.map_id, result.map_version, result.map_set_sha256, result.engine};
  ADAPTER_CHECK(
      work_.ChangeState(transaction, row, is_held ? WorkState::kHeld : WorkState::kQuarantined, entry));
  return is_held ? MappingOutcome::kHeld : MappingOutcome::kQuarantined;
}

// Rules that ran again and gave what the revision gave before leave nothing to send.
Result<bool> SqliteInbox::IsUnchanged(storage::Transaction& transaction, const WorkRow& row,
                                      const std::string& output) {
  if (row.kind != WorkKind::kIssueUpdate) return false;
  Statement before = Use(transaction, "output_before");
  before.Bind(row.subject_key, row.revision, row.position);
  ADAPTER_TRY(const bool has_row, before.Step());
  return has_row && before.View(0) == output;
}

Result<void> SqliteInbox::StoreOutput(storage::Transaction& transaction, WorkRow& row,
                                      const MappingResult& result, const MappingFacts& facts, TimeUs now) {
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kMapped, SystemPrincipal(), now);
  entry.outcome = "ok";
  entry.mapping =
      audit::MappingReference{result.map_id, result.map_version, result.map_set_sha256, result.engine};
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kMapped, entry));
  ADAPTER_CHECK(Use(transaction, "put_mapping")
                    .Bind(row.position, result.map_set_sha256, result.map_id, result.map_version,
                          result.engine, row.patient_generation, OutputHash(result.resources),
                          row.audit_sequence)
                    .Run());
  ADAPTER_CHECK(
      Use(transaction, "put_mapping_patient").Bind(row.position, result.sex, result.birth_date).Run());
  ADAPTER_CHECK(StoreFacts(transaction, row.position, facts));
  ADAPTER_CHECK(StoreResources(transaction, row.position, result.resources));
  Statement firing = Use(transaction, "put_firing");
  for (const std::string& issue : result.firings) {
    ADAPTER_CHECK(firing.Bind(row.subject_key, issue, result.recorded, row.audit_sequence).Run());
  }
  return {};
}

Result<void> SqliteInbox::PutInQueue(storage::Transaction& transaction, WorkRow& row, TimeUs now) {
  row.next_attempt = now;
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kQueued, SystemPrincipal(), now);
  entry.outcome = "ok";
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kQueued, entry));
  return SupersedeLower(transaction, row, now);
}

Result<void> SqliteInbox::SupersedeLower(storage::Transaction& transaction, const WorkRow& row, TimeUs now) {
  ADAPTER_TRY(auto positions,
              WorkTable::Positions(transaction, "lower_waiting", row.subject_key, row.revision));
  if (row.kind == WorkKind::kIssueUpdate) {
    ADAPTER_TRY(const auto evaluations, WorkTable::Positions(transaction, "evaluation_waiting",
                                                             row.subject_key, row.revision, row.position));
    positions.insert(positions.end(), evaluations.begin(), evaluations.end());
  }
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow lower, work_.LoadAt(transaction, position));
    ADAPTER_CHECK(work_.Supersede(transaction, lower, now));
  }
  return {};
}

Result<void> SqliteInbox::StoreFact(storage::Transaction& transaction, const WorkRow& row,
                                    const MappingResult& result, TimeUs now) {
  std::string old_patient;
  {
    Statement statement = Use(transaction, "fact");
    statement.Bind(row.subject_key);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (has_row && statement.View(0) == row.patient_key && statement.View(1) == result.fact) {
      return Use(transaction, "put_fact")
          .Bind(row.subject_key, row.patient_key, row.revision, result.fact)
          .Run();
    }
    if (!has_row && result.fact.empty()) return {};
    if (has_row) old_patient = statement.Text(0);
  }
  if (result.fact.empty()) {
    ADAPTER_CHECK(Use(transaction, "delete_fact").Bind(row.subject_key).Run());
  } else {
    ADAPTER_CHECK(
        Use(transaction, "put_fact").Bind(row.subject_key, row.patient_key, row.revision, result.fact).Run());
  }
  std::set<std::string> patients{row.patient_key};
  if (!old_patient.empty()) patients.insert(old_patient);
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(Use(transaction, "new_facts").Bind(patient_key).Run());
    ADAPTER_CHECK(ReevaluateOthers(transaction, patient_key, row, now));
  }
  return {};
}

Result<void> SqliteInbox::ReevaluateOthers(storage::Transaction& transaction, const std::string& patient_key,
                                           const WorkRow& cause, TimeUs now) {
  std::vector<std::pair<std::string, std::int64_t>> subjects;
  {
    Statement statement = Use(transaction, "subjects_of_others");
    statement.Bind(patient_key, cause.subject_key);
    while (true) {
      ADAPTER_TRY(const bool has_row, statement.Step());
      if (!has_row) break;
      subjects.emplace_back(statement.Text(0), statement.Integer(1));
    }
  }
  for (const auto& [subject_key, revision] : subjects) {
    Statement waiting = Use(transaction, "waits_for_mapping");
    waiting.Bind(subject_key);
    ADAPTER_TRY(const bool is_waiting, HasRow(waiting));
    if (is_waiting) continue;
    audit::Entry entry;
    entry.time = now;
    entry.event = audit::EventKind::kReevaluated;
    entry.trace_id = audit::TraceOfSubject(subject_key);
    entry.actor = SystemPrincipal();
    entry.patient_token = patient_key;
    ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
    const NewWork work{
        WorkId{keys_.NewName()}, WorkKind::kIssueUpdate, subject_key, revision, patient_key, subject_key};
    ADAPTER_CHECK(work_.Insert(transaction, work, sequence, now));
  }
  return {};
}

Result<void> SqliteInbox::StoreMapSet(storage::Transaction& transaction, std::string_view sha256,
                                      std::string_view bytes, TimeUs now) {
  {
    Statement known = Use(transaction, "map_set");
    known.Bind(sha256);
    ADAPTER_TRY(const bool has_row, known.Step());
    if (has_row) return {};
  }
  audit::Entry entry;
  entry.time = now;
  entry.event = audit::EventKind::kMapSetStored;
  entry.actor = SystemPrincipal();
  entry.mapping = audit::MappingReference{{}, {}, std::string(sha256), {}};
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  return Use(transaction, "put_map_set").Bind(sha256, storage::Blob{bytes}, sequence).Run();
}

Result<std::string> SqliteInbox::LoadMapSet(storage::Snapshot& snapshot, std::string_view sha256) {
  Statement statement = Use(snapshot, "map_set");
  statement.Bind(sha256);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return Fail(Code::kNotFound, "this map set was never used here");
  return statement.Text(0);
}

}  // namespace fhir_adapter::outbox
