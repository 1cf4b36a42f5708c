// Checkpoints of the real daemon, cosigned by a witness that others wrote (transparency-dev's packages;
// build.sh witness), and what becomes of them when it is away, or when the log is not the one that it knows.
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class Witnessed : public testing::Test {
 protected:
  void SetUp() override {
    ProcessOptions options;
    options.arguments = {FHIR_ADAPTER_SOURCE_DIR "/tests/interop/audit/build.sh", "witness"};
    const ProcessResult built = RunProcess(options, 300'000);
    ASSERT_EQ(built.exit_code, 0) << built.standard_error;
    program_ = Trimmed(built.standard_output);
    std::filesystem::create_directories(Folder());
    std::filesystem::create_directories(state_.File("state"));
    ASSERT_EQ(Run({"keys", "witness.example", Folder()}).exit_code, 0);
  }
  std::string Folder() const { return state_.File("witness"); }
  std::string Store() const { return state_.File("state/adapter.db"); }
  ProcessResult Run(std::vector<std::string> arguments) {
    ProcessOptions options;
    options.arguments = {program_};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    return RunProcess(options);
  }
  // Where it listens; the first time at a port of its own choice, which it keeps.
  void StartWitness() {
    ProcessOptions options;
    options.arguments = {program_, "serve", Folder(), Trimmed(ReadFile(Store() + ".vkey")), address_};
    witness_ = std::make_unique<Process>(options);
    const auto line = witness_->WaitForLine("listening on ");
    ASSERT_TRUE(line) << witness_->StandardError();
    address_ = line->substr(line->rfind(' ') + 1);
  }
  DaemonOptions Options() const {
    DaemonOptions options;
    options.state_directory = state_.File("state");
    options.more_configuration = "[audit]\nwitness_url = \"http://" + address_ + "\"\nwitness_key = \"" +
                                 Trimmed(ReadFile(Folder() + "/vkey")) + "\"\n";
    return options;
  }
  // Its key is made by the first start, and the witness wants it.
  void MakeStore() {
    DaemonOptions options;
    options.state_directory = state_.File("state");
    RunningDaemon daemon(options);
    ASSERT_EQ(daemon.Stop(), 0);
  }
  static ProcessResult Verify(RunningDaemon& daemon) { return daemon.Command({"--json", "audit", "verify"}); }

  TemporaryDirectory state_;
  std::string program_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<Process> witness_;
};

TEST_F(Witnessed, Checkpoints_AreCosignedAndVerifiedByBothSides) {
  MakeStore();
  StartWitness();
  RunningDaemon daemon(Options());
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon.Stop(), 0) << "the last checkpoint is offered at the end";
  const ProcessResult good = Verify(daemon);
  EXPECT_EQ(good.exit_code, 0) << good.standard_error;
  const std::string size = AtPointer(good.standard_output, "/entries");
  EXPECT_EQ(AtPointer(good.standard_output, "/witness/size"), size) << good.standard_output;
  EXPECT_EQ(AtPointer(good.standard_output, "/witness/name"), "witness.example");

  // The other maker's verifier finds both signatures in what is exported.
  const std::string folder = daemon.folder().File("export");
  ASSERT_EQ(daemon.Command({"audit", "export", folder}).exit_code, 0);
  const std::string key = Trimmed(ReadFile(Store() + ".vkey"));
  const ProcessResult checked = Run({"check", Folder(), key, folder + "/checkpoint"});
  EXPECT_EQ(checked.exit_code, 0) << checked.standard_error;

  // More entries: the witness proves that the log grew, also when we forgot how far it was (409).
  std::filesystem::remove(Store() + ".cosigned");
  daemon.Start();
  ASSERT_EQ(daemon.Submit(Fixture("records/full.json")).status, 202);
  ASSERT_EQ(daemon.Stop(), 0);
  const ProcessResult grown = Verify(daemon);
  EXPECT_EQ(grown.exit_code, 0) << grown.standard_error;
  EXPECT_EQ(AtPointer(grown.standard_output, "/witness/size"), AtPointer(grown.standard_output, "/entries"));

  // A cosignature that is not the witness's.
  std::string cosigned = ReadFile(Store() + ".cosigned");
  const std::size_t at = cosigned.rfind("witness.example ") + 40;
  cosigned[at] = cosigned[at] == 'A' ? 'B' : 'A';
  std::ofstream(Store() + ".cosigned", std::ios::binary) << cosigned;
  const ProcessResult bad = Verify(daemon);
  EXPECT_EQ(bad.exit_code, 5) << bad.standard_output;
  EXPECT_THAT(bad.standard_error, HasSubstr("witness.example"));
}

TEST_F(Witnessed, ThatIsAway_StopsNothingAndIsToldOnce) {
  MakeStore();
  StartWitness();
  witness_.reset();
  RunningDaemon daemon(Options());
  ASSERT_TRUE(daemon.process().WaitForLine("audit-witness-failed"));
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon.WaitForState("MG-1", 1, {"queued"}), "queued");
  StartWitness();
  ASSERT_TRUE(daemon.process().WaitForLine("audit-witness-again"));
  ASSERT_EQ(daemon.Stop(), 0);
  const std::string told = daemon.process().StandardError();
  EXPECT_EQ(told.find("\"event\":\"audit-witness-failed\""),
            told.rfind("\"event\":\"audit-witness-failed\""));
  const ProcessResult verified = Verify(daemon);
  EXPECT_EQ(verified.exit_code, 0);
  EXPECT_EQ(AtPointer(verified.standard_output, "/witness/size"),
            AtPointer(verified.standard_output, "/entries"));
}

// The store with all its files is put back to what it was: only the witness can tell.
TEST_F(Witnessed, OfALogThatWasRolledBack_IsNotFooled) {
  MakeStore();
  StartWitness();
  RunningDaemon daemon(Options());
  ASSERT_EQ(daemon.Stop(), 0);
  const std::string aside = state_.File("aside");
  std::filesystem::copy(state_.File("state"), aside, std::filesystem::copy_options::recursive);
  daemon.Start();
  for (const char* record : {"records/mg-1.json", "records/full.json"}) {
    ASSERT_EQ(daemon.Submit(Fixture(record)).status, 202);
  }
  ASSERT_TRUE(daemon.WaitUntilMapped());
  ASSERT_EQ(daemon.Stop(), 0);
  std::filesystem::remove_all(state_.File("state"));
  std::filesystem::copy(aside, state_.File("state"), std::filesystem::copy_options::recursive);
  daemon.Start();
  const auto line = daemon.process().WaitForLine("audit-witness-failed");
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("an older store was put in place"));
  ASSERT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace fhir_adapter::test
