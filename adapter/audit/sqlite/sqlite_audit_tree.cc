#include "audit/sqlite/sqlite_audit_tree.h"

#include "audit/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::audit {
namespace {

Result<std::string> OneText(storage::Statement statement) {
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row ? statement.Text(0) : std::string();
}

}  // namespace

Result<std::uint64_t> SqliteAuditTree::Size(storage::Snapshot& snapshot) {
  storage::Statement statement = storage::ConnectionOf(snapshot).Use(Queries()["last_tile_of_level"]);
  statement.Bind(0);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::uint64_t{0};
  const auto width = static_cast<std::uint64_t>(statement.Integer(1)) / sizeof(Hash);
  return static_cast<std::uint64_t>(statement.Integer(0)) * kTileWidth + width;
}

Result<std::string> SqliteAuditTree::Tile(storage::Snapshot& snapshot, TileId tile) {
  storage::Statement statement = storage::ConnectionOf(snapshot).Use(Queries()["tile"]);
  statement.Bind(static_cast<std::int64_t>(tile.level), static_cast<std::int64_t>(tile.index));
  return OneText(std::move(statement));
}

Result<void> SqliteAuditTree::PutTiles(storage::Transaction& transaction,
                                       const std::map<TileId, std::string>& tiles) {
  for (const auto& [tile, hashes] : tiles) {
    ADAPTER_CHECK(storage::ConnectionOf(transaction)
                      .Use(Queries()["put_tile"])
                      .Bind(static_cast<std::int64_t>(tile.level), static_cast<std::int64_t>(tile.index),
                            storage::Blob{hashes})
                      .Run());
  }
  return {};
}

Result<std::string> SqliteAuditTree::Checkpoint(storage::Snapshot& snapshot) {
  return OneText(storage::ConnectionOf(snapshot).Use(Queries()["checkpoint"]));
}

Result<void> SqliteAuditTree::PutCheckpoint(storage::Transaction& transaction, std::uint64_t size,
                                            std::string_view note) {
  return storage::ConnectionOf(transaction)
      .Use(Queries()["put_checkpoint"])
      .Bind(static_cast<std::int64_t>(size), note)
      .Run();
}

}  // namespace fhir_adapter::audit
