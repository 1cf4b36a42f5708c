#include "app/audit_setup.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "app/audit_files.h"
#include "audit/snapshot_log.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

Result<audit::SigningKey> OpenKey(const Configuration& configuration,
                                  const audit::CheckpointFile& checkpoints) {
  const std::string path = SigningKeyPath(configuration);
  if (checkpoints.exists() && !std::filesystem::exists(path)) {
    return Fail(
        Code::kIntegrity,
        "the signing key of the audit log is gone, but checkpoints were signed with it: put it back, or "
        "move " +
            checkpoints.path() + " away to begin a new chain of checkpoints",
        Location{path, 0, 0, {}});
  }
  return audit::SigningKey::LoadOrMake(path, LogOrigin(configuration));
}

void WriteVerifierKey(const Configuration& configuration, const audit::VerifierKey& key) {
  std::ofstream file(VerifierKeyPath(configuration), std::ios::trunc);
  file << key.Text() << "\n";
}

Result<void> CompareWithCheckpoints(outbox::SqliteBackend& backend, const audit::VerifierKey& key,
                                    const audit::CheckpointFile& checkpoints) {
  std::optional<audit::VerifyReport> report;
  ADAPTER_CHECK(backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(report, audit::VerifyStoredLog(backend.log, backend.tree, snapshot, key, checkpoints,
                                               audit::VerifyOptions{}));
    return {};
  }));
  if (report->verdict != audit::Verdict::kTampered) return {};
  return Fail(Code::kIntegrity,
              report->reasons.front() +
                  "; nothing was started. Keep the files as they are and look with `fhir-adapter audit "
                  "verify`. To go on with an older store on purpose, install it with `fhir-adapter "
                  "restore`; if the store was removed on purpose, move " +
                  checkpoints.path() + " away too");
}

}  // namespace

Result<std::unique_ptr<CheckpointThread>> OpenAuditLog(const Configuration& configuration,
                                                       outbox::SqliteBackend& backend) {
  audit::CheckpointFile checkpoints(CheckpointsPath(configuration));
  ADAPTER_TRY(audit::SigningKey key, OpenKey(configuration, checkpoints));
  WriteVerifierKey(configuration, key.verifier());
  ADAPTER_CHECK(CompareWithCheckpoints(backend, key.verifier(), checkpoints));
  std::optional<audit::CheckpointFile> witness;
  if (!configuration.audit.witness_file.empty()) witness.emplace(configuration.audit.witness_file);
  const audit::LogPorts ports{*backend.store, backend.log, backend.tree};
  ADAPTER_TRY(const bool is_behind, audit::IsBehindLog(ports, SystemClock().Now()));
  if (is_behind) {
    LogEvent(LogLevel::kWarning, "clock-set-back", {});
    ADAPTER_CHECK(audit::AppendClockSetBack(ports, SystemClock().Now()));
  }
  audit::Checkpointer checkpointer(ports, std::move(key), std::move(checkpoints), std::move(witness));
  return std::make_unique<CheckpointThread>(ports, std::move(checkpointer), SystemClock());
}

std::optional<audit::WitnessKey> WitnessKeyOf(const Configuration& configuration) {
  if (configuration.audit.witness_key.empty()) return std::nullopt;
  auto key = audit::WitnessKey::Parse(configuration.audit.witness_key);
  return key ? std::optional(std::move(*key)) : std::nullopt;
}

Result<audit::VerifierKey> ReadVerifierKey(const Configuration& configuration) {
  const std::string path = VerifierKeyPath(configuration);
  std::ifstream file(path);
  std::string text;
  if (!std::getline(file, text))
    return Fail(Code::kFileNotFound, "there is no verifier key", {path, 0, 0, {}});
  return audit::VerifierKey::Parse(text);
}

Result<std::unique_ptr<WitnessThread>> OpenWitness(const Configuration& configuration,
                                                   outbox::SqliteBackend& backend) {
  std::optional<audit::WitnessKey> witness = WitnessKeyOf(configuration);
  if (!witness) return std::unique_ptr<WitnessThread>();
  ADAPTER_TRY(audit::VerifierKey log, ReadVerifierKey(configuration));
  std::string url = configuration.audit.witness_url;
  while (url.ends_with('/')) url.pop_back();
  const audit::LogPorts ports{*backend.store, backend.log, backend.tree};
  WitnessSettings settings{std::move(url), std::move(*witness), configuration.audit.witness_authority_file};
  return std::make_unique<WitnessThread>(ports, std::move(log), std::move(settings),
                                         audit::CheckpointFile(CosignedPath(configuration)), SystemClock());
}

}  // namespace fhir_adapter::app
