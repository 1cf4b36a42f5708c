#include "storage/sqlite/backup.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

#include "storage/process_lock.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::storage {
namespace {

struct BackupFinisher {
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};

Failure FailedCall(const char* what, const std::string& path) {
  return Fail(errno == ENOSPC ? Code::kDiskFull : Code::kInputOutput,
              std::string(what) + ": " + std::strerror(errno), Location{path, 0, 0, {}});
}

Result<void> SyncPath(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return FailedCall("cannot open", path);
  const int synced = fsync(descriptor);
  close(descriptor);
  if (synced != 0) return FailedCall("cannot sync", path);
  return {};
}

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> MakeEmptyFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return FailedCall("cannot make the file", path);
  close(file);
  return {};
}

void RemoveCopy(const std::string& path) {
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) std::remove((path + ending).c_str());
}

Result<std::unique_ptr<Connection>> OpenToRead(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) {
    return Fail(Code::kFileNotFound, "there is no file that can be read", Location{path, 0, 0, {}});
  }
  ConnectionSettings settings;
  settings.path = path;
  settings.read_only = true;
  return Connection::Open(settings);
}

// All pages in one step: the source's snapshot does not move, and its writer is not kept waiting (WAL).
Result<void> CopyPages(Connection& from, Connection& to) {
  const std::unique_ptr<sqlite3_backup, BackupFinisher> backup(
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main"));
  if (backup == nullptr) return Fail(SqliteError(to.handle(), sqlite3_extended_errcode(to.handle()), "copy"));
  const int code = sqlite3_backup_step(backup.get(), -1);
  if (code != SQLITE_DONE) return Fail(SqliteError(to.handle(), code, "copy"));
  return {};
}

// A checked copy of `from` under a name of its own, as one file without a log.
Result<void> MakeCopy(Connection& from, const std::string& path, const Schema& schema,
                      const OnRestore& change) {
  ConnectionSettings settings;
  settings.path = path;
  settings.is_single_file = true;
  ADAPTER_TRY(auto to, Connection::Open(settings));
  ADAPTER_CHECK(CopyPages(from, *to));
  ADAPTER_CHECK(to->Run(ConnectionQueries()["single_file"]));
  if (change) {
    ADAPTER_CHECK(Migrate(*to, schema));
    ADAPTER_CHECK(to->Run(ConnectionQueries()["begin_immediate"]));
    SqliteTransaction transaction(*to);
    ADAPTER_CHECK(change(transaction));
    ADAPTER_CHECK(to->Run(ConnectionQueries()["commit"]));
  }
  ADAPTER_CHECK(CheckIntegrity(*to));
  to.reset();
  ADAPTER_CHECK(SyncPath(path, O_RDONLY));
  return SyncPath(DirectoryOf(path), O_RDONLY | O_DIRECTORY);
}

Result<void> MoveFile(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return FailedCall("cannot rename", to);
  return {};
}

// The old store with its log, so that both can still be read together.
Result<void> PutAside(const std::string& store_path) {
  const std::string aside = store_path + ".before-restore";
  if (access(store_path.c_str(), F_OK) != 0) return {};
  RemoveCopy(aside);
  for (const char* ending : {"-wal", "-shm", ""}) {
    if (access((store_path + ending).c_str(), F_OK) == 0) {
      ADAPTER_CHECK(MoveFile(store_path + ending, aside + ending));
    }
  }
  return {};
}

}  // namespace

Result<void> BackUp(const std::string& store_path, const std::string& backup_path, const Schema& schema) {
  ADAPTER_TRY(auto from, OpenToRead(store_path));
  ADAPTER_CHECK(CheckVersion(*from, schema));
  ADAPTER_CHECK(MakeEmptyFile(backup_path));
  auto copied = MakeCopy(*from, backup_path, schema, nullptr);
  if (!copied) RemoveCopy(backup_path);
  return copied;
}

Result<void> CheckBackup(const std::string& backup_path, const Schema& schema) {
  ADAPTER_TRY(auto backup, OpenToRead(backup_path));
  ADAPTER_CHECK(CheckUsable(*backup, schema));
  return CheckIntegrity(*backup);
}

Result<void> Restore(const std::string& backup_path, const std::string& store_path, const Schema& schema,
                     const OnRestore& on_restore) {
  ADAPTER_CHECK(CheckBackup(backup_path, schema));
  ADAPTER_TRY(const ProcessLock lock, ProcessLock::Acquire(store_path));
  ADAPTER_TRY(auto from, OpenToRead(backup_path));
  const std::string fresh = store_path + ".restoring";
  RemoveCopy(fresh);
  ADAPTER_CHECK(MakeEmptyFile(fresh));
  auto copied = MakeCopy(*from, fresh, schema, on_restore);
  if (!copied) {
    RemoveCopy(fresh);
    return copied;
  }
  ADAPTER_CHECK(PutAside(store_path));
  ADAPTER_CHECK(MoveFile(fresh, store_path));
  return SyncPath(DirectoryOf(store_path), O_RDONLY | O_DIRECTORY);
}

}  // namespace fhir_adapter::storage
