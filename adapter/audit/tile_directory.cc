#include "audit/tile_directory.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

namespace fhir_adapter::audit {
namespace {

constexpr std::size_t kEntryBytesMax = 65'535;  // a bundle has 16 bits for the length

Result<void> WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    return Fail(errno == ENOSPC ? Code::kDiskFull : Code::kInputOutput, "cannot write the file",
                Location{path.string(), 0, 0, {}});
  }
  return {};
}

std::string PartialEnding(std::uint64_t width) {
  return width < kTileWidth ? ".p/" + std::to_string(width) : std::string();
}

// `kind` is a level or "entries".
std::string TileName(const std::string& kind, std::uint64_t index, std::uint64_t width) {
  return "tile/" + kind + "/" + TileIndexPath(index) + PartialEnding(width);
}

// Collects the entries of one bundle and writes it when it is full.
class BundleWriter {
 public:
  explicit BundleWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<void> Add(std::string_view entry) {
    if (entry.size() > kEntryBytesMax) {
      return Fail(Code::kLimit, "an entry of the log is longer than 65,535 bytes and has no place in a tile");
    }
    bytes_ += static_cast<char>(entry.size() >> 8);
    bytes_ += static_cast<char>(entry.size() & 0xFF);
    bytes_ += entry;
    ++count_;
    return count_ % kTileWidth == 0 ? Write(kTileWidth) : Result<void>();
  }
  Result<void> Finish() { return count_ % kTileWidth == 0 ? Result<void>() : Write(count_ % kTileWidth); }

 private:
  Result<void> Write(std::uint64_t width) {
    const std::string bytes = std::exchange(bytes_, {});
    return WriteFile(folder_ / TileName("entries", (count_ - 1) / kTileWidth, width), bytes);
  }

  const std::filesystem::path folder_;
  std::string bytes_;
  std::uint64_t count_ = 0;
};

// Writes full tiles as they come and the partial ones at the end.
class TileWriter {
 public:
  explicit TileWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<void> Take(std::map<TileId, std::string> changed) {
    for (auto& [tile, hashes] : changed) {
      if (hashes.size() < kTileWidth * sizeof(Hash)) {
        partial_[tile.level] = {tile, std::move(hashes)};
      } else {
        ADAPTER_CHECK(Write(tile, hashes));
        partial_.erase(tile.level);
      }
    }
    return {};
  }
  Result<void> Finish() {
    for (const auto& [level, entry] : partial_) ADAPTER_CHECK(Write(entry.first, entry.second));
    return {};
  }

 private:
  Result<void> Write(TileId tile, const std::string& hashes) {
    return WriteFile(folder_ / TileName(std::to_string(tile.level), tile.index, hashes.size() / sizeof(Hash)),
                     hashes);
  }

  const std::filesystem::path folder_;
  std::map<unsigned, std::pair<TileId, std::string>> partial_;
};

Result<void> ExpectEmpty(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    return Fail(Code::kInputOutput, "cannot make the folder", Location{folder.string(), 0, 0, {}});
  }
  if (std::filesystem::directory_iterator(folder, error) != std::filesystem::directory_iterator()) {
    return Fail(Code::kUsage, "the folder is not empty", Location{folder.string(), 0, 0, {}});
  }
  return {};
}

// Visits the entries of one bundle; `sequence` counts on.
Result<void> VisitBundle(std::string_view bytes, std::uint64_t& sequence, const LogSource::Visit& visit) {
  while (!bytes.empty()) {
    const std::size_t size = bytes.size() < 2
                                 ? bytes.size()
                                 : static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
                                       static_cast<unsigned char>(bytes[1]);
    if (bytes.size() < size + 2) return Fail(Code::kIntegrity, "a bundle of entries ends within an entry");
    ADAPTER_CHECK(visit(++sequence, bytes.substr(2, size)));
    bytes.remove_prefix(size + 2);
  }
  return {};
}

// A file that is not there or does not fit is a finding, unlike one that cannot be read.
Result<VerifyReport> VerifyFiles(TileDirectory& files, const VerifierKey& key, const CheckpointFile& witness,
                                 const VerifyOptions& options) {
  auto report = VerifyLog(files, key, witness, options);
  if (report) return report;
  if (report.error().code != Code::kIntegrity && report.error().code != Code::kFileNotFound) return report;
  VerifyReport broken;
  broken.Tampered(ToString(report.error()));
  return broken;
}

}  // namespace

Result<void> ExportLog(LogSource& source, const VerifierKey& key, const Checkpoint& checkpoint,
                       const std::string& note, const std::string& folder) {
  ADAPTER_CHECK(ExpectEmpty(folder));
  BundleWriter bundles(folder);
  TileWriter tiles(folder);
  TileBuilder builder(0);
  MerkleFrontier frontier;
  const auto written =
      source.ForEach(checkpoint.size, [&](std::uint64_t, std::string_view entry) -> Result<void> {
        ADAPTER_CHECK(bundles.Add(entry));
        const Hash leaf = LeafHash(entry);
        builder.Append(leaf);
        frontier.Append(leaf);
        return builder.size() % kTileWidth == 0 ? tiles.Take(builder.TakeChanged()) : Result<void>();
      });
  ADAPTER_CHECK(written);
  if (frontier.size() != checkpoint.size || frontier.Root() != checkpoint.root) {
    return Fail(Code::kIntegrity, "the entries are not what was signed: run `fhir-adapter audit verify`");
  }
  ADAPTER_CHECK(tiles.Take(builder.TakeChanged()));
  ADAPTER_CHECK(bundles.Finish());
  ADAPTER_CHECK(tiles.Finish());
  ADAPTER_CHECK(WriteFile(std::filesystem::path(folder) / "vkey", key.Text() + "\n"));
  return WriteFile(std::filesystem::path(folder) / "checkpoint", note);
}

Result<std::string> TileDirectory::Tile(TileId tile, std::uint64_t width) {
  const std::string kind = std::to_string(tile.level);
  auto partial = width < kTileWidth ? ReadLogFile(folder_, TileName(kind, tile.index, width))
                                    : ReadLogFile(folder_, TileName(kind, tile.index, kTileWidth));
  // A log may have dropped the partial tile once there is a full one.
  if (!partial && width < kTileWidth) return ReadLogFile(folder_, TileName(kind, tile.index, kTileWidth));
  return partial;
}

Result<void> TileDirectory::ForEach(std::uint64_t last, const Visit& visit) {
  const std::uint64_t end = std::min(last, size_);
  std::uint64_t sequence = 0;
  while (sequence < end) {
    const std::uint64_t index = sequence / kTileWidth;
    const std::uint64_t width = WidthIn({0, index}, size_);
    ADAPTER_TRY(const std::string bundle, ReadLogFile(folder_, TileName("entries", index, width)));
    const std::uint64_t before = sequence;
    ADAPTER_CHECK(VisitBundle(bundle, sequence, visit));
    if (sequence != before + width) {
      return Fail(Code::kIntegrity, "bundle " + std::to_string(index) + " has " +
                                        std::to_string(sequence - before) + " entries, not " +
                                        std::to_string(width));
    }
  }
  return {};
}

Result<VerifyReport> VerifyExportedLog(const std::string& folder, const VerifierKey& key,
                                       const CheckpointFile& witness, const VerifyOptions& options) {
  ADAPTER_TRY(const std::string note, ReadLogFile(folder, "checkpoint"));
  VerifyReport report;
  const auto checkpoint = OpenCheckpoint(key, note);
  if (!checkpoint) {
    report.Tampered("its checkpoint: " + checkpoint.error().message);
    return report;
  }
  TileDirectory files(folder, checkpoint->size);
  if (options.since) {
    ADAPTER_TRY(report, VerifyFiles(files, key, witness, options));
    if (report.verdict == Verdict::kTampered) return report;
  }
  VerifyOptions with_own = options;
  with_own.since = *checkpoint;
  ADAPTER_TRY(report, VerifyFiles(files, key, witness, with_own));
  ++report.checkpoints;
  report.covered = std::min(checkpoint->size, report.entries);
  return report;
}

Result<std::string> ReadLogFile(const std::string& folder, const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(Code::kFileNotFound, "there is no such file", Location{path.string(), 0, 0, {}});
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace fhir_adapter::audit
