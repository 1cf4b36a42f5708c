// Hash tiles (c2sp.org/tlog-tiles): 256 consecutive hashes of every eighth level of the tree.
//
// TileStore is where they are kept: the database, or a folder that was exported. Errors are those of the
// store; kIntegrity when a tile that the tree has is not there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "audit/merkle_tree.h"
#include "core/result.h"

namespace fhir_adapter::audit {

inline constexpr unsigned kTileLevels = 8;
inline constexpr std::uint64_t kTileWidth = 1u << kTileLevels;

struct TileId {
  unsigned level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const TileId&) const = default;
};

// Hashes that a tree of `size` entries has in a tile: 0 to 256.
std::uint64_t WidthIn(TileId tile, std::uint64_t size);

// `x001/x234/067`
std::string TileIndexPath(std::uint64_t index);

class TileStore {
 public:
  virtual ~TileStore() = default;
  // The concatenated hashes of the tile, `width` or more of them.
  virtual Result<std::string> Tile(TileId tile, std::uint64_t width) = 0;
};

// Subtrees of a tree of `size` entries, from tiles; remembers those it has read. Not thread-safe.
class TileSubtrees final : public SubtreeReader {
 public:
  TileSubtrees(TileStore& store, std::uint64_t size) : store_(store), size_(size) {}
  Result<Hash> Subtree(unsigned level, std::uint64_t index) override;

 private:
  Result<const std::string*> Read(TileId tile);

  TileStore& store_;
  const std::uint64_t size_;
  std::map<TileId, std::string> read_;
};

// Turns leaves, one after the other, into tiles.
//
//   TileBuilder builder(size);          // going on behind `size` leaves
//   builder.Begin(tile, hashes);        // for each tile that is not full at that size
//   builder.Append(leaf); …
//   builder.TakeChanged();              // tiles that are new or wider than before
class TileBuilder {
 public:
  explicit TileBuilder(std::uint64_t size) : size_(size) {}
  void Begin(TileId tile, std::string hashes) { open_[tile.level] = {tile.index, std::move(hashes), false}; }
  void Append(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  std::map<TileId, std::string> TakeChanged();

 private:
  struct Open {
    std::uint64_t index = 0;
    std::string hashes;
    bool is_changed = false;
  };
  void Add(unsigned level, const Hash& hash);

  std::uint64_t size_;
  std::map<unsigned, Open> open_;
  std::map<TileId, std::string> full_;  // since TakeChanged
};

}  // namespace fhir_adapter::audit
