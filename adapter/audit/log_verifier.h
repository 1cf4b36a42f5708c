// Verifies a log: its entries against its tree, its checkpoints and its own numbers.
//
// A pass over all entries in memory that does not grow with the log. LogSource is the store or an exported
// folder. An Error is a failure to read; what is wrong with the log is in the report.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/checkpoint_file.h"
#include "audit/hash_tile.h"
#include "core/result.h"

namespace fhir_adapter::audit {

inline constexpr std::uint64_t kAllEntries = std::numeric_limits<std::int64_t>::max();

class LogSource {
 public:
  virtual ~LogSource() = default;
  // Each entry up to number `last` in order, until `visit` fails. Numbers are the stored ones.
  using Visit = std::function<Result<void>(std::uint64_t sequence, std::string_view bytes)>;
  virtual Result<void> ForEach(std::uint64_t last, const Visit& visit) = 0;
  // Entries that the stored tiles speak of.
  virtual Result<std::uint64_t> TreeSize() = 0;
  virtual TileStore& tiles() = 0;
};

enum class Verdict : std::uint8_t {
  kGood,
  kIncomplete,  // nothing is wrong, but something needed to say so is not there
  kTampered,
};

struct VerifyReport {
  Verdict verdict = Verdict::kGood;
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;  // that were compared
  std::uint64_t covered = 0;      // entries below the last checkpoint
  std::uint64_t last_signed = 0;  // the largest size in the file of checkpoints
  // The first entry that is not what was signed; with `last_bad` a range that holds it.
  std::optional<std::uint64_t> first_bad;
  std::optional<std::uint64_t> last_bad;
  std::vector<std::string> reasons;  // for a person, the first one first

  void Tampered(std::string reason) {
    verdict = Verdict::kTampered;
    reasons.push_back(std::move(reason));
  }
  void Incomplete(std::string reason) {
    if (verdict == Verdict::kGood) verdict = Verdict::kIncomplete;
    reasons.push_back(std::move(reason));
  }
};

struct VerifyOptions {
  // Entries are ours: they name their own number, and what they say is checked.
  bool has_own_format = true;
  // A checkpoint that a person kept elsewhere: the log must have grown from it.
  std::optional<Checkpoint> since;
  // The last one that a witness has cosigned: so too.
  std::optional<Checkpoint> cosigned = std::nullopt;
  std::function<void(std::uint64_t entries)> on_progress = nullptr;  // now and then
};

// `checkpoints` are those beside the log, in the order of signing.
Result<VerifyReport> VerifyLog(LogSource& source, const VerifierKey& key, const CheckpointFile& checkpoints,
                               const VerifyOptions& options);

}  // namespace fhir_adapter::audit
