#include "outbox/sqlite/sqlite_trace_reader.h"

#include <utility>

#include "outbox/inbox.h"
#include "outbox/sqlite/ledger_table.h"
#include "outbox/sqlite/patient_table.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/sqlite_erasures.h"
#include "outbox/sqlite/work_table.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(TraceQueries()[query]);
}

Result<std::vector<std::string>> Texts(Statement statement) {
  std::vector<std::string> texts;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return texts;
    texts.push_back(statement.Text(0));
  }
}

Result<bool> LoadName(storage::Snapshot& snapshot, std::string_view query, RecordTrace& trace) {
  Statement statement = Use(snapshot, query);
  statement.Bind(trace.subject_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (has_row) {
    trace.site = statement.Text(0);
    trace.record_id = statement.Text(1);
  }
  return has_row;
}

Result<void> LoadRevisions(storage::Snapshot& snapshot, RecordTrace& trace) {
  Statement statement = Use(snapshot, "revisions_of_subject");
  statement.Bind(trace.subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    TracedRevision revision;
    revision.revision = statement.Integer(0);
    revision.status = statement.Text(1);
    revision.receipt = statement.Text(2);
    revision.source = statement.Text(3);
    revision.received = TimeUs{statement.Integer(4)};
    revision.bytes = statement.Text(6);
    revision.commitment = statement.Text(7);
    revision.audit_sequence = statement.Integer(8);
    ADAPTER_TRY(revision.patient, LoadPatient(snapshot, statement.Text(5)));
    trace.revisions.push_back(std::move(revision));
  }
}

Result<void> LoadRefusals(storage::Snapshot& snapshot, RecordTrace& trace) {
  Statement statement = Use(snapshot, "refusals_of_subject");
  statement.Bind(trace.subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    TracedRefusal refusal;
    refusal.revision = statement.Integer(1);
    refusal.receipt = statement.Text(2);
    refusal.source = statement.Text(3);
    refusal.received = TimeUs{statement.Integer(4)};
    Statement reasons = storage::ConnectionOf(snapshot).Use(QueueQueries()["inbox_issues"]);
    reasons.Bind(statement.Integer(0));
    while (true) {
      ADAPTER_TRY(const bool has_reason, reasons.Step());
      if (!has_reason) break;
      refusal.reasons.push_back({CodeFromName(reasons.View(0), false), reasons.Text(1), reasons.Text(2)});
    }
    trace.refusals.push_back(std::move(refusal));
  }
}

Result<void> LoadWork(storage::Snapshot& snapshot, RecordTrace& trace) {
  Statement statement = Use(snapshot, "work_of_subject");
  statement.Bind(trace.subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    const std::int64_t position = statement.Integer(0);
    TracedWork work;
    work.id.value = statement.Text(1);
    work.kind = KindFromName(statement.View(2));
    work.revision = statement.Integer(3);
    work.state = WorkStateFromName(statement.View(4)).value_or(WorkState::kReceived);
    work.received = TimeUs{statement.Integer(5)};
    work.attempts = static_cast<int>(statement.Integer(6));
    work.map_id = statement.Text(7);
    work.map_version = statement.Text(8);
    work.map_set_sha256 = statement.Text(9);
    work.engine = statement.Text(10);
    work.output_sha256 = statement.Text(11);
    work.answer = statement.Text(12);
    ADAPTER_TRY(work.reasons, WorkTable::LoadReasons(snapshot, position, false));
    ADAPTER_TRY(work.notes, WorkTable::LoadReasons(snapshot, position, true));
    ADAPTER_TRY(work.resources, LoadIntended(snapshot, position));
    trace.work.push_back(std::move(work));
  }
}

Result<void> LoadRemarks(storage::Snapshot& snapshot, RecordTrace& trace) {
  Statement statement = Use(snapshot, "remarks_of_subject");
  statement.Bind(trace.subject_key);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    trace.remarks.emplace(statement.Integer(0), statement.Text(1));
  }
}

Result<void> LoadExpiry(storage::Snapshot& snapshot, RecordTrace& trace) {
  Statement statement = Use(snapshot, "expiry");
  statement.Bind(trace.subject_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (has_row) trace.expired = TimeUs{statement.Integer(0)};
  return {};
}

// Those that the record's name stands for, else that of a record of which nothing could be taken.
Result<std::vector<std::string>> SubjectsOfRecord(storage::Snapshot& snapshot, const TraceSelector& selector,
                                                  std::int64_t limit) {
  Statement statement = Use(snapshot, "subjects_of_record");
  statement.Bind(selector.second, selector.first, limit);
  ADAPTER_TRY(std::vector<std::string> subjects, Texts(std::move(statement)));
  if (!subjects.empty()) return subjects;
  RecordTrace trace;
  trace.subject_key = SubjectKey(selector.first, selector.second);
  ADAPTER_TRY(const bool is_refused, LoadName(snapshot, "refused_subject", trace));
  if (is_refused) subjects.push_back(trace.subject_key);
  return subjects;
}

// A resource that was not delivered: its value begins with the key of its record.
Result<std::vector<std::string>> SubjectsOfIntended(storage::Snapshot& snapshot,
                                                    const TraceSelector& selector) {
  const std::string& value = selector.second;
  const std::size_t first = value.find('.');
  const std::size_t end = first == std::string::npos ? first : value.find('.', first + 1);
  std::vector<std::string> subjects;
  const std::string subject_key = value.substr(0, end);
  Statement statement = Use(snapshot, "is_intended");
  statement.Bind(subject_key, selector.first, value);
  ADAPTER_TRY(const bool is_intended, HasRow(statement));
  if (is_intended) subjects.push_back(subject_key);
  return subjects;
}

}  // namespace

Result<std::vector<std::string>> SqliteTraceReader::Subjects(storage::Snapshot& snapshot,
                                                             const TraceSelector& selector,
                                                             std::size_t subjects_max) {
  const auto limit = static_cast<std::int64_t>(subjects_max);
  switch (selector.kind) {
    case TraceSelectorKind::kRecord:
      return SubjectsOfRecord(snapshot, selector, limit);
    case TraceSelectorKind::kRecordId: {
      Statement statement = Use(snapshot, "subjects_of_record_id");
      statement.Bind(selector.second, limit);
      return Texts(std::move(statement));
    }
    case TraceSelectorKind::kResource: {
      Statement statement = Use(snapshot, "subjects_of_server_id");
      statement.Bind(selector.first, selector.second, limit);
      return Texts(std::move(statement));
    }
    case TraceSelectorKind::kIdentifier: {
      Statement statement = Use(snapshot, "subjects_of_identifier");
      statement.Bind(selector.second, selector.first, limit);
      ADAPTER_TRY(std::vector<std::string> subjects, Texts(std::move(statement)));
      if (!subjects.empty()) return subjects;
      return SubjectsOfIntended(snapshot, selector);
    }
    case TraceSelectorKind::kPatient: {
      Statement statement = Use(snapshot, "subjects_of_mrn");
      statement.Bind(selector.second, limit);
      return Texts(std::move(statement));
    }
    case TraceSelectorKind::kReceipt: {
      Statement statement = Use(snapshot, "subjects_of_receipt");
      statement.Bind(selector.second);
      return Texts(std::move(statement));
    }
  }
  return std::vector<std::string>();
}

Result<RecordTrace> SqliteTraceReader::Load(storage::Snapshot& snapshot, const std::string& subject_key) {
  RecordTrace trace;
  trace.subject_key = subject_key;
  ADAPTER_TRY(bool is_known, LoadName(snapshot, "subject", trace));
  if (!is_known) {
    ADAPTER_TRY(is_known, LoadName(snapshot, "refused_subject", trace));
  }
  if (!is_known) return Fail(Code::kNotFound, "the store knows no such record");
  ADAPTER_CHECK(LoadRevisions(snapshot, trace));
  ADAPTER_CHECK(LoadRefusals(snapshot, trace));
  ADAPTER_CHECK(LoadWork(snapshot, trace));
  ADAPTER_CHECK(LoadRemarks(snapshot, trace));
  ADAPTER_TRY(trace.erasure, FindErasure(snapshot, subject_key));
  if (trace.erasure) trace.remarks.emplace(trace.erasure->audit_sequence, trace.erasure->reason);
  ADAPTER_CHECK(LoadExpiry(snapshot, trace));
  ADAPTER_TRY(trace.ledger, LedgerTable::OfSubjectEverywhere(snapshot, subject_key));
  return trace;
}

}  // namespace fhir_adapter::outbox
