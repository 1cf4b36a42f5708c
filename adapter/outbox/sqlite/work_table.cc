#include "outbox/sqlite/work_table.h"

#include <algorithm>
#include <cstdlib>

#include "outbox/inbox.h"
#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

constexpr Code kAllCodes[] = {
#define ADAPTER_CODE(name, ...) Code::name,
#include "core/error_codes.def"
#undef ADAPTER_CODE
};

WorkState StateFromName(std::string_view name) {
  const auto state = WorkStateFromName(name);
  if (!state) std::abort();
  return *state;
}

WorkRow ReadRow(const Statement& statement) {
  WorkRow row;
  row.position = statement.Integer(0);
  row.id.value = statement.Text(1);
  row.kind = KindFromName(statement.View(2));
  row.subject_key = statement.Text(3);
  row.revision = statement.Integer(4);
  row.patient_key = statement.Text(5);
  row.depends_on = statement.Text(6);
  row.state = StateFromName(statement.View(7));
  row.reason_code = statement.Text(8);
  row.received = TimeUs{statement.Integer(9)};
  row.next_attempt = TimeUs{statement.Integer(10)};
  row.attempts = static_cast<int>(statement.Integer(11));
  if (const auto first = statement.OptionalInteger(12)) row.first_attempt = TimeUs{*first};
  row.writes = static_cast<int>(statement.Integer(13));
  row.is_ambiguous = statement.Integer(14) != 0;
  row.audit_sequence = statement.Integer(15);
  row.site = statement.Text(16);
  row.record_id = statement.Text(17);
  row.record_status = statement.Text(18);
  row.patient_generation = static_cast<int>(statement.OptionalInteger(19).value_or(1));
  row.raw_commitment = statement.Text(20);
  return row;
}

Result<void> CountState(storage::Transaction& transaction, WorkState state, int difference) {
  return UseWork(transaction, "count_state").Bind(difference, Name(state)).Run();
}

std::optional<std::string_view> NullIfEmpty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

WorkKind KindFromName(std::string_view name) {
  for (const WorkKind kind : {WorkKind::kRecord, WorkKind::kIssueUpdate, WorkKind::kRepair,
                              WorkKind::kObservation, WorkKind::kAuditEvent}) {
    if (Name(kind) == name) return kind;
  }
  std::abort();  // the table's check admits nothing else
}

Statement UseWork(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(WorkQueries()[query]);
}

Result<std::vector<std::int64_t>> FirstColumn(Statement& statement) {
  std::vector<std::int64_t> values;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return values;
    values.push_back(statement.Integer(0));
  }
}

Result<bool> HasRow(Statement& statement) {
  return statement.Step();
}

// Two codes share the name of an unmapped code: the note and the one that quarantines.
Code CodeFromName(std::string_view name, bool is_note) {
  for (const Code code : kAllCodes) {
    if (Name(code) == name && (Describe(code).disposition == Disposition::kNote) == is_note) return code;
  }
  return Code::kInternal;
}

Result<WorkRow> WorkTable::Load(storage::Snapshot& snapshot, const WorkId& id) {
  Statement statement = UseWork(snapshot, "load_work");
  statement.Bind(id.value);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return Fail(Code::kNotFound, "there is no work with this id");
  return ReadRow(statement);
}

Result<WorkRow> WorkTable::LoadAt(storage::Snapshot& snapshot, std::int64_t position) {
  Statement statement = UseWork(snapshot, "load_work_at");
  statement.Bind(position);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return Fail(Code::kNotFound, "there is no such work");
  return ReadRow(statement);
}

audit::Entry WorkTable::EntryFor(const WorkRow& row, audit::EventKind event, const Principal& actor,
                                 TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = event;
  entry.trace_id = audit::TraceOfSubject(row.subject_key);
  entry.actor = actor;
  entry.patient_token = WithoutAuditEnding(row.patient_key);
  entry.local = audit::LocalReference{row.site, row.record_id, row.revision, row.raw_commitment};
  entry.attempt = row.attempts;
  return entry;
}

Result<std::int64_t> WorkTable::Insert(storage::Transaction& transaction, const NewWork& work,
                                       audit::Sequence audit_sequence, TimeUs now) {
  ADAPTER_CHECK(UseWork(transaction, "insert_work")
                    .Bind(work.id.value, Name(work.kind), work.subject_key, work.revision, work.patient_key,
                          NullIfEmpty(work.depends_on), now.us, now.us, audit_sequence)
                    .Run());
  const std::int64_t position = storage::ConnectionOf(transaction).last_rowid();
  ADAPTER_CHECK(CountState(transaction, WorkState::kReceived, 1));
  ADAPTER_CHECK(RefreshDue(transaction, work.patient_key, now));
  return position;
}

Result<void> WorkTable::ChangeState(storage::Transaction& transaction, WorkRow& row, WorkState to,
                                    const audit::Entry& entry) {
  if (!MayFollow(row.state, to)) std::abort();
  ADAPTER_TRY(row.audit_sequence, log_.Append(transaction, entry));
  std::optional<std::int64_t> first_attempt;
  if (row.first_attempt) first_attempt = row.first_attempt->us;
  ADAPTER_CHECK(UseWork(transaction, "change_state")
                    .Bind(Name(to), NullIfEmpty(row.reason_code), row.next_attempt.us, row.attempts,
                          first_attempt, row.writes, static_cast<int>(row.is_ambiguous), row.audit_sequence,
                          row.position)
                    .Run());
  if (row.state != to) {
    ADAPTER_CHECK(CountState(transaction, row.state, -1));
    ADAPTER_CHECK(CountState(transaction, to, 1));
  }
  row.state = to;
  return RefreshDue(transaction, row.patient_key, entry.time);
}

Result<PatientLine> WorkTable::LineOf(storage::Snapshot& snapshot, std::string_view patient_key) {
  Statement statement = UseWork(snapshot, "lease_of_patient");
  statement.Bind(patient_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  PatientLine line;
  if (!has_row) return line;
  if (!statement.IsNull(0)) line.owner = statement.Text(0);
  line.until = TimeUs{statement.Integer(1)};
  if (const auto due = statement.OptionalInteger(2)) line.due = TimeUs{*due};
  return line;
}

Result<void> WorkTable::RefreshDue(storage::Transaction& transaction, std::string_view patient_key,
                                   TimeUs now) {
  ADAPTER_TRY(const PatientLine line, LineOf(transaction, patient_key));
  std::optional<std::int64_t> due;
  if (line.owner) {
    due = line.until.us;  // free then, and what was being sent is ambiguous
  } else {
    Statement head = UseWork(transaction, "head_of_line");
    head.Bind(patient_key);
    ADAPTER_TRY(const bool has_row, head.Step());
    const WorkState state = has_row ? StateFromName(head.View(1)) : WorkState::kReceived;
    if (state == WorkState::kQueued || state == WorkState::kRetry || state == WorkState::kAmbiguous) {
      const std::int64_t next_attempt = head.Integer(2);
      due = std::max(next_attempt, now.us);
      // Who already waits keeps the place.
      if (line.due && line.due->us >= next_attempt && line.due->us <= *due) due = line.due->us;
    }
  }
  if (line.due == (due ? std::optional(TimeUs{*due}) : std::nullopt)) return {};
  return UseWork(transaction, "set_due").Bind(due, patient_key).Run();
}

Result<bool> WorkTable::HasHigherDeliverable(storage::Snapshot& snapshot, const WorkRow& row) {
  Statement statement = UseWork(snapshot, "higher_deliverable");
  statement.Bind(row.subject_key, row.revision);
  return HasRow(statement);
}

Result<void> WorkTable::Supersede(storage::Transaction& transaction, WorkRow& row, TimeUs now) {
  audit::Entry entry = EntryFor(row, audit::EventKind::kSuperseded, SystemPrincipal(), now);
  entry.supersedes = audit::Supersedes{row.audit_sequence, "higher-revision"};
  row.reason_code.clear();
  ADAPTER_CHECK(SetReasons(transaction, row.position, false, {}));
  return ChangeState(transaction, row, WorkState::kSuperseded, entry);
}

Result<void> WorkTable::SetReasons(storage::Transaction& transaction, std::int64_t position, bool is_note,
                                   const std::vector<Reason>& reasons) {
  const int note = is_note ? 1 : 0;
  ADAPTER_CHECK(UseWork(transaction, "clear_reasons").Bind(position, note).Run());
  Statement insert = UseWork(transaction, "insert_reason");
  int ordinal = 0;
  for (const Reason& reason : reasons) {
    ADAPTER_CHECK(
        insert.Bind(position, note, ordinal++, Name(reason.code), reason.pointer, reason.message).Run());
  }
  return {};
}

Result<std::vector<Reason>> WorkTable::LoadReasons(storage::Snapshot& snapshot, std::int64_t position,
                                                   bool is_note) {
  Statement statement = UseWork(snapshot, "reasons");
  statement.Bind(position, is_note ? 1 : 0);
  std::vector<Reason> reasons;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return reasons;
    reasons.push_back(Reason{CodeFromName(statement.View(0), is_note), statement.Text(1), statement.Text(2)});
  }
}

}  // namespace fhir_adapter::outbox
