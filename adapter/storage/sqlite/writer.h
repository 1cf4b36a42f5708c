// Writer: the one thread that changes the file. Takes what was submitted in order, runs it in groups, each
// work in a savepoint of one transaction, and tells each submitter after the commit.
//
// Submit and health from any thread. Everything else happens on the writer's own thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/transaction.h"

namespace fhir_adapter::storage {

struct WriterSettings {
  std::string directory;  // of the file: where VACUUM may put its copy
  std::size_t group_max = 64;
  std::int64_t disk_probe_ms = 1'000;
  std::int64_t checkpoint_pages = 1'000;
  std::function<void(Health)> on_health;
};

class Writer {
 public:
  Writer(std::unique_ptr<Connection> connection, WriterSettings settings);
  ~Writer();  // runs what was submitted, then copies the log back and closes
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Submit(Store::Work work, Store::Done done);
  // As SqliteStore::Rewrite: `done` is called after the works submitted before, and this, are done.
  void SubmitRewrite(Store::Done done);
  Health health() const { return health_.load(std::memory_order_acquire); }
  std::int64_t commits() const { return commits_.load(std::memory_order_relaxed); }

  // A reader met an error: an I/O error or damage ends the store's work.
  void NoteError(const Error& error);

 private:
  struct Item {
    Store::Work work;  // none: the file is written anew, in no group
    Store::Done done;
  };

  void Enqueue(Item item);
  void Loop();
  std::vector<Item> TakeGroup(bool& stopping);
  void RunGroup(std::vector<Item>& group);
  Result<void> RunInTransaction(std::vector<Item>& group, std::vector<Result<void>>& outcomes);
  Result<void> RunOne(const Store::Work& work, Result<void>& outcome);
  void RollBack();
  void ProbeDisk();
  Result<void> TryProbe();
  void Checkpoint(int mode);
  Result<void> RewriteFile();
  Result<void> EmptyLog();
  void SetHealth(Health health);
  void RefuseQueued(const Error& error);
  Error Refusal(Health health) const;

  const std::unique_ptr<Connection> connection_;
  const WriterSettings settings_;
  int log_pages_ = 0;  // of the write-ahead log after the last commit

  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable submitted_;
  std::deque<Item> queue_;
  bool stopping_ = false;

  std::atomic<Health> health_{Health::kReady};
  std::atomic<std::int64_t> commits_{0};
  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace fhir_adapter::storage
