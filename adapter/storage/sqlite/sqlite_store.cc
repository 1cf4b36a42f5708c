#include "storage/sqlite/sqlite_store.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <optional>
#include <unistd.h>
#include <utility>

#include "storage/process_lock.h"
#include "storage/sqlite/queries.h"
#include "storage/sqlite/reader_pool.h"
#include "storage/sqlite/sqlite_transaction.h"
#include "storage/sqlite/writer.h"

namespace fhir_adapter::storage {
namespace {

std::string DirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// SQLite would make the file readable for others, and does not make its name durable.
Result<void> MakePrivateFile(const std::string& path) {
  const auto failed = [&](const char* what) {
    return Fail(errno == ENOSPC ? Code::kDiskFull : Code::kStoreFailed,
                std::string(what) + ": " + std::strerror(errno), Location{path, 0, 0, {}});
  };
  if (access(path.c_str(), F_OK) == 0) return {};
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed("cannot make the store");
  close(file);
  const int directory = open(DirectoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed("cannot open the directory of the store");
  const int synced = fsync(directory);
  close(directory);
  if (synced != 0) return failed("cannot sync the directory of the store");
  return {};
}

ConnectionSettings ReaderSettings(const SqliteStoreSettings& settings) {
  ConnectionSettings reader;
  reader.path = settings.path;
  reader.read_only = true;
  reader.vfs = settings.vfs;
  return reader;
}

}  // namespace

// Destroyed from the last to the first: readers, then the writer with its final checkpoint, then the lock.
struct SqliteStore::Implementation {
  explicit Implementation(const SqliteStoreSettings& settings) : readers(ReaderSettings(settings)) {}

  std::optional<ProcessLock> lock;
  std::unique_ptr<Writer> writer;  // null: read-only
  ReaderPool readers;
};

SqliteStore::SqliteStore(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(SqliteStoreSettings settings) {
  auto implementation = std::make_unique<Implementation>(settings);
  ADAPTER_TRY(ProcessLock lock, ProcessLock::Acquire(settings.path));
  implementation->lock.emplace(std::move(lock));
  if (access((settings.path + ".restoring").c_str(), F_OK) == 0) {
    return Fail(Code::kStoreDamaged, "a restore was interrupted: run it again, or remove the file named",
                Location{settings.path + ".restoring", 0, 0, {}});
  }
  ADAPTER_CHECK(MakePrivateFile(settings.path));
  ConnectionSettings writer;
  writer.path = settings.path;
  writer.vfs = settings.vfs;
  writer.synchronous_full = settings.synchronous_full;
  ADAPTER_TRY(auto connection, Connection::Open(writer));
  ADAPTER_CHECK(Migrate(*connection, *settings.schema));
  ADAPTER_CHECK(CheckQuickly(*connection));
  implementation->writer = std::make_unique<Writer>(
      std::move(connection),
      WriterSettings{DirectoryOf(settings.path), settings.group_max, settings.disk_probe_ms,
                     settings.checkpoint_pages, std::move(settings.on_health)});
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(implementation)));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::OpenReadOnly(const SqliteStoreSettings& settings) {
  if (access(settings.path.c_str(), R_OK) != 0) {
    return Fail(Code::kFileNotFound, "there is no store that can be read", Location{settings.path, 0, 0, {}});
  }
  ADAPTER_TRY(auto connection, Connection::Open(ReaderSettings(settings)));
  ADAPTER_CHECK(CheckVersion(*connection, *settings.schema));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<Implementation>(settings)));
}

void SqliteStore::Submit(Work work, Done done) {
  if (implementation_->writer == nullptr) {
    done(Fail(Code::kStoreLocked, "the store was opened for reading only"));
    return;
  }
  implementation_->writer->Submit(std::move(work), std::move(done));
}

Result<void> SqliteStore::Rewrite() {
  if (implementation_->writer == nullptr) {
    return Fail(Code::kStoreLocked, "the store was opened for reading only");
  }
  std::promise<Result<void>> outcome;
  implementation_->writer->SubmitRewrite([&outcome](const Result<void>& done) { outcome.set_value(done); });
  return outcome.get_future().get();
}

Result<void> SqliteStore::Read(const std::function<Result<void>(Snapshot&)>& read) {
  auto outcome = implementation_->readers.Read(read);
  // A full disk is for the writer to find out and to get over.
  if (!outcome && implementation_->writer != nullptr && outcome.error().code != Code::kDiskFull) {
    implementation_->writer->NoteError(outcome.error());
  }
  return outcome;
}

Health SqliteStore::health() const {
  return implementation_->writer == nullptr ? Health::kReady : implementation_->writer->health();
}

std::int64_t SqliteStore::commits() const {
  return implementation_->writer == nullptr ? 0 : implementation_->writer->commits();
}

Result<std::int64_t> FreeBytes(Snapshot& snapshot) {
  std::int64_t bytes = 1;
  for (const char* query : {"freelist_count", "page_size"}) {
    Statement statement = ConnectionOf(snapshot).Use(ConnectionQueries()[query]);
    ADAPTER_TRY(const bool has_row, statement.Step());
    bytes *= has_row ? statement.Integer(0) : 0;
  }
  return bytes;
}

}  // namespace fhir_adapter::storage
