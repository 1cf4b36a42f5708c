#include "app/retention_thread.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kHourUs = 3'600'000'000;

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{us}; }
  std::int64_t MonotonicUs() override { return us; }
  std::int64_t us = SystemClock().Now().us;  // files are moved when they are
};

// A store, and a source with a file in each of its folders.
class RetentionThreadTest : public testing::Test {
 protected:
  RetentionThreadTest() {
    storage::SqliteStoreSettings settings;
    settings.path = directory_.File("adapter.db");
    auto backend = outbox::OpenSqliteBackend(settings, SystemRandom());
    EXPECT_TRUE(backend);
    backend_ = std::move(*backend);
    std::filesystem::create_directories(directory_.File("inbox/done/folder"));
    std::filesystem::create_directories(directory_.File("inbox/rejected"));
    directory_.Write("inbox/done/old.json", std::string(1'000, 'x'));
    directory_.Write("inbox/rejected/bad.json", std::string(300, 'x'));
    directory_.Write("inbox/waiting.json", "x");
  }
  RetentionThread Thread(std::int64_t done_days) {
    return {*backend_->store, backend_->retention, clock_,
            RetentionSettings{done_days, 0, {directory_.File("adapter.db"), {directory_.File("inbox")}}}};
  }
  bool Exists(const std::string& name) const { return std::filesystem::exists(directory_.File(name)); }
  std::string LastEntry() {
    std::string last;
    EXPECT_TRUE(backend_->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
      ADAPTER_TRY(const audit::Sequence size, backend_->log.Size(snapshot));
      return backend_->log.ForEach(snapshot, size, size, [&](audit::Sequence, std::string_view bytes) {
        last = bytes;
        return true;
      });
    }));
    return last;
  }

  test::TemporaryDirectory directory_;
  FakeClock clock_;
  std::unique_ptr<outbox::SqliteBackend> backend_;
};

TEST_F(RetentionThreadTest, FilesOfDone_GoWhenTheirDaysAreOver) {
  RetentionThread thread = Thread(30);
  clock_.us += 30 * kDayUs - kHourUs;
  thread.Look();
  EXPECT_TRUE(Exists("inbox/done/old.json"));
  EXPECT_EQ(LastEntry(), "");
  clock_.us += 2 * kHourUs;
  thread.Look();
  EXPECT_FALSE(Exists("inbox/done/old.json"));
  EXPECT_TRUE(Exists("inbox/done/folder"));
  EXPECT_TRUE(Exists("inbox/rejected/bad.json")) << "for a person";
  EXPECT_TRUE(Exists("inbox/waiting.json"));
  EXPECT_THAT(LastEntry(), HasSubstr("\"event\":\"expired\""));
  EXPECT_THAT(LastEntry(), HasSubstr("1 files of "));
}

TEST_F(RetentionThreadTest, ByDefault_NothingGoes) {
  RetentionThread thread = Thread(0);
  clock_.us += 10'000 * kDayUs;
  thread.Look();
  EXPECT_TRUE(Exists("inbox/done/old.json"));
}

TEST_F(RetentionThreadTest, Passes_AreAnHourApart) {
  RetentionThread thread = Thread(1);
  thread.Look();
  clock_.us += 2 * kDayUs;
  thread.Look();
  EXPECT_FALSE(Exists("inbox/done/old.json"));
  directory_.Write("inbox/done/next.json", "x");
  clock_.us += kHourUs - 1;
  thread.Look();
  EXPECT_TRUE(Exists("inbox/done/next.json"));
  clock_.us += 1;
  thread.Look();
  EXPECT_FALSE(Exists("inbox/done/next.json"));
}

TEST_F(RetentionThreadTest, DiskUse_CountsEachPart) {
  RetentionThread thread = Thread(0);
  EXPECT_EQ(thread.disk_use().database, 0);
  thread.Look();
  const DiskUse use = thread.disk_use();
  EXPECT_GT(use.database + use.write_ahead_log, 0);
  EXPECT_EQ(use.done, 1'000);
  EXPECT_EQ(use.rejected, 300);
  EXPECT_THAT(ToText(use), HasSubstr(", done/ 1000, rejected/ 300 bytes"));
  EXPECT_THAT(ToJson(use), HasSubstr("\"done\":1000,\"rejected\":300}"));
  MetricsPage page;
  AddDisk(page, use);
  EXPECT_THAT(std::move(page).Finish(), HasSubstr("fhir_adapter_disk_bytes{part=\"done\"} 1000\n"));
}

}  // namespace
}  // namespace fhir_adapter::app
