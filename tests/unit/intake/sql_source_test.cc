// A database as a source: what is taken of it, once, whatever happens in between.
#include "intake/sql_source.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::intake {
namespace {

const record::RecordModel& Model() {
  static Arena arena;
  static const record::RecordModel model = [] {
    const std::string folder = FHIR_ADAPTER_SOURCE_DIR "/mappings/models/";
    std::vector<const fhir::Node*> value_sets;
    const fhir::Node* definition = nullptr;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".json") continue;
      const fhir::Node* root = fhir::ReadJson(test::ReadFile(entry.path()), arena).value();
      if (MemberText(*root, "resourceType") == "ValueSet") value_sets.push_back(root);
      if (MemberText(*root, "type") == "ProcedureRecord") definition = root;
    }
    return record::RecordModel::Build(*definition, value_sets).value();
  }();
  return model;
}

class SqlSources : public testing::Test {
 protected:
  SqlSources() {
    storage::SqliteStoreSettings settings;
    settings.path = folder_.File("adapter.db");
    backend_ = std::move(outbox::OpenSqliteBackend(std::move(settings), SystemRandom()).value());
    layout_.model = &Model();
    layout_.columns.push_back({"changed", std::nullopt, {}});
    Run("CREATE TABLE injections (\"recordId\" TEXT, revision INTEGER, site TEXT, status TEXT, recorded TEXT,"
        " \"patient.mrn\" TEXT, \"performed.start\" TEXT, \"procedure.kind\" TEXT, changed INTEGER)");
  }

  void Run(const std::string& statements) const {
    test::ProcessOptions options;
    options.arguments = {"sqlite3", "-bail", folder_.File("clinic.db")};
    options.input = statements;
    const auto result = test::RunProcess(options);
    ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  }
  // Records `first` to `last`, changed at their number.
  void Insert(std::size_t first, std::size_t last) const {
    Run("INSERT INTO injections WITH RECURSIVE n (i) AS (SELECT " + std::to_string(first) +
        " UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(last) +
        ") SELECT 'R' || i, 1, 'pain-clinic', 'completed', '2014-05-06T10:00:00Z', '1', "
        "'2014-05-06T09:00:00Z', 'intrathecal-injection', i FROM n");
  }

  Result<void> Take(std::int64_t high_water = 1'000'000) {
    pipeline::Receiver receiver(*backend_->store, backend_->inbox, backend_->queue, SystemClock(),
                                {{"pain-clinic"}, high_water});
    SqlSettings settings;
    settings.name = "db";
    settings.database.url = "sqlite:" + folder_.File("clinic.db");
    settings.query = {query_, "changed", 5};
    settings.table = &layout_;
    SqlSource source(settings, Model(),
                     {*backend_->store, backend_->sources, receiver, SystemClock(), SystemRandom()});
    auto taken = source.TakeAll();
    statistics_ = source.statistics();
    return taken;
  }
  outbox::SourceMark Mark() {
    return storage::ReadValue<outbox::SourceMark>(
               *backend_->store,
               [&](storage::Snapshot& snapshot) { return backend_->sources.Load(snapshot, "db"); })
        .value();
  }

  test::TemporaryDirectory folder_;
  std::unique_ptr<outbox::SqliteBackend> backend_;
  record::TableLayout layout_;
  std::string query_ = "SELECT * FROM injections";
  SqlStatistics statistics_;
};

TEST_F(SqlSources, NewRows_AreTakenOnce) {
  Insert(1, 10);
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 10);
  EXPECT_EQ(Mark().mark, "10");
  EXPECT_EQ(Mark().seen.size(), 10U);
  Insert(11, 12);
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 2);
  EXPECT_EQ(statistics_.known, 0);
  EXPECT_EQ(statistics_.rows, 8) << "5 to 12";
  EXPECT_EQ(Mark().seen.size(), 8U) << "what does not come again is forgotten";
}

TEST_F(SqlSources, QueueThatFillsUpMidway_LosesAndRepeatsNothing) {
  const std::size_t piece = limits::kAcceptRecordsMax;
  Insert(1, piece + 1);
  const auto full = Take(static_cast<std::int64_t>(piece));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kHighWater);
  EXPECT_EQ(statistics_.accepted, static_cast<std::int64_t>(piece));
  EXPECT_FALSE(statistics_.has_trouble) << "it is the store's";
  EXPECT_FALSE(Mark().has_mark);
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 1);
  EXPECT_EQ(statistics_.known, 0);
  EXPECT_EQ(Mark().mark, std::to_string(piece + 1));
}

TEST_F(SqlSources, SameRevisionWithOtherContent_IsAnAlarmOnce) {
  Insert(1, 1);
  ASSERT_TRUE(Take());
  Run("UPDATE injections SET status = 'not-done'");
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.refused, 1);
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.refused, 0);
}

TEST_F(SqlSources, BadRecord_IsRefusedOnceAndTakenWhenItIsCorrected) {
  Insert(1, 2);
  Run("UPDATE injections SET status = 'done' WHERE changed = 2");
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 1);
  EXPECT_EQ(statistics_.refused, 1);
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.refused, 0);
  Run("UPDATE injections SET status = 'completed' WHERE changed = 2");
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 1);
}

TEST_F(SqlSources, QueryThatDoesNotFitTheColumns_IsATrouble) {
  query_ = "SELECT status, changed FROM injections";
  const auto taken = Take();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kCsvHeader);
  EXPECT_TRUE(statistics_.has_trouble);
  EXPECT_EQ(statistics_.trouble, Code::kCsvHeader);
}

TEST_F(SqlSources, OtherQuery_BeginsAgainAndDoublesNothing) {
  Insert(1, 20);
  query_ = "SELECT * FROM injections WHERE changed > 10";
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 10);
  query_ = "SELECT * FROM injections";
  ASSERT_TRUE(Take());
  EXPECT_EQ(statistics_.accepted, 10);
  EXPECT_EQ(statistics_.known, 0) << "what was seen of them is still known";
}

}  // namespace
}  // namespace fhir_adapter::intake
