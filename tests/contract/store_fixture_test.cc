// A store written by the first schema, as it lies in fixtures/store/version-1.db, opened by this program.
//
// The file was written by the disabled test below and is never written again: later schemas bring it up.

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>

#include "backend.h"
#include "outbox/sqlite/restore.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "storage/sqlite/backup.h"
#include "storage/sqlite/schema.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::WorkState;
using ::testing::ElementsAre;

class StoreFixture : public ContractTest {
 protected:
  std::string StorePath() const { return directory_.File("adapter.db"); }
  static std::string FixturePath() {
    return std::string(FHIR_ADAPTER_SOURCE_DIR) + "/fixtures/store/version-1.db";
  }
  void OpenFixture() {
    backend_.reset();
    std::filesystem::remove(StorePath());
    std::filesystem::copy_file(FixturePath(), StorePath());
    Reopen();
    ASSERT_NE(backend_, nullptr);
  }
  void BackUpTo(const std::string& path) {
    auto done = storage::BackUp(StorePath(), path, storage::AdapterSchema());
    ASSERT_TRUE(done) << ToString(done.error());
  }
};

TEST_P(StoreFixture, DISABLED_WriteTheFile) {
  const char* path = std::getenv("STORE_FIXTURE");
  ASSERT_NE(path, nullptr);
  Queue("delivered", 1, "100001");
  Deliver(*ClaimOne());
  Queue("corrected", 1, "100002");
  Deliver(*ClaimOne());
  Queue("corrected", 2, "100002");
  Deliver(*ClaimOne());
  Queue("quarantined", 1, "100003");
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  Queue("held", 1, "100004");
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kPatientNotFound));
  Queue("superseded", 1, "100005");
  Queue("superseded", 2, "100005");
  Deliver(*ClaimOne());
  Queue("moved", 1, "100006");
  Deliver(*ClaimOne());
  Queue("moved", 2, "100007");
  Accept("received", 1, "100008");
  BackUpTo(path);
}

TEST_P(StoreFixture, StoreOfTheFirstSchema_IsBroughtUpWithAllItsRows) {
  OpenFixture();
  EXPECT_EQ(StateOf("delivered", 1), WorkState::kDelivered);
  EXPECT_EQ(StateOf("corrected", 2), WorkState::kDelivered);
  EXPECT_EQ(StateOf("quarantined", 1), WorkState::kQuarantined);
  EXPECT_EQ(StateOf("held", 1), WorkState::kHeld);
  EXPECT_EQ(StateOf("superseded", 1), WorkState::kSuperseded);
  EXPECT_EQ(StateOf("moved", 2), WorkState::kQueued);
  EXPECT_EQ(StateOf("received", 1), WorkState::kReceived);
  EXPECT_EQ(Accept("delivered", 1, "100001").outcome, outbox::AcceptOutcome::kKnown);
  EXPECT_THAT(EventsOf("delivered"),
              ElementsAre("received", "mapped", "queued", "attempt", "written", "delivered", "duplicate"));
  const auto moved = ClaimOne();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->record_id, "moved");
  EXPECT_EQ(moved->former_patients.size(), 1U);
  backend_.reset();
  auto connection = storage::Connection::Open({.path = StorePath(), .read_only = true});
  ASSERT_TRUE(connection);
  EXPECT_TRUE(storage::CheckVersion(**connection, storage::AdapterSchema()));
  EXPECT_TRUE(storage::CheckIntegrity(**connection));
}

TEST_P(StoreFixture, StoreOfTheFirstSchema_IsABackupThatCanBeUsed) {
  EXPECT_TRUE(storage::CheckBackup(FixturePath(), storage::AdapterSchema()));
}

// The server is newer than a restored store: nothing goes out before someone says so.
TEST_P(StoreFixture, RestoredStore_SendsNothingBeforeItIsResumed) {
  Queue("R1", 1);
  BackUpTo(directory_.File("backup.db"));
  Deliver(*ClaimOne());
  backend_.reset();
  ASSERT_TRUE(storage::Restore(directory_.File("backup.db"), StorePath(), storage::AdapterSchema(),
                               [&](storage::Transaction& transaction) {
                                 audit::SqliteAuditLog restorer(random_);
                                 return outbox::RecordRestore(transaction, restorer,
                                                              Operator("the disk was lost"));
                               }));
  Reopen();
  EXPECT_EQ(StateOf("R1", 1), WorkState::kQueued);
  EXPECT_FALSE(ClaimOne());
  const auto statistics = Seen<outbox::QueueStatistics>(
      [&](storage::Snapshot& snapshot) { return queue().Statistics(snapshot); });
  EXPECT_TRUE(statistics.sending_stopped);
  EXPECT_FALSE(Changed([&](storage::Transaction& t) { return outbox().ResumeSending(t, Operator("")); }));
  EXPECT_FALSE(ClaimOne());
  ASSERT_TRUE(
      Changed([&](storage::Transaction& t) { return outbox().ResumeSending(t, Operator("reconciled")); }));
  EXPECT_TRUE(ClaimOne());
}

INSTANTIATE_TEST_SUITE_P(Backends, StoreFixture, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
