// Scenarios 1 and 10: what happens to records when the process or the disk fails while they are taken.

#include <condition_variable>
#include <csignal>
#include <gtest/gtest.h>
#include <mutex>
#include <sys/wait.h>
#include <unistd.h>

#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "support/fault_file_system.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::test {
namespace {

class CountingRandom final : public Random {
 public:
  std::uint64_t Next() override { return (++state_) * 0x9E3779B97F4A7C15ULL; }

 private:
  std::uint64_t state_ = 0;
};

class HealthWatch {
 public:
  void Take(storage::Health health) {
    const std::scoped_lock lock(mutex_);
    health_ = health;
    changed_.notify_all();
  }
  bool Await(storage::Health wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return health_ == wanted; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  storage::Health health_ = storage::Health::kReady;
};

outbox::NewRecord Taken(const std::string& id) {
  outbox::NewRecord record;
  record.source = "test";
  record.actor = SystemPrincipal();
  record.site = "clinic";
  record.record_id = id;
  record.revision = 1;
  record.status = "completed";
  record.mrn = "100";
  record.bytes = id + std::string(20'000, 'x');
  record.content_sha256 = Sha256Hex(record.bytes);
  return record;
}

class StoreScenario : public testing::Test {
 protected:
  std::unique_ptr<outbox::SqliteBackend> Open(Random& random) {
    storage::SqliteStoreSettings settings;
    settings.path = directory_.File("store.db");
    settings.vfs = vfs_;
    settings.disk_probe_ms = 5;
    settings.on_health = [this](storage::Health health) { health_.Take(health); };
    auto opened = outbox::OpenSqliteBackend(std::move(settings), random);
    EXPECT_TRUE(opened) << (opened ? "" : ToString(opened.error()));
    return opened ? std::move(*opened) : nullptr;
  }
  static Result<outbox::Accepted> Accept(outbox::SqliteBackend& backend, const std::string& id) {
    return storage::WriteValue<outbox::Accepted>(*backend.store, [&](storage::Transaction& transaction) {
      return backend.inbox.Accept(transaction, Taken(id), TimeUs{1'000'000});
    });
  }
  static std::int64_t Undelivered(outbox::SqliteBackend& backend) {
    const auto count = storage::ReadValue<std::int64_t>(
        *backend.store, [&](storage::Snapshot& snapshot) { return backend.queue.Undelivered(snapshot); });
    return count ? *count : -1;
  }
  static std::string ReceiptOf(outbox::SqliteBackend& backend, const std::string& id) {
    const auto revisions = storage::ReadValue<std::vector<outbox::RevisionState>>(
        *backend.store,
        [&](storage::Snapshot& snapshot) { return backend.queue.Revisions(snapshot, "clinic", id); });
    return revisions && revisions->size() == 1 ? revisions->front().receipt : "";
  }
  // Another process takes the record and is killed where it would acknowledge it.
  void TakeAndDie(const std::string& id) {
    const pid_t child = fork();
    if (child == 0) {
      CountingRandom random;
      const auto backend = Open(random);
      if (backend && Accept(*backend, id)) raise(SIGKILL);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }

  TemporaryDirectory directory_;
  HealthWatch health_;
  std::string vfs_;
};

using Scenario01 = StoreScenario;
using Scenario10 = StoreScenario;

TEST_F(Scenario01, KilledAfterCommitBeforeTheAcknowledgement_SenderGetsTheFirstReceipt) {
  TakeAndDie("r1");
  CountingRandom random;
  const auto backend = Open(random);
  const std::string receipt = ReceiptOf(*backend, "r1");
  ASSERT_NE(receipt, "");
  const auto again = Accept(*backend, "r1");
  ASSERT_TRUE(again) << ToString(again.error());
  EXPECT_EQ(again->outcome, outbox::AcceptOutcome::kKnown);
  EXPECT_EQ(again->receipt, receipt);
  EXPECT_EQ(Undelivered(*backend), 1);
}

// Commit and sameness are what it rests on: without a number that is its own it is another record.
TEST_F(Scenario01, Control_SentAgainUnderAnotherNumber_IsTakenTwice) {
  TakeAndDie("r1");
  CountingRandom random;
  const auto backend = Open(random);
  const auto again = Accept(*backend, "r1-again");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->outcome, outbox::AcceptOutcome::kNew);
  EXPECT_EQ(Undelivered(*backend), 2);
}

TEST_F(Scenario10, DiskFull_AcknowledgesNothingStaysUpAndResumes) {
  FaultFileSystem files;
  vfs_ = files.name();
  CountingRandom random;
  const auto backend = Open(random);
  ASSERT_TRUE(Accept(*backend, "before"));
  files.SetRoom(0);
  const auto refused = Accept(*backend, "while-full");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDiskFull);
  EXPECT_EQ(Describe(refused.error().code).http_status, 503);
  EXPECT_NE(backend->store->health(), storage::Health::kFailed) << "it stays up";
  EXPECT_EQ(Undelivered(*backend), 1);
  files.SetRoom(-1);
  ASSERT_TRUE(health_.Await(storage::Health::kReady)) << "it resumes by itself";
  const auto taken = Accept(*backend, "while-full");
  ASSERT_TRUE(taken) << ToString(taken.error());
  EXPECT_EQ(taken->outcome, outbox::AcceptOutcome::kNew);
  EXPECT_EQ(Undelivered(*backend), 2);
}

TEST_F(Scenario10, DiskThatFails_AcknowledgesNothingAndStopsForGood) {
  FaultFileSystem files;
  vfs_ = files.name();
  CountingRandom random;
  {
    const auto backend = Open(random);
    ASSERT_TRUE(Accept(*backend, "before"));
    files.Fail(FileOperation::kSync, 1, true);
    ASSERT_FALSE(Accept(*backend, "while-broken"));
    files.Heal();
    const auto later = Accept(*backend, "after");
    ASSERT_FALSE(later) << "what the failed sync left behind is not known: only a restart may go on";
    EXPECT_EQ(later.error().code, Code::kStoreFailed);
    EXPECT_EQ(backend->store->health(), storage::Health::kFailed);
  }
  const auto backend = Open(random);
  ASSERT_NE(backend, nullptr) << "the store is checked and opens";
  EXPECT_NE(ReceiptOf(*backend, "before"), "");
  EXPECT_TRUE(Accept(*backend, "after"));
}

// An acknowledgement when the record is handed to the writer, and not when it is durable.
TEST_F(Scenario10, Control_AcknowledgedBeforeItIsDurable_IsLost) {
  FaultFileSystem files;
  vfs_ = files.name();
  CountingRandom random;
  const auto backend = Open(random);
  files.SetRoom(0);
  std::mutex mutex;
  std::condition_variable ended;
  bool has_ended = false;
  backend->store->Submit(
      [&](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_CHECK(backend->inbox.Accept(transaction, Taken("r1"), TimeUs{1'000'000}));
        return {};
      },
      [&](const Result<void>&) {
        const std::scoped_lock lock(mutex);
        has_ended = true;
        ended.notify_all();
      });
  const bool is_acknowledged = true;  // by a receiver that does not wait
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return has_ended; });
  EXPECT_TRUE(is_acknowledged && ReceiptOf(*backend, "r1").empty());
}

}  // namespace
}  // namespace fhir_adapter::test
