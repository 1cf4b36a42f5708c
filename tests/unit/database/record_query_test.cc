// What is new in the result of a query, on real databases: an SQLite file and a PostgreSQL server, each with
// its own library and through its ODBC driver.
#include "database/record_query.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "support/postgres_server.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::database {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string Url() const = 0;
  virtual void Run(const std::string& statements) = 0;
};

class SqliteEngine final : public Engine {
 public:
  SqliteEngine() { Run("PRAGMA user_version = 1"); }
  std::string Url() const override { return "sqlite:" + folder_.File("clinic.db"); }
  void Run(const std::string& statements) override {
    test::ProcessOptions options;
    options.arguments = {"sqlite3", "-bail", folder_.File("clinic.db")};
    options.input = statements;
    const auto result = test::RunProcess(options);
    ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  }

 private:
  test::TemporaryDirectory folder_;
};

class OdbcSqliteEngine final : public Engine {
 public:
  std::string Url() const override {
    return "odbc:Driver=SQLite3;Database=" + engine_.Url().substr(std::string("sqlite:").size());
  }
  void Run(const std::string& statements) override { engine_.Run(statements); }

 private:
  SqliteEngine engine_;
};

class PostgresEngine final : public Engine {
 public:
  explicit PostgresEngine(bool is_odbc = false) : is_odbc_(is_odbc) {}
  std::string Url() const override { return is_odbc_ ? server_.OdbcUrl() : server_.Url(); }
  void Run(const std::string& statements) override { server_.Run(statements); }

 private:
  const bool is_odbc_;
  test::PostgresServer server_;
};

class RecordQueries : public testing::TestWithParam<const char*> {
 protected:
  RecordQueries() {
    const std::string name = GetParam();
    if (name == "sqlite") engine_ = std::make_unique<SqliteEngine>();
    if (name == "odbc_sqlite") engine_ = std::make_unique<OdbcSqliteEngine>();
    if (engine_ == nullptr) engine_ = std::make_unique<PostgresEngine>(name == "odbc_postgresql");
  }
  static bool is_sqlite() { return std::string(GetParam()).ends_with("sqlite"); }

  // id, revision, seq, dose, changed
  void Create() {
    engine_->Run(
        "CREATE TABLE injections (\"recordId\" text, revision integer, seq integer, dose numeric(9,2),"
        " changed integer);");
  }
  void Insert(const std::string& rows) { engine_->Run("INSERT INTO injections VALUES " + rows + ";"); }

  Result<Portion> Next(const std::optional<Cell>& mark, std::int64_t overlap = 0,
                       const std::string& query = "SELECT * FROM injections;") {
    ADAPTER_TRY(const auto database, OpenDatabase({engine_->Url(), "", "Asia/Tokyo"}));
    RecordQuery reading(*database, {query, "changed", overlap});
    ADAPTER_CHECK(reading.Columns());
    return reading.Next(mark, {"recordId", "revision"});
  }
  // "id/revision/seq" of each row.
  static std::vector<std::string> Rows(const Result<Portion>& portion) {
    std::vector<std::string> rows;
    if (!portion) return {ToString(portion.error())};
    for (const auto& row : portion->table.rows) {
      rows.push_back(row[0].text + "/" + row[1].text + "/" + row[2].text);
    }
    return rows;
  }

  std::unique_ptr<Engine> engine_;
};

TEST_P(RecordQueries, NoRows_GiveNoMark) {
  Create();
  const auto portion = Next(std::nullopt);
  ASSERT_TRUE(portion) << ToString(portion.error());
  EXPECT_FALSE(portion->mark);
  EXPECT_TRUE(portion->is_last);
  EXPECT_THAT(Rows(portion), IsEmpty());
}

TEST_P(RecordQueries, RowsAfterTheMark_AreNew) {
  Create();
  Insert("('A',1,1,1.5,10), ('B',1,1,2.50,20), ('N',1,1,1,NULL)");
  const auto first = Next(std::nullopt);
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_EQ(first->mark->text, "20");
  EXPECT_THAT(Rows(first), UnorderedElementsAre("A/1/1", "B/1/1"));
  Insert("('C',1,1,3,30), ('B',2,1,3,30)");
  const auto second = Next(first->mark);
  ASSERT_TRUE(second) << ToString(second.error());
  EXPECT_EQ(second->mark->text, "30");
  EXPECT_THAT(Rows(second), UnorderedElementsAre("B/1/1", "B/2/1", "C/1/1"))
      << "and those of the mark itself";
}

TEST_P(RecordQueries, RowsThatWereCommittedLate_AreSeenInTheOverlap) {
  Create();
  Insert("('A',1,1,1,100)");
  const auto first = Next(std::nullopt);
  ASSERT_TRUE(first);
  Insert("('B',1,1,1,95), ('C',1,1,1,89)");
  const auto second = Next(first->mark, 10);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->mark->text, "100");
  EXPECT_THAT(Rows(second), UnorderedElementsAre("A/1/1", "B/1/1"));
}

TEST_P(RecordQueries, RecordWithRowsBeforeTheOverlap_ComesWhole) {
  Create();
  Insert("('A',1,1,1,1), ('A',1,2,1,NULL), ('A',1,3,1,100), ('B',1,1,1,2)");
  const auto portion = Next(Cell{CellKind::kInteger, "50"});
  EXPECT_THAT(Rows(portion), UnorderedElementsAre("A/1/1", "A/1/2", "A/1/3"));
}

TEST_P(RecordQueries, RowWithoutKey_IsStillGiven) {
  Create();
  Insert("(NULL,1,1,1,10)");
  EXPECT_THAT(Rows(Next(std::nullopt)), ElementsAre("/1/1"));
}

TEST_P(RecordQueries, Digits_AreThoseOfTheDatabase) {
  Create();
  engine_->Run(
      "CREATE TABLE texts (\"recordId\" text, revision integer, seq bigint, dose text, changed integer);"
      "INSERT INTO texts VALUES ('A', 1, 9007199254740993, '1.10', 5)");
  const auto portion = Next(std::nullopt, 0, "SELECT * FROM texts -- all of them");
  ASSERT_TRUE(portion) << ToString(portion.error());
  EXPECT_EQ(portion->table.rows[0][2].text, "9007199254740993") << "which no double holds";
  EXPECT_EQ(portion->table.rows[0][3].text, "1.10");
}

TEST_P(RecordQueries, MoreThanFits_ComesInPortionsThatMissNothing) {
  Create();
  const auto total = static_cast<int>(limits::kSqlNewRowsMax) + 1;
  engine_->Run(
      "INSERT INTO injections WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(total) + ") SELECT 'R' || i, 1, 1, 1, i FROM n");
  const auto first = Next(std::nullopt);
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_FALSE(first->is_last);
  EXPECT_EQ(first->table.rows.size(), limits::kSqlNewRowsMax);
  const auto second = Next(first->mark);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->is_last);
  EXPECT_EQ(Rows(second).size(), 2U) << "the mark's own and the one behind it";
}

TEST_P(RecordQueries, PortionOfTooManyBytes_IsMadeSmaller) {
  Create();
  const std::string half = std::to_string(limits::kSqlBytesMax / 2);
  const std::string wide = is_sqlite() ? "printf('%." + half + "c', 'x')" : "repeat('x', " + half + ")";
  const auto insert = [&](const std::string& id, const std::string& changed) {
    engine_->Run("INSERT INTO injections SELECT '" + id + "' || " + wide + ", 1, 1, 1, " + changed);
  };
  insert("A", "1");
  insert("B", "2");
  const auto first = Next(std::nullopt);
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_EQ(first->table.rows.size(), 1U);
  EXPECT_FALSE(first->is_last);
  insert("C", "1");
  EXPECT_EQ(Next(std::nullopt).error().code, Code::kLimit) << "both have the same mark";
}

TEST_P(RecordQueries, RowsOfOneMark_AreLimited) {
  Create();
  const auto insert = [&](std::size_t count) {
    engine_->Run(
        "INSERT INTO injections WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(count) + ") SELECT 'R', 1, 1, 1, 7 FROM n");
  };
  insert(limits::kSqlRowsMax);
  EXPECT_EQ(Rows(Next(std::nullopt)).size(), limits::kSqlRowsMax);
  insert(1);
  const auto portion = Next(std::nullopt);
  ASSERT_FALSE(portion);
  EXPECT_EQ(portion.error().code, Code::kLimit);
}

TEST_P(RecordQueries, WrongQueries_AreNamedByTheirOwnWords) {
  Create();
  const auto error_of = [&](const std::string& query) {
    const auto portion = Next(std::nullopt, 0, query);
    return portion ? "no error" : ToString(portion.error());
  };
  EXPECT_THAT(error_of("SELECT * FROM injektions"), HasSubstr("injektions"));
  EXPECT_THAT(error_of("SELECT revision FROM injections"), HasSubstr("no column 'changed'"));
  EXPECT_THAT(error_of("DELETE FROM injections"), Not(HasSubstr("no error")));
  EXPECT_THAT(error_of("SELECT 1; DROP TABLE injections"), Not(HasSubstr("no error")));
}

TEST_P(RecordQueries, TextsWithQuotes_AreTakenAsTheyAre) {
  Create();
  engine_->Run(
      "CREATE TABLE odd (\"a\"\"b\" text, revision integer, \"recordId\" text, changed text);"
      "INSERT INTO odd VALUES ('x', 1, 'A', 'it''s')");
  const auto database = OpenDatabase({engine_->Url(), "", ""});
  ASSERT_TRUE(database);
  RecordQuery query(**database, {"SELECT * FROM odd", "changed", 0});
  const auto first = query.Next(std::nullopt, {"a\"b"});
  ASSERT_TRUE(first) << ToString(first.error());
  EXPECT_EQ(first->mark->text, "it's");
  EXPECT_TRUE(query.Next(first->mark, {"a\"b"}));
}

TEST_P(RecordQueries, Interrupted_EndsWhatIsBeingRead) {
  const auto database = OpenDatabase({engine_->Url(), "", ""});
  ASSERT_TRUE(database);
  Result<Table> table = Table{};
  std::thread reader([&] {
    table = (*database)->Read(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", {},
        {1, 1'000, false});
  });
  // Again and again: the first may come before the query began.
  std::atomic<bool> is_done = false;
  std::thread interrupter([&] {
    while (!is_done) (*database)->Interrupt();
  });
  reader.join();
  is_done = true;
  interrupter.join();
  EXPECT_FALSE(table);
}

// Jumps by a second each time it is looked at.
class JumpingClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{0}; }
  std::int64_t MonotonicUs() override { return ++seconds_ * 1'000'000; }

 private:
  std::atomic<std::int64_t> seconds_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Engines, RecordQueries,
                         testing::Values("sqlite", "postgresql", "odbc_sqlite", "odbc_postgresql"),
                         [](const auto& engine) { return engine.param; });

// The clock is looked at before the query and at each row. A PostgreSQL server watches its own: below.
TEST(QueryTime, Rows_ComeAsLongAsTheLimitAllows) {
  SqliteEngine sqlite;
  OdbcSqliteEngine odbc_sqlite;
  PostgresEngine odbc_postgresql(true);
  for (const Engine* engine : {static_cast<const Engine*>(&sqlite), static_cast<const Engine*>(&odbc_sqlite),
                               static_cast<const Engine*>(&odbc_postgresql)}) {
    JumpingClock clock;
    const auto database = OpenDatabase({engine->Url(), "", "", &clock});
    ASSERT_TRUE(database) << ToString(database.error());
    const auto read = [&](int rows) {
      return (*database)->Read("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                                   std::to_string(rows) + ") SELECT i FROM n",
                               {}, {1'000, 1'000'000, false});
    };
    const auto at_limit = read(limits::kSqlStatementSeconds);
    EXPECT_TRUE(at_limit) << engine->Url() << ToString(at_limit.error());
    const auto beyond = read(limits::kSqlStatementSeconds + 1);
    ASSERT_FALSE(beyond) << engine->Url();
    EXPECT_EQ(beyond.error().code, Code::kTimeout);
  }
}

// One row, and long work before it.
TEST(QueryTime, WorkInAnSqliteFile_EndsToo) {
  SqliteEngine engine;
  JumpingClock clock;
  const auto database = OpenDatabase({engine.Url(), "", "", &clock});
  ASSERT_TRUE(database) << ToString(database.error());
  const auto table = (*database)->Read(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", {},
      {1, 1'000, false});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Code::kTimeout);
}

TEST(SqliteDatabase, ValuesOfEachKind_AreTexts) {
  SqliteEngine engine;
  engine.Run(
      "CREATE TABLE t (v); INSERT INTO t VALUES (1.10), (5.0), (0.1 + 0.2), (42), ('1.10'), (x'00ff'), "
      "(NULL)");
  const auto database = OpenDatabase({engine.Url(), "", ""});
  ASSERT_TRUE(database);
  const auto table = (*database)->Read("SELECT v FROM t ORDER BY rowid", {}, {10, 1'000, false});
  ASSERT_TRUE(table);
  std::vector<std::string> texts;
  for (const auto& row : table->rows) texts.push_back(row[0].text);
  EXPECT_THAT(std::vector(texts.begin(), texts.begin() + 5), ElementsAre("1.1", "5.0", "0.3", "42", "1.10"));
  EXPECT_EQ(table->rows[0][0].kind, CellKind::kReal);
  EXPECT_EQ(table->rows[5][0].kind, CellKind::kBytes);
  EXPECT_EQ(table->rows[6][0].kind, CellKind::kNull);
}

TEST(SqliteDatabase, RealAsMark_IsRefused) {
  SqliteEngine engine;
  engine.Run("CREATE TABLE t (changed REAL); INSERT INTO t VALUES (1.5)");
  const auto database = OpenDatabase({engine.Url(), "", ""});
  ASSERT_TRUE(database);
  const auto tried = RecordQuery(**database, {"SELECT * FROM t", "changed", 0}).Try();
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error().code, Code::kConfiguration);
}

TEST(SqliteDatabase, MissingFileAndOtherFile_AreTroubles) {
  const test::TemporaryDirectory folder;
  EXPECT_EQ(OpenDatabase({"sqlite:" + folder.File("none.db"), "", ""}).error().code, Code::kUnreachable);
  folder.Write("text.db", std::string(2'000, 'x'));
  const auto database = OpenDatabase({"sqlite:" + folder.File("text.db"), "", ""});
  ASSERT_TRUE(database);
  EXPECT_EQ((*database)->Read("SELECT 1 FROM t", {}, {1, 1, false}).error().code, Code::kServerAnswer);
}

// What the limits say is what the server was told.
TEST(PostgresDatabase, TimeOuts_AreThoseOfTheLimits) {
  test::PostgresServer server;
  for (const std::string& url : {server.Url(), server.OdbcUrl()}) {
    const auto database = OpenDatabase({url, "", ""});
    ASSERT_TRUE(database) << ToString(database.error());
    const auto told = [&](const char* setting) {
      const auto table = (*database)->Read(
          std::string("SELECT setting FROM pg_settings WHERE name = '") + setting + "'", {}, {1, 100, false});
      return table && !table->rows.empty() ? table->rows[0][0].text : std::string();
    };
    EXPECT_EQ(told("statement_timeout"), std::to_string(limits::kSqlStatementSeconds * 1'000)) << url;
    EXPECT_EQ(told("lock_timeout"), std::to_string(limits::kSqlLockMs)) << url;
    EXPECT_EQ(told("transaction_read_only"), "on") << url;
  }
}

TEST(SqliteDatabase, Lock_IsWaitedForAsLongAsTheLimitSays) {
  SqliteEngine engine;
  engine.Run("CREATE TABLE t (v)");
  const auto database = OpenDatabase({engine.Url(), "", ""});
  ASSERT_TRUE(database);
  const auto told = (*database)->Read("SELECT timeout FROM pragma_busy_timeout", {}, {1, 100, false});
  ASSERT_TRUE(told) << ToString(told.error());
  EXPECT_EQ(told->rows[0][0].text, std::to_string(limits::kSqlLockMs));
}

TEST(OdbcDatabase, Types_AreWrittenAsTheRecordWantsThem) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.OdbcUrl(), "", "Asia/Tokyo"});
  ASSERT_TRUE(database) << ToString(database.error());
  EXPECT_THAT((*database)->product(), HasSubstr("PostgreSQL "));
  EXPECT_THAT((*database)->product(), HasSubstr("through ODBC"));
  const auto table = (*database)->Read(
      "SELECT 1.10::numeric, timestamptz '2014-05-06 01:00:00Z', date '2014-05-06', 'Grüße 𝄞', "
      "'\\x00ff'::bytea, NULL",
      {}, {10, 1'000, false});
  ASSERT_TRUE(table) << ToString(table.error());
  std::vector<std::string> texts;
  for (const Cell& cell : table->rows[0]) texts.push_back(cell.text);
  EXPECT_THAT(std::vector(texts.begin(), texts.begin() + 4),
              ElementsAre("1.10", "2014-05-06 10:00:00", "2014-05-06", "Grüße 𝄞"));
  EXPECT_EQ(table->rows[0][4].kind, CellKind::kBytes);
  EXPECT_EQ(table->rows[0][5].kind, CellKind::kNull);
}

TEST(OdbcDatabase, ValuesLongerThanAPiece_AreWhole) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.OdbcUrl() + ";MaxLongVarcharSize=100000", "", ""});
  ASSERT_TRUE(database) << ToString(database.error());
  for (const int length : {8'190, 8'191, 8'192, 8'193, 20'000}) {
    const auto table =
        (*database)->Read("SELECT repeat('ü', " + std::to_string(length) + ")", {}, {1, 100'000, false});
    ASSERT_TRUE(table) << ToString(table.error());
    EXPECT_EQ(table->rows[0][0].text.size(), static_cast<std::size_t>(length) * 2) << length;
  }
}

TEST(OdbcDatabase, Values_NeverStandInErrors) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.OdbcUrl(), "", ""});
  ASSERT_TRUE(database);
  const auto table =
      (*database)->Read("SELECT v::integer FROM (VALUES ('secret')) t (v)", {}, {1, 100, false});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Code::kServerAnswer);
  EXPECT_THAT(table.error().message, Not(HasSubstr("secret")));
}

TEST(OdbcDatabase, Password_ComesFromAFileOfTheOwner) {
  test::PostgresServer server;
  server.Run("CREATE ROLE reader LOGIN PASSWORD 'ri;g}ht'");
  const test::TemporaryDirectory folder;
  const auto code_with = [&](const std::string& password) -> std::string {
    const std::string file = folder.Write("password", password);
    EXPECT_EQ(chmod(file.c_str(), 0600), 0);
    const auto database = OpenDatabase({server.OdbcUrl("reader"), file, ""});
    return database ? "open" : std::string(Name(database.error().code));
  };
  EXPECT_EQ(code_with("ri;g}ht\n"), "open");
  EXPECT_EQ(code_with("wrong\n"), "unauthorized");
}

TEST(OdbcDatabase, ServerThatGoesAway_IsUnreachable) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.OdbcUrl(), "", ""});
  ASSERT_TRUE(database);
  server.Stop();
  EXPECT_EQ((*database)->Read("SELECT 1", {}, {1, 100, false}).error().code, Code::kUnreachable);
  EXPECT_EQ(OpenDatabase({server.OdbcUrl(), "", ""}).error().code, Code::kUnreachable);
}

TEST(OdbcDatabase, UnknownDriver_IsAMatterOfTheConfiguration) {
  EXPECT_EQ(OpenDatabase({"odbc:Driver={No such driver};Database=x", "", ""}).error().code,
            Code::kConfiguration);
}

TEST(PostgresDatabase, Types_AreWrittenAsTheRecordWantsThem) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.Url(), "", "Asia/Tokyo"});
  ASSERT_TRUE(database) << ToString(database.error());
  EXPECT_THAT((*database)->product(), HasSubstr("PostgreSQL "));
  const auto table = (*database)->Read(
      "SELECT true, 1.10::numeric, 0.1::float8 + 0.2, timestamptz '2014-05-06 01:00:00Z', date '2014-05-06', "
      "'\\x00ff'::bytea, NULL",
      {}, {10, 1'000, false});
  ASSERT_TRUE(table) << ToString(table.error());
  std::vector<std::string> texts;
  for (const Cell& cell : table->rows[0]) texts.push_back(cell.text);
  EXPECT_THAT(std::vector(texts.begin(), texts.begin() + 5),
              ElementsAre("true", "1.10", "0.30000000000000004", "2014-05-06 10:00:00+09", "2014-05-06"));
  EXPECT_EQ(table->rows[0][5].kind, CellKind::kBytes);
  EXPECT_EQ(table->rows[0][6].kind, CellKind::kNull);
}

TEST(PostgresDatabase, Values_NeverStandInErrors) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.Url(), "", ""});
  ASSERT_TRUE(database);
  const auto table =
      (*database)->Read("SELECT v::integer FROM (VALUES ('secret')) t (v)", {}, {1, 100, false});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, Code::kServerAnswer);
  EXPECT_THAT(table.error().message, Not(HasSubstr("secret")));
  EXPECT_THAT(table.error().message, HasSubstr("22P02"));
}

TEST(PostgresDatabase, Password_ComesFromAFileOfTheOwner) {
  test::PostgresServer server;
  server.Run("CREATE ROLE reader LOGIN PASSWORD 'right'");
  const test::TemporaryDirectory folder;
  const auto code_with = [&](const std::string& password) -> std::string {
    const std::string file = folder.Write("password", password);
    EXPECT_EQ(chmod(file.c_str(), 0600), 0);
    const auto database = OpenDatabase({server.Url("reader"), file, ""});
    return database ? "open" : std::string(Name(database.error().code));
  };
  EXPECT_EQ(code_with("right\n"), "open");
  EXPECT_EQ(code_with("wrong\n"), "unauthorized");
  EXPECT_EQ(OpenDatabase({server.Url("reader"), "", ""}).error().code, Code::kUnauthorized);
}

TEST(PostgresDatabase, ServerThatGoesAway_IsUnreachable) {
  test::PostgresServer server;
  const auto database = OpenDatabase({server.Url(), "", ""});
  ASSERT_TRUE(database);
  server.Stop();
  EXPECT_EQ((*database)->Read("SELECT 1", {}, {1, 100, false}).error().code, Code::kUnreachable);
  EXPECT_EQ(OpenDatabase({server.Url(), "", ""}).error().code, Code::kUnreachable);
}

struct UrlCase {
  const char* url;
  const char* says;  // empty: nothing
};

class Urls : public testing::TestWithParam<UrlCase> {};

TEST_P(Urls, Address_IsCheckedBeforeItIsUsed) {
  const auto checked = CheckUrl(GetParam().url);
  EXPECT_THAT(checked ? "" : checked.error().message, HasSubstr(GetParam().says));
  EXPECT_EQ(checked.has_value(), std::string(GetParam().says).empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Urls,
    testing::Values(UrlCase{"sqlite:/var/lib/clinic.db", ""}, UrlCase{"sqlite:clinic.db", "whole path"},
                    UrlCase{"sqlite:/", "whole path"}, UrlCase{"mysql://h/d", "begins with"},
                    UrlCase{"odbc:Driver=SQLite3;Database=/var/lib/clinic.db", ""},
                    UrlCase{"odbc:Database=/var/lib/clinic.db", "Driver="}, UrlCase{"odbc:DSN=clinic", "DSN"},
                    UrlCase{"odbc:Driver", "no value"}, UrlCase{"odbc:Driver={x", "no }"},
                    UrlCase{"odbc:Driver={x}y", "behind its }"}, UrlCase{"odbc:Driver=x;driver=y", "twice"},
                    UrlCase{"odbc:Driver=x;Server=localhost;UID=r;PWD=w", "password_file"},
                    UrlCase{"odbc:Driver={a;b}}c};Server=tcp:127.0.0.1,1433;UID=r", ""},
                    UrlCase{"odbc:Driver=x;Server=db.example", "verified"},
                    UrlCase{"odbc:Driver=x;Server=db.example;Encrypt=yes", ""},
                    UrlCase{"odbc:Driver=x;Server=db.example;Encrypt=yes;TrustServerCertificate=yes",
                            "verified"},
                    UrlCase{"odbc:Driver=x;Servername=db.example;SSLmode=verify-full", ""},
                    UrlCase{"odbc:Driver=x;Servername=db.example;SSLmode=require", "verified"},
                    UrlCase{"postgresql://reader@db.example/clinic", ""},
                    UrlCase{"postgresql://reader@db.example/clinic?sslmode=verify-ca", ""},
                    UrlCase{"postgresql://reader@db.example/clinic?sslmode=require", "verify-full"},
                    UrlCase{"postgresql://reader@127.0.0.1/clinic?sslmode=disable", ""},
                    UrlCase{"postgresql:///clinic?host=/run/postgresql", ""},
                    UrlCase{"postgresql://reader@localhost,db.example/clinic?sslmode=prefer", "verify-full"},
                    UrlCase{"postgresql://reader:word@localhost/clinic", "password_file"},
                    UrlCase{"postgresql://reader@localhost/clinic?nonsense=1", "cannot be read"}));

}  // namespace
}  // namespace fhir_adapter::database
