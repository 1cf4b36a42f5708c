// A process that takes records in is killed at each named point and at random moments. Whatever it had
// acknowledged is in the store of the next one, once.
//
// The child is this program again, running a test that is disabled otherwise. The ledger of acknowledgements
// is kept by the sender: a file to which the child writes after it was answered.

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "outbox/inbox.h"
#include "pipeline_fixture.h"
#include "storage/sqlite/schema.h"
#include "support/process.h"

namespace fhir_adapter::pipeline {
namespace {

constexpr int kRecords = 40;
constexpr int kKilled = 128 + 9;

std::string RecordName(int number) {
  return "R" + std::to_string(number);
}
std::string PatientOf(int number) {
  return "1000" + std::to_string(number % 7);
}

// The child: sends records, maps them, delivers some, for as long as it lives.
TEST(KillChild, DISABLED_TakesRecordsInUntilItDies) {
  const char* directory = std::getenv("KILL_TEST_DIRECTORY");
  ASSERT_NE(directory, nullptr);
  storage::SqliteStoreSettings settings;
  settings.path = std::string(directory) + "/adapter.db";
  if (const char* pages = std::getenv("KILL_TEST_CHECKPOINT_PAGES"))
    settings.checkpoint_pages = std::atoi(pages);
  settings.synchronous_full = std::getenv("KILL_TEST_SYNCHRONOUS_NORMAL") == nullptr;
  auto backend = OpenBackendAt(std::move(settings));
  Receiver receiver(*backend->store, backend->inbox, backend->queue, SystemClock(), {});
  MappingPool pool(*backend->store, backend->inbox, SystemClock(), {});
  pool.SetMapper(std::make_shared<TestMapper>());
  const int ledger =
      open((std::string(directory) + "/acknowledged").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  for (int number = 0; number < kRecords; ++number) {
    auto answer = receiver.ReceiveNow(MakeSubmission({MakeRecord(RecordName(number), 1, PatientOf(number))}));
    ASSERT_TRUE(answer);
    const std::string line = RecordName(number) + " " + answer->records[0].receipt + "\n";
    ASSERT_EQ(write(ledger, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    if (number % 5 == 4) {
      ASSERT_TRUE(pool.Drain());
    }
  }
}

class KillTest : public ::testing::Test {
 protected:
  test::ProcessOptions ChildOptions(const std::string& fault) {
    test::ProcessOptions options;
    options.arguments = {std::filesystem::read_symlink("/proc/self/exe").string(),
                         "--gtest_also_run_disabled_tests", "--gtest_filter=KillChild.*"};
    options.environment = {{"KILL_TEST_DIRECTORY", directory_.path().string()},
                           {"KILL_TEST_CHECKPOINT_PAGES", "20"},
                           {"FHIR_ADAPTER_FAULT", fault},
                           {"FHIR_ADAPTER_FAULT_LOG", directory_.File("points")}};
    return options;
  }
  std::map<std::string, std::string> Acknowledged() {
    std::map<std::string, std::string> receipts;
    std::istringstream lines(test::ReadFile(directory_.File("acknowledged")));
    std::string record;
    std::string receipt;
    while (lines >> record >> receipt) receipts[record] = receipt;
    return receipts;
  }
  std::set<std::string> PointsPassed() {
    std::set<std::string> points;
    std::istringstream lines(test::ReadFile(directory_.File("points")));
    for (std::string point; lines >> point;) points.insert(point);
    return points;
  }
  // Opens the store as the next process would, sends everything again, and compares.
  void CheckNothingLostOrDoubled() {
    storage::SqliteStoreSettings settings;
    settings.path = directory_.File("adapter.db");
    auto backend = OpenBackendAt(std::move(settings));
    ASSERT_NE(backend, nullptr);
    auto checked = storage::Connection::Open({.path = directory_.File("adapter.db"), .read_only = true});
    ASSERT_TRUE(checked);
    EXPECT_TRUE(storage::CheckIntegrity(**checked));
    Receiver receiver(*backend->store, backend->inbox, backend->queue, SystemClock(), {});
    const auto acknowledged = Acknowledged();
    for (int number = 0; number < kRecords; ++number) {
      const std::string record = RecordName(number);
      auto answer = receiver.ReceiveNow(MakeSubmission({MakeRecord(record, 1, PatientOf(number))}));
      ASSERT_TRUE(answer);
      const auto first = acknowledged.find(record);
      if (first == acknowledged.end()) continue;
      EXPECT_EQ(answer->records[0].outcome, RecordOutcome::kKnown) << record << " was lost";
      EXPECT_EQ(answer->records[0].receipt, first->second) << "not the original acknowledgement";
    }
    MappingPool pool(*backend->store, backend->inbox, SystemClock(), {});
    pool.SetMapper(std::make_shared<TestMapper>());
    ASSERT_TRUE(pool.Drain());
    auto page = storage::ReadValue<outbox::QueuePage>(*backend->store, [&](storage::Snapshot& snapshot) {
      return backend->queue.List(snapshot, outbox::QueueFilter{{}, {}, 1'000});
    });
    ASSERT_TRUE(page);
    std::set<std::string> records;
    for (const outbox::QueueEntry& entry : page->entries) {
      if (entry.kind != outbox::WorkKind::kRecord) continue;
      EXPECT_TRUE(records.insert(entry.record_id).second) << entry.record_id << " is there twice";
      EXPECT_NE(entry.state, outbox::WorkState::kReceived);
    }
    EXPECT_EQ(records.size(), static_cast<std::size_t>(kRecords));
  }

  test::TemporaryDirectory directory_;
};

class KillAtPoint : public KillTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(KillAtPoint, NothingAcknowledged_IsLost) {
  for (const int pass : {1, 17}) {
    test::Process child(ChildOptions(std::string(GetParam()) + "@" + std::to_string(pass)));
    ASSERT_EQ(child.Wait(), kKilled) << child.StandardError();
  }
  EXPECT_TRUE(PointsPassed().contains(GetParam()));
  CheckNothingLostOrDoubled();
}

std::string NameOfPoint(const ::testing::TestParamInfo<const char*>& point) {
  std::string name = point.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Points, KillAtPoint,
                         ::testing::Values("raw-inserted", "before-commit", "after-commit",
                                           "before-acknowledgement", "mapped"),
                         NameOfPoint);

TEST_F(KillTest, AtRandomMoments_NothingAcknowledgedIsLost) {
  constexpr unsigned kSeed = 20140506;
  std::mt19937 random(kSeed);
  for (int cycle = 0; cycle < 10; ++cycle) {
    test::Process child(ChildOptions(""));
    if (!child.Wait(5 + random() % 120)) child.Signal(SIGKILL);
    child.Wait();
  }
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  CheckNothingLostOrDoubled();
}

TEST_F(KillTest, Control_AnAcknowledgementBeforeTheCommitIsFoundOut) {
  test::Process child(ChildOptions("before-commit@9"));
  ASSERT_EQ(child.Wait(), kKilled);
  // What a sender would have noted had it been answered too early: the next record in line.
  const auto acknowledged = Acknowledged();
  const std::string lost = RecordName(static_cast<int>(acknowledged.size()));
  storage::SqliteStoreSettings settings;
  settings.path = directory_.File("adapter.db");
  auto backend = OpenBackendAt(std::move(settings));
  auto revisions = storage::ReadValue<std::vector<outbox::RevisionState>>(
      *backend->store,
      [&](storage::Snapshot& snapshot) { return backend->queue.Revisions(snapshot, "pain-clinic", lost); });
  ASSERT_TRUE(revisions);
  EXPECT_TRUE(revisions->empty());
}

// A kill leaves what was written in the system's cache, so it cannot see a sync that is missing. Here the
// files are put back to what was synced.
class PowerCutTest : public KillTest {
 protected:
  std::string Image() const { return directory_.File("image"); }
  // Before a child starts everything is on the disk: what this process did to the files, too.
  test::ProcessOptions CutOptions(const std::string& fault) {
    std::filesystem::remove_all(Image());
    std::filesystem::create_directory(Image());
    for (const char* name : {"adapter.db", "adapter.db-wal", "adapter.db-journal"}) {
      const std::filesystem::path file = directory_.path() / name;
      if (std::filesystem::exists(file))
        std::filesystem::copy_file(file, std::filesystem::path(Image()) / name);
    }
    test::ProcessOptions options = ChildOptions(fault);
    options.environment.insert(options.environment.end(),
                               {{"LD_PRELOAD", FHIR_ADAPTER_POWER_CUT_LIBRARY},
                                {"POWER_CUT_PREFIX", directory_.File("adapter.db")},
                                {"POWER_CUT_IMAGE", Image()}});
    return options;
  }
  // After the process is gone: the disk without its cache.
  void CutPower() {
    for (const char* ending : {"", "-wal", "-shm", "-journal"})
      std::filesystem::remove(directory_.File("adapter.db") + ending);
    for (const auto& file : std::filesystem::directory_iterator(Image())) {
      if (file.path().extension() != ".fresh") {
        std::filesystem::copy_file(file.path(), directory_.path() / file.path().filename());
      }
    }
  }
  int LostRecords() {
    storage::SqliteStoreSettings settings;
    settings.path = directory_.File("adapter.db");
    auto backend = OpenBackendAt(std::move(settings));
    EXPECT_NE(backend, nullptr);
    int lost = 0;
    for (const auto& [record, receipt] : Acknowledged()) {
      auto revisions = storage::ReadValue<std::vector<outbox::RevisionState>>(
          *backend->store, [&](storage::Snapshot& snapshot) {
            return backend->queue.Revisions(snapshot, "pain-clinic", record);
          });
      EXPECT_TRUE(revisions);
      if (revisions->empty() || revisions->front().receipt != receipt) ++lost;
    }
    return lost;
  }
};

int PowerCuts() {
  const char* count = std::getenv("FHIR_ADAPTER_POWER_CUTS");  // --long sets it
  return count == nullptr ? 12 : std::atoi(count);
}

TEST_F(PowerCutTest, AtRandomMoments_NothingAcknowledgedIsLost) {
  constexpr unsigned kSeed = 19952017;
  std::mt19937 random(kSeed);
  for (int cycle = 0; cycle < PowerCuts(); ++cycle) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", cycle " + std::to_string(cycle));
    test::Process child(CutOptions(""));
    if (!child.Wait(5 + random() % 150)) child.Signal(SIGKILL);
    child.Wait();
    CutPower();
    ASSERT_EQ(LostRecords(), 0);
  }
  CheckNothingLostOrDoubled();
}

TEST_F(PowerCutTest, AtEachPoint_NothingAcknowledgedIsLost) {
  for (const char* point :
       {"raw-inserted@9", "before-commit@14", "after-commit@19", "before-acknowledgement@24"}) {
    test::Process child(CutOptions(point));
    ASSERT_EQ(child.Wait(), kKilled) << point << child.StandardError();
    CutPower();
    EXPECT_EQ(LostRecords(), 0) << point;
  }
  EXPECT_GT(Acknowledged().size(), 10U);
  CheckNothingLostOrDoubled();
}

// The same cut with the one protection taken away: commits that are not synced.
TEST_F(PowerCutTest, Control_WithoutASyncAtEachCommitRecordsAreLost) {
  test::ProcessOptions options = CutOptions("before-acknowledgement@30");
  options.environment.insert(options.environment.end(), {{"KILL_TEST_SYNCHRONOUS_NORMAL", "1"},
                                                         {"KILL_TEST_CHECKPOINT_PAGES", "100000"}});
  test::Process child(options);
  ASSERT_EQ(child.Wait(), kKilled) << child.StandardError();
  ASSERT_GT(Acknowledged().size(), 20U);
  CutPower();
  EXPECT_GT(LostRecords(), 0);
}

}  // namespace
}  // namespace fhir_adapter::pipeline
