// SqliteStore: a Store in one SQLite file. One thread writes and groups what was submitted into one durable
// commit; read connections see consistent snapshots beside it and never checkpoint.
//
// Owns the process lock, the writer's thread and all connections. Thread-safe. Open fails with kStoreLocked,
// kStoreNewer, kStoreDamaged, kStoreFailed, kDiskFull. The destructor commits what was submitted before it.
//
// Guarantee 1 of the delivery rules: WAL with synchronous=FULL, so that a commit that returned is on the
// disk. A sync that fails leaves it unknown what is stored: the store then refuses everything
// (Health::kFailed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "storage/sqlite/schema.h"
#include "storage/transaction.h"

namespace fhir_adapter::storage {

struct SqliteStoreSettings {
  std::string path;
  const Schema* schema = &AdapterSchema();
  std::size_t group_max = 64;             // works in one commit
  std::int64_t disk_probe_ms = 1'000;     // how often a full disk is tried again
  std::int64_t checkpoint_pages = 1'000;  // the write-ahead log is copied back beyond this
  bool synchronous_full = true;           // false only as a negative control of tests
  std::string vfs;                        // for tests: a file system that fails
  // Called on the writer's thread when the health changes.
  std::function<void(Health)> on_health = nullptr;
};

class SqliteStore final : public Store {
 public:
  // Takes the process lock, migrates, checks the file, starts the writer.
  static Result<std::unique_ptr<SqliteStore>> Open(SqliteStoreSettings settings);
  // For commands that only look, beside a daemon or without one: no lock, no writer, no migration. Submit
  // fails with kStoreLocked.
  static Result<std::unique_ptr<SqliteStore>> OpenReadOnly(const SqliteStoreSettings& settings);
  ~SqliteStore() override;

  void Submit(Work work, Done done) override;
  Result<void> Read(const std::function<Result<void>(Snapshot&)>& read) override;
  Health health() const override;

  // Writes the whole file anew and empties the write-ahead log, so that nothing that was deleted is left in
  // either. Waits until it is done; the writer does nothing else meanwhile (seconds for a gigabyte), and the
  // disk needs room for a second file. kNotReady: a reader was in the way, try again. Thread-safe.
  Result<void> Rewrite();

  std::int64_t commits() const;  // since Open; for tests and benchmarks of grouping

 private:
  struct Implementation;
  explicit SqliteStore(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

// Of the pages of the file that hold nothing: they are used again before the file grows.
Result<std::int64_t> FreeBytes(Snapshot& snapshot);

}  // namespace fhir_adapter::storage
