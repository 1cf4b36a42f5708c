// AuditTree in the SQLite store. Stateless; free to be shared.
#pragma once

#include "audit/audit_tree.h"

namespace fhir_adapter::audit {

class SqliteAuditTree final : public AuditTree {
 public:
  Result<std::uint64_t> Size(storage::Snapshot& snapshot) override;
  Result<std::string> Tile(storage::Snapshot& snapshot, TileId tile) override;
  Result<void> PutTiles(storage::Transaction& transaction,
                        const std::map<TileId, std::string>& tiles) override;
  Result<std::string> Checkpoint(storage::Snapshot& snapshot) override;
  Result<void> PutCheckpoint(storage::Transaction& transaction, std::uint64_t size,
                             std::string_view note) override;
};

}  // namespace fhir_adapter::audit
