// The log of a store, at one moment, as a LogSource.
#pragma once

#include "audit/audit_log.h"
#include "audit/audit_tree.h"
#include "audit/log_verifier.h"

namespace fhir_adapter::audit {

class SnapshotLog final : public LogSource {
 public:
  SnapshotLog(AuditLog& log, AuditTree& tree, storage::Snapshot& snapshot)
      : log_(log), tree_(tree), snapshot_(snapshot), tiles_(tree, snapshot) {}

  Result<void> ForEach(std::uint64_t last, const Visit& visit) override;
  Result<std::uint64_t> TreeSize() override { return tree_.Size(snapshot_); }
  TileStore& tiles() override { return tiles_; }

 private:
  AuditLog& log_;
  AuditTree& tree_;
  storage::Snapshot& snapshot_;
  SnapshotTiles tiles_;
};

// Compares the store's log with its checkpoints, those of the file and the one the store itself holds.
Result<VerifyReport> VerifyStoredLog(AuditLog& log, AuditTree& tree, storage::Snapshot& snapshot,
                                     const VerifierKey& key, const CheckpointFile& checkpoints,
                                     const VerifyOptions& options);

// The proof that entry `index` (below checkpoint.size) is what `note` signs; kIntegrity when it is not.
Result<std::string> ProveEntry(AuditLog& log, AuditTree& tree, storage::Snapshot& snapshot,
                               std::uint64_t index, const Checkpoint& checkpoint, std::string_view note);

}  // namespace fhir_adapter::audit
