// `fhir-adapter backup` and `restore`.
#include "app/audit_files.h"
#include "app/commands.h"
#include "app/local_user.h"
#include "audit/sqlite/sqlite_audit_log.h"
#include "audit/sqlite/sqlite_audit_tree.h"
#include "outbox/sqlite/restore.h"
#include "storage/sqlite/backup.h"

namespace fhir_adapter::app {

int RunBackup(const GlobalOptions& global, const std::string& file, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const auto done = storage::BackUp(configuration->StorePath(), file, storage::AdapterSchema());
  if (!done) return Report(done.error(), streams);
  streams.out << file << ": complete and checked\n";
  return kExitDone;
}

int RunRestore(const GlobalOptions& global, const RestoreOptions& options, const Streams& streams) {
  const auto checked = storage::CheckBackup(options.file, storage::AdapterSchema());
  if (!checked) {
    Error error = checked.error();
    if (error.where.file.empty()) error.where.file = options.file;
    return Report(error, streams);
  }
  if (options.check_only) {
    streams.out << options.file << ": can be restored\n";
    return kExitDone;
  }
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  audit::SqliteAuditLog log(SystemRandom());
  const outbox::Change change{LocalUser(), "restored from a backup", SystemClock().Now()};
  const auto restored = storage::Restore(
      options.file, configuration->StorePath(), storage::AdapterSchema(),
      [&](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_CHECK(outbox::RecordRestore(transaction, log, change));
        ADAPTER_TRY(const std::string checkpoint, audit::SqliteAuditTree().Checkpoint(transaction));
        // The witness knows the log that was: it will say so until that has another name.
        ADAPTER_CHECK(audit::CheckpointFile(CosignedPath(*configuration)).StartAgain({}));
        return audit::CheckpointFile(CheckpointsPath(*configuration)).StartAgain(checkpoint);
      });
  if (!restored) return Report(restored.error(), streams);
  streams.out << configuration->StorePath() << ": restored; what was there is kept as "
              << configuration->StorePath()
              << ".before-restore\nThe store is older than the server now: records are taken and nothing is "
                 "sent until\n"
                 "`fhir-adapter reconcile --adopt --reason …`.\n";
  return kExitDone;
}

}  // namespace fhir_adapter::app
