// What is shipped for installing: the unit, the container, the scripts.
#include <gtest/gtest.h>
#include <regex>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

std::string Deploy(const std::string& name) {
  return ReadFile(std::string(FHIR_ADAPTER_SOURCE_DIR "/deploy/") + name);
}

ProcessResult RunTool(std::vector<std::string> arguments) {
  ProcessOptions options;
  options.arguments = std::move(arguments);
  return RunProcess(options);
}

// The shipped unit with the program of this build, so that systemd finds what it starts.
std::string UnitFile(const TemporaryDirectory& folder) {
  return folder.Write("fhir-adapter.service",
                      Replaced(Deploy("fhir-adapter.service"), "/usr/bin/fhir-adapter", AdapterBinary()));
}

TEST(Unit, SystemdVerify_FindsNothing) {
  TemporaryDirectory folder;
  const ProcessResult result = RunTool({"systemd-analyze", "verify", "--man=no", UnitFile(folder)});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
}

TEST(Unit, Exposure_IsAtMostTwo) {
  TemporaryDirectory folder;
  const ProcessResult result = RunTool(
      {"systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", UnitFile(folder)});
  EXPECT_EQ(result.exit_code, 0) << result.standard_output << result.standard_error;
}

TEST(Unit, ServiceType_IsTheOneThatTheDaemonSpeaks) {
  const std::string unit = Deploy("fhir-adapter.service");
  for (const char* line : {"\nType=notify\n", "\nWatchdogSec=60s\n", "\nStateDirectory=fhir-adapter\n",
                           "\nNoNewPrivileges=yes\n"}) {
    EXPECT_NE(unit.find(line), std::string::npos) << line;
  }
}

TEST(Dockerfile, EveryFrom_CanBeALocalBase) {
  const std::string file = Deploy("Dockerfile");
  const std::regex from("(^|\n)FROM ([^\n]*)");
  int count = 0;
  for (auto match = std::sregex_iterator(file.begin(), file.end(), from); match != std::sregex_iterator();
       ++match) {
    EXPECT_TRUE((*match)[2].str().starts_with("${BASE}")) << (*match)[2];
    ++count;
  }
  EXPECT_EQ(count, 2);
  EXPECT_NE(file.find("\nUSER 990:990\n"), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::test
