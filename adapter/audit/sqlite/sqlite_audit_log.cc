#include "audit/sqlite/sqlite_audit_log.h"

#include <cinttypes>
#include <cstdio>

#include "audit/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::audit {
namespace {

Result<std::int64_t> OneInteger(storage::Statement statement) {
  ADAPTER_CHECK(statement.Step());
  return statement.Integer(0);
}

Result<void> VisitAll(storage::Statement statement, const AuditLog::Visit& visit) {
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row || !visit(statement.Integer(0), statement.View(1))) return {};
  }
}

}  // namespace

SqliteAuditLog::SqliteAuditLog(Random& random) {
  char text[33];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, random.Next(), random.Next());
  boot_id_ = text;
}

Result<Sequence> SqliteAuditLog::Append(storage::Transaction& transaction, const Entry& entry) {
  storage::Connection& connection = storage::ConnectionOf(transaction);
  Position position;
  position.boot_id = boot_id_;
  position.trace_id = entry.trace_id.empty() ? boot_id_ : entry.trace_id;
  {
    storage::Statement last = connection.Use(Queries()["last_of_log_and_trace"]);
    last.Bind(position.trace_id);
    ADAPTER_CHECK(last.Step());
    position.sequence = last.Integer(0) + 1;
    position.trace_sequence = last.Integer(1) + 1;
  }
  const std::string bytes = Encode(entry, position);
  ADAPTER_CHECK(connection.Use(Queries()["append"])
                    .Bind(position.sequence, position.trace_id, position.trace_sequence, storage::Blob{bytes})
                    .Run());
  return position.sequence;
}

Result<Sequence> SqliteAuditLog::Size(storage::Snapshot& snapshot) {
  return OneInteger(storage::ConnectionOf(snapshot).Use(Queries()["last_sequence"]));
}

Result<void> SqliteAuditLog::ForEach(storage::Snapshot& snapshot, Sequence first, Sequence last,
                                     const Visit& visit) {
  storage::Statement statement = storage::ConnectionOf(snapshot).Use(Queries()["entries_between"]);
  statement.Bind(first, last);
  return VisitAll(std::move(statement), visit);
}

Result<void> SqliteAuditLog::ForEachOfTrace(storage::Snapshot& snapshot, std::string_view trace_id,
                                            const Visit& visit) {
  storage::Statement statement = storage::ConnectionOf(snapshot).Use(Queries()["entries_of_trace"]);
  statement.Bind(trace_id);
  return VisitAll(std::move(statement), visit);
}

}  // namespace fhir_adapter::audit
