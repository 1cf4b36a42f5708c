#include "storage/sqlite/backup.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "storage/sqlite/sqlite_store.h"
#include "storage/sqlite/sqlite_transaction.h"
#include "support/temporary_directory.h"
#include "test_schema.h"

namespace fhir_adapter::storage {
namespace {

class BackupTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> Open(const std::string& path, const Schema& schema = TestSchema()) {
    SqliteStoreSettings settings;
    settings.path = path;
    settings.schema = &schema;
    auto store = SqliteStore::Open(std::move(settings));
    EXPECT_TRUE(store) << (store ? "" : ToString(store.error()));
    return store ? std::move(*store) : nullptr;
  }
  static Result<void> Insert(Store& store, std::int64_t number) {
    return Write(store, [number](Transaction& transaction) {
      return ConnectionOf(transaction)
          .Use(TestQueries()["insert"])
          .Bind(number, std::to_string(number))
          .Run();
    });
  }
  static std::vector<std::int64_t> Numbers(Store& store) {
    std::vector<std::int64_t> found;
    EXPECT_TRUE(store.Read([&](Snapshot& snapshot) -> Result<void> {
      Statement numbers = ConnectionOf(snapshot).Use(TestQueries()["numbers"]);
      while (*numbers.Step()) found.push_back(numbers.Integer(0));
      return {};
    }));
    return found;
  }

  test::TemporaryDirectory directory_;
  const std::string store_ = directory_.File("store.db");
  const std::string backup_ = directory_.File("backup.db");
};

TEST_F(BackupTest, BackupUnderLoad_IsAPrefixOfWhatWasStored) {
  auto store = Open(store_);
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> written{0};
  std::thread load([&] {
    while (!stop) {
      if (Insert(*store, written)) ++written;
    }
  });
  while (written < 50) std::this_thread::yield();
  const std::int64_t before = written;
  auto done = BackUp(store_, backup_, TestSchema());
  const std::int64_t after = written + 1;
  stop = true;
  load.join();
  ASSERT_TRUE(done) << ToString(done.error());
  EXPECT_TRUE(CheckBackup(backup_, TestSchema()));
  EXPECT_FALSE(std::filesystem::exists(backup_ + "-wal")) << "a backup is one file";
  ASSERT_TRUE(Restore(backup_, directory_.File("other.db"), TestSchema(), nullptr));
  const auto numbers = Numbers(*Open(directory_.File("other.db")));
  EXPECT_GE(static_cast<std::int64_t>(numbers.size()), before);
  EXPECT_LE(static_cast<std::int64_t>(numbers.size()), after);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], static_cast<std::int64_t>(i));
}

TEST_F(BackupTest, BackupOverAnExistingFile_IsRefused) {
  auto store = Open(store_);
  directory_.Write("backup.db", "precious");
  EXPECT_FALSE(BackUp(store_, backup_, TestSchema()));
  EXPECT_EQ(test::ReadFile(backup_), "precious");
}

TEST_F(BackupTest, BackupOfNothing_IsAnErrorAndLeavesNoFile) {
  auto refused = BackUp(store_, backup_, TestSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFileNotFound);
  EXPECT_FALSE(std::filesystem::exists(backup_));
}

TEST_F(BackupTest, DamagedBackup_IsFoundAndNotInstalled) {
  {
    auto store = Open(store_);
    for (std::int64_t i = 0; i < 200; ++i) ASSERT_TRUE(Insert(*store, i));
    ASSERT_TRUE(BackUp(store_, backup_, TestSchema()));
  }
  {
    std::fstream file(backup_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 * 4096 + 100);
    file << std::string(600, '\x7f');
  }
  auto refused = CheckBackup(backup_, TestSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreDamaged);
  EXPECT_FALSE(Restore(backup_, store_, TestSchema(), nullptr));
  EXPECT_EQ(Numbers(*Open(store_)).size(), 200U) << "the store in place is untouched";
}

TEST_F(BackupTest, BackupOfANewerProgram_IsRefused) {
  Open(store_);
  ASSERT_TRUE(BackUp(store_, backup_, TestSchema()));
  auto refused = CheckBackup(backup_, FirstTestSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreNewer);
}

TEST_F(BackupTest, EmptyFile_IsNoBackup) {
  directory_.Write("backup.db", "");
  auto refused = CheckBackup(backup_, TestSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreDamaged);
}

TEST_F(BackupTest, OlderBackup_IsBroughtUpWhenRestored) {
  {
    auto store = Open(store_, FirstTestSchema());
    ASSERT_TRUE(Insert(*store, 7));
    ASSERT_TRUE(BackUp(store_, backup_, FirstTestSchema()));
  }
  EXPECT_TRUE(CheckBackup(backup_, TestSchema()));
  ASSERT_TRUE(Restore(backup_, store_, TestSchema(), [](Transaction&) -> Result<void> { return {}; }));
  EXPECT_EQ(Numbers(*Open(store_)), std::vector<std::int64_t>{7});
}

TEST_F(BackupTest, RestoredStore_HoldsWhatWasRecordedAndTheOldOneIsKept) {
  {
    auto store = Open(store_);
    ASSERT_TRUE(Insert(*store, 1));
    ASSERT_TRUE(BackUp(store_, backup_, TestSchema()));
    ASSERT_TRUE(Insert(*store, 2));
  }
  ASSERT_TRUE(Restore(backup_, store_, TestSchema(), [](Transaction& transaction) {
    return ConnectionOf(transaction).Use(TestQueries()["insert"]).Bind(99, "restored").Run();
  }));
  EXPECT_EQ(Numbers(*Open(store_)), (std::vector<std::int64_t>{1, 99}));
  EXPECT_EQ(Numbers(*Open(store_ + ".before-restore")), (std::vector<std::int64_t>{1, 2}));
  EXPECT_TRUE(CheckBackup(backup_, TestSchema())) << "the backup itself is not changed";
}

TEST_F(BackupTest, RestoreOverAStoreInUse_IsRefused) {
  auto store = Open(store_);
  ASSERT_TRUE(Insert(*store, 1));
  ASSERT_TRUE(BackUp(store_, backup_, TestSchema()));
  auto refused = Restore(backup_, store_, TestSchema(), nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreLocked);
  EXPECT_TRUE(Insert(*store, 2));
}

TEST_F(BackupTest, RestoreWhoseRecordFails_InstallsNothing) {
  {
    auto store = Open(store_);
    ASSERT_TRUE(Insert(*store, 1));
    ASSERT_TRUE(BackUp(store_, backup_, TestSchema()));
    ASSERT_TRUE(Insert(*store, 2));
  }
  EXPECT_FALSE(Restore(backup_, store_, TestSchema(),
                       [](Transaction&) -> Result<void> { return Fail(Code::kInternal, "no"); }));
  EXPECT_EQ(Numbers(*Open(store_)).size(), 2U);
}

TEST_F(BackupTest, InterruptedRestore_KeepsTheStoreClosed) {
  Open(store_);
  directory_.Write("store.db.restoring", "");
  SqliteStoreSettings settings;
  settings.path = store_;
  settings.schema = &TestSchema();
  auto refused = SqliteStore::Open(settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreDamaged);
}

}  // namespace
}  // namespace fhir_adapter::storage
