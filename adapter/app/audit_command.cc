// `fhir-adapter audit`: is the log whole, and proofs for those who do not trust us.
#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "app/audit_files.h"
#include "app/audit_setup.h"
#include "app/commands.h"
#include "app/read_notes.h"
#include "audit/snapshot_log.h"
#include "audit/sqlite/row_check.h"
#include "audit/tile_directory.h"
#include "net/http_message.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(Code::kFileNotFound, "there is no such file", Location{path, 0, 0, {}});
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string WithoutLineEnd(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

void NoteReadOfLog(const Configuration& configuration, const std::string& command, const Streams& streams) {
  NoteRead(configuration, ReadNote{command, {ReadSubject{}}}, streams);
}

// The key named on the command line (a text or a file), else the one beside the store.
Result<audit::VerifierKey> KeyOf(const AuditOptions& options, const std::string& default_file) {
  std::string text = options.key;
  if (text.empty() || text.find('+') == std::string::npos) {
    ADAPTER_TRY(text, ReadWhole(text.empty() ? default_file : text));
  }
  return audit::VerifierKey::Parse(WithoutLineEnd(text));
}

audit::VerifyOptions VerifyOptionsOf(const Streams& streams) {
  audit::VerifyOptions options;
  if (streams.err_is_terminal) {
    options.on_progress = [&streams](std::uint64_t entries) {
      streams.err << "\r" << entries << " entries" << std::flush;
    };
  }
  return options;
}

Result<void> AddSince(const AuditOptions& options, const audit::VerifierKey& key,
                      audit::VerifyOptions& verify) {
  if (options.since.empty()) return {};
  ADAPTER_TRY(const std::string note, ReadWhole(options.since));
  ADAPTER_TRY(verify.since, audit::OpenCheckpoint(key, note));
  return {};
}

std::string_view NameOf(audit::Verdict verdict) {
  switch (verdict) {
    case audit::Verdict::kGood:
      return "good";
    case audit::Verdict::kIncomplete:
      return "incomplete";
    case audit::Verdict::kTampered:
      return "tampered";
  }
  return "";
}

int ExitCodeOf(audit::Verdict verdict) {
  switch (verdict) {
    case audit::Verdict::kGood:
      return kExitDone;
    case audit::Verdict::kIncomplete:
      return kExitRejected;
    case audit::Verdict::kTampered:
      return kExitIntegrity;
  }
  return kExitInternal;
}

// What is told of the witness that is configured.
struct WitnessTold {
  std::string name;
  audit::Cosigned cosigned;
};

std::string ToJson(const WitnessTold& told) {
  std::string json = ",\"witness\":{\"name\":" + net::JsonString(told.name) +
                     ",\"cosigned\":" + std::to_string(told.cosigned.checkpoints);
  if (told.cosigned.last) {
    json += ",\"size\":" + std::to_string(told.cosigned.last->size) +
            ",\"time\":" + net::JsonString(ToString(TimeUs{told.cosigned.last_time_s * 1'000'000}));
  }
  return json + "}";
}

std::string ToText(const WitnessTold& told) {
  const audit::Cosigned& cosigned = told.cosigned;
  if (!cosigned.last) return "witness " + told.name + ": has cosigned nothing yet\n";
  return "witness " + told.name + ": cosigned " + std::to_string(cosigned.checkpoints) +
         " checkpoints, the last of " + std::to_string(cosigned.last->size) + " entries on " +
         ToString(TimeUs{cosigned.last_time_s * 1'000'000}) + "\n";
}

// Reads what the witness cosigned; the last of it has to be in the log.
Result<std::optional<WitnessTold>> ReadWitness(const Configuration& configuration,
                                               const audit::VerifierKey& log, audit::VerifyReport& report) {
  const auto key = WitnessKeyOf(configuration);
  if (!key) return std::optional<WitnessTold>();
  const audit::CheckpointFile file(CosignedPath(configuration));
  ADAPTER_TRY(audit::Cosigned cosigned, audit::ReadCosigned(log, *key, file, report));
  return std::optional(WitnessTold{key->name(), std::move(cosigned)});
}

int Tell(const audit::VerifyReport& report, const std::optional<WitnessTold>& witness, bool json,
         const Streams& streams) {
  if (streams.err_is_terminal) streams.err << "\r";
  for (const std::string& reason : report.reasons)
    streams.err << NameOf(report.verdict) << ": " << reason << "\n";
  if (json) {
    streams.out << "{\"verdict\":\"" << NameOf(report.verdict) << "\",\"entries\":" << report.entries
                << ",\"checkpoints\":" << report.checkpoints << ",\"covered\":" << report.covered;
    if (report.first_bad) streams.out << ",\"firstBad\":" << *report.first_bad;
    if (report.last_bad) streams.out << ",\"lastBad\":" << *report.last_bad;
    if (witness) streams.out << ToJson(*witness);
    streams.out << "}\n";
    return ExitCodeOf(report.verdict);
  }
  streams.out << NameOf(report.verdict) << ": " << report.entries << " entries, " << report.checkpoints
              << " checkpoints compared, " << report.entries - report.covered
              << " entries newer than the last checkpoint\n";
  if (report.first_bad) streams.out << "first bad entry: " << *report.first_bad;
  if (report.first_bad && report.last_bad) streams.out << " or a later one up to " << *report.last_bad;
  if (report.first_bad) streams.out << "\n";
  if (witness) streams.out << ToText(*witness);
  return ExitCodeOf(report.verdict);
}

Result<std::unique_ptr<outbox::SqliteBackend>> OpenStore(const Configuration& configuration) {
  storage::SqliteStoreSettings settings;
  settings.path = configuration.StorePath();
  return outbox::OpenSqliteBackendReadOnly(settings, SystemRandom());
}

Result<int> VerifyStore(const GlobalOptions& global, const AuditOptions& options, const Streams& streams) {
  ADAPTER_TRY(const Configuration configuration, ConfigurationOf(global));
  ADAPTER_TRY(const std::unique_ptr<outbox::SqliteBackend> backend, OpenStore(configuration));
  ADAPTER_TRY(const audit::VerifierKey key, KeyOf(options, VerifierKeyPath(configuration)));
  audit::VerifyOptions verify = VerifyOptionsOf(streams);
  ADAPTER_CHECK(AddSince(options, key, verify));
  const audit::CheckpointFile checkpoints(options.checkpoints.empty() ? CheckpointsPath(configuration)
                                                                      : options.checkpoints);
  audit::VerifyReport of_witness;
  ADAPTER_TRY(const std::optional<WitnessTold> witness, ReadWitness(configuration, key, of_witness));
  if (witness) verify.cosigned = witness->cosigned.last;
  std::optional<audit::VerifyReport> report;
  const auto read = backend->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(report,
                audit::VerifyStoredLog(backend->log, backend->tree, snapshot, key, checkpoints, verify));
    return audit::CheckRows(snapshot, *report);
  });
  ADAPTER_CHECK(read);
  for (std::string& reason : of_witness.reasons) report->Tampered(std::move(reason));
  NoteReadOfLog(configuration, "audit verify", streams);
  return Tell(*report, witness, global.json, streams);
}

// A log as files, ours or another maker's.
Result<int> VerifyFolder(const GlobalOptions& global, const AuditOptions& options, const Streams& streams) {
  ADAPTER_TRY(const audit::VerifierKey key, KeyOf(options, options.folder + "/vkey"));
  audit::VerifyOptions verify = VerifyOptionsOf(streams);
  verify.has_own_format = false;
  ADAPTER_CHECK(AddSince(options, key, verify));
  const audit::CheckpointFile witness(options.checkpoints.empty() ? options.folder + "/checkpoints"
                                                                  : options.checkpoints);
  ADAPTER_TRY(const audit::VerifyReport report,
              audit::VerifyExportedLog(options.folder, key, witness, verify));
  return Tell(report, {}, global.json, streams);
}

// The last checkpoint that the store holds, with the witness's cosignature when it has one.
Result<std::string> LastNote(const Configuration& configuration, outbox::SqliteBackend& backend,
                             storage::Snapshot& snapshot) {
  ADAPTER_TRY(const std::string note, backend.tree.Checkpoint(snapshot));
  if (note.empty()) {
    return Fail(Code::kNotFound, "no checkpoint has been signed yet: `serve` signs one within ten seconds");
  }
  auto cosigned = audit::CheckpointFile(CosignedPath(configuration)).Last();
  if (cosigned && cosigned->starts_with(note)) return std::move(*cosigned);
  return note;
}

Result<int> Prove(const GlobalOptions& global, const AuditOptions& options, const Streams& streams) {
  ADAPTER_TRY(const Configuration configuration, ConfigurationOf(global));
  ADAPTER_TRY(const std::unique_ptr<outbox::SqliteBackend> backend, OpenStore(configuration));
  ADAPTER_TRY(const audit::VerifierKey key, KeyOf(options, VerifierKeyPath(configuration)));
  const auto index = static_cast<std::uint64_t>(options.sequence - 1);
  const auto read = backend->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(const std::string note, LastNote(configuration, *backend, snapshot));
    ADAPTER_TRY(const audit::Checkpoint checkpoint, audit::OpenCheckpoint(key, note));
    if (index >= checkpoint.size) {
      return Fail(Code::kNotFound,
                  "the last checkpoint covers entries 1 to " + std::to_string(checkpoint.size));
    }
    ADAPTER_TRY(const std::string text,
                audit::ProveEntry(backend->log, backend->tree, snapshot, index, checkpoint, note));
    streams.out << text;
    return {};
  });
  ADAPTER_CHECK(read);
  NoteReadOfLog(configuration, "audit prove " + std::to_string(options.sequence), streams);
  return kExitDone;
}

Result<int> Export(const GlobalOptions& global, const AuditOptions& options, const Streams& streams) {
  ADAPTER_TRY(const Configuration configuration, ConfigurationOf(global));
  ADAPTER_TRY(const std::unique_ptr<outbox::SqliteBackend> backend, OpenStore(configuration));
  ADAPTER_TRY(const audit::VerifierKey key, KeyOf(options, VerifierKeyPath(configuration)));
  const auto read = backend->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(const std::string note, LastNote(configuration, *backend, snapshot));
    ADAPTER_TRY(const audit::Checkpoint checkpoint, audit::OpenCheckpoint(key, note));
    audit::SnapshotLog log(backend->log, backend->tree, snapshot);
    const auto written = audit::ExportLog(log, key, checkpoint, note, options.folder);
    if (!written) return Fail(written.error());
    streams.err << options.folder << ": " << checkpoint.size << " entries\n";
    return {};
  });
  ADAPTER_CHECK(read);
  NoteReadOfLog(configuration, "audit export", streams);
  return kExitDone;
}

}  // namespace

int RunAudit(const GlobalOptions& global, const AuditOptions& options, const Streams& streams) {
  Result<int> status = kExitUsage;
  if (options.action == "prove") {
    status = Prove(global, options, streams);
  } else if (options.action == "export") {
    status = Export(global, options, streams);
  } else {
    status = options.folder.empty() ? VerifyStore(global, options, streams)
                                    : VerifyFolder(global, options, streams);
  }
  return status ? *status : Report(status.error(), streams);
}

}  // namespace fhir_adapter::app
