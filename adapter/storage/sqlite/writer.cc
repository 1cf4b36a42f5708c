#include "storage/sqlite/writer.h"

#include <chrono>
#include <sqlite3.h>
#include <utility>

#include "core/fault_point.h"
#include "core/limits.h"
#include "core/log.h"
#include "storage/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::storage {
namespace {

constexpr int kTruncateAttemptsMax = 5;  // to empty the log, each as long as the connection waits for a lock

// Errors that say something about the file, not about one piece of work.
bool IsOfTheStore(Code code) {
  return code == Code::kDiskFull || code == Code::kStoreFailed || code == Code::kStoreDamaged ||
         code == Code::kStoreLocked;
}

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, WriterSettings settings)
    : connection_(std::move(connection)), settings_(std::move(settings)) {
  sqlite3_wal_hook(
      connection_->handle(),
      [](void* writer, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(writer)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] { Loop(); });
}

Writer::~Writer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    submitted_.notify_one();
  }
  thread_.join();
}

Error Writer::Refusal(Health health) const {
  if (health == Health::kDiskFull) return Error{Code::kDiskFull, "the disk of the store is full", {}};
  return Error{Code::kStoreFailed, "the store had an input/output error and takes nothing more", {}};
}

void Writer::Submit(Store::Work work, Store::Done done) {
  Enqueue(Item{std::move(work), std::move(done)});
}

void Writer::SubmitRewrite(Store::Done done) {
  Enqueue(Item{nullptr, std::move(done)});
}

void Writer::Enqueue(Item item) {
  Error refusal;
  {
    const std::scoped_lock lock(mutex_);
    // Read under the lock: whoever changes it then empties the queue under the lock.
    const Health now = health();
    if (stopping_) {
      refusal = Error{Code::kNotReady, "the store is closing", {}};
    } else if (now != Health::kReady) {
      refusal = Refusal(now);
    } else if (queue_.size() >= limits::kStoreQueueMax) {
      refusal = Error{Code::kHighWater, "too much is waiting to be stored", {}};
    } else {
      queue_.push_back(std::move(item));
      submitted_.notify_one();
      return;
    }
  }
  item.done(Fail(std::move(refusal)));
}

void Writer::Loop() {
  bool stopping = false;
  while (true) {
    std::vector<Item> group = TakeGroup(stopping);
    if (group.size() == 1 && !group.front().work) {
      group.front().done(RewriteFile());
    } else if (!group.empty()) {
      RunGroup(group);
    } else if (stopping) {
      break;
    } else if (health() == Health::kDiskFull) {
      ProbeDisk();
    }
  }
  if (health() == Health::kReady) Checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

std::vector<Writer::Item> Writer::TakeGroup(bool& stopping) {
  std::unique_lock lock(mutex_);
  const auto has_reason = [&] { return stopping_ || !queue_.empty(); };
  if (health() == Health::kDiskFull) {
    submitted_.wait_for(lock, std::chrono::milliseconds(settings_.disk_probe_ms), has_reason);
  } else {
    submitted_.wait(lock, has_reason);
  }
  std::vector<Item> group;
  while (!queue_.empty() && group.size() < settings_.group_max) {
    const bool is_rewrite = !queue_.front().work;
    if (is_rewrite && !group.empty()) break;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (is_rewrite) break;
  }
  stopping = stopping_;
  return group;
}

void Writer::RunGroup(std::vector<Item>& group) {
  std::vector<Result<void>> outcomes;
  auto frame = RunInTransaction(group, outcomes);
  if (!frame) {
    RollBack();
    NoteError(frame.error());
    for (Item& item : group) item.done(frame);
    return;
  }
  commits_.fetch_add(1, std::memory_order_relaxed);
  ADAPTER_FAULT_POINT("after-commit");
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(outcomes[i]);
  if (log_pages_ >= settings_.checkpoint_pages) Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
}

Result<void> Writer::RunInTransaction(std::vector<Item>& group, std::vector<Result<void>>& outcomes) {
  const QuerySet& queries = ConnectionQueries();
  ADAPTER_CHECK(connection_->Run(queries["begin_immediate"]));
  outcomes.reserve(group.size());
  for (const Item& item : group) {
    Result<void> outcome;
    ADAPTER_CHECK(RunOne(item.work, outcome));
    outcomes.push_back(std::move(outcome));
  }
  ADAPTER_FAULT_POINT("before-commit");
  return connection_->Run(queries["commit"]);
}

// Fails when the group cannot go on; `outcome` is what this work itself came to.
Result<void> Writer::RunOne(const Store::Work& work, Result<void>& outcome) {
  const QuerySet& queries = ConnectionQueries();
  ADAPTER_CHECK(connection_->Run(queries["savepoint"]));
  {
    SqliteTransaction transaction(*connection_);
    outcome = work(transaction);
  }
  if (!outcome) {
    if (IsOfTheStore(outcome.error().code)) return outcome;
    ADAPTER_CHECK(connection_->Run(queries["rollback_to"]));
  }
  return connection_->Run(queries["release"]);
}

void Writer::RollBack() {
  // After some errors SQLite has rolled back by itself. A rollback that fails leaves nothing committed.
  if (connection_->in_transaction()) {
    static_cast<void>(connection_->Run(ConnectionQueries()["rollback"]).has_value());
  }
}

void Writer::NoteError(const Error& error) {
  if (error.code == Code::kDiskFull) {
    SetHealth(Health::kDiskFull);
  } else if (error.code == Code::kStoreFailed || error.code == Code::kStoreDamaged) {
    SetHealth(Health::kFailed);
  }
  if (health() != Health::kReady) RefuseQueued(Refusal(health()));
}

void Writer::SetHealth(Health health) {
  Health before = health_.load();
  do {
    if (before == health || before == Health::kFailed) return;
  } while (!health_.compare_exchange_weak(before, health));
  switch (health) {
    case Health::kReady:
      LogEvent(LogLevel::kInfo, "store-resumed");
      break;
    case Health::kDiskFull:
      LogEvent(LogLevel::kError, "store-disk-full");
      break;
    case Health::kFailed:
      LogEvent(LogLevel::kError, "store-failed");
      break;
  }
  if (settings_.on_health) settings_.on_health(health);
}

void Writer::RefuseQueued(const Error& error) {
  std::deque<Item> refused;
  {
    const std::scoped_lock lock(mutex_);
    refused.swap(queue_);
  }
  for (Item& item : refused) item.done(Fail(error));
}

void Writer::ProbeDisk() {
  // What stands in the write-ahead log may fit into the file when the log itself cannot grow.
  Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  auto probed = TryProbe();
  if (probed) {
    SetHealth(Health::kReady);
    return;
  }
  RollBack();
  NoteError(probed.error());
}

Result<void> Writer::TryProbe() {
  const QuerySet& queries = ConnectionQueries();
  ADAPTER_CHECK(connection_->Run(queries["begin_immediate"]));
  Statement fill = connection_->Use(WriterQueries()["fill_probe"]);
  ADAPTER_CHECK(fill.Bind(limits::kStoreProbeBytes).Run());
  ADAPTER_CHECK(connection_->Run(queries["commit"]));
  ADAPTER_CHECK(connection_->Run(queries["begin_immediate"]));
  ADAPTER_CHECK(connection_->Run(WriterQueries()["clear_probe"]));
  return connection_->Run(queries["commit"]);
}

void Writer::Checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, nullptr, nullptr);
  // Busy: a reader still needs the log; the next commit tries again.
  if (code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY) return;
  NoteError(
      SqliteError(connection_->handle(), sqlite3_extended_errcode(connection_->handle()), "checkpoint"));
}

// What was deleted is overwritten where it stood, but not the copies that SQLite left behind when it moved
// rows between pages: only a file written anew is sure to hold none.
Result<void> Writer::RewriteFile() {
  const QuerySet& queries = ConnectionQueries();
  // Read by SQLite on this thread only: every other connection keeps its temporary data in memory.
  sqlite3_temp_directory = sqlite3_mprintf("%s", settings_.directory.c_str());
  auto done = connection_->Run(queries["temporary_in_file"]);
  sqlite3_limit(connection_->handle(), SQLITE_LIMIT_ATTACHED, 1);  // the copy counts as one
  if (done) done = connection_->Run(queries["rewrite"]);
  sqlite3_limit(connection_->handle(), SQLITE_LIMIT_ATTACHED, 0);
  const auto restored = connection_->Run(queries["temporary_in_memory"]);
  sqlite3_free(sqlite3_temp_directory);
  sqlite3_temp_directory = nullptr;
  if (done && !restored) done = restored;
  if (done) done = EmptyLog();
  // A disk that has no room for the copy has room for the work of the queue.
  if (!done && done.error().code != Code::kDiskFull) NoteError(done.error());
  return done;
}

// Waits for readers that began before, a limited time.
Result<void> Writer::EmptyLog() {
  int code = SQLITE_OK;
  for (int attempt = 0; attempt < kTruncateAttemptsMax; ++attempt) {
    code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                     nullptr);
    if ((code & 0xFF) != SQLITE_BUSY) break;
  }
  if (code == SQLITE_OK) return {};
  if ((code & 0xFF) == SQLITE_BUSY) {
    return Fail(Code::kNotReady, "a reader of the store still needs what stood in it before");
  }
  return Fail(
      SqliteError(connection_->handle(), sqlite3_extended_errcode(connection_->handle()), "checkpoint"));
}

}  // namespace fhir_adapter::storage
