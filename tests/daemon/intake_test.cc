// What the daemon takes, from whom, and how it says no. No FHIR server: nothing is sent.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;

class Intake : public testing::Test {
 protected:
  Intake() : daemon_(DaemonOptions{}) {}
  RunningDaemon daemon_;
};

TEST_F(Intake, NewRecord_Gets202AndTheSameAgain200WithTheFirstReceipt) {
  const HttpReply first = daemon_.Submit(Fixture("records/mg-1.json"));
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(AtPointer(first.body, "/accepted/0/recordId"), "MG-1");
  EXPECT_EQ(AtPointer(first.body, "/accepted/0/revision"), "1");
  const HttpReply again = daemon_.Submit(Fixture("records/mg-1.json"));
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(AtPointer(again.body, "/accepted/0/receipt"), AtPointer(first.body, "/accepted/0/receipt"));
}

TEST_F(Intake, OtherWhiteSpaceAndOrder_AreTheSameRecordAndOtherDigitsAreNot) {
  const std::string record =
      R"({"recordId":"A","revision":1,"site":"pain-clinic","status":"not-done","recorded":"2024-01-02T10:00:00Z",)"
      R"("patient":{"mrn":"1","weightKg":70},"performed":{"start":"2024-01-02"},"procedure":{"kind":"intrathecal-injection"}})";
  ASSERT_EQ(daemon_.Submit(record).status, 202);
  std::string moved =
      Replaced(record, R"("recordId":"A","revision":1,)", R"(  "revision" : 1, "recordId":"A",)");
  EXPECT_EQ(daemon_.Submit(moved).status, 200);
  EXPECT_EQ(daemon_.Submit(Replaced(record, ":70}", ":70.0}")).status, 409);
}

TEST_F(Intake, Unusable_IsAProblemWithPointerAndPosition) {
  const HttpReply missing = daemon_.Submit(R"({"recordId":"A","revision":1})");
  EXPECT_EQ(missing.status, 422) << missing.body;
  EXPECT_EQ(missing.Header("Content-Type"), "application/problem+json");
  EXPECT_NE(missing.body.find("\"code\":\"missing\",\"pointer\":\"/site\""), std::string::npos)
      << missing.body;
  const HttpReply broken = daemon_.Submit("{\"recordId\":\n  oops}");
  EXPECT_EQ(broken.status, 400) << broken.body;
  EXPECT_EQ(AtPointer(broken.body, "/rejected/0/reasons/0/code"), "json-syntax");
  EXPECT_EQ(AtPointer(broken.body, "/rejected/0/reasons/0/line"), "2");
  EXPECT_EQ(daemon_.Submit("").status, 400);
}

TEST_F(Intake, AnotherSite_IsRefused) {
  const HttpReply reply =
      daemon_.Submit(Replaced(Fixture("records/mg-1.json"), "\"pain-clinic\"", "\"elsewhere\""));
  EXPECT_EQ(reply.status, 422) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/reasons/0/code"), "wrong-site");
}

TEST_F(Intake, ArrayWithAGoodAndABadRecord_TakesTheGoodOne) {
  const HttpReply reply = daemon_.Submit("[" + Fixture("records/mg-1.json") + ",{\"recordId\":\"B\"}]");
  EXPECT_EQ(reply.status, 202) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/accepted/0/recordId"), "MG-1");
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/recordId"), "null");
  EXPECT_NE(reply.body.find("\"pointer\":\"/1/site\""), std::string::npos) << reply.body;
}

TEST_F(Intake, OtherContentType_Is415) {
  EXPECT_EQ(daemon_.Submit("a;b", "text/csv").status, 415);
}

TEST_F(Intake, Record_IsMappedAndShownWithItsState) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  EXPECT_EQ(daemon_.client().Get("/records/pain-clinic/unknown").status, 404);
}

TEST_F(Intake, ValueOutOfScale_IsAcceptedAndQuarantinedWithItsPointer) {
  const std::string record =
      Replaced(Fixture("records/mg-1.json"), "\"value\": 7, \"comparator\": \">\"", "\"value\": 11");
  ASSERT_EQ(daemon_.Submit(record).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"quarantined"}), "quarantined");
  const HttpReply state = daemon_.client().Get("/records/pain-clinic/MG-1");
  EXPECT_EQ(AtPointer(state.body, "/revisions/0/reasons/0/code"), "value-out-of-scale") << state.body;
  EXPECT_EQ(AtPointer(state.body, "/revisions/0/reasons/0/pointer"), "/pain/0/value");
}

TEST_F(Intake, Restart_KeepsWhatWasAcknowledged) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  daemon_.Kill();
  daemon_.Start();
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  EXPECT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 200);
}

TEST_F(Intake, SecondDaemonOnTheSameStore_EndsWithStatus3) {
  const ProcessResult second = daemon_.Command({"serve"});
  EXPECT_EQ(second.exit_code, 3) << second.standard_error;
}

TEST_F(Intake, Terminate_EndsWithStatus0) {
  EXPECT_EQ(daemon_.Stop(), 0);
}

TEST_F(Intake, HealthAndMetrics_AreThere) {
  EXPECT_EQ(daemon_.client().Get("/health/live").status, 200);
  EXPECT_EQ(daemon_.client().Get("/health/ready").status, 200);
  const HttpReply metrics = daemon_.client().Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(metrics.body.ends_with("# EOF\n"));
  EXPECT_NE(metrics.body.find("fhir_adapter_ready 1\n"), std::string::npos);
}

TEST_F(Intake, ClinicalValues_ReachNeitherLogsNorMetricsNorErrors) {
  // A value that can be told from everything else stands in each free text and number of the record.
  std::string record = Replaced(Fixture("records/mg-1.json"), "\"100001\"", "\"CANARY-MRN\"");
  record = Replaced(record, "\"Clinic Physician 1\"", "\"CANARY-NAME\"");
  record = Replaced(record, "\"value\": 50, \"unit\": \"mg\"", "\"value\": 50.917263, \"unit\": \"mg\"");
  record = Replaced(record, "\"lower extremities\"", "\"CANARY-REGION\"");
  ASSERT_EQ(daemon_.Submit(record).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  const HttpReply refused =
      daemon_.Submit(Replaced(record, "\"revision\": 1", "\"revision\": \"CANARY-TYPE\""));
  EXPECT_EQ(refused.status, 422);
  const std::string metrics = daemon_.client().Get("/metrics").body;
  daemon_.Stop();
  for (const std::string& text :
       {daemon_.process().StandardError(), daemon_.process().StandardOutput(), metrics, refused.body}) {
    EXPECT_EQ(text.find("CANARY"), std::string::npos) << text;
    EXPECT_EQ(text.find("917263"), std::string::npos) << text;
  }
}

class DirectoryIntake : public testing::Test {
 protected:
  DirectoryIntake() : daemon_(Options()) {}

  DaemonOptions Options() {
    DaemonOptions options;
    options.more_configuration =
        "[[source]]\nname = \"export\"\nkind = \"directory\"\npath = \"" + Inbox() + "\"\n";
    return options;
  }
  std::string Inbox() const { return folder_.File("inbox"); }
  // As an exporter does it: written beside the folder, then moved in.
  void MoveIn(const std::string& name, const std::string& content) {
    folder_.Write(name, content);
    fs::rename(folder_.File(name), fs::path(Inbox()) / name);
  }
  void WaitForLog(const std::string& text) { EXPECT_TRUE(daemon_.process().WaitForLine(text)) << text; }

  TemporaryDirectory folder_;
  RunningDaemon daemon_;
};

TEST_F(DirectoryIntake, GoodFile_IsTakenAndMovedToDone) {
  MoveIn("mg-1.json", Fixture("records/mg-1.json"));
  WaitForLog("directory-file-done");
  EXPECT_TRUE(fs::exists(Inbox() + "/done/mg-1.json"));
  EXPECT_FALSE(fs::exists(Inbox() + "/mg-1.json"));
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
}

TEST_F(DirectoryIntake, FileWithAGoodAndABadRecord_CommitsTheGoodOneAndReportsTheOther) {
  MoveIn("two.json", "[" + Fixture("records/mg-1.json") + ",{\"recordId\":\"B\",\"revision\":1}]");
  WaitForLog("directory-file-rejected");
  EXPECT_TRUE(fs::exists(Inbox() + "/rejected/two.json"));
  const std::string report = ReadFile(Inbox() + "/rejected/two.json.report.json");
  EXPECT_EQ(AtPointer(report, "/records"), "2");
  EXPECT_EQ(AtPointer(report, "/refused"), "1");
  EXPECT_NE(report.find("\"pointer\": \"/1/site\""), std::string::npos) << report;
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
}

TEST_F(DirectoryIntake, FileThatIsStillOpen_IsLeftAlone) {
  std::ofstream open_file(Inbox() + "/slow.json", std::ios::binary);
  const std::string record = Fixture("records/mg-1.json");
  open_file << record.substr(0, record.size() / 2) << std::flush;
  MoveIn("mg-2.json", Fixture("records/mg-2.json"));
  WaitForLog("directory-file-done");  // of mg-2.json: the folder was looked at meanwhile
  EXPECT_TRUE(fs::exists(Inbox() + "/slow.json"));
  open_file << record.substr(record.size() / 2);
  open_file.close();
  WaitForLog("directory-file-done");
  EXPECT_TRUE(fs::exists(Inbox() + "/done/slow.json"));
}

TEST_F(DirectoryIntake, SameFileAgain_IsKnownAndKeptUnderAnotherName) {
  MoveIn("mg-1.json", Fixture("records/mg-1.json"));
  WaitForLog("directory-file-done");
  MoveIn("mg-1.json", Fixture("records/mg-1.json"));
  WaitForLog("directory-file-done");
  EXPECT_TRUE(fs::exists(Inbox() + "/done/mg-1.1.json"));
  const std::string listed = daemon_.Command({"--json", "queue", "list"}).standard_output;
  EXPECT_EQ(std::count(listed.begin(), listed.end(), '\n'), 1) << listed;
}

TEST_F(DirectoryIntake, OtherEnding_IsRejectedWithAReport) {
  MoveIn("letter.pdf", "%PDF");
  WaitForLog("directory-file-rejected");
  EXPECT_TRUE(fs::exists(Inbox() + "/rejected/letter.pdf.report.json"));
}

TEST_F(DirectoryIntake, SymbolicLink_IsNeverFollowed) {
  folder_.Write("secret.json", Fixture("records/mg-1.json"));
  fs::create_symlink(folder_.File("secret.json"), fs::path(Inbox()) / "link.json");
  WaitForLog("directory-entry-ignored");
  EXPECT_EQ(daemon_.StateOf("MG-1", 1), "");
}

TEST_F(DirectoryIntake, FileThatCameWhileNobodyRan_IsTakenAtStart) {
  daemon_.Kill();
  MoveIn("mg-1.json", Fixture("records/mg-1.json"));
  daemon_.Start();
  WaitForLog("directory-file-done");
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
}

}  // namespace
}  // namespace fhir_adapter::test
