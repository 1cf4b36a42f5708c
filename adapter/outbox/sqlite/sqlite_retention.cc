#include "outbox/sqlite/sqlite_retention.h"

#include <charconv>
#include <vector>

#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/work_table.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

constexpr std::string_view kOfWork[] = {"delete_resources", "delete_mapping_patient", "delete_mapping_facts",
                                        "delete_answer"};

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(RetentionQueries()[query]);
}

// What an erasure takes away, too.
Statement UseOfErasure(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(EraseQueries()[query]);
}

struct Candidates {
  std::vector<std::string> subjects;  // in the order of their submissions; may repeat
  std::int64_t last = 0;              // number of the last submission looked at
  bool is_end = false;
};

Result<Candidates> Read(storage::Snapshot& snapshot, const ExpiryRequest& request) {
  Candidates candidates;
  std::from_chars(request.after.data(), request.after.data() + request.after.size(), candidates.last);
  Statement statement = Use(snapshot, "submissions");
  statement.Bind(candidates.last, static_cast<std::int64_t>(request.submissions_max));
  std::size_t count = 0;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    // They came in this order: what follows a young one is younger.
    candidates.is_end = (!has_row && count < request.submissions_max) ||
                        (has_row && statement.Integer(1) >= request.before.us);
    if (!has_row || candidates.is_end) return candidates;
    ++count;
    candidates.last = statement.Integer(0);
    if (!statement.IsNull(3) && statement.View(3) == Name(WorkKind::kRecord)) {
      candidates.subjects.push_back(statement.Text(2));
    }
  }
}

Result<bool> MayExpire(storage::Snapshot& snapshot, const std::string& subject_key, TimeUs before) {
  Statement in_use = Use(snapshot, "is_in_use");
  in_use.Bind(subject_key, before.us);
  ADAPTER_TRY(const bool is_in_use, HasRow(in_use));
  if (is_in_use) return false;
  Statement delivered = Use(snapshot, "was_delivered");
  delivered.Bind(subject_key);
  return HasRow(delivered);
}

Result<std::vector<std::int64_t>> Numbers(Statement statement, const std::string& subject_key) {
  statement.Bind(subject_key);
  return FirstColumn(statement);
}

}  // namespace

Result<void> SqliteRetention::ExpireRecord(storage::Transaction& transaction, const std::string& subject_key,
                                           TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = audit::EventKind::kExpired;
  entry.trace_id = audit::TraceOfSubject(subject_key);
  entry.actor = SystemPrincipal();
  entry.operation = "retention";
  entry.outcome = "ok";
  {
    Statement name = Use(transaction, "name_of_subject");
    name.Bind(subject_key);
    ADAPTER_CHECK(name.Step());
    entry.local = audit::LocalReference{name.Text(0), name.Text(1), 0, {}};
  }
  ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
  ADAPTER_CHECK(Use(transaction, "put_expiry").Bind(subject_key, now.us, sequence).Run());
  ADAPTER_TRY(const auto submissions, Numbers(Use(transaction, "inbox_of_subject"), subject_key));
  for (const std::int64_t inbox_id : submissions) {
    ADAPTER_CHECK(UseOfErasure(transaction, "delete_raw").Bind(inbox_id).Run());
    ADAPTER_CHECK(UseOfErasure(transaction, "delete_message").Bind(inbox_id).Run());
  }
  ADAPTER_TRY(const auto positions, Numbers(UseOfErasure(transaction, "work_of_subject"), subject_key));
  for (const std::int64_t position : positions) {
    for (const std::string_view query : kOfWork) {
      ADAPTER_CHECK(UseOfErasure(transaction, query).Bind(position).Run());
    }
  }
  return {};
}

Result<ExpiryBatch> SqliteRetention::Expire(storage::Transaction& transaction, const ExpiryRequest& request) {
  ADAPTER_TRY(const Candidates candidates, Read(transaction, request));
  ExpiryBatch batch;
  std::string last;
  for (const std::string& subject_key : candidates.subjects) {
    if (subject_key == last) continue;
    last = subject_key;
    ADAPTER_TRY(const bool may_expire, MayExpire(transaction, subject_key, request.before));
    if (!may_expire) continue;
    ADAPTER_CHECK(ExpireRecord(transaction, subject_key, request.now));
    ++batch.records;
  }
  if (!candidates.is_end) batch.next = std::to_string(candidates.last);
  return batch;
}

Result<void> SqliteRetention::NoteFiles(storage::Transaction& transaction, std::string_view what,
                                        TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = audit::EventKind::kExpired;
  entry.actor = SystemPrincipal();
  entry.operation = what;
  entry.outcome = "ok";
  ADAPTER_TRY([[maybe_unused]] const audit::Sequence sequence, log_.Append(transaction, entry));
  return {};
}

}  // namespace fhir_adapter::outbox
