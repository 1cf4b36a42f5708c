// A disk that fills up while records come in: nothing acknowledged is lost, nothing more is acknowledged, and
// the store goes on by itself when there is room.

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <sys/mount.h>

#include "pipeline_fixture.h"
#include "support/fault_file_system.h"

namespace fhir_adapter::pipeline {
namespace {

class HealthWatch {
 public:
  std::function<void(storage::Health)> Callback() {
    return [this](storage::Health health) {
      const std::scoped_lock lock(mutex_);
      health_ = health;
      changed_.notify_all();
    };
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

InputRecord LargeRecord(int number) {
  InputRecord record = MakeRecord("R" + std::to_string(number), 1, std::to_string(number));
  record.bytes += " " + std::string(8'000, 'x');
  return record;
}

// Fills the disk with records, makes room, sends again what was refused, reopens and counts.
void FillAndResume(storage::SqliteStoreSettings settings, const std::function<void()>& make_room) {
  HealthWatch watch;
  settings.disk_probe_ms = 5;
  settings.on_health = watch.Callback();
  std::set<std::string> acknowledged;
  int number = 0;
  {
    auto backend = OpenBackendAt(settings);
    ASSERT_NE(backend, nullptr);
    Receiver receiver(*backend->store, backend->inbox, backend->queue, SystemClock(), {});
    std::optional<Code> refused;
    for (; number < 3'000 && !refused; ++number) {
      auto answer = receiver.ReceiveNow(MakeSubmission({LargeRecord(number)}));
      if (answer) {
        acknowledged.insert(answer->records[0].record_id);
      } else {
        refused = answer.error().code;
      }
    }
    ASSERT_EQ(refused, Code::kDiskFull) << "after " << number;
    EXPECT_FALSE(acknowledged.empty());
    EXPECT_NE(backend->store->health(), storage::Health::kFailed) << "it stays up";
    make_room();
    ASSERT_TRUE(watch.Await(storage::Health::kReady)) << "it resumes by itself";
    for (int i = 0; i < number; ++i) {
      auto answer = receiver.ReceiveNow(MakeSubmission({LargeRecord(i)}));
      ASSERT_TRUE(answer) << ToString(answer.error());
      const bool was_acknowledged = acknowledged.contains(answer->records[0].record_id);
      EXPECT_EQ(answer->records[0].outcome,
                was_acknowledged ? RecordOutcome::kKnown : RecordOutcome::kAccepted)
          << i;
    }
  }
  settings.on_health = nullptr;
  auto backend = OpenBackendAt(settings);
  ASSERT_NE(backend, nullptr);
  auto statistics = storage::ReadValue<outbox::QueueStatistics>(
      *backend->store, [&](storage::Snapshot& snapshot) { return backend->queue.Statistics(snapshot); });
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->Count(outbox::WorkState::kReceived), number);
}

TEST(DiskFull, FileSystemWithoutRoom_IsBackPressure) {
  test::TemporaryDirectory directory;
  test::FaultFileSystem files;
  files.SetRoom(3'000'000);
  storage::SqliteStoreSettings settings;
  settings.path = directory.File("adapter.db");
  settings.vfs = files.name();
  FillAndResume(std::move(settings), [&] { files.SetRoom(-1); });
}

TEST(DiskFull, SmallTmpfs_IsBackPressure) {
  test::TemporaryDirectory directory;
  const std::string mounted = directory.File("disk");
  std::filesystem::create_directory(mounted);
  if (mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "mounting a tmpfs needs privileges: " << std::strerror(errno);
  }
  const std::string ballast = mounted + "/ballast";
  std::ofstream(ballast) << std::string(3'000'000, 'x');
  storage::SqliteStoreSettings settings;
  settings.path = mounted + "/adapter.db";
  FillAndResume(std::move(settings), [&] {
    std::filesystem::remove(ballast);
    ASSERT_EQ(mount("tmpfs", mounted.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  });
  EXPECT_EQ(umount(mounted.c_str()), 0);
}

}  // namespace
}  // namespace fhir_adapter::pipeline
