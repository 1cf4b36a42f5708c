#include "storage/sqlite/schema.h"

#include <gtest/gtest.h>

#include "storage/sqlite/sqlite_store.h"
#include "support/temporary_directory.h"
#include "test_schema.h"

namespace fhir_adapter::storage {
namespace {

class SchemaTest : public ::testing::Test {
 protected:
  std::unique_ptr<Connection> Open() {
    auto connection = Connection::Open({.path = directory_.File("store.db")});
    EXPECT_TRUE(connection);
    return std::move(connection).value();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(SchemaTest, EmptyFile_IsBroughtToTheNewestVersion) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, TestSchema()));
  EXPECT_TRUE(CheckVersion(*connection, TestSchema()));
  EXPECT_TRUE(CheckIntegrity(*connection));
}

TEST_F(SchemaTest, OlderFile_KeepsItsRows) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, FirstTestSchema()));
  ASSERT_TRUE(connection->Use(TestQueries()["insert"]).Bind(1, "a").Run());
  ASSERT_TRUE(Migrate(*connection, TestSchema()));
  Statement count = connection->Use(TestQueries()["count"]);
  ASSERT_TRUE(count.Step());
  EXPECT_EQ(count.Integer(0), 1);
}

TEST_F(SchemaTest, NewerFile_IsRefused) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, TestSchema()));
  auto refused = Migrate(*connection, FirstTestSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreNewer);
}

TEST_F(SchemaTest, FileOfAnotherProgram_IsRefused) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, TestSchema()));
  auto refused = Migrate(*connection, AdapterSchema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kStoreDamaged);
}

TEST_F(SchemaTest, OlderFileOpenedForReadingOnly_IsRefused) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, FirstTestSchema()));
  EXPECT_FALSE(CheckVersion(*connection, TestSchema()));
}

TEST_F(SchemaTest, MigrationThatFails_LeavesTheVersionBefore) {
  static constexpr std::string_view kBroken[] = {kTestMigrations[0],
                                                 "PRAGMA user_version = 2; CREATE TABLE entry (x);"};
  auto connection = Open();
  EXPECT_FALSE(Migrate(*connection, Schema{77, kBroken}));
  EXPECT_TRUE(CheckVersion(*connection, FirstTestSchema()));
}

TEST_F(SchemaTest, FileThatIsNoDatabase_IsDamaged) {
  directory_.Write("store.db", std::string(8'192, 'x'));
  auto connection = Connection::Open({.path = directory_.File("store.db")});
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, Code::kStoreDamaged);
}

TEST_F(SchemaTest, AdapterSchema_IsWhole) {
  auto connection = Open();
  ASSERT_TRUE(Migrate(*connection, AdapterSchema()));
  EXPECT_TRUE(CheckIntegrity(*connection));
}

}  // namespace
}  // namespace fhir_adapter::storage
