// A full disk under the running daemon: it refuses, stays up, and resumes unaided.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directory(path());
    mounted_ = mount("tmpfs", path().c_str(), "tmpfs", 0, "size=6m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::string path() const { return folder_.File("disk"); }
  void Fill() const {
    std::ofstream file(path() + "/ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void MakeRoom() const { std::filesystem::remove(path() + "/ballast"); }

 private:
  TemporaryDirectory folder_;
  bool mounted_ = false;
};

std::string RecordNumber(int number) {
  return Replaced(Fixture("records/mg-1.json"), "\"MG-1\"", "\"D-" + std::to_string(number) + "\"");
}

TEST(FullDisk, RefusesStaysUpAndResumesUnaided) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small disk needs root; CI runs as root";
  SmallDisk disk;
  ASSERT_TRUE(disk.mounted());
  DaemonOptions options;
  options.state_directory = disk.path();
  RunningDaemon daemon(options);
  ASSERT_EQ(daemon.Submit(RecordNumber(0)).status, 202);

  disk.Fill();
  int accepted = 1;
  HttpReply reply;
  for (int i = 1; i < 2'000 && reply.status != 503; ++i) {
    reply = daemon.Submit(RecordNumber(i));
    if (reply.status == 202) ++accepted;
  }
  ASSERT_EQ(reply.status, 503) << reply.body;
  EXPECT_NE(reply.Header("Retry-After"), "");
  EXPECT_EQ(daemon.client().Get("/health/ready").status, 503);
  EXPECT_EQ(daemon.client().Get("/health/live").status, 200);

  disk.MakeRoom();
  EXPECT_TRUE(daemon.process().WaitForLine("store-ready"));
  EXPECT_EQ(daemon.Submit(RecordNumber(5'000)).status, 202);
  EXPECT_EQ(daemon.client().Get("/health/ready").status, 200);
  // Everything that was acknowledged before is still there.
  for (int i = 0; i < accepted; ++i) EXPECT_NE(daemon.StateOf("D-" + std::to_string(i), 1), "") << i;
}

}  // namespace
}  // namespace fhir_adapter::test
