#include "audit/log_verifier.h"

#include <algorithm>
#include <map>
#include <utility>

namespace fhir_adapter::audit {
namespace {

constexpr std::uint64_t kProgressEntries = 50'000;
constexpr std::uint64_t kUpperTilesEntries = 65'536;

std::string Entry(std::uint64_t sequence) {
  return "entry " + std::to_string(sequence);
}

// The roots that were signed, by size. Only the sizes are kept: 40 bytes a checkpoint.
struct Signed {
  std::map<std::uint64_t, Hash> roots;
  std::uint64_t largest = 0;
};

Result<Signed> ReadCheckpoints(const VerifierKey& key, const CheckpointFile& file, VerifyReport& report) {
  Signed found;
  std::uint64_t number = 0;
  ADAPTER_CHECK(file.ForEach([&](const std::string& note) -> Result<void> {
    ++number;
    const auto checkpoint = OpenCheckpoint(key, note);
    const std::string name = "checkpoint " + std::to_string(number) + " of " + file.path();
    if (!checkpoint) {
      report.Tampered(name + ": " + checkpoint.error().message);
      return {};
    }
    if (checkpoint->size < found.largest)
      report.Tampered(name + ": its size is less than that of the one before");
    const auto [known, is_new] = found.roots.emplace(checkpoint->size, checkpoint->root);
    if (!is_new && known->second != checkpoint->root) {
      report.Tampered(name + ": another root was signed for the same size");
    }
    found.largest = std::max(found.largest, checkpoint->size);
    return {};
  }));
  return found;
}

class Pass {
 public:
  Pass(LogSource& source, Signed signed_roots, const VerifyOptions& options, VerifyReport& report)
      : source_(source), signed_(std::move(signed_roots)), options_(options), report_(report) {}

  Result<void> Run() {
    ADAPTER_TRY(tree_size_, source_.TreeSize());
    ADAPTER_CHECK(source_.ForEach(kAllEntries, [this](std::uint64_t sequence, std::string_view bytes) {
      return Take(sequence, bytes);
    }));
    report_.entries = frontier_.size();
    report_.last_signed = signed_.largest;
    report_.covered = std::min(signed_.largest, frontier_.size());
    CheckEnd();
    return {};
  }

 private:
  Result<void> Take(std::uint64_t sequence, std::string_view bytes) {
    const std::uint64_t expected = frontier_.size() + 1;
    if (!is_out_of_step_ && sequence != expected) {
      is_out_of_step_ = true;  // everything behind is displaced: say it once
      Bad(expected, Entry(expected) + " is missing: " + Entry(sequence) + " stands in its place");
    }
    if (options_.has_own_format && !is_out_of_step_) CheckNumber(sequence, bytes);
    const Hash leaf = LeafHash(bytes);
    ADAPTER_CHECK(CompareWithTile(frontier_.size(), leaf));
    frontier_.Append(leaf);
    ADAPTER_CHECK(CompareWithUpperTiles(leaf));
    CompareWithCheckpoint();
    if (options_.on_progress && frontier_.size() % kProgressEntries == 0)
      options_.on_progress(frontier_.size());
    return {};
  }

  // The bytes name their own number (audit_entry.cc writes it second).
  void CheckNumber(std::uint64_t sequence, std::string_view bytes) {
    const std::string begin = "{\"v\":1,\"seq\":" + std::to_string(sequence) + ",";
    if (!bytes.starts_with(begin)) Bad(sequence, Entry(sequence) + " does not name its own number");
  }

  Result<void> CompareWithTile(std::uint64_t index, const Hash& leaf) {
    if (index >= tree_size_) return {};
    if (index % kTileWidth == 0 || tile_.empty()) {
      const TileId tile{0, index / kTileWidth};
      ADAPTER_TRY(tile_, source_.tiles().Tile(tile, WidthIn(tile, tree_size_)));
    }
    const std::size_t at = index % kTileWidth * sizeof(Hash);
    const bool is_same = tile_.size() >= at + sizeof(Hash) &&
                         std::string_view(tile_).substr(at, sizeof(Hash)) == BytesOf(leaf);
    if (!is_same && !suspect_) suspect_ = index + 1;
    return {};
  }

  // The hashes above the leaves, now and then and at the end of the tree.
  Result<void> CompareWithUpperTiles(const Hash& leaf) {
    const std::uint64_t size = frontier_.size();
    if (size > tree_size_) return {};
    builder_.Append(leaf);
    if (size != tree_size_ && size % kUpperTilesEntries != 0) return {};
    for (const auto& [tile, hashes] : builder_.TakeChanged()) {
      if (tile.level == 0) continue;
      ADAPTER_TRY(const std::string stored, source_.tiles().Tile(tile, WidthIn(tile, tree_size_)));
      if (stored.starts_with(hashes)) continue;
      if (!suspect_) {
        report_.Tampered("tile " + std::to_string(tile.level) + "/" + std::to_string(tile.index) +
                         " of the stored tree is not what its entries make");
      }
      return {};
    }
    return {};
  }

  void CompareWithCheckpoint() {
    const std::uint64_t size = frontier_.size();
    CompareWithKept(options_.since, "the checkpoint given");
    CompareWithKept(options_.cosigned, "the checkpoint that the witness cosigned");
    const auto root = signed_.roots.find(size);
    if (root == signed_.roots.end()) return;
    ++report_.checkpoints;
    if (root->second == frontier_.Root()) {
      if (suspect_ && !suspect_is_told_) {
        suspect_is_told_ = true;
        report_.Tampered("the stored hash of " + Entry(*suspect_) +
                         " is not that of the entry, which is as signed");
      }
      good_until_ = size;
      return;
    }
    if (!root_is_told_) {
      root_is_told_ = true;
      const std::uint64_t first = suspect_.value_or(good_until_ + 1);
      if (!suspect_) report_.last_bad = size;
      Bad(first, suspect_ ? Entry(first) + " is not what was signed"
                          : "one of the entries " + std::to_string(first) + " to " + std::to_string(size) +
                                " is not what was signed");
    }
  }

  void CompareWithKept(const std::optional<Checkpoint>& kept, const std::string& name) {
    const std::uint64_t size = frontier_.size();
    if (!kept || kept->size != size || kept->root == frontier_.Root()) return;
    Bad(suspect_.value_or(1), "the first " + std::to_string(size) + " entries are not those of " + name);
  }

  void CheckEnd() {
    const std::uint64_t size = frontier_.size();
    if (signed_.largest > size) {
      Bad(size + 1, "the log ends at " + Entry(size) + "; a checkpoint was signed for " +
                        std::to_string(signed_.largest) +
                        ": entries were removed, or an older store was put in place");
    } else if (tree_size_ > size) {
      Bad(size + 1, "the log ends at " + Entry(size) + "; its tree has " + std::to_string(tree_size_));
    } else if (suspect_ && !root_is_told_ && !suspect_is_told_) {
      Bad(*suspect_, Entry(*suspect_) + " is not what the tree says");
    }
    const auto check_kept = [&](const std::optional<Checkpoint>& kept, const std::string& name) {
      if (!kept || kept->size <= size) return;
      Bad(size + 1, "the log ends at " + Entry(size) + "; " + name + " is of " + std::to_string(kept->size));
    };
    check_kept(options_.since, "the checkpoint given");
    check_kept(options_.cosigned, "the checkpoint that the witness cosigned");
    if (signed_.roots.empty() && size > 0 && !options_.since) {
      report_.Incomplete("no checkpoint has been signed yet: nothing says what the entries were");
    }
  }

  void Bad(std::uint64_t sequence, std::string reason) {
    if (!report_.first_bad || sequence < *report_.first_bad) report_.first_bad = sequence;
    report_.Tampered(std::move(reason));
  }

  LogSource& source_;
  const Signed signed_;
  const VerifyOptions& options_;
  VerifyReport& report_;
  MerkleFrontier frontier_;
  TileBuilder builder_{0};
  std::uint64_t tree_size_ = 0;
  std::uint64_t good_until_ = 0;
  std::string tile_;
  std::optional<std::uint64_t> suspect_;  // the first entry whose stored hash is another
  bool suspect_is_told_ = false;
  bool root_is_told_ = false;
  bool is_out_of_step_ = false;
};

}  // namespace

Result<VerifyReport> VerifyLog(LogSource& source, const VerifierKey& key, const CheckpointFile& checkpoints,
                               const VerifyOptions& options) {
  VerifyReport report;
  ADAPTER_TRY(Signed signed_roots, ReadCheckpoints(key, checkpoints, report));
  Pass pass(source, std::move(signed_roots), options, report);
  ADAPTER_CHECK(pass.Run());
  return report;
}

}  // namespace fhir_adapter::audit
