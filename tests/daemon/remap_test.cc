// Stored records that are mapped again with maps that were edited since.
#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <signal.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// An indication that the shipped tables do not know.
constexpr const char* kLocalCode = "LOCAL-9";
constexpr const char* kCondition =
    "Condition?identifier=https://clinic.example/fhir/sid/it-condition|pain-clinic.MG-1.indication.LOCAL-9";

constexpr const char* kProcedure =
    "Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|pain-clinic.MG-1";

std::string LocalRecord() {
  return Replaced(Fixture("records/mg-1.json"), "CRPS-1", kLocalCode);
}

// The site's own row for the local code; no case beside the maps speaks of it.
std::string SiteTable(const std::string& code) {
  return "# url: https://clinic.example/fhir/ConceptMap/indication\n# status: active\n"
         "code,target system,target code,target display,equivalence\n" +
         std::string(kLocalCode) + ",http://snomed.info/sct," + code + ",Neuralgia,equivalent\n";
}

class EditedMaps : public testing::Test {
 protected:
  void Start(const std::vector<std::string>& sandbox_options = {}) {
    sandbox_ = std::make_unique<RunningSandbox>(sandbox_options);
    const HttpReply registered =
        sandbox_->client().Put("/Patient/p1", R"({"resourceType":"Patient","id":"p1","identifier":[
            {"system":"https://hospital.example/fhir/sid/mrn","value":"100001"}]})");
    ASSERT_EQ(registered.status, 201) << registered.body;
    DaemonOptions options;
    options.endpoint = sandbox_->url();
    options.maps = FHIR_ADAPTER_SOURCE_DIR "/mappings";
    daemon_ = std::make_unique<RunningDaemon>(options);
    std::filesystem::create_directories(daemon_->folder().File("maps/terminology/site"));
  }

  void Deliver() {
    ASSERT_EQ(daemon_->Submit(LocalRecord()).status, 202);
    ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"delivered"}), "delivered");
    ASSERT_EQ(CodeOnTheServer(), "");
  }
  void WriteCode(const std::string& code) {
    daemon_->folder().Write("maps/terminology/site/indication.csv", SiteTable(code));
  }
  void Code(const std::string& code) {
    WriteCode(code);
    daemon_->process().Signal(SIGHUP);
    ASSERT_TRUE(daemon_->process().WaitForLine("\"maps-changed\"")) << daemon_->process().StandardError();
  }
  ProcessResult Apply() { return daemon_->Command({"remap", "--apply", "--reason", "table corrected"}); }

  std::string CodeOnTheServer() { return AtPointer(sandbox_->One(kCondition), "/code/coding/0/code"); }

  std::unique_ptr<RunningSandbox> sandbox_;
  std::unique_ptr<RunningDaemon> daemon_;
};

TEST_F(EditedMaps, Remap_ShowsElementByElementAndSendsNothing) {
  Start();
  Deliver();
  Code("16269008");
  const ProcessResult remap = daemon_->Command({"remap"});
  EXPECT_EQ(remap.exit_code, 1) << remap.standard_error;
  EXPECT_THAT(remap.standard_output, HasSubstr("pain-clinic/MG-1 revision 1\n"));
  EXPECT_THAT(remap.standard_output,
              HasSubstr("  Condition pain-clinic.MG-1.indication.LOCAL-9: code.coding"));
  EXPECT_THAT(remap.standard_output, HasSubstr("16269008"));
  EXPECT_THAT(remap.standard_output, Not(HasSubstr("Provenance")));
  EXPECT_THAT(remap.standard_output, HasSubstr("1 of 1 records changed\n"));
  EXPECT_THAT(remap.standard_error, HasSubstr("1 records: 1 changed, 0 unchanged"));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM work_item"), "1");
  EXPECT_EQ(CodeOnTheServer(), "");

  const ProcessResult json = daemon_->Command({"--json", "remap", "MG-1"});
  EXPECT_EQ(AtPointer(json.standard_output, "/recordId"), "MG-1") << json.standard_output;
  EXPECT_EQ(AtPointer(json.standard_output, "/resources/0/type"), "Condition");
}

TEST_F(EditedMaps, RemapApply_SendsWhatIsDifferentAndOnlyOnce) {
  Start();
  Deliver();
  const int provenances = sandbox_->Count("Provenance");
  const std::string procedure = sandbox_->One(kProcedure);
  Code("16269008");
  const ProcessResult remap = Apply();
  EXPECT_EQ(remap.exit_code, 0) << remap.standard_error;
  EXPECT_THAT(remap.standard_error, HasSubstr("1 queued\n"));
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_EQ(CodeOnTheServer(), "16269008");
  EXPECT_EQ(AtPointer(sandbox_->One(kCondition), "/meta/versionId"), "2");
  EXPECT_EQ(sandbox_->One(kProcedure), procedure) << "what is not different is not sent";
  EXPECT_EQ(sandbox_->Count("Provenance"), provenances + 1);
  EXPECT_EQ(daemon_->Query("SELECT remark FROM work_remark"), "table corrected");
  const ProcessResult trace = daemon_->Command({"trace", "MG-1", "--element", "Condition.code"});
  EXPECT_EQ(trace.exit_code, 0) << trace.standard_error;
  EXPECT_THAT(trace.standard_output, HasSubstr("terminology/site/indication.csv")) << "the row that made it";

  const ProcessResult again = Apply();
  EXPECT_EQ(again.exit_code, 0) << again.standard_error;
  EXPECT_THAT(again.standard_error, HasSubstr("0 changed, 1 unchanged"));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM work_item"), "2");
  daemon_->Stop();
  EXPECT_EQ(daemon_->Command({"audit", "verify"}).exit_code, 0);
}

TEST_F(EditedMaps, RemapApplyByOtherMapsThanTheDaemons_IsRefused) {
  Start();
  Deliver();
  // Maps that compile, and whose cases fail: the daemon keeps the old ones.
  const std::string table = "maps/terminology/indication.json";
  const std::string text = ReadFile(daemon_->folder().File(table));
  daemon_->folder().Write(table, Replaced(text, "Complex regional pain syndrome type I", "Algodystrophy"));
  WriteCode("16269008");
  daemon_->process().Signal(SIGHUP);
  ASSERT_TRUE(daemon_->process().WaitForLine("\"maps-kept\"")) << daemon_->process().StandardError();
  const ProcessResult remap = Apply();
  EXPECT_NE(remap.exit_code, 0);
  EXPECT_THAT(remap.standard_error, HasSubstr("maps-kept"));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM work_item"), "1");
}

TEST_F(EditedMaps, RecordThatTheMapsCannotMapNow_StaysAsItIs) {
  Start();
  Deliver();
  // No row for the drug: such a record waits for a person.
  const std::string table = "maps/terminology/drug.json";
  std::string text = ReadFile(daemon_->folder().File(table));
  while (text.find("\"magnesium-sulfate\"") != std::string::npos) {
    text = Replaced(text, "\"magnesium-sulfate\"", "\"magnesium-sulphate\"");
  }
  daemon_->Stop();
  daemon_->folder().Write(table, text);
  daemon_->Start();
  const ProcessResult remap = Apply();
  EXPECT_EQ(remap.exit_code, 1);
  EXPECT_THAT(remap.standard_output, HasSubstr("unmapped-code"));
  EXPECT_THAT(remap.standard_error, HasSubstr("1 that the maps cannot map now"));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM work_item"), "1");
}

TEST_F(EditedMaps, RemapWithoutADaemon_IsMappedAndSentAtTheNextStart) {
  Start();
  Deliver();
  daemon_->Stop();
  WriteCode("16269008");
  const ProcessResult remap = Apply();
  EXPECT_EQ(remap.exit_code, 0) << remap.standard_error;
  daemon_->Start();
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_EQ(CodeOnTheServer(), "16269008");
}

TEST_F(EditedMaps, UnknownRecordAndApplyWithoutAReason_AreRefused) {
  Start();
  EXPECT_EQ(daemon_->Command({"remap", "MG-77"}).exit_code, 1);
  EXPECT_EQ(daemon_->Command({"remap", "--apply"}).exit_code, 2);
  EXPECT_EQ(daemon_->Command({"remap", "--since", "yesterday"}).exit_code, 2);
}

// Killed after its first page; called again it queues what is left, and nothing twice.
TEST(InterruptedRemap, CalledAgain_QueuesEachRecordOnce) {
  DaemonOptions options;
  options.maps = FHIR_ADAPTER_SOURCE_DIR "/mappings";
  RunningDaemon daemon(options);
  std::string records;
  for (int i = 0; i <= 100; ++i) {
    const std::string number = std::to_string(1'000 + i);
    std::string record = Replaced(Replaced(LocalRecord(), "MG-1", "FLOW-" + number), "100001", number);
    std::ranges::replace(record, '\n', ' ');
    records += record + "\n";
  }
  ASSERT_EQ(daemon.Submit(records, "application/x-ndjson").status, 202);
  ASSERT_EQ(daemon.WaitForState("FLOW-1100", 1, {"queued"}), "queued");
  ASSERT_EQ(daemon.Stop(), 0);
  std::filesystem::create_directories(daemon.folder().File("maps/terminology/site"));
  daemon.folder().Write("maps/terminology/site/indication.csv", SiteTable("16269008"));

  ProcessOptions dying;
  dying.arguments = {AdapterBinary(), "--config",       daemon.configuration_file(), "remap", "--apply",
                     "--reason",      "table corrected"};
  dying.environment = {{"FHIR_ADAPTER_FAULT", "remap-page-done"}};
  EXPECT_NE(RunProcess(dying).exit_code, 0);
  const std::string count = "SELECT count(*) FROM work_item WHERE kind = 'repair'";
  EXPECT_EQ(daemon.Query(count), "100");
  daemon.Start();
  ASSERT_TRUE(daemon.WaitUntilMapped());
  const ProcessResult rest = daemon.Command({"remap", "--apply", "--reason", "table corrected"});
  EXPECT_EQ(rest.exit_code, 0) << rest.standard_error;
  EXPECT_THAT(rest.standard_error, HasSubstr("101 records: 1 changed, 100 unchanged"));
  EXPECT_EQ(daemon.Query(count), "101");
}

TEST_F(EditedMaps, RetryOfWhatTheServerRefused_SendsWhatTheMapsInForceMakeOfIt) {
  Start({"--fault", "status:422:1:POST /"});
  ASSERT_EQ(daemon_->Submit(LocalRecord()).status, 202);
  ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"quarantined", "delivered"}), "quarantined");
  Code("16269008");
  const std::string id = AtPointer(
      daemon_->Command({"--json", "queue", "list", "--state", "quarantined"}).standard_output, "/id");
  const ProcessResult retry = daemon_->Command({"queue", "retry", id, "--reason", "code table completed"});
  ASSERT_EQ(retry.exit_code, 0) << retry.standard_error;
  ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"delivered"}), "delivered");
  EXPECT_EQ(CodeOnTheServer(), "16269008");
}

}  // namespace
}  // namespace fhir_adapter::test
