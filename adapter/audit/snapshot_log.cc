#include "audit/snapshot_log.h"

namespace fhir_adapter::audit {

Result<void> SnapshotLog::ForEach(std::uint64_t last, const Visit& visit) {
  Result<void> visited;
  ADAPTER_CHECK(
      log_.ForEach(snapshot_, 1, static_cast<Sequence>(last), [&](Sequence sequence, std::string_view bytes) {
        visited = visit(static_cast<std::uint64_t>(sequence), bytes);
        return visited.has_value();
      }));
  return visited;
}

Result<VerifyReport> VerifyStoredLog(AuditLog& log, AuditTree& tree, storage::Snapshot& snapshot,
                                     const VerifierKey& key, const CheckpointFile& checkpoints,
                                     const VerifyOptions& options) {
  SnapshotLog source(log, tree, snapshot);
  ADAPTER_TRY(VerifyReport report, VerifyLog(source, key, checkpoints, options));
  ADAPTER_TRY(const std::string stored, tree.Checkpoint(snapshot));
  if (stored.empty()) return report;
  const auto checkpoint = OpenCheckpoint(key, stored);
  if (!checkpoint) {
    report.Tampered("the store's own checkpoint: " + checkpoint.error().message);
    return report;
  }
  if (report.last_signed < checkpoint->size) {
    report.Tampered(checkpoints.path() + (checkpoints.exists() ? " was cut" : " is gone") +
                    ": the store knows of a checkpoint for " + std::to_string(checkpoint->size) + " entries");
  }
  TileSubtrees subtrees(source.tiles(), checkpoint->size);
  const auto root = RootOf(subtrees, checkpoint->size);
  if (!root) {
    if (root.error().code != Code::kIntegrity) return Fail(root.error());
    report.Tampered(root.error().message);
  } else if (*root != checkpoint->root) {
    report.Tampered("the stored tree is not the one that the store's checkpoint was signed for");
  }
  return report;
}

Result<std::string> ProveEntry(AuditLog& log, AuditTree& tree, storage::Snapshot& snapshot,
                               std::uint64_t index, const Checkpoint& checkpoint, std::string_view note) {
  std::string entry;
  const auto sequence = static_cast<Sequence>(index) + 1;
  ADAPTER_CHECK(log.ForEach(snapshot, sequence, sequence, [&](Sequence, std::string_view bytes) {
    entry = bytes;
    return true;
  }));
  SnapshotTiles tiles(tree, snapshot);
  TileSubtrees subtrees(tiles, checkpoint.size);
  ADAPTER_TRY(const Proof proof, InclusionProof(subtrees, index, checkpoint.size));
  if (!VerifyInclusion(LeafHash(entry), index, checkpoint.size, proof, checkpoint.root)) {
    return Fail(Code::kIntegrity, "entry " + std::to_string(sequence) + " is not what was signed");
  }
  return ProofText(entry, index, proof, note);
}

}  // namespace fhir_adapter::audit
