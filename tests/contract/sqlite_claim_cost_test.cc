// What a claim costs does not grow with what waits: counted in steps of SQLite's virtual machine.
//
// FHIR_ADAPTER_CLAIM_QUEUED (10^5; long.sh: 10^6) is how many wait in the larger queue.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>
#include <set>
#include <sqlite3.h>

#include "backend.h"
#include "storage/sqlite/connection.h"

namespace fhir_adapter::test {
namespace {

constexpr int kPlaces = 8;
constexpr int kSmall = 1'000;

int Large() {
  const char* text = std::getenv("FHIR_ADAPTER_CLAIM_QUEUED");
  return text == nullptr ? 100'000 : std::atoi(text);
}

// Every connection that is opened while one of these lives.
class OpenedConnections {
 public:
  OpenedConnections() {
    handles().clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Note));
  }
  ~OpenedConnections() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Note)); }
  OpenedConnections(const OpenedConnections&) = delete;
  OpenedConnections& operator=(const OpenedConnections&) = delete;

  // They have been closed.
  static void Forget() { handles().clear(); }

  // Since it was asked before.
  static std::int64_t Take(int counter) {
    std::int64_t sum = 0;
    for (sqlite3* handle : handles()) {
      for (sqlite3_stmt* one = sqlite3_next_stmt(handle, nullptr); one != nullptr;
           one = sqlite3_next_stmt(handle, one)) {
        sum += sqlite3_stmt_status(one, counter, 1);
      }
    }
    return sum;
  }

 private:
  static int Note(sqlite3* handle, char**, const sqlite3_api_routines*) {
    handles().push_back(handle);
    return SQLITE_OK;
  }
  static std::vector<sqlite3*>& handles() {
    static std::vector<sqlite3*> handles;
    return handles;
  }
};

struct Cost {
  std::int64_t steps = 0;
  std::int64_t scanned = 0;  // steps of full scans
  double ms = 0;
};

class SqliteClaimCost : public ContractTest {
 protected:
  // Half of them behind the patients whose turn it is, half of as many other patients.
  void Fill(int waiting) {
    for (int i = 0; i < kPlaces; ++i) Queue("R" + std::to_string(i), 1, std::to_string(100'001 + i));
    backend_.reset();
    auto connection = storage::Connection::Open({.path = directory_.File("adapter.db")});
    ASSERT_TRUE(connection.has_value());
    const std::string half = std::to_string(waiting / 2);
    const std::string columns =
        "kind, revision, depends_on, state, reason_code, received_us, next_attempt_us, attempts, "
        "first_attempt_us,"
        " writes, is_ambiguous, audit_seq";
    const auto done =
        (*connection)
            ->RunScript(
                "PRAGMA foreign_keys = OFF; BEGIN;"
                "CREATE TEMP TABLE number AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n "
                "WHERE i < " +
                    half +
                    ") SELECT i FROM n;"
                    "CREATE TEMP TABLE own AS SELECT row_number() OVER (ORDER BY position) - 1 AS place, * "
                    "FROM work_item"
                    " WHERE state = 'queued';"
                    "INSERT INTO patient_lease (patient_key, due_us) SELECT 'other-' || i, (SELECT "
                    "max(due_us) + 1 FROM"
                    " patient_lease) FROM number;"
                    "INSERT INTO work_item (work_id, subject_key, patient_key, " +
                    columns + ") SELECT 'behind-' || i, 'behind-' || i, own.patient_key, " + columns +
                    " FROM number JOIN own ON place = i % " + std::to_string(kPlaces) +
                    ";"
                    "INSERT INTO work_item (work_id, subject_key, patient_key, " +
                    columns + ") SELECT 'other-' || i, 'other-' || i, 'other-' || i, " + columns +
                    " FROM number JOIN own ON place = 0;"
                    "UPDATE work_count SET items = items + 2 * " +
                    half + " WHERE state = 'queued'; COMMIT;",
                "fill");
    ASSERT_TRUE(done.has_value()) << ToString(done.error());
    connection->reset();
    OpenedConnections::Forget();
    Reopen();
  }

  // Of a claim for every place, with all that it reads of what it takes.
  Cost CostOfClaim() {
    Advance(1);
    OpenedConnections::Take(SQLITE_STMTSTATUS_VM_STEP);
    OpenedConnections::Take(SQLITE_STMTSTATUS_FULLSCAN_STEP);
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<outbox::WorkItem> items = Claim(kPlaces);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    Cost cost{OpenedConnections::Take(SQLITE_STMTSTATUS_VM_STEP),
              OpenedConnections::Take(SQLITE_STMTSTATUS_FULLSCAN_STEP), took.count()};
    EXPECT_EQ(items.size(), static_cast<std::size_t>(kPlaces));
    std::set<std::string> records;
    for (const outbox::WorkItem& item : items) records.insert(item.record_id);
    EXPECT_TRUE(records.contains("R0") && records.contains("R7")) << "the ones that have waited longest";
    return cost;
  }

  OpenedConnections opened_;
};

TEST_P(SqliteClaimCost, HundredTimesAsManyWaiting_CostAtMostTwiceTheSteps) {
  Fill(kSmall);
  const Cost small = CostOfClaim();
  backend_.reset();
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::filesystem::remove(directory_.File("adapter.db" + std::string(ending)));
  }
  Reopen();
  Fill(Large());
  const Cost large = CostOfClaim();
  std::cout << "a claim of " << kPlaces << ": " << small.steps << " steps with " << kSmall << " waiting, "
            << large.steps << " with " << Large() << " (" << large.ms << " ms)\n";
  EXPECT_GT(small.steps, 100) << "nothing was counted";
  EXPECT_LE(large.steps, 2 * small.steps);
  EXPECT_LE(large.scanned, small.scanned) << "a table is read through";
  EXPECT_LE(large.scanned, 100);
}

INSTANTIATE_TEST_SUITE_P(Backends, SqliteClaimCost, ::testing::Values(AllBackends().front()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
