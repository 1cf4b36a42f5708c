#include "audit/hash_tile.h"

#include <algorithm>
#include <cstdio>

namespace fhir_adapter::audit {
namespace {

constexpr std::size_t kHashBytes = sizeof(Hash);
constexpr std::uint64_t kPathPart = 1'000;
constexpr unsigned kLevelBits = 64;

Hash HashAt(const std::string& hashes, std::uint64_t position) {
  return HashOf(std::string_view(hashes).substr(position * kHashBytes, kHashBytes));
}

// The root over `count` (a power of two) hashes of a tile from `begin`.
Hash RootWithin(const std::string& hashes, std::uint64_t begin, std::uint64_t count) {
  if (count == 1) return HashAt(hashes, begin);
  const std::uint64_t half = count / 2;
  return NodeHash(RootWithin(hashes, begin, half), RootWithin(hashes, begin + half, half));
}

}  // namespace

std::uint64_t WidthIn(TileId tile, std::uint64_t size) {
  const unsigned shift = tile.level * kTileLevels;
  const std::uint64_t hashes = shift >= kLevelBits ? 0 : size >> shift;
  const std::uint64_t before = tile.index * kTileWidth;
  return hashes <= before ? 0 : std::min(hashes - before, kTileWidth);
}

std::string TileIndexPath(std::uint64_t index) {
  char part[8];
  std::snprintf(part, sizeof part, "%03u", static_cast<unsigned>(index % kPathPart));
  std::string path = part;
  for (index /= kPathPart; index > 0; index /= kPathPart) {
    std::snprintf(part, sizeof part, "x%03u", static_cast<unsigned>(index % kPathPart));
    path.insert(0, std::string(part) + "/");
  }
  return path;
}

Result<const std::string*> TileSubtrees::Read(TileId tile) {
  const auto known = read_.find(tile);
  if (known != read_.end()) return &known->second;
  const std::uint64_t width = WidthIn(tile, size_);
  ADAPTER_TRY(std::string hashes, store_.Tile(tile, width));
  if (hashes.size() < width * kHashBytes) {
    return Fail(Code::kIntegrity, "tile " + std::to_string(tile.level) + "/" + std::to_string(tile.index) +
                                      " of the audit tree has fewer hashes than the tree");
  }
  return &read_.emplace(tile, std::move(hashes)).first->second;
}

Result<Hash> TileSubtrees::Subtree(unsigned level, std::uint64_t index) {
  const unsigned tile_level = level / kTileLevels;
  const unsigned height = level % kTileLevels;
  const std::uint64_t first = index << height;  // hash of the tile's level
  ADAPTER_TRY(const std::string* const hashes, Read({tile_level, first / kTileWidth}));
  return RootWithin(*hashes, first % kTileWidth, std::uint64_t{1} << height);
}

void TileBuilder::Append(const Hash& leaf) {
  Add(0, leaf);
  ++size_;
}

void TileBuilder::Add(unsigned level, const Hash& hash) {
  Open& open = open_[level];
  open.hashes += BytesOf(hash);
  open.is_changed = true;
  if (open.hashes.size() < kTileWidth * kHashBytes) return;
  const Hash root = RootWithin(open.hashes, 0, kTileWidth);
  full_[{level, open.index}] = std::move(open.hashes);
  open = {open.index + 1, {}, false};
  Add(level + 1, root);
}

std::map<TileId, std::string> TileBuilder::TakeChanged() {
  std::map<TileId, std::string> changed = std::exchange(full_, {});
  for (auto& [level, open] : open_) {
    if (std::exchange(open.is_changed, false)) changed[{level, open.index}] = open.hashes;
  }
  return changed;
}

}  // namespace fhir_adapter::audit
