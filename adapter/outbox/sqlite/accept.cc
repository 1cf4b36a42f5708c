// The half of SqliteInbox that takes records in: Accept and Reject.

#include <vector>

#include "core/digest.h"
#include "core/fault_point.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/repeat_window.h"
#include "outbox/sqlite/sqlite_erasures.h"
#include "outbox/sqlite/sqlite_inbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(InboxQueries()[query]);
}

template <class Value>
std::optional<Value> NullUnless(bool is_there, const Value& value) {
  return is_there ? std::optional<Value>(value) : std::nullopt;
}

struct InboxRow {
  std::string_view receipt;
  std::string_view source;
  std::string_view map;
  std::string subject_key;  // empty: could not be read
  std::string_view site;
  std::string_view record_id;
  std::int64_t revision = 0;
  std::string_view disposition;
  std::string_view bytes;
  audit::Sequence audit_sequence = 0;
};

// Returns the row's number.
Result<std::int64_t> InsertInbox(storage::Transaction& transaction, const InboxRow& row, TimeUs now) {
  const bool has_subject = !row.subject_key.empty();
  ADAPTER_CHECK(Use(transaction, "insert_inbox")
                    .Bind(row.receipt, row.source, row.map,
                          NullUnless(has_subject, std::string_view(row.subject_key)),
                          NullUnless(has_subject, row.site), NullUnless(has_subject, row.record_id),
                          NullUnless(has_subject, row.revision), row.disposition, now.us, row.audit_sequence)
                    .Run());
  const std::int64_t inbox_id = storage::ConnectionOf(transaction).last_rowid();
  ADAPTER_CHECK(Use(transaction, "insert_raw").Bind(inbox_id, storage::Blob{row.bytes}).Run());
  ADAPTER_FAULT_POINT("raw-inserted");
  return inbox_id;
}

}  // namespace

// What is worked out about a record before its rows are written.
struct SqliteInbox::Arrival {
  std::string subject_key;
  std::string patient_key;
  std::string receipt;
  std::string content_commitment;
  std::string raw_commitment;
  int patient_generation = 1;
  bool is_other_patient = false;  // than the revision before
  bool is_late = false;           // a higher revision is known
  audit::Sequence higher_sequence = 0;

  audit::Entry EntryFor(const NewRecord& record, audit::EventKind event, TimeUs now) const {
    audit::Entry entry;
    entry.time = now;
    entry.event = event;
    entry.trace_id = audit::TraceOfSubject(subject_key);
    entry.actor = record.actor;
    entry.role = record.actor.kind == ActorKind::kSystem ? "" : Name(Role::kIngest);
    entry.patient_token = patient_key;
    entry.local = audit::LocalReference{record.site, record.record_id, record.revision, raw_commitment};
    entry.operation = record.source;
    entry.outcome = "ok";
    return entry;
  }
};

SqliteInbox::SqliteInbox(audit::AuditLog& log, Random& random) : work_(log), keys_(random) {}

Result<Accepted> SqliteInbox::Accept(storage::Transaction& transaction, const NewRecord& record, TimeUs now) {
  Arrival arrival;
  arrival.subject_key =
      record.kind == WorkKind::kObservation
          ? PushedSubjectKey(record.site,
                             std::string_view(record.record_id).substr(kPushedRecordPrefix.size()))
          : SubjectKey(record.site, record.record_id);
  ADAPTER_TRY(const auto erasure, FindErasure(transaction, arrival.subject_key));
  if (erasure) return RefuseErased(transaction, record, arrival, *erasure, now);
  ADAPTER_TRY(const std::string key, keys_.RecordKey(transaction, arrival.subject_key));
  arrival.content_commitment = HmacSha256Hex(key, record.content_sha256);
  arrival.raw_commitment = HmacSha256Hex(key, record.bytes);
  ADAPTER_TRY(auto known, FindKnown(transaction, record, arrival, now));
  if (known) return std::move(*known);
  ADAPTER_TRY(arrival.patient_key, keys_.PatientKey(transaction, record.mrn));
  arrival.receipt = keys_.NewName();
  ADAPTER_CHECK(PlaceInHistory(transaction, record, arrival));
  ADAPTER_TRY(const audit::Sequence sequence, StoreRevision(transaction, record, arrival, now));
  ADAPTER_TRY(const WorkState state, StoreWork(transaction, record, arrival, sequence, now));
  return Accepted{AcceptOutcome::kNew, arrival.receipt, state, {}};
}

// Before a key is made: what is known of the record afterwards is what was known before.
Result<Accepted> SqliteInbox::RefuseErased(storage::Transaction& transaction, const NewRecord& record,
                                           const Arrival& arrival, const Erasure& erasure, TimeUs now) {
  ADAPTER_CHECK(CountErased(transaction, arrival.subject_key,
                            arrival.EntryFor(record, audit::EventKind::kRejected, now)));
  return Accepted{AcceptOutcome::kErased, {}, WorkState::kRejected, ErasedMessage(erasure)};
}

Result<void> SqliteInbox::CountErased(storage::Transaction& transaction, const std::string& subject_key,
                                      audit::Entry entry) {
  ADAPTER_TRY(const auto count, CountRepeat(transaction, InboxQueries(), {"erased_repeat", "count_erased"},
                                            entry.time, subject_key));
  if (!count) return {};
  entry.outcome = kErasedOutcome;
  if (*count > 1) entry.attempt = RepeatCount(*count);
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  return Use(transaction, "put_erased").Bind(subject_key, entry.time.us, sequence).Run();
}

Result<std::optional<Accepted>> SqliteInbox::FindKnown(storage::Transaction& transaction,
                                                       const NewRecord& record, const Arrival& arrival,
                                                       TimeUs now) {
  Accepted accepted;
  {
    Statement statement = Use(transaction, "known_revision");
    statement.Bind(arrival.subject_key, record.revision);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return std::optional<Accepted>();
    const bool is_same = statement.View(0) == arrival.content_commitment;
    accepted.outcome = is_same ? AcceptOutcome::kKnown : AcceptOutcome::kConflict;
    accepted.receipt = statement.Text(1);
    accepted.state = WorkStateFromName(statement.View(2)).value_or(WorkState::kReceived);
  }
  ADAPTER_CHECK(CountArrival(transaction, record, arrival, accepted.outcome, now));
  return std::optional(std::move(accepted));
}

Result<void> SqliteInbox::CountArrival(storage::Transaction& transaction, const NewRecord& record,
                                       const Arrival& arrival, AcceptOutcome outcome, TimeUs now) {
  ADAPTER_TRY(const auto count,
              CountRepeat(transaction, InboxQueries(), {"repeat", "count_repeat"}, now, arrival.subject_key,
                          record.revision, arrival.content_commitment));
  if (!count) return {};
  const bool is_conflict = outcome == AcceptOutcome::kConflict;
  audit::Entry entry = arrival.EntryFor(
      record, is_conflict ? audit::EventKind::kRevisionConflict : audit::EventKind::kDuplicate, now);
  if (is_conflict) entry.outcome = Name(Code::kRevisionConflict);
  if (*count > 1) entry.attempt = RepeatCount(*count);
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  return Use(transaction, "put_repeat")
      .Bind(arrival.subject_key, record.revision, arrival.content_commitment, now.us, sequence)
      .Run();
}

Result<void> SqliteInbox::NoteArrivals(storage::Transaction& transaction, TimeUs before, TimeUs now) {
  struct Repeat {
    std::string subject_key;
    std::int64_t revision = 0;
    std::string content_commitment;
    audit::Entry entry;
  };
  std::vector<Repeat> repeats;
  {
    Statement statement = Use(transaction, "uncounted_repeats");
    statement.Bind(before.us, kRepeatsAtOnce);
    while (true) {
      ADAPTER_TRY(const bool has_row, statement.Step());
      if (!has_row) break;
      Repeat repeat{statement.Text(0), statement.Integer(1), statement.Text(2), {}};
      const bool is_conflict = statement.Integer(3) == 0;
      repeat.entry.event = is_conflict ? audit::EventKind::kRevisionConflict : audit::EventKind::kDuplicate;
      repeat.entry.outcome = is_conflict ? Name(Code::kRevisionConflict) : "ok";
      repeat.entry.time = now;
      repeat.entry.trace_id = audit::TraceOfSubject(repeat.subject_key);
      repeat.entry.actor = SystemPrincipal();
      repeat.entry.attempt = RepeatCount(statement.Integer(4));
      repeat.entry.local = audit::LocalReference{statement.Text(5), statement.Text(6), repeat.revision, {}};
      repeats.push_back(std::move(repeat));
    }
  }
  for (const Repeat& repeat : repeats) {
    ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, repeat.entry));
    ADAPTER_CHECK(Use(transaction, "put_repeat")
                      .Bind(repeat.subject_key, repeat.revision, repeat.content_commitment, now.us, sequence)
                      .Run());
  }
  return {};
}

Result<void> SqliteInbox::NoteErased(storage::Transaction& transaction, TimeUs before, TimeUs now) {
  std::vector<std::pair<std::string, audit::Entry>> repeats;  // by subject
  {
    Statement statement = Use(transaction, "uncounted_erased");
    statement.Bind(before.us, kRepeatsAtOnce);
    while (true) {
      ADAPTER_TRY(const bool has_row, statement.Step());
      if (!has_row) break;
      audit::Entry entry;
      entry.event = audit::EventKind::kRejected;
      entry.outcome = kErasedOutcome;
      entry.time = now;
      entry.trace_id = audit::TraceOfSubject(statement.Text(0));
      entry.actor = SystemPrincipal();
      entry.attempt = RepeatCount(statement.Integer(1));
      entry.local = audit::LocalReference{statement.Text(2), statement.Text(3), 0, {}};
      repeats.emplace_back(statement.Text(0), std::move(entry));
    }
  }
  for (const auto& [subject_key, entry] : repeats) {
    ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
    ADAPTER_CHECK(Use(transaction, "put_erased").Bind(subject_key, now.us, sequence).Run());
  }
  return {};
}

Result<void> SqliteInbox::NoteRepeats(storage::Transaction& transaction, TimeUs before, TimeUs now) {
  ADAPTER_CHECK(NoteArrivals(transaction, before, now));
  return NoteErased(transaction, before, now);
}

Result<void> SqliteInbox::PlaceInHistory(storage::Transaction& transaction, const NewRecord& record,
                                         Arrival& arrival) {
  Statement statement = Use(transaction, "highest_revision");
  statement.Bind(arrival.subject_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return {};
  arrival.patient_generation = static_cast<int>(statement.Integer(2));
  if (statement.Integer(0) > record.revision) {
    arrival.is_late = true;
    arrival.higher_sequence = statement.Integer(3);
    return {};
  }
  arrival.is_other_patient = statement.View(1) != arrival.patient_key;
  if (arrival.is_other_patient) ++arrival.patient_generation;
  return {};
}

Result<audit::Sequence> SqliteInbox::StoreRevision(storage::Transaction& transaction, const NewRecord& record,
                                                   const Arrival& arrival, TimeUs now) {
  ADAPTER_TRY(const audit::Sequence sequence,
              work_.log().Append(transaction, arrival.EntryFor(record, audit::EventKind::kReceived, now)));
  ADAPTER_CHECK(
      Use(transaction, "insert_subject").Bind(arrival.subject_key, record.site, record.record_id).Run());
  ADAPTER_TRY(
      const std::int64_t inbox_id,
      InsertInbox(transaction,
                  InboxRow{arrival.receipt, record.source, record.map, arrival.subject_key, record.site,
                           record.record_id, record.revision, "accepted", record.bytes, sequence},
                  now));
  ADAPTER_CHECK(Use(transaction, "insert_revision")
                    .Bind(arrival.subject_key, record.revision, inbox_id, record.status, arrival.patient_key,
                          arrival.patient_generation, arrival.content_commitment, arrival.raw_commitment,
                          sequence)
                    .Run());
  if (!arrival.is_other_patient) return sequence;
  return work_.log().Append(transaction, arrival.EntryFor(record, audit::EventKind::kMovedToPatient, now));
}

Result<WorkState> SqliteInbox::StoreWork(storage::Transaction& transaction, const NewRecord& record,
                                         const Arrival& arrival, audit::Sequence sequence, TimeUs now) {
  const NewWork work{WorkId{arrival.receipt}, record.kind,         arrival.subject_key,
                     record.revision,         arrival.patient_key, {}};
  ADAPTER_TRY(const std::int64_t position, work_.Insert(transaction, work, sequence, now));
  if (!record.notes.empty()) {
    ADAPTER_CHECK(WorkTable::SetReasons(transaction, position, true, record.notes));
  }
  if (!arrival.is_late) return WorkState::kReceived;
  ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
  ADAPTER_CHECK(work_.Supersede(transaction, row, now));
  return row.state;
}

Result<std::string> SqliteInbox::Reject(storage::Transaction& transaction, const RejectedRecord& record,
                                        TimeUs now) {
  const bool has_identity = !record.site.empty() && !record.record_id.empty() && record.revision > 0;
  const std::string subject_key = has_identity ? SubjectKey(record.site, record.record_id) : "";
  audit::Entry entry;
  entry.time = now;
  entry.event = audit::EventKind::kRejected;
  entry.actor = record.actor;
  entry.role = record.actor.kind == ActorKind::kSystem ? "" : Name(Role::kIngest);
  entry.operation = record.source;
  entry.outcome = record.issues.empty() ? "" : Name(record.issues.front().code);
  if (has_identity) {
    entry.trace_id = audit::TraceOfSubject(subject_key);
    entry.local = audit::LocalReference{record.site, record.record_id, record.revision, {}};
  }
  std::optional<Erasure> erasure;
  if (has_identity) {
    ADAPTER_TRY(erasure, FindErasure(transaction, subject_key));
  }
  if (erasure) {
    ADAPTER_CHECK(CountErased(transaction, subject_key, std::move(entry)));
    return std::string();
  }
  ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
  std::string receipt = keys_.NewName();
  ADAPTER_TRY(const std::int64_t inbox_id, InsertInbox(transaction,
                                                       InboxRow{receipt,
                                                                record.source,
                                                                {},
                                                                subject_key,
                                                                record.site,
                                                                record.record_id,
                                                                record.revision,
                                                                "rejected",
                                                                record.bytes,
                                                                sequence},
                                                       now));
  Statement insert = Use(transaction, "insert_issue");
  int ordinal = 0;
  for (const Issue& issue : record.issues) {
    ADAPTER_CHECK(insert
                      .Bind(inbox_id, ordinal++, Name(issue.code), issue.where.pointer,
                            static_cast<std::int64_t>(issue.where.line),
                            static_cast<std::int64_t>(issue.where.column), issue.message)
                      .Run());
  }
  ADAPTER_CHECK(UseWork(transaction, "count_state").Bind(1, Name(WorkState::kRejected)).Run());
  return receipt;
}

}  // namespace fhir_adapter::outbox
