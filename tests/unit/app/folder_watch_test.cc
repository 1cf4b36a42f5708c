#include "app/folder_watch.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <thread>

#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using Cause = FolderWatch::Cause;
using test::TemporaryDirectory;

constexpr std::int64_t kQuietMs = 20;

class FolderWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("maps/procedure/a.map", "one");
    ASSERT_TRUE(watch_.Start(folder_.File("maps"), kQuietMs));
    ASSERT_TRUE(watch_.is_watching());
  }

  TemporaryDirectory folder_;
  FolderWatch watch_;
};

TEST_F(FolderWatchTest, FileWritten_IsAChange) {
  folder_.Write("maps/procedure/a.map", "two");
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
}

TEST_F(FolderWatchTest, FileInANewFolder_IsAChange) {
  folder_.Write("maps/new/a.map", "two");
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
  folder_.Write("maps/new/a.map", "three");
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
}

TEST_F(FolderWatchTest, ManyFiles_AreOneChange) {
  for (int i = 0; i < 100; ++i) folder_.Write("maps/procedure/" + std::to_string(i) + ".map", "x");
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
  watch_.Ask();
  EXPECT_EQ(watch_.Wait(), Cause::kAsked);
}

TEST_F(FolderWatchTest, FolderReplaced_IsAChangeAndTheNewOneIsWatched) {
  folder_.Write("next/a.map", "two");
  std::filesystem::rename(folder_.File("maps"), folder_.File("old"));
  std::filesystem::rename(folder_.File("next"), folder_.File("maps"));
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
  folder_.Write("maps/a.map", "three");
  EXPECT_EQ(watch_.Wait(), Cause::kChanged);
}

TEST_F(FolderWatchTest, FileBesideTheFolder_IsNone) {
  folder_.Write("other", "x");
  watch_.Ask();
  EXPECT_EQ(watch_.Wait(), Cause::kAsked);
}

TEST_F(FolderWatchTest, StopFromAnotherThread_EndsTheWait) {
  std::thread stopper([this] { watch_.Stop(); });
  EXPECT_EQ(watch_.Wait(), Cause::kStopped);
  stopper.join();
}

TEST(FolderWatch, FolderThatIsNotThere_IsNotWatched) {
  TemporaryDirectory folder;
  FolderWatch watch;
  ASSERT_TRUE(watch.Start(folder.File("maps"), kQuietMs));
  EXPECT_FALSE(watch.is_watching());
}

}  // namespace
}  // namespace fhir_adapter::app
