// A log as files (c2sp.org/tlog-tiles): `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`, and
// beside them `vkey`, the key that verifies the checkpoint.
//
// ExportLog writes one; TileDirectory reads one, whoever made it. Errors: kInputOutput, kDiskFull,
// kFileNotFound; kIntegrity for files that do not fit the checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "audit/checkpoint.h"
#include "audit/log_verifier.h"
#include "core/result.h"

namespace fhir_adapter::audit {

// The folder must be empty or not there. Writes the first `checkpoint.size` entries.
Result<void> ExportLog(LogSource& source, const VerifierKey& key, const Checkpoint& checkpoint,
                       const std::string& note, const std::string& folder);

class TileDirectory final : public LogSource, public TileStore {
 public:
  // `size` as its checkpoint says.
  TileDirectory(std::string folder, std::uint64_t size) : folder_(std::move(folder)), size_(size) {}

  Result<void> ForEach(std::uint64_t last, const Visit& visit) override;
  Result<std::uint64_t> TreeSize() override { return size_; }
  TileStore& tiles() override { return *this; }
  Result<std::string> Tile(TileId tile, std::uint64_t width) override;

 private:
  std::string folder_;
  std::uint64_t size_;
};

// Compares an exported folder, ours or another maker's, with its own checkpoint and with what was kept
// elsewhere: the checkpoints of a witness and `options.since`. Only these show that an older folder stands in
// place of a newer one. kFileNotFound: the folder has no checkpoint.
Result<VerifyReport> VerifyExportedLog(const std::string& folder, const VerifierKey& key,
                                       const CheckpointFile& witness, const VerifyOptions& options);

// The whole text of a file in `folder`.
Result<std::string> ReadLogFile(const std::string& folder, const std::string& name);

}  // namespace fhir_adapter::audit
