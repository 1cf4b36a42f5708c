// WorkTable: the rows of work_item and the one function that changes their state.
//
// Used by the SQLite backends of Inbox, Outbox and QueueReader. Holds no state but the log it appends to.
// Positions (row numbers) stay within this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit_log.h"
#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/work_state.h"
#include "storage/sqlite/connection.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct WorkRow {
  std::int64_t position = 0;
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  std::string subject_key;
  std::int64_t revision = 0;
  std::string patient_key;
  std::string depends_on;
  WorkState state = WorkState::kReceived;
  std::string reason_code;
  TimeUs received;
  TimeUs next_attempt;
  int attempts = 0;
  std::optional<TimeUs> first_attempt;
  int writes = 0;
  bool is_ambiguous = false;
  audit::Sequence audit_sequence = 0;

  std::string site;
  std::string record_id;
  std::string record_status;
  int patient_generation = 1;
  std::string raw_commitment;
};

struct NewWork {
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  std::string subject_key;
  std::int64_t revision = 0;
  std::string patient_key;
  std::string depends_on;  // empty: nothing
};

struct PatientLine {
  std::optional<std::string> owner;
  TimeUs until;
  std::optional<TimeUs> due;
};

class WorkTable {
 public:
  explicit WorkTable(audit::AuditLog& log) : log_(log) {}

  Result<WorkRow> Load(storage::Snapshot& snapshot, const WorkId& id);  // kNotFound
  Result<WorkRow> LoadAt(storage::Snapshot& snapshot, std::int64_t position);
  // The positions that a statement gives in its first column; `parameters` are bound in order.
  template <class... Parameters>
  static Result<std::vector<std::int64_t>> Positions(storage::Snapshot& snapshot, std::string_view query,
                                                     const Parameters&... parameters);

  // An entry about this work, to be completed by the caller.
  static audit::Entry EntryFor(const WorkRow& row, audit::EventKind event, const Principal& actor,
                               TimeUs now);

  // A new row in state `received`, whose audit entry has been appended.
  Result<std::int64_t> Insert(storage::Transaction& transaction, const NewWork& work,
                              audit::Sequence audit_sequence, TimeUs now);

  // The one way in which a state changes: appends the entry, stores the row with its other members as they
  // stand, and brings the patient's line up to date. Aborts for a transition that is not in the diagram.
  Result<void> ChangeState(storage::Transaction& transaction, WorkRow& row, WorkState to,
                           const audit::Entry& entry);

  // Sets when the patient's next work is due. `now` is the earliest: a patient whose turn ends goes to the
  // back of those who wait.
  Result<void> RefreshDue(storage::Transaction& transaction, std::string_view patient_key, TimeUs now);
  Result<PatientLine> LineOf(storage::Snapshot& snapshot, std::string_view patient_key);

  // Whether a higher revision of the record went into the queue.
  Result<bool> HasHigherDeliverable(storage::Snapshot& snapshot, const WorkRow& row);
  Result<void> Supersede(storage::Transaction& transaction, WorkRow& row, TimeUs now);

  static Result<void> SetReasons(storage::Transaction& transaction, std::int64_t position, bool is_note,
                                 const std::vector<Reason>& reasons);
  static Result<std::vector<Reason>> LoadReasons(storage::Snapshot& snapshot, std::int64_t position,
                                                 bool is_note);

  audit::AuditLog& log() { return log_; }

 private:
  audit::AuditLog& log_;
};

Result<std::vector<std::int64_t>> FirstColumn(storage::Statement& statement);
// Whether the statement gives any row.
Result<bool> HasRow(storage::Statement& statement);
storage::Statement UseWork(storage::Snapshot& snapshot, std::string_view query);
Code CodeFromName(std::string_view name, bool is_note);
WorkKind KindFromName(std::string_view name);

template <class... Parameters>
Result<std::vector<std::int64_t>> WorkTable::Positions(storage::Snapshot& snapshot, std::string_view query,
                                                       const Parameters&... parameters) {
  storage::Statement statement = UseWork(snapshot, query);
  statement.Bind(parameters...);
  return FirstColumn(statement);
}

}  // namespace fhir_adapter::outbox
