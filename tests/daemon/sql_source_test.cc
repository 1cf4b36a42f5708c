// Databases as a source: a real SQLite file and a real PostgreSQL server, read by the daemon, each with its
// own library, and PostgreSQL through its ODBC driver too.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <signal.h>
#include <string>

#include "running_adapter.h"
#include "support/postgres_server.h"

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string RunSqlite(const std::string& file, const std::string& statements) {
  ProcessOptions options;
  options.arguments = {"sqlite3", "-bail", file};
  options.input = statements;
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  return result.standard_output.substr(0, result.standard_output.find_last_not_of('\n') + 1);
}

constexpr const char* kQuery =
    "SELECT id AS \"recordId\", revision, 'pain-clinic' AS site, 'completed' AS status, "
    "'2014-05-07T09:00:00+09:00' AS recorded, '200002' AS \"patient.mrn\", given AS \"performed.start\", "
    "'intrathecal-injection' AS \"procedure.kind\", seq AS \"administrations.seq\", "
    "'therapeutic' AS \"administrations.purpose\", 'midazolam' AS \"administrations.drug\", "
    "dose AS \"administrations.dose.value\", 'mg' AS \"administrations.dose.unit\", changed FROM injections";

class SqlIntake : public testing::TestWithParam<const char*> {
 protected:
  SqlIntake() {
    if (!is_sqlite()) server_ = std::make_unique<PostgresServer>();
    Run(std::string("CREATE TABLE injections (id text, revision integer, given ") +
        (is_sqlite() ? "text" : "timestamp") + ", seq integer, dose " +
        (is_sqlite() ? "text" : "varchar(20)") + ", changed integer);");
  }

  bool is_sqlite() const { return std::string(GetParam()) == "sqlite"; }
  bool is_odbc() const { return std::string(GetParam()).starts_with("odbc"); }
  std::string Url() const {
    if (is_odbc()) return server_->OdbcUrl();
    return is_sqlite() ? "sqlite:" + File() : server_->Url();
  }
  std::string File() const { return folder_.File("clinic.db"); }
  void Run(const std::string& statements) const {
    if (is_sqlite()) {
      RunSqlite(File(), statements);
    } else {
      server_->Run(statements);
    }
  }
  void Insert(const std::string& id, const std::string& changed, const std::string& dose = "1.10",
              const std::string& seq = "1") const {
    Run("INSERT INTO injections VALUES ('" + id + "', 1, '2014-05-06 10:00:00', " + seq + ", '" + dose +
        "', " + changed + ");");
  }

  DaemonOptions Options(const std::string& more = {}) const {
    DaemonOptions options;
    options.site_configuration = "time_zone = \"Asia/Tokyo\"\n";
    options.more_configuration = "[[source]]\nname = \"clinic-db\"\nkind = \"sql\"\nurl = \"" + Url() +
                                 "\"\nquery = '''" + kQuery +
                                 "'''\nhigh_water_column = \"changed\"\noverlap = 10\npoll_s = 1\n"
                                 "columns = \"record-paths\"\n" +
                                 more;
    return options;
  }
  static std::string Store(const RunningDaemon& daemon, const std::string& query) {
    return RunSqlite(daemon.state_directory() + "/adapter.db", query);
  }
  // Waits until the query has been read so many more times.
  static void WaitForReadings(RunningDaemon& daemon, int readings) {
    for (int i = 0; i < readings; ++i) {
      const std::string before = Rows(daemon);
      while (Rows(daemon) == before) {
      }
    }
  }
  static std::string Rows(RunningDaemon& daemon) {
    const std::string name = "\nfhir_adapter_sql_source_rows_total{source=\"clinic-db\"} ";
    const std::string page = daemon.client().Get("/metrics").body;
    const std::size_t at = page.find(name);
    return at == std::string::npos
               ? ""
               : page.substr(at + name.size(), page.find('\n', at + 1) - at - name.size());
  }

  TemporaryDirectory folder_;
  std::unique_ptr<PostgresServer> server_;
};

TEST_P(SqlIntake, RecordsOfAQuery_AreDeliveredWithTheirDigitsAndLocalTimes) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("200002");
  Insert("SQL-1", "100", "1.10", "1");
  Insert("SQL-1", "100", "0.50", "2");
  DaemonOptions options = Options();
  options.endpoint = sandbox.url();
  RunningDaemon daemon(options);
  ASSERT_EQ(daemon.WaitForState("SQL-1", 1, {"delivered"}), "delivered");
  const std::string first = sandbox.One("MedicationAdministration?identifier=pain-clinic.SQL-1.1");
  EXPECT_THAT(first, HasSubstr("\"value\":1.10,"));
  EXPECT_THAT(first, HasSubstr("2014-05-06T10:00:00+09:00"));
  EXPECT_THAT(sandbox.One("MedicationAdministration?identifier=pain-clinic.SQL-1.2"),
              HasSubstr("\"value\":0.50,"));
  Insert("SQL-2", "95");
  EXPECT_EQ(daemon.WaitForState("SQL-2", 1, {"delivered"}), "delivered") << "committed late, in the overlap";
}

TEST_P(SqlIntake, NothingNew_WritesNothing) {
  Insert("SQL-1", "100");
  RunningDaemon daemon(Options());
  ASSERT_EQ(daemon.WaitForState("SQL-1", 1, {"queued"}), "queued");
  WaitForReadings(daemon, 1);
  const std::string entries = Store(daemon, "SELECT count(*) FROM audit_entry");
  const std::string moved = Store(daemon, "SELECT mark, moved_us FROM source_mark");
  WaitForReadings(daemon, 2);
  EXPECT_EQ(Store(daemon, "SELECT count(*) FROM audit_entry"), entries);
  EXPECT_EQ(Store(daemon, "SELECT mark, moved_us FROM source_mark"), moved);
}

TEST_P(SqlIntake, BadRows_AreRejectedOnceWithRowAndColumn) {
  Run("INSERT INTO injections VALUES (NULL, 1, '2014-05-06 10:00:00', 1, '1', 100);");
  Insert("SQL-1", "100", "abc");
  Insert("SQL-2", "100");
  RunningDaemon daemon(Options());
  ASSERT_EQ(daemon.WaitForState("SQL-2", 1, {"queued"}), "queued");
  WaitForReadings(daemon, 2);
  const std::string issues = Store(
      daemon, "SELECT i.code, i.column_number, i.pointer, i.line > 0 FROM inbox_issue i ORDER BY i.code");
  EXPECT_EQ(issues, "csv-rows|1|/recordId|1\ntype|12|/administrations/0/dose/value|1");
  EXPECT_EQ(Store(daemon, "SELECT count(*) FROM inbox WHERE disposition = 'rejected'"), "2");
}

// Records, what was seen of them, and the mark stand in one transaction: wherever the process dies, each
// record is taken once, and none comes as a duplicate.
TEST_P(SqlIntake, KilledAnywhere_TakesEachRecordOnce) {
  std::string statements;
  constexpr int kRecords = 100;  // stored by four pieces of work
  for (int i = 1; i <= kRecords; ++i) {
    statements += "INSERT INTO injections VALUES ('K-" + std::to_string(i) +
                  "', 1, '2014-05-06 10:00:00', 1, '1', " + std::to_string(i) + ");";
  }
  Run(statements);
  for (const char* fault :
       {"raw-inserted@40", "before-commit@3", "after-commit@4", "before-acknowledgement@2"}) {
    const TemporaryDirectory state;
    DaemonOptions options = Options();
    options.state_directory = state.path().string();
    options.environment = {{"FHIR_ADAPTER_FAULT", fault}};
    options.may_die_at_start = true;
    RunningDaemon dying(options);
    EXPECT_EQ(dying.process().Wait(), 128 + SIGKILL) << fault;
    options.environment.clear();
    RunningDaemon daemon(options);
    EXPECT_EQ(daemon.WaitForState("K-100", 1, {"queued"}), "queued") << fault;
    EXPECT_EQ(Store(daemon, "SELECT count(*), count(DISTINCT record_id) FROM inbox"), "100|100") << fault;
    EXPECT_EQ(Store(daemon,
                    "SELECT count(*) FROM audit_entry WHERE CAST(bytes AS TEXT) LIKE "
                    "'%\"event\":\"duplicate\"%'"),
              "0")
        << fault;
    EXPECT_EQ(Store(daemon, "SELECT mark FROM source_mark"), "100") << fault;
  }
}

TEST_P(SqlIntake, OtherQuery_IsReadFromItsBeginning) {
  Insert("SQL-1", "100");
  const TemporaryDirectory state;
  DaemonOptions options = Options();
  options.state_directory = state.path().string();
  options.more_configuration =
      Replaced(options.more_configuration, "FROM injections", "FROM injections WHERE changed > 50");
  {
    RunningDaemon daemon(options);
    ASSERT_EQ(daemon.WaitForState("SQL-1", 1, {"queued"}), "queued");
    Insert("OLD-1", "7");
    WaitForReadings(daemon, 1);
    EXPECT_EQ(daemon.StateOf("OLD-1", 1), "");
    EXPECT_EQ(daemon.Stop(), 0);
  }
  options.more_configuration = Replaced(options.more_configuration, " WHERE changed > 50", "");
  RunningDaemon daemon(options);
  EXPECT_EQ(daemon.WaitForState("OLD-1", 1, {"queued"}), "queued");
  EXPECT_EQ(Store(daemon, "SELECT count(*) FROM inbox"), "2");
}

TEST_P(SqlIntake, FullQueue_PausesTheSourceUntilItHasDrained) {
  RunningSandbox sandbox;
  Insert("SQL-1", "100");
  DaemonOptions options = Options("[limits]\nhigh_water = 1\n");
  options.endpoint = sandbox.url();
  RunningDaemon daemon(options);
  ASSERT_EQ(daemon.WaitForState("SQL-1", 1, {"held"}), "held");
  Insert("SQL-2", "101");
  ASSERT_TRUE(
      daemon.process().WaitForLine("\"sql-source-waits\",\"source\":\"clinic-db\",\"code\":\"high-water\""));
  sandbox.RegisterPatient("200002");
  EXPECT_EQ(daemon.WaitForState("SQL-2", 1, {"delivered"}), "delivered");
  EXPECT_TRUE(daemon.process().WaitForLine("\"sql-source-resumes\""));
}

TEST_P(SqlIntake, DatabaseThatGoesAway_IsOneAlertAndIsReadAgain) {
  Insert("SQL-1", "100");
  RunningDaemon daemon(Options());
  ASSERT_EQ(daemon.WaitForState("SQL-1", 1, {"queued"}), "queued");
  if (is_sqlite()) {
    fs::rename(File(), folder_.File("aside.db"));
  } else {
    server_->Stop();
  }
  ASSERT_TRUE(daemon.process().WaitForLine(
      "\"sql-source-trouble\",\"source\":\"clinic-db\",\"code\":\"unreachable\""));
  ASSERT_TRUE(daemon.process().WaitForLine("\"event\":\"alert-started\",\"code\":\"source\""));
  const ProcessResult check = daemon.Command({"check", "--connect"});
  EXPECT_EQ(check.exit_code, 4) << check.standard_output;
  EXPECT_THAT(check.standard_output, HasSubstr("source clinic-db: failed: unreachable"));
  if (is_sqlite()) {
    fs::rename(folder_.File("aside.db"), File());
  } else {
    server_->Start();
  }
  ASSERT_TRUE(daemon.process().WaitForLine("\"sql-source-recovered\""));
  ASSERT_TRUE(daemon.process().WaitForLine("\"event\":\"alert-ended\",\"code\":\"source\""));
  Insert("SQL-2", "101");
  EXPECT_EQ(daemon.WaitForState("SQL-2", 1, {"queued"}), "queued");
  const std::string log = daemon.process().StandardError();
  EXPECT_EQ(log.find("\"sql-source-trouble\""), log.rfind("\"sql-source-trouble\"")) << "one line";
  const ProcessResult good = daemon.Command({"check", "--connect"});
  EXPECT_EQ(good.exit_code, 0) << good.standard_output;
  EXPECT_THAT(good.standard_output, HasSubstr("source clinic-db: ok: "));
}

// Not SQLite through ODBC: its driver takes the part of a column's name before a dot for a table and leaves
// it out.
INSTANTIATE_TEST_SUITE_P(Databases, SqlIntake, testing::Values("sqlite", "postgresql", "odbc_postgresql"),
                         [](const auto& engine) { return engine.param; });

}  // namespace
}  // namespace fhir_adapter::test
