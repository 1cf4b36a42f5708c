// AuditTree: where the hash tiles over the log and its last checkpoint are kept, in the store of the log.
//
// Derived data: every bit can be made again from the entries. Thread rules are those of Transaction and
// Snapshot. Errors: those of the store.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "audit/hash_tile.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::audit {

class AuditTree {
 public:
  virtual ~AuditTree() = default;

  // Entries that the stored tiles speak of.
  virtual Result<std::uint64_t> Size(storage::Snapshot& snapshot) = 0;
  // Empty when there is none.
  virtual Result<std::string> Tile(storage::Snapshot& snapshot, TileId tile) = 0;
  virtual Result<void> PutTiles(storage::Transaction& transaction,
                                const std::map<TileId, std::string>& tiles) = 0;
  // The last signed note; empty when none was signed.
  virtual Result<std::string> Checkpoint(storage::Snapshot& snapshot) = 0;
  virtual Result<void> PutCheckpoint(storage::Transaction& transaction, std::uint64_t size,
                                     std::string_view note) = 0;
};

// The tiles of a snapshot as a TileStore.
class SnapshotTiles final : public TileStore {
 public:
  SnapshotTiles(AuditTree& tree, storage::Snapshot& snapshot) : tree_(tree), snapshot_(snapshot) {}
  Result<std::string> Tile(TileId tile, std::uint64_t) override { return tree_.Tile(snapshot_, tile); }

 private:
  AuditTree& tree_;
  storage::Snapshot& snapshot_;
};

}  // namespace fhir_adapter::audit
