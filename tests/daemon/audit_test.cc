// The audit log as hospital IT and an auditor meet it: signed while the daemon runs, compared at its start.
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

class AuditedDaemon : public testing::Test {
 protected:
  std::string Store() { return daemon_.state_directory() + "/adapter.db"; }
  void Sql(const std::string& sql) {
    ProcessOptions options;
    options.arguments = {"sqlite3", Store(), sql};
    const ProcessResult result = RunProcess(options);
    ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  }
  ProcessResult Verify() { return daemon_.Command({"--json", "audit", "verify"}); }
  // What `serve` does with the files as they are, which must be to refuse them.
  ProcessResult Serve() { return RunAdapter({"--config", daemon_.configuration_file(), "serve"}); }

  RunningDaemon daemon_{DaemonOptions{}};
};

TEST_F(AuditedDaemon, AfterItsStop_HasSignedEverything) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  ASSERT_EQ(daemon_.Stop(), 0);
  const ProcessResult result = Verify();
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(AtPointer(result.standard_output, "/verdict"), "good");
  EXPECT_EQ(AtPointer(result.standard_output, "/entries"), AtPointer(result.standard_output, "/covered"));
  EXPECT_TRUE(std::filesystem::exists(Store() + ".checkpoints"));
  EXPECT_TRUE(std::filesystem::exists(Store() + ".vkey"));
}

TEST_F(AuditedDaemon, ThatIsKilled_StartsAgainAndVerifies) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  daemon_.Kill();
  daemon_.Start();
  ASSERT_EQ(daemon_.Stop(), 0);
  EXPECT_EQ(Verify().exit_code, 0);
}

TEST_F(AuditedDaemon, WithAnEditedEntry_RefusesToStartAndNamesIt) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  ASSERT_EQ(daemon_.Stop(), 0);
  // Entries 1 and 2 are of the start: started, configuration-changed.
  Sql("DROP TRIGGER audit_entry_is_never_changed; UPDATE audit_entry SET bytes = "
      "CAST(replace(CAST(bytes AS TEXT), 'received', 'rejected') AS BLOB) WHERE seq = 3;");
  const ProcessResult verified = Verify();
  EXPECT_EQ(verified.exit_code, 5);
  EXPECT_EQ(AtPointer(verified.standard_output, "/firstBad"), "3");
  const ProcessResult refused = Serve();
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_NE(refused.standard_error.find("entry 3 is not what was signed"), std::string::npos)
      << refused.standard_error;
}

TEST_F(AuditedDaemon, WithAnOlderStoreInPlace_RefusesToStartUntilItIsRestored) {
  const std::string copy = daemon_.folder().File("copy.db");
  ASSERT_EQ(daemon_.Command({"backup", copy}).exit_code, 0);
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"queued"}), "queued");
  ASSERT_EQ(daemon_.Stop(), 0);
  std::filesystem::copy_file(copy, Store(), std::filesystem::copy_options::overwrite_existing);
  const ProcessResult refused = Serve();
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_NE(refused.standard_error.find("fhir-adapter restore"), std::string::npos) << refused.standard_error;
  ASSERT_EQ(daemon_.Command({"restore", copy}).exit_code, 0);
  daemon_.Start();
  ASSERT_EQ(daemon_.Stop(), 0);
  EXPECT_EQ(Verify().exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(Store() + ".checkpoints.before-restore"));
}

TEST_F(AuditedDaemon, WithoutItsSigningKey_RefusesToStart) {
  ASSERT_EQ(daemon_.Stop(), 0);
  std::filesystem::rename(Store() + ".audit-key", Store() + ".aside");
  const ProcessResult refused = Serve();
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_NE(refused.standard_error.find("signing key"), std::string::npos) << refused.standard_error;
  std::filesystem::rename(Store() + ".aside", Store() + ".audit-key");
  daemon_.Start();
  EXPECT_EQ(daemon_.Stop(), 0);
}

TEST_F(AuditedDaemon, WithAChangedRow_IsFoundByVerify) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-3-revision-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-3", 1, {"queued"}), "queued");
  ASSERT_EQ(daemon_.Stop(), 0);
  EXPECT_EQ(Verify().exit_code, 0);
  // 50 mg become 500 mg in the stored record, and the log does not agree.
  Sql("UPDATE inbox_raw SET bytes = CAST(replace(CAST(bytes AS TEXT), '50', '500') AS BLOB);");
  const ProcessResult result = Verify();
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_NE(result.standard_error.find("MG-3"), std::string::npos) << result.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
