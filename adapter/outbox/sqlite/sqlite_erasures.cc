#include "outbox/sqlite/sqlite_erasures.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/fault_point.h"
#include "outbox/inbox.h"
#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

// By the number of a piece of work, or of a ledger row.
constexpr std::string_view kOfWork[] = {"blank_reasons",        "blank_output",     "delete_mapping_patient",
                                        "delete_mapping_facts", "delete_resources", "delete_answer",
                                        "delete_conflicts",     "delete_remarks"};
constexpr std::string_view kOfPlace[] = {"delete_content", "delete_merged", "blank_ledger"};
// By the key of the record.
constexpr std::string_view kOfSubject[] = {"delete_firings", "delete_fact", "delete_identifiers",
                                           "delete_key"};

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(EraseQueries()[query]);
}

template <class Key, std::size_t kCount>
Result<void> RunEach(storage::Transaction& transaction, const std::string_view (&queries)[kCount],
                     const Key& key) {
  for (const std::string_view query : queries) ADAPTER_CHECK(Use(transaction, query).Bind(key).Run());
  return {};
}

Result<std::vector<std::int64_t>> Numbers(storage::Snapshot& snapshot, std::string_view query,
                                          const std::string& subject_key) {
  Statement statement = Use(snapshot, query);
  statement.Bind(subject_key);
  return FirstColumn(statement);
}

Result<std::vector<std::string>> PatientsOf(storage::Snapshot& snapshot, const std::string& subject_key) {
  std::vector<std::string> patients;
  Statement statement = Use(snapshot, "patients_of_subject");
  statement.Bind(subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return patients;
    patients.push_back(statement.Text(0));
  }
}

Result<std::vector<std::int64_t>> SubmissionsOf(storage::Snapshot& snapshot, const std::string& subject_key,
                                                const std::string& record_id) {
  ADAPTER_TRY(std::vector<std::int64_t> submissions, Numbers(snapshot, "inbox_of_subject", subject_key));
  Statement statement = Use(snapshot, "unidentified_refusals");
  statement.Bind(record_id);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return submissions;
    if (HoldsWord(statement.View(1), record_id)) submissions.push_back(statement.Integer(0));
  }
}

Result<void> EraseSubmissions(storage::Transaction& transaction, const std::string& subject_key,
                              ErasedRecord& erased) {
  ADAPTER_TRY(const auto submissions, SubmissionsOf(transaction, subject_key, erased.record_id));
  for (const std::int64_t inbox_id : submissions) {
    ADAPTER_CHECK(Use(transaction, "delete_raw").Bind(inbox_id).Run());
    erased.submissions += storage::ConnectionOf(transaction).changes();
    ADAPTER_CHECK(Use(transaction, "delete_message").Bind(inbox_id).Run());
    ADAPTER_CHECK(Use(transaction, "blank_issues").Bind(inbox_id).Run());
  }
  return {};
}

Result<void> ErasePlaces(storage::Transaction& transaction, const std::string& subject_key,
                         ErasedRecord& erased) {
  ADAPTER_TRY(const auto places, Numbers(transaction, "ledger_of_subject", subject_key));
  erased.places += static_cast<std::int64_t>(places.size());
  for (const std::int64_t ledger_id : places) ADAPTER_CHECK(RunEach(transaction, kOfPlace, ledger_id));
  return {};
}

// What others know of the record and, when it was the last one, the patient.
Result<void> EraseFromPatient(storage::Transaction& transaction, const std::string& subject_key,
                              const std::string& patient_key, ErasedRecord& erased) {
  std::vector<std::int64_t> positions;
  {
    Statement others = Use(transaction, "other_work_of_patient");
    others.Bind(patient_key, subject_key);
    ADAPTER_TRY(positions, FirstColumn(others));
  }
  for (const std::int64_t position : positions) {
    ADAPTER_CHECK(Use(transaction, "blank_facts_about").Bind(position, subject_key).Run());
  }
  ADAPTER_CHECK(Use(transaction, "new_facts").Bind(patient_key).Run());
  Statement records = Use(transaction, "patient_has_records");
  records.Bind(patient_key);
  ADAPTER_TRY(const bool has_records, HasRow(records));
  if (has_records) return {};
  ADAPTER_CHECK(Use(transaction, "delete_patient").Bind(patient_key).Run());
  erased.patients_gone += storage::ConnectionOf(transaction).changes();
  ADAPTER_CHECK(Use(transaction, "delete_patient_link").Bind(patient_key).Run());
  return Use(transaction, "delete_patient_found").Bind(patient_key).Run();
}

}  // namespace

Result<std::optional<Erasure>> FindErasure(storage::Snapshot& snapshot, std::string_view subject_key) {
  Statement statement = Use(snapshot, "erasure");
  statement.Bind(subject_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::optional<Erasure>();
  Erasure erasure;
  erasure.erased = TimeUs{statement.Integer(0)};
  if (const auto finished = statement.OptionalInteger(1)) erasure.finished = TimeUs{*finished};
  erasure.reason = statement.Text(2);
  erasure.audit_sequence = statement.Integer(3);
  return std::optional(std::move(erasure));
}

std::string ErasedMessage(const Erasure& erasure) {
  return "this record was erased on " + ToString(erasure.erased) +
         "; no revision of it is taken again, and `fhir-adapter trace` says why";
}

Result<std::optional<Erasure>> SqliteErasures::Find(storage::Snapshot& snapshot,
                                                    std::string_view subject_key) {
  return FindErasure(snapshot, subject_key);
}

Result<std::vector<UnfinishedErasure>> SqliteErasures::Unfinished(storage::Snapshot& snapshot) {
  std::vector<UnfinishedErasure> unfinished;
  Statement keys = Use(snapshot, "unfinished_erasures");
  while (true) {
    ADAPTER_TRY(const bool has_row, keys.Step());
    if (!has_row) return unfinished;
    unfinished.push_back({keys.Text(0), keys.Text(1), keys.Text(2)});
  }
}

Result<void> SqliteErasures::Finish(storage::Transaction& transaction, std::string_view subject_key,
                                    TimeUs now) {
  return Use(transaction, "finish_erasure").Bind(now.us, subject_key).Run();
}

// Only what nothing more will happen to, and what a person has to decide about: this is the decision.
Result<std::vector<WorkRow>> SqliteErasures::LoadSettled(storage::Transaction& transaction,
                                                         const std::string& subject_key) {
  ADAPTER_TRY(const auto positions, Numbers(transaction, "work_of_subject", subject_key));
  std::vector<WorkRow> rows;
  for (const std::int64_t position : positions) {
    ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
    // What waits to tell of the record is not told any more.
    const bool is_dropped = row.kind == WorkKind::kAuditEvent && MayFollow(row.state, WorkState::kSuperseded);
    if (!IsFinal(row.state) && row.state != WorkState::kQuarantined && !is_dropped) {
      return Fail(Code::kNotAllowed,
                  "revision " + std::to_string(row.revision) + " is " + std::string(Name(row.state)) +
                      " (work " + row.id.value +
                      "): wait until it is delivered, or take it out with `queue quarantine` first");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<void> SqliteErasures::Note(storage::Transaction& transaction, const std::string& subject_key,
                                  const std::vector<std::string>& patients, const Change& change,
                                  ErasedRecord& erased) {
  audit::Entry entry;
  entry.time = change.now;
  entry.event = audit::EventKind::kErased;
  entry.trace_id = audit::TraceOfSubject(subject_key);
  entry.actor = change.actor;
  entry.role = Name(Role::kOperator);
  if (!patients.empty()) entry.patient_token = patients.front();
  entry.local = audit::LocalReference{erased.site, erased.record_id, 0, {}};
  entry.operation = "erase";
  entry.outcome = "ok";
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  erased.erasure = Erasure{change.now, std::nullopt, change.reason, sequence};
  return Use(transaction, "insert_erasure").Bind(subject_key, change.now.us, change.reason, sequence).Run();
}

Result<void> SqliteErasures::EraseWork(storage::Transaction& transaction, std::vector<WorkRow>& rows,
                                       const ErasedRecord& erased, const Change& change) {
  for (WorkRow& row : rows) {
    ADAPTER_CHECK(RunEach(transaction, kOfWork, row.position));
    if (IsFinal(row.state)) continue;
    audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kSuperseded, change.actor, change.now);
    entry.role = Name(Role::kOperator);
    entry.supersedes = audit::Supersedes{erased.erasure.audit_sequence, std::string(kErasedOutcome)};
    row.reason_code.clear();
    ADAPTER_CHECK(WorkTable::SetReasons(transaction, row.position, false, {}));
    ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kSuperseded, entry));
  }
  return {};
}

Result<ErasedRecord> SqliteErasures::Erase(storage::Transaction& transaction, const std::string& subject_key,
                                           const Change& change) {
  if (change.reason.empty()) return Fail(Code::kUsage, "an erasure needs a reason");
  ErasedRecord erased;
  {
    Statement name = Use(transaction, "name_of_subject");
    name.Bind(subject_key);
    ADAPTER_TRY(const bool has_row, name.Step());
    if (!has_row) return Fail(Code::kNotFound, "the store knows no such record");
    erased.site = name.Text(0);
    erased.record_id = name.Text(1);
  }
  ADAPTER_TRY(std::vector<WorkRow> rows, LoadSettled(transaction, subject_key));
  const std::string audit_key = AuditKey(subject_key);
  ADAPTER_TRY(std::vector<WorkRow> events, LoadSettled(transaction, audit_key));
  std::ranges::move(events, std::back_inserter(rows));
  ADAPTER_TRY(const std::vector<std::string> patients, PatientsOf(transaction, subject_key));
  ADAPTER_TRY(const auto before, FindErasure(transaction, subject_key));
  erased.is_first = !before;
  if (before) {
    erased.erasure = *before;
  } else {
    ADAPTER_CHECK(Note(transaction, subject_key, patients, change, erased));
  }
  ADAPTER_CHECK(EraseSubmissions(transaction, subject_key, erased));
  ADAPTER_CHECK(EraseWork(transaction, rows, erased, change));
  for (const std::string& key : {subject_key, audit_key}) {
    ADAPTER_CHECK(ErasePlaces(transaction, key, erased));
    ADAPTER_CHECK(RunEach(transaction, kOfSubject, key));
  }
  for (const std::string& patient_key : patients) {
    ADAPTER_CHECK(EraseFromPatient(transaction, subject_key, patient_key, erased));
  }
  ADAPTER_FAULT_POINT("record-erased");
  return erased;
}

}  // namespace fhir_adapter::outbox
