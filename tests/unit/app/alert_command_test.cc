#include "app/alert_command.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/process.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using testing::HasSubstr;

class AlertCommandTest : public testing::Test {
 protected:
  // An executable script; the shell is the script's own.
  std::string Script(const std::string& body) {
    const std::string file = folder_.Write("page", "#!/bin/sh\n" + body);
    EXPECT_EQ(chmod(file.c_str(), 0700), 0);
    return file;
  }
  // The pipe tells when the script has come to its last line.
  std::string MakePipe(const std::string& name) {
    const std::string file = folder_.File(name);
    EXPECT_EQ(mkfifo(file.c_str(), 0600), 0);
    return file;
  }
  test::TemporaryDirectory folder_;
};

TEST_F(AlertCommandTest, Alerts_AreItsLastArgumentsInTheirOrder) {
  const std::string pipe = MakePipe("pipe");
  const std::string script = Script("printf '%s|' \"$#\" \"$@\" > " + pipe);
  AlertCommand command({script, "--team", "it; touch " + folder_.File("injected")});
  command.Run({AlertKind::kEndpoint, true, "unreachable"});
  command.Run({AlertKind::kEndpoint, false, "unreachable $(touch " + folder_.File("injected") + ")"});
  EXPECT_THAT(test::ReadFile(pipe), HasSubstr("|started|endpoint|unreachable|"));
  const std::string second = test::ReadFile(pipe);
  EXPECT_THAT(second, HasSubstr("5|--team|it; touch "));
  EXPECT_THAT(second, HasSubstr("|ended|endpoint|unreachable $("));
  EXPECT_FALSE(std::filesystem::exists(folder_.File("injected")));
}

TEST_F(AlertCommandTest, OneThatDoesNotEnd_IsEndedWithItsChildrenAndTheNextIsRun) {
  const std::string pipe = MakePipe("pipe");
  const std::string blocked = MakePipe("blocked");
  const std::string script =
      Script("if [ \"$1\" = started ]; then cat " + blocked + " & wait; fi\necho next > " + pipe);
  AlertCommand command({script}, 100);
  command.Run({AlertKind::kHeld, true, "x"});
  command.Run({AlertKind::kHeld, false, "x"});
  EXPECT_EQ(test::ReadFile(pipe), "next\n");
  EXPECT_EQ(open(blocked.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1) << "somebody still reads it";
  EXPECT_EQ(errno, ENXIO);
}

TEST_F(AlertCommandTest, OneThatIsNotThere_StopsNothing) {
  AlertCommand missing({folder_.File("nothing")});
  missing.Run({AlertKind::kHeld, true, "x"});
  const std::string pipe = MakePipe("pipe");
  AlertCommand there({Script("echo here > " + pipe)});
  there.Run({AlertKind::kHeld, true, "x"});
  EXPECT_EQ(test::ReadFile(pipe), "here\n");
}

}  // namespace
}  // namespace fhir_adapter::app
