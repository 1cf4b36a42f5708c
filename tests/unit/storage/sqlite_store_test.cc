#include "storage/sqlite/sqlite_store.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "core/limits.h"
#include "storage/sqlite/sqlite_transaction.h"
#include "support/fault_file_system.h"
#include "support/temporary_directory.h"
#include "test_schema.h"

namespace fhir_adapter::storage {
namespace {

using test::FaultFileSystem;
using test::FileOperation;

Store::Work Insert(std::int64_t number) {
  return [number](Transaction& transaction) {
    return ConnectionOf(transaction).Use(TestQueries()["insert"]).Bind(number, std::to_string(number)).Run();
  };
}

std::int64_t Count(Store& store) {
  auto count = ReadValue<std::int64_t>(store, [](Snapshot& snapshot) -> Result<std::int64_t> {
    Statement statement = ConnectionOf(snapshot).Use(TestQueries()["count"]);
    ADAPTER_CHECK(statement.Step());
    return statement.Integer(0);
  });
  EXPECT_TRUE(count);
  return count ? *count : -1;
}

// Keeps the writer busy until it is opened, so that what is submitted meanwhile forms a group.
class Gate {
 public:
  Store::Work Wait() {
    return [this](Transaction&) -> Result<void> {
      std::unique_lock lock(mutex_);
      entered_ = true;
      changed_.notify_all();
      changed_.wait(lock, [&] { return open_; });
      return {};
    };
  }
  void AwaitEntered() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_; });
  }
  void Open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreSettings Settings() {
    SqliteStoreSettings settings;
    settings.path = directory_.File("store.db");
    settings.schema = &TestSchema();
    settings.disk_probe_ms = 1;
    return settings;
  }
  std::unique_ptr<SqliteStore> Open(SqliteStoreSettings settings) {
    auto store = SqliteStore::Open(std::move(settings));
    EXPECT_TRUE(store) << (store ? "" : ToString(store.error()));
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<SqliteStore> Open() { return Open(Settings()); }

  test::TemporaryDirectory directory_;
};

TEST_F(SqliteStoreTest, WrittenWork_IsThereAfterReopening) {
  {
    ASSERT_TRUE(Write(*Open(), Insert(1)));
  }
  EXPECT_EQ(Count(*Open()), 1);
}

TEST_F(SqliteStoreTest, File_IsReadableForItsOwnerOnly) {
  auto store = Open();
  ASSERT_TRUE(Write(*store, Insert(1)));
  for (const char* ending : {"", "-wal", "-shm", ".lock"}) {
    struct stat status{};
    ASSERT_EQ(stat((directory_.File("store.db") + ending).c_str(), &status), 0) << ending;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << ending;
  }
}

TEST_F(SqliteStoreTest, WorkThatFails_UndoesItselfAndNothingElse) {
  auto store = Open();
  Gate gate;
  store->Submit(gate.Wait(), [](const Result<void>&) {});
  gate.AwaitEntered();
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  const Store::Done done = [&](const Result<void>& outcome) { ++(outcome ? stored : refused); };
  store->Submit(Insert(1), done);
  store->Submit(
      [](Transaction& transaction) -> Result<void> {
        ADAPTER_CHECK(Insert(2)(transaction));
        return Fail(Code::kNotFound, "not wanted");
      },
      done);
  store->Submit(Insert(1), done);  // breaks the key
  store->Submit(Insert(3), done);
  gate.Open();
  ASSERT_TRUE(Write(*store, Insert(4)));
  EXPECT_EQ(stored, 2);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(Count(*store), 3);
}

TEST_F(SqliteStoreTest, WorksSubmittedTogether_ShareACommit) {
  auto store = Open();
  Gate gate;
  store->Submit(gate.Wait(), [](const Result<void>&) {});
  gate.AwaitEntered();
  for (int i = 0; i < 63; ++i) store->Submit(Insert(i), [](const Result<void>&) {});
  gate.Open();
  ASSERT_TRUE(Write(*store, Insert(63)));
  EXPECT_EQ(store->commits(), 2) << "the gate's and one for 64 works";
}

TEST_F(SqliteStoreTest, GroupMaximumOfOne_CommitsEachAlone) {
  auto settings = Settings();
  settings.group_max = 1;
  auto store = Open(std::move(settings));
  for (int i = 0; i < 9; ++i) store->Submit(Insert(i), [](const Result<void>&) {});
  ASSERT_TRUE(Write(*store, Insert(9)));
  EXPECT_EQ(store->commits(), 10);
}

TEST_F(SqliteStoreTest, Done_ComesAfterTheCommit) {
  auto store = Open();
  std::int64_t seen = -1;
  std::mutex mutex;
  std::condition_variable called;
  store->Submit(Insert(1), [&](const Result<void>&) {
    const std::int64_t count = Count(*store);  // another connection sees it
    const std::scoped_lock lock(mutex);
    seen = count;
    called.notify_one();
  });
  std::unique_lock lock(mutex);
  called.wait(lock, [&] { return seen >= 0; });
  EXPECT_EQ(seen, 1);
}

TEST_F(SqliteStoreTest, QueueLimit_IsKept) {
  auto store = Open();
  Gate gate;
  store->Submit(gate.Wait(), [](const Result<void>&) {});
  gate.AwaitEntered();
  const Store::Work nothing = [](Transaction&) -> Result<void> { return {}; };
  std::atomic<std::size_t> stored{0};
  std::optional<Code> refused;
  for (std::size_t i = 0; i < limits::kStoreQueueMax; ++i) {
    store->Submit(nothing, [&](const Result<void>& outcome) { stored += outcome ? 1 : 0; });
  }
  store->Submit(nothing, [&](const Result<void>& outcome) { refused = outcome.error().code; });
  EXPECT_EQ(refused, Code::kHighWater);
  gate.Open();
  store.reset();
  EXPECT_EQ(stored, limits::kStoreQueueMax);
}

TEST_F(SqliteStoreTest, ReadersMaximum_MakesOneMoreWait) {
  auto store = Open();
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t inside = 0;
  std::size_t most = 0;
  bool open = false;
  const auto read = [&](Snapshot&) -> Result<void> {
    std::unique_lock lock(mutex);
    most = std::max(most, ++inside);
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --inside;
    return {};
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i <= limits::kStoreReadersMax; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(store->Read(read)); });
  }
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == limits::kStoreReadersMax; });
    open = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, limits::kStoreReadersMax);
}

TEST_F(SqliteStoreTest, SecondWriter_IsRefusedWithTheHoldersNumber) {
  auto store = Open();
  auto second = SqliteStore::Open(Settings());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kStoreLocked);
  EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
  EXPECT_TRUE(Write(*store, Insert(1)));
}

TEST_F(SqliteStoreTest, SecondWriterAfterTheFirstEnded_MayWrite) {
  Open();
  EXPECT_TRUE(Write(*Open(), Insert(1)));
}

TEST_F(SqliteStoreTest, ReadOnlyStore_SeesWhatTheWriterStores) {
  auto store = Open();
  auto reader = SqliteStore::OpenReadOnly(Settings());
  ASSERT_TRUE(reader);
  ASSERT_TRUE(Write(*store, Insert(1)));
  EXPECT_EQ(Count(**reader), 1);
  auto refused = Write(**reader, Insert(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreLocked);
}

TEST_F(SqliteStoreTest, ReadOnlyStoreWithoutAFile_IsNotMade) {
  auto reader = SqliteStore::OpenReadOnly(Settings());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Code::kFileNotFound);
  struct stat status{};
  EXPECT_NE(stat(directory_.File("store.db").c_str(), &status), 0);
}

TEST_F(SqliteStoreTest, LogBeyondItsLimit_IsCopiedBack) {
  auto settings = Settings();
  settings.checkpoint_pages = 8;
  auto store = Open(std::move(settings));
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(Write(*store, Insert(i)));
  struct stat status{};
  ASSERT_EQ(stat((directory_.File("store.db") + "-wal").c_str(), &status), 0);
  EXPECT_LT(status.st_size, 40 * 4'152) << "every commit adds at least a page";
}

// A sync that failed leaves it unknown what is on the disk: nothing may be acknowledged any more.
TEST_F(SqliteStoreTest, SyncThatFails_EndsTheStore) {
  FaultFileSystem files;
  auto settings = Settings();
  settings.vfs = files.name();
  std::atomic<int> told{0};
  settings.on_health = [&](Health health) { told += health == Health::kFailed ? 1 : 0; };
  auto store = Open(std::move(settings));
  ASSERT_TRUE(Write(*store, Insert(1)));
  files.Fail(FileOperation::kSync, 1);
  auto failed = Write(*store, Insert(2));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kStoreFailed);
  EXPECT_EQ(store->health(), Health::kFailed);
  EXPECT_EQ(told, 1);
  files.Heal();
  auto later = Write(*store, Insert(3));
  ASSERT_FALSE(later) << "it must not go on as if nothing had been";
  EXPECT_EQ(later.error().code, Code::kStoreFailed);
}

class NthFault : public SqliteStoreTest, public ::testing::WithParamInterface<FileOperation> {};

// Whatever fails, and whenever: what was acknowledged is there afterwards.
TEST_P(NthFault, WhateverFails_NothingAcknowledgedIsLost) {
  for (std::int64_t nth = 1; nth <= 60; ++nth) {
    test::TemporaryDirectory directory;
    auto settings = Settings();
    settings.path = directory.File("store.db");
    settings.checkpoint_pages = 4;
    std::vector<std::int64_t> acknowledged;
    {
      FaultFileSystem files;
      settings.vfs = files.name();
      files.Fail(GetParam(), nth, nth % 2 == 0);
      auto store = SqliteStore::Open(settings);
      if (store) {
        for (std::int64_t i = 0; i < 12; ++i) {
          if (Write(**store, Insert(i))) acknowledged.push_back(i);
        }
      }
    }
    settings.vfs.clear();
    auto store = Open(settings);
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->Read([&](Snapshot& snapshot) -> Result<void> {
      Statement numbers = ConnectionOf(snapshot).Use(TestQueries()["numbers"]);
      std::vector<std::int64_t> found;
      while (*numbers.Step()) found.push_back(numbers.Integer(0));
      for (const std::int64_t number : acknowledged) {
        EXPECT_NE(std::find(found.begin(), found.end(), number), found.end()) << "fault " << nth;
      }
      return {};
    }));
  }
}

std::string NameOf(const ::testing::TestParamInfo<FileOperation>& operation) {
  static constexpr const char* kNames[] = {"Open", "Read", "Write", "Sync", "Truncate"};
  return kNames[static_cast<int>(operation.param)];
}

INSTANTIATE_TEST_SUITE_P(Operations, NthFault,
                         ::testing::Values(FileOperation::kOpen, FileOperation::kWrite, FileOperation::kSync,
                                           FileOperation::kTruncate),
                         NameOf);

TEST_F(SqliteStoreTest, DiskWithoutRoom_RefusesAndResumesByItself) {
  FaultFileSystem files;
  auto settings = Settings();
  settings.vfs = files.name();
  std::mutex mutex;
  std::condition_variable changed;
  Health health = Health::kReady;
  settings.on_health = [&](Health now) {
    const std::scoped_lock lock(mutex);
    health = now;
    changed.notify_one();
  };
  auto store = Open(std::move(settings));
  ASSERT_TRUE(Write(*store, Insert(1)));
  files.SetRoom(100);
  auto refused = Write(*store, Insert(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kDiskFull);
  EXPECT_EQ(store->health(), Health::kDiskFull);
  EXPECT_EQ(Write(*store, Insert(2)).error().code, Code::kDiskFull);
  files.SetRoom(-1);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return health == Health::kReady; });
  }
  EXPECT_TRUE(Write(*store, Insert(2)));
  EXPECT_EQ(Count(*store), 2);
}

// Rows that came in no order, so that pages were split, and half of them deleted.
class DeletedRows : public SqliteStoreTest {
 protected:
  void SetUp() override {
    store_ = Open();
    const auto fill = [](Transaction& transaction) -> Result<void> {
      for (std::int64_t i = 0; i < 3'000; ++i) {
        const std::string order = std::to_string(1'000'000'000 + i * 2'654'435'761 % 4'294'967'296);
        ADAPTER_CHECK(ConnectionOf(transaction)
                          .Use(TestQueries()["insert"])
                          .Bind(i, order + (i % 2 == 0 ? "-other" : "-secret"))
                          .Run());
      }
      return {};
    };
    ASSERT_TRUE(Write(*store_, fill));
    ASSERT_TRUE(Write(*store_, [](Transaction& transaction) {
      return ConnectionOf(transaction).Run(TestQueries()["delete_secrets"]);
    }));
  }
  std::size_t SecretsIn(const std::string& ending) const {
    std::ifstream file(directory_.File("store.db" + ending), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t count = 0;
    for (std::size_t at = bytes.find("secret"); at != std::string::npos; at = bytes.find("secret", at + 1)) {
      ++count;
    }
    return count;
  }

  std::unique_ptr<SqliteStore> store_;
};

TEST_F(DeletedRows, Rewrite_LeavesNothingOfThem) {
  EXPECT_GT(SecretsIn("-wal"), 0u);
  ASSERT_TRUE(store_->Rewrite());
  EXPECT_EQ(SecretsIn(""), 0u);
  EXPECT_EQ(SecretsIn("-wal"), 0u);
  EXPECT_EQ(Count(*store_), 1'500);
  EXPECT_TRUE(Write(*store_, Insert(5'000))) << "the store goes on";
}

// The control: overwriting what is deleted where it stands is not enough.
TEST_F(DeletedRows, WithoutRewrite_CopiesInOldPagesAreLeft) {
  store_.reset();
  EXPECT_GT(SecretsIn(""), 0u);
}

TEST_F(DeletedRows, RewriteBesideAReader_IsRefusedAndTheStoreGoesOn) {
  ASSERT_TRUE(store_->Read([this](Snapshot& snapshot) -> Result<void> {
    Statement statement = ConnectionOf(snapshot).Use(TestQueries()["count"]);
    ADAPTER_CHECK(statement.Step());
    const auto refused = store_->Rewrite();
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kNotReady);
    return {};
  }));
  EXPECT_EQ(store_->health(), Health::kReady);
  ASSERT_TRUE(store_->Rewrite());
  EXPECT_EQ(SecretsIn("-wal"), 0u);
}

}  // namespace
}  // namespace fhir_adapter::storage
