// A schema: the numbered, forward-only migrations that make a file into a store of one kind.
//
// Each migration is a script that also sets `PRAGMA user_version` to its number; the first sets
// `PRAGMA application_id`. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.h"
#include "storage/sqlite/connection.h"

namespace fhir_adapter::storage {

struct Schema {
  std::int64_t application_id = 0;
  std::span<const std::string_view> migrations;  // number 1 first
};

// The adapter's own store.
const Schema& AdapterSchema();

// Brings the file to the newest version, each migration in one transaction. Errors: kStoreNewer when a newer
// program wrote it, kStoreDamaged when it is a database of another kind.
Result<void> Migrate(Connection& connection, const Schema& schema);

// Checks kind and version without changing anything; the version must be the newest.
Result<void> CheckVersion(Connection& connection, const Schema& schema);

// The same, but the version may be older: Migrate would bring it up. Not an empty file.
Result<void> CheckUsable(Connection& connection, const Schema& schema);

// The whole file: pages, indexes, foreign keys. kStoreDamaged when something is wrong.
Result<void> CheckIntegrity(Connection& connection);
// Pages only, as at each start.
Result<void> CheckQuickly(Connection& connection);

}  // namespace fhir_adapter::storage
