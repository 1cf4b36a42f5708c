#include "storage/sqlite/schema.h"

#include <string>

#include "storage/sqlite/queries.h"
#include "storage_embedded.h"

namespace fhir_adapter::storage {
namespace {

Result<std::int64_t> OneInteger(Connection& connection, std::string_view query) {
  Statement statement = connection.Use(ConnectionQueries()[query]);
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row ? statement.Integer(0) : 0;
}

Result<void> ExpectOk(Connection& connection, std::string_view query) {
  Statement statement = connection.Use(ConnectionQueries()[query]);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (has_row && statement.View(0) != "ok") {
    return Fail(Code::kStoreDamaged, "the store fails its integrity check");
  }
  return {};
}

// The version of a file of our kind; 0 for an empty one.
Result<std::int64_t> ReadVersion(Connection& connection, const Schema& schema) {
  ADAPTER_TRY(const std::int64_t application, OneInteger(connection, "application_id"));
  ADAPTER_TRY(const std::int64_t version, OneInteger(connection, "user_version"));
  ADAPTER_TRY(const std::int64_t tables, OneInteger(connection, "table_count"));
  if (application == 0 && version == 0 && tables == 0) return 0;
  if (application != schema.application_id) {
    return Fail(Code::kStoreDamaged, "the file is a database of another program");
  }
  const auto newest = static_cast<std::int64_t>(schema.migrations.size());
  if (version > newest) {
    return Fail(Code::kStoreNewer, "the store has schema version " + std::to_string(version) +
                                       "; this program knows " + std::to_string(newest));
  }
  return version;
}

Result<void> RunMigration(Connection& connection, std::string_view script, std::int64_t number) {
  const QuerySet& queries = ConnectionQueries();
  const std::string name = "migration " + std::to_string(number);
  ADAPTER_CHECK(connection.Run(queries["begin_immediate"]));
  auto done = connection.RunScript(script, name);
  if (done) {
    auto version = OneInteger(connection, "user_version");
    if (!version) return Fail(std::move(version).error());
    if (*version != number) done = Fail(Code::kInternal, name + " does not set its number");
  }
  if (done) done = connection.Run(queries["commit"]);
  if (!done && connection.in_transaction()) {
    // The failure that led here is the one to report.
    static_cast<void>(connection.Run(queries["rollback"]).has_value());
  }
  return done;
}

}  // namespace

const Schema& AdapterSchema() {
  static constexpr std::string_view kMigrations[] = {
      embedded::k0001Foundation,         embedded::k0002AuditTree,        embedded::k0003Trace,
      embedded::k0004PushedObservations, embedded::k0005AccessTokens,     embedded::k0006Conflicts,
      embedded::k0007TokenEnds,          embedded::k0008SourceMaps,       embedded::k0009SourceMarks,
      embedded::k0010Hl7Messages,        embedded::k0011RepeatedArrivals, embedded::k0012Erasures,
      embedded::k0013Expiries,           embedded::k0014Repeats};
  static const Schema schema{1178091844, kMigrations};
  return schema;
}

Result<void> Migrate(Connection& connection, const Schema& schema) {
  ADAPTER_TRY(const std::int64_t version, ReadVersion(connection, schema));
  for (auto number = version + 1; number <= static_cast<std::int64_t>(schema.migrations.size()); ++number) {
    ADAPTER_CHECK(RunMigration(connection, schema.migrations[static_cast<std::size_t>(number - 1)], number));
  }
  return {};
}

Result<void> CheckVersion(Connection& connection, const Schema& schema) {
  ADAPTER_TRY(const std::int64_t version, ReadVersion(connection, schema));
  if (version != static_cast<std::int64_t>(schema.migrations.size())) {
    return Fail(Code::kStoreDamaged, "the store has schema version " + std::to_string(version) +
                                         " and has to be opened by `serve` once");
  }
  return {};
}

Result<void> CheckUsable(Connection& connection, const Schema& schema) {
  ADAPTER_TRY(const std::int64_t version, ReadVersion(connection, schema));
  if (version == 0) return Fail(Code::kStoreDamaged, "the file is empty");
  return {};
}

Result<void> CheckQuickly(Connection& connection) {
  return ExpectOk(connection, "quick_check");
}

Result<void> CheckIntegrity(Connection& connection) {
  ADAPTER_CHECK(ExpectOk(connection, "integrity_check"));
  Statement statement = connection.Use(ConnectionQueries()["foreign_key_check"]);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (has_row) return Fail(Code::kStoreDamaged, "the store has a row without the row it refers to");
  return {};
}

}  // namespace fhir_adapter::storage
