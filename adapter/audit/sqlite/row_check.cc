#include "audit/sqlite/row_check.h"

#include <string>
#include <string_view>

#include "audit_embedded.h"
#include "core/digest.h"
#include "storage/sqlite/query_set.h"
#include "storage/sqlite/schema.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::audit {
namespace {

constexpr std::string_view kFirstDifferent[] = {"entry_is_json",
                                                "entry_and_its_trace",
                                                "trace_without_gaps",
                                                "inbox",
                                                "record_revision",
                                                "work_item",
                                                "mapping",
                                                "resource_ledger",
                                                "repeated_arrival",
                                                "repeated_message",
                                                "repeated_erased",
                                                "erasure",
                                                "bytes_without_erasure",
                                                "expiry"};

const storage::QuerySet& RowQueries() {
  static const storage::QuerySet queries(embedded::kRowCheck);
  return queries;
}

void Differs(VerifyReport& report, const storage::Statement& statement) {
  report.Tampered(statement.Text(1) + " is not what entry " + statement.Text(0) + " says of it");
}

Result<void> CheckRawBytes(storage::Connection& connection, VerifyReport& report) {
  storage::Statement statement = connection.Use(RowQueries()["stored_bytes"]);
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return {};
    if (HmacSha256Hex(statement.View(2), statement.View(3)) != statement.View(4)) {
      Differs(report, statement);
      return {};
    }
  }
}

}  // namespace

Result<void> CheckRows(storage::Snapshot& snapshot, VerifyReport& report) {
  storage::Connection& connection = storage::ConnectionOf(snapshot);
  if (const auto whole = storage::CheckIntegrity(connection); !whole) {
    if (whole.error().code != Code::kStoreDamaged) return Fail(whole.error());
    report.Tampered(whole.error().message);
    return {};
  }
  for (const std::string_view name : kFirstDifferent) {
    storage::Statement statement = connection.Use(RowQueries()[name]);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) continue;
    Differs(report, statement);  // the others need what this one found wanting
    return {};
  }
  return CheckRawBytes(connection, report);
}

}  // namespace fhir_adapter::audit
