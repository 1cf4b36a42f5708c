#include "audit/checkpointer.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "core/log.h"

namespace fhir_adapter::audit {
namespace {

constexpr unsigned kLevels = 8;  // 256^8 entries

// A builder that goes on behind the stored tiles.
Result<TileBuilder> OpenBuilder(AuditTree& tree, storage::Snapshot& snapshot) {
  ADAPTER_TRY(const std::uint64_t size, tree.Size(snapshot));
  TileBuilder builder(size);
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t hashes = size >> (level * kTileLevels);
    const TileId tile{level, hashes / kTileWidth};
    std::string open;
    if (hashes % kTileWidth != 0) {
      ADAPTER_TRY(open, tree.Tile(snapshot, tile));
    }
    builder.Begin(tile, std::move(open));
  }
  return builder;
}

}  // namespace

Checkpointer::Checkpointer(LogPorts ports, SigningKey key, CheckpointFile file,
                           std::optional<CheckpointFile> witness)
    : ports_(ports), key_(std::move(key)), file_(std::move(file)), witness_(std::move(witness)) {}

Result<std::uint64_t> Checkpointer::Uncovered() {
  return storage::ReadValue<std::uint64_t>(
      ports_.store, [&](storage::Snapshot& snapshot) -> Result<std::uint64_t> {
        ADAPTER_TRY(const Sequence entries, ports_.log.Size(snapshot));
        ADAPTER_TRY(const std::uint64_t covered, ports_.tree.Size(snapshot));
        return static_cast<std::uint64_t>(entries) - std::min(covered, static_cast<std::uint64_t>(entries));
      });
}

// Puts entries into the tree, some thousand a transaction, until there are no more. Gives the tree's size.
Result<std::uint64_t> Checkpointer::ExtendTree() {
  while (true) {
    std::optional<TileBuilder> builder;
    std::uint64_t before = 0;
    ADAPTER_CHECK(ports_.store.Read([&](storage::Snapshot& snapshot) -> Result<void> {
      ADAPTER_TRY(builder, OpenBuilder(ports_.tree, snapshot));
      before = builder->size();
      const auto first = static_cast<Sequence>(before) + 1;
      return ports_.log.ForEach(snapshot, first, first + limits::kCheckpointEntriesMax - 1,
                                [&](Sequence, std::string_view bytes) {
                                  builder->Append(LeafHash(bytes));
                                  return true;
                                });
    }));
    if (builder->size() == before) return before;
    ADAPTER_CHECK(storage::Write(ports_.store, [&](storage::Transaction& transaction) {
      return ports_.tree.PutTiles(transaction, builder->TakeChanged());
    }));
  }
}

// The file first: whoever finds a checkpoint in the store and none in the file knows that the file was cut.
Result<void> Checkpointer::Publish(std::uint64_t size, const std::string& note) {
  ADAPTER_CHECK(file_.Append(note));
  if (witness_) {
    if (const auto done = witness_->Append(note); !done) {
      LogEvent(LogLevel::kError, "audit-witness-failed", {{"message", ToString(done.error())}});
    }
  }
  return storage::Write(ports_.store, [&](storage::Transaction& transaction) {
    return ports_.tree.PutCheckpoint(transaction, size, note);
  });
}

Result<std::optional<Checkpoint>> Checkpointer::Advance() {
  ADAPTER_TRY(const std::uint64_t size, ExtendTree());
  Checkpoint checkpoint{key_.verifier().name(), size, {}};
  std::string last;
  ADAPTER_CHECK(ports_.store.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    SnapshotTiles tiles(ports_.tree, snapshot);
    TileSubtrees subtrees(tiles, size);
    ADAPTER_TRY(checkpoint.root, RootOf(subtrees, size));
    ADAPTER_TRY(last, ports_.tree.Checkpoint(snapshot));
    return {};
  }));
  if (size == 0) return std::optional<Checkpoint>();
  const auto old = OpenCheckpoint(key_.verifier(), last);
  if (old && *old == checkpoint) return std::optional<Checkpoint>();
  ADAPTER_CHECK(Publish(size, SignCheckpoint(key_, checkpoint)));
  return std::optional<Checkpoint>(checkpoint);
}

}  // namespace fhir_adapter::audit
