#include "support/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "support/temporary_directory.h"

namespace fhir_adapter::test {
namespace {

ProcessOptions Shell(const std::string& script) {
  ProcessOptions options;
  options.arguments = {"sh", "-c", script};
  return options;
}

TEST(Process, Output_IsCollectedWithTheExitCode) {
  const ProcessResult result = RunProcess(Shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.standard_output, "out\n");
  EXPECT_EQ(result.standard_error, "err\n");
}

TEST(Process, InputEnvironmentAndDirectory_ReachTheProgram) {
  const TemporaryDirectory directory;
  ProcessOptions options = Shell("cat; echo $GREETING; pwd");
  options.input = std::string(200'000, 'x') + "\n";
  options.environment = {{"GREETING", "hello"}};
  options.working_directory = directory.path();
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.standard_output, options.input + "hello\n" + directory.path().string() + "\n");
}

TEST(Process, WaitForLine_FindsLinesInTurn) {
  Process process(Shell("echo READY 1; echo other; echo READY 2; exec sleep 1000"));
  EXPECT_EQ(process.WaitForLine("READY"), "READY 1");
  EXPECT_EQ(process.WaitForLine("READY"), "READY 2");
  EXPECT_EQ(process.WaitForLine("READY", 20), std::nullopt);
  EXPECT_EQ(process.Wait(20), std::nullopt);
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 128 + SIGTERM);
}

TEST(Process, EndWithoutTheLine_IsNotWaitedFor) {
  Process process(Shell("echo nothing"));
  EXPECT_EQ(process.WaitForLine("READY", 60'000), std::nullopt);
}

TEST(Process, Destructor_KillsAndReaps) {
  pid_t pid = 0;
  {
    const Process process(Shell("trap '' TERM; exec sleep 1000"));
    pid = process.pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Process, UnknownProgram_ExitsWith127) {
  ProcessOptions options;
  options.arguments = {"no-such-program-here"};
  EXPECT_EQ(RunProcess(options).exit_code, 127);
}

TEST(TemporaryDirectory, Destructor_RemovesEverything) {
  std::filesystem::path path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    EXPECT_EQ(ReadFile(directory.Write("a/b/file", "content")), "content");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace fhir_adapter::test
