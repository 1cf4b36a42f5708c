#include "storage/sqlite/connection.h"

#include <deque>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/sqlite/sqlite_store.h"
#include "support/temporary_directory.h"
#include "test_schema.h"

namespace fhir_adapter::storage {
namespace {

std::unique_ptr<Connection> OpenMemory() {
  auto connection = Connection::Open({.path = ":memory:", .is_memory = true});
  EXPECT_TRUE(connection);
  return std::move(connection).value();
}

// A Query's address is its identity: these live as long as the program, as those of a QuerySet do.
const Query& Make(std::string sql) {
  static std::deque<Query> queries;
  return queries.emplace_back(Query{"test", std::move(sql)});
}

TEST(Connection, Values_ComeBackAsTheyWereBound) {
  auto connection = OpenMemory();
  const Query& query = Make("SELECT ?, ?, ?, ?, ?, ?;");
  const std::string zero("a\0b", 3);
  Statement statement = connection->Use(query);
  ASSERT_TRUE(statement
                  .Bind(std::int64_t{1} << 60, "text", Blob{zero}, std::nullopt, std::optional<std::string>(),
                        std::string())
                  .Step());
  EXPECT_EQ(statement.Integer(0), std::int64_t{1} << 60);
  EXPECT_EQ(statement.Text(1), "text");
  EXPECT_EQ(statement.Text(2), zero);
  EXPECT_TRUE(statement.IsNull(3));
  EXPECT_EQ(statement.OptionalInteger(4), std::nullopt);
  EXPECT_FALSE(statement.IsNull(5));
  EXPECT_EQ(statement.Text(5), "");
}

TEST(Connection, StatementInUse_IsPreparedASecondTime) {
  auto connection = OpenMemory();
  const Query& query = Make("SELECT 1 UNION SELECT 2;");
  Statement outer = connection->Use(query);
  ASSERT_TRUE(*outer.Step());
  {
    Statement inner = connection->Use(query);
    ASSERT_TRUE(*inner.Step());
    EXPECT_EQ(inner.Integer(0), 1);
  }
  ASSERT_TRUE(*outer.Step());
  EXPECT_EQ(outer.Integer(0), 2);
}

// Trusted schema, double-quoted strings and the writable schema are what crafted files and typing errors use.
TEST(Connection, DoubleQuotedString_IsNotTakenForText) {
  auto connection = OpenMemory();
  const Query& query = Make("SELECT \"no_such_column\";");
  EXPECT_FALSE(connection->Run(query));
}

TEST(Connection, SchemaTable_CannotBeWritten) {
  auto connection = OpenMemory();
  ASSERT_TRUE(connection->Run(Make("PRAGMA writable_schema = ON;")));
  ASSERT_TRUE(connection->RunScript("CREATE TABLE t (x);", "table"));
  EXPECT_FALSE(connection->Run(Make("DELETE FROM sqlite_schema;")));
}

TEST(Connection, AttachedDatabase_IsRefused) {
  auto connection = OpenMemory();
  EXPECT_FALSE(connection->Run(Make("ATTACH ':memory:' AS other;")));
}

TEST(Connection, ForeignKey_IsEnforced) {
  auto connection = OpenMemory();
  ASSERT_TRUE(connection->RunScript(
      "CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (p REFERENCES parent (id));",
      "tables"));
  auto refused = connection->RunScript("INSERT INTO child VALUES (1);", "child");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInternal);
}

struct Setting {
  const char* pragma;
  std::int64_t value;
};

TEST(Connection, Writer_IsDurableAndErases) {
  test::TemporaryDirectory directory;
  auto connection = std::move(Connection::Open({.path = directory.File("s.db")})).value();
  for (const Setting& setting : {Setting{"PRAGMA synchronous;", 2}, Setting{"PRAGMA secure_delete;", 1},
                                 Setting{"PRAGMA foreign_keys;", 1}, Setting{"PRAGMA wal_autocheckpoint;", 0},
                                 Setting{"PRAGMA temp_store;", 2}, Setting{"PRAGMA trusted_schema;", 0}}) {
    const Query& query = Make(setting.pragma);
    Statement statement = connection->Use(query);
    ASSERT_TRUE(*statement.Step());
    EXPECT_EQ(statement.Integer(0), setting.value) << setting.pragma;
  }
  const Query& mode = Make("PRAGMA journal_mode;");
  Statement statement = connection->Use(mode);
  ASSERT_TRUE(*statement.Step());
  EXPECT_EQ(statement.Text(0), "wal");
}

TEST(Connection, Reader_CannotWrite) {
  test::TemporaryDirectory directory;
  auto writer = std::move(Connection::Open({.path = directory.File("s.db")})).value();
  ASSERT_TRUE(Migrate(*writer, TestSchema()));
  auto reader = std::move(Connection::Open({.path = directory.File("s.db"), .read_only = true})).value();
  EXPECT_FALSE(reader->Use(TestQueries()["insert"]).Bind(1, "a").Run());
}

// A reader that copied the log back when it is the last to close could race with a new writer.
TEST(Connection, LastReaderThatCloses_LeavesTheLogAlone) {
  test::TemporaryDirectory directory;
  const std::string path = directory.File("s.db");
  auto writer = std::move(Connection::Open({.path = path})).value();
  ASSERT_TRUE(Migrate(*writer, TestSchema()));
  auto reader = std::move(Connection::Open({.path = path, .read_only = true})).value();
  {
    Statement count = reader->Use(TestQueries()["count"]);
    ASSERT_TRUE(*count.Step());
  }
  struct stat before{};
  ASSERT_EQ(stat((path + "-wal").c_str(), &before), 0);
  writer.reset();  // not the last one: copies nothing back
  reader.reset();
  struct stat after{};
  ASSERT_EQ(stat((path + "-wal").c_str(), &after), 0) << "the log was removed";
  EXPECT_EQ(after.st_size, before.st_size);
}

}  // namespace
}  // namespace fhir_adapter::storage
