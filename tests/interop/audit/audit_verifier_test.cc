// A log of the real daemon, exported and proved, judged by Go's sumdb/tlog and sumdb/note.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr int kRecords = 30;
constexpr int kMutations = 60;

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class AuditVerifier : public testing::Test {
 protected:
  void SetUp() override {
    const ProcessResult built =
        RunProcess({.arguments = {FHIR_ADAPTER_SOURCE_DIR "/tests/interop/audit/build.sh"},
                    .environment = {},
                    .working_directory = {},
                    .input = {}},
                   300'000);
    ASSERT_EQ(built.exit_code, 0) << built.standard_error;
    verifier_ = Trimmed(built.standard_output);
  }
  ProcessResult Judge(const std::vector<std::string>& arguments) {
    ProcessOptions options;
    options.arguments = {verifier_};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    return RunProcess(options);
  }

  std::string verifier_;
};

TEST_F(AuditVerifier, LogOfADaemon_IsAcceptedAndAChangedOneIsNot) {
  RunningSandbox sandbox;
  DaemonOptions daemon_options;
  daemon_options.endpoint = sandbox.url();
  RunningDaemon daemon(daemon_options);
  sandbox.RegisterPatient("100001", "female");
  const std::string record = Fixture("records/mg-1.json");
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_EQ(daemon.Submit(Replaced(record, "\"MG-1\"", "\"MG-1-" + std::to_string(i) + "\"")).status, 202);
  }
  ASSERT_TRUE(daemon.WaitUntilDelivered());
  ASSERT_EQ(daemon.Stop(), 0);

  const std::string folder = daemon.folder().File("export");
  const ProcessResult exported = daemon.Command({"audit", "export", folder});
  ASSERT_EQ(exported.exit_code, 0) << exported.standard_error;
  const ProcessResult good = Judge({"log", folder});
  EXPECT_EQ(good.exit_code, 0) << good.standard_error;
  const int entries = std::atoi(good.standard_output.substr(good.standard_output.find(": ") + 2).c_str());
  ASSERT_GT(entries, 256) << "more than one tile";

  // Proofs of entries in the first, in a full and in the last tile.
  const std::string key = Trimmed(ReadFile(folder + "/vkey"));
  for (const int sequence : {1, 2, 255, 256, 257, entries - 1, entries}) {
    const ProcessResult proof = daemon.Command({"audit", "prove", std::to_string(sequence)});
    ASSERT_EQ(proof.exit_code, 0) << proof.standard_error;
    const std::string file = daemon.folder().Write("proof", proof.standard_output);
    const ProcessResult judged = Judge({"proof", file, key});
    EXPECT_EQ(judged.exit_code, 0) << sequence << ": " << judged.standard_error;
    EXPECT_EQ(Trimmed(judged.standard_output),
              "entry " + std::to_string(sequence) + " of " + std::to_string(entries) + " verified");
    std::string changed = proof.standard_output;
    const std::size_t at = changed.find("index ") - 10;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Judge({"proof", daemon.folder().Write("changed", changed), key}).exit_code, 1);
  }
  EXPECT_EQ(daemon.Command({"audit", "prove", std::to_string(entries + 1)}).exit_code, 1);

  // Both verifiers agree on every change.
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) files.push_back(file.path());
  }
  std::mt19937_64 random(748'148);
  for (int i = 0; i < kMutations; ++i) {
    const std::string& file = files[static_cast<std::size_t>(i) % files.size()];
    const std::string bytes = ReadFile(file);
    std::string changed = bytes;
    // Not the line end behind the key, which is no part of it.
    const std::size_t at = std::uniform_int_distribution<std::size_t>(0, bytes.size() - 2)(random);
    changed[at] = static_cast<char>(changed[at] ^ 0x04);
    std::ofstream(file, std::ios::binary) << changed;
    EXPECT_EQ(Judge({"log", folder}).exit_code, 1) << file << " at " << at;
    EXPECT_NE(RunAdapter({"audit", "verify", "--folder", folder}).exit_code, 0) << file << " at " << at;
    std::ofstream(file, std::ios::binary) << bytes;
  }
  EXPECT_EQ(Judge({"log", folder}).exit_code, 0);
  EXPECT_EQ(RunAdapter({"audit", "verify", "--folder", folder}).exit_code, 0);
}

}  // namespace
}  // namespace fhir_adapter::test
