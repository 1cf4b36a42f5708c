// Tables (CSV) as the daemon takes them: over HTTP, from a folder, by `submit`, with the bookkeeping of JSON
// records.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;

const std::string kPathsTable = "tables/mg-3-revision-2.csv";

class TableIntake : public testing::Test {
 protected:
  TableIntake() : daemon_(Options()) {}

  DaemonOptions Options() {
    DaemonOptions options;
    options.more_configuration =
        "[[source]]\nname = \"export\"\nkind = \"directory\"\ncolumns = \"clinic-export\"\npath = \"" +
        Inbox() + "\"\n";
    options.site_configuration = "time_zone = \"Asia/Tokyo\"\n";
    options.http_configuration = "columns = \"record-paths\"\n";
    return options;
  }
  std::string Inbox() const { return folder_.File("inbox"); }
  void MoveIn(const std::string& name, const std::string& content) {
    folder_.Write(name, content);
    fs::rename(folder_.File(name), fs::path(Inbox()) / name);
  }

  TemporaryDirectory folder_;
  RunningDaemon daemon_;
};

TEST_F(TableIntake, PostedTable_IsTheRecordThatItsJsonIs) {
  const HttpReply first = daemon_.Submit(Fixture(kPathsTable), "text/csv");
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(AtPointer(first.body, "/accepted/0/recordId"), "MG-3");
  EXPECT_EQ(daemon_.WaitForState("MG-3", 2, {"queued"}), "queued");
  EXPECT_EQ(daemon_.Submit(Fixture(kPathsTable), "text/csv; charset=utf-8").status, 200);
  const HttpReply json = daemon_.Submit(Fixture("records/mg-3-revision-2.json"));
  EXPECT_EQ(json.status, 200) << json.body;
  EXPECT_EQ(AtPointer(json.body, "/accepted/0/receipt"), AtPointer(first.body, "/accepted/0/receipt"));
  EXPECT_EQ(daemon_.Submit(Replaced(Fixture(kPathsTable), ",500,mg,", ",50,mg,"), "text/csv").status, 409);
}

TEST_F(TableIntake, WrongCell_IsAProblemWithRowAndColumn) {
  const HttpReply reply =
      daemon_.Submit(Replaced(Fixture(kPathsTable), ",500,mg,", ",\"500,0\",mg,"), "text/csv");
  EXPECT_EQ(reply.status, 422) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/recordId"), "MG-3");
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/reasons/0/code"), "type");
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/reasons/0/pointer"), "/administrations/0/dose/value");
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/reasons/0/line"), "2");
  EXPECT_EQ(AtPointer(reply.body, "/rejected/0/reasons/0/column"), "32");
}

TEST_F(TableIntake, RequestsThatCannotBeRead_AreRefused) {
  EXPECT_EQ(daemon_.Submit(Fixture(kPathsTable), "text/csv; charset=utf-16").status, 415);
  EXPECT_EQ(daemon_.Submit(Fixture(kPathsTable), "text/csv; header=absent").status, 415);
  const HttpReply broken = daemon_.Submit("site,recordId,revision\na,\"R,1\n", "text/csv");
  EXPECT_EQ(broken.status, 400) << broken.body;
  EXPECT_EQ(AtPointer(broken.body, "/rejected/0/reasons/0/code"), "csv-syntax");
  EXPECT_EQ(daemon_.Submit("site,recordId,revision\n", "text/csv").status, 400);
}

TEST_F(TableIntake, ExportInTheFolder_IsTakenOnce) {
  MoveIn("mg.csv", Fixture("tables/mg-export.csv"));
  EXPECT_TRUE(daemon_.process().WaitForLine("directory-file-done"));
  EXPECT_TRUE(fs::exists(Inbox() + "/done/mg.csv"));
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  EXPECT_EQ(daemon_.WaitForState("MG-3", 1, {"queued"}), "queued");
  MoveIn("mg.csv", Fixture("tables/mg-export.csv"));
  EXPECT_TRUE(daemon_.process().WaitForLine("directory-file-done"));
  const std::string listed = daemon_.Command({"--json", "queue", "list"}).standard_output;
  EXPECT_EQ(std::count(listed.begin(), listed.end(), '\n'), 3) << listed;
  EXPECT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 200);
}

TEST_F(TableIntake, ExportWithABadRow_CommitsTheOthersAndReportsItsRow) {
  MoveIn("mg.csv", Replaced(Fixture("tables/mg-export.csv"), "\nMG-2;1;completed;", "\nMG-2;1;fertig;"));
  EXPECT_TRUE(daemon_.process().WaitForLine("directory-file-rejected"));
  const std::string report = ReadFile(Inbox() + "/rejected/mg.csv.report.json");
  EXPECT_EQ(AtPointer(report, "/records"), "3");
  EXPECT_EQ(AtPointer(report, "/refused"), "1");
  EXPECT_EQ(AtPointer(report, "/reasons/0/recordId"), "MG-2");
  EXPECT_EQ(AtPointer(report, "/reasons/0/line"), "3");
  EXPECT_EQ(AtPointer(report, "/reasons/0/column"), "3");
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
}

TEST_F(TableIntake, ExportOfNothingNew_IsDone) {
  const std::string table = Fixture("tables/mg-export.csv");
  MoveIn("empty.csv", table.substr(0, table.find('\n') + 1));
  EXPECT_TRUE(daemon_.process().WaitForLine("directory-file-done"));
  EXPECT_TRUE(fs::exists(Inbox() + "/done/empty.csv"));
}

// 2:30 on 26 October 2014 came twice in Berlin.
TEST(TableSource, TimeThatCameTwice_IsQuarantinedWithItsPointer) {
  DaemonOptions options;
  options.site_configuration = "time_zone = \"Europe/Berlin\"\n";
  options.http_configuration = "columns = \"record-paths\"\n";
  RunningDaemon daemon(options);
  const std::string table = Replaced(Fixture(kPathsTable), "2014-05-06T16:30:00+09:00", "2014-10-26 02:30");
  ASSERT_EQ(daemon.Submit(table, "text/csv").status, 202);
  ASSERT_EQ(daemon.WaitForState("MG-3", 2, {"quarantined"}), "quarantined");
  const HttpReply state = daemon.client().Get("/records/pain-clinic/MG-3");
  EXPECT_EQ(AtPointer(state.body, "/revisions/0/reasons/0/code"), "time-ambiguous") << state.body;
  EXPECT_EQ(AtPointer(state.body, "/revisions/0/reasons/0/pointer"), "/administrations/3/at");
}

TEST_F(TableIntake, Submit_SendsTablesAndCounts) {
  const ProcessResult sent = daemon_.Command(
      {"submit", "--to", daemon_.url(), std::string(FHIR_ADAPTER_SOURCE_DIR) + "/fixtures/" + kPathsTable});
  EXPECT_EQ(sent.exit_code, 0) << sent.standard_error;
  EXPECT_EQ(sent.standard_output, "1 accepted, 0 known before, 0 rejected\n");
}

TEST(TableSource, WithoutColumns_RefusesTables) {
  RunningDaemon daemon(DaemonOptions{});
  EXPECT_EQ(daemon.Submit(Fixture(kPathsTable), "text/csv").status, 415);
}

TEST(TableSource, WithoutTimeZone_DoesNotStart) {
  TemporaryDirectory folder;
  folder.Write("c.toml",
               "[store]\nurl = \"sqlite:" + folder.File("a.db") + "\"\n[http]\ncolumns = \"record-paths\"\n");
  for (const char* command : {"serve", "check"}) {
    const ProcessResult result = RunAdapter({"--config", folder.File("c.toml"), command});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE((result.standard_error + result.standard_output).find("need [site] time_zone"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace fhir_adapter::test
