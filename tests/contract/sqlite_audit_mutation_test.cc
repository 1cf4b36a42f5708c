// Random changes of a signed store, each of bytes that an entry, a row or a checkpoint depends on: every one
// is found, but for the two kinds that need a witness, which the witness finds.
//
// FHIR_ADAPTER_AUDIT_MUTATIONS (2,000; long.sh: 100,000): half of them are made here, half in
// exported_log_mutation_test.cc.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>

#include "audit/checkpointer.h"
#include "audit/snapshot_log.h"
#include "audit/sqlite/row_check.h"
#include "audit/sqlite/sqlite_audit_log.h"
#include "audit/sqlite/sqlite_audit_tree.h"
#include "backend.h"
#include "core/base64.h"
#include "storage/sqlite/query_set.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::test {
namespace {

using audit::Verdict;

int Mutations() {
  const char* count = std::getenv("FHIR_ADAPTER_AUDIT_MUTATIONS");  // long.sh sets it
  return (count == nullptr ? 2'000 : std::atoi(count)) / 2;
}

class AuditMutation : public ContractTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 60; ++i) {
      const std::string record = "R-" + std::to_string(i);
      Queue(record, 1, std::to_string(100'000 + i % 20));
      if (i % 3 == 0) continue;
      for (const outbox::WorkItem& item : Claim(1)) Deliver(item);
      if (i % 7 == 0) Sign();
    }
    Sign();
    for (int i = 0; i < 10; ++i) Accept("Late-" + std::to_string(i), 1);
    Sign();
    connection_ = Open(CopyAt(signed_));
    ASSERT_NE(connection_, nullptr);
    entries_ = Integer("SELECT count(*) FROM audit_entry");
    ASSERT_GT(entries_, 200);
  }

  void Sign() {
    auto key = audit::SigningKey::LoadOrMake(directory_.File("key"), "log");
    ASSERT_TRUE(key);
    audit::Checkpointer checkpointer({store(), log(), tree()}, std::move(*key), file_, witness_);
    ASSERT_TRUE(checkpointer.Advance());
    backend_.reset();
    std::filesystem::copy_file(directory_.File("adapter.db"), CopyAt(++signed_));
    Reopen();
  }
  // The store as it was when it was signed for the nth time.
  std::string CopyAt(int number) { return directory_.File("copy-" + std::to_string(number)); }
  static std::unique_ptr<storage::Connection> Open(const std::string& path) {
    auto opened = storage::Connection::Open({.path = path, .is_single_file = true});
    EXPECT_TRUE(opened) << (opened ? "" : ToString(opened.error()));
    return opened ? std::move(*opened) : nullptr;
  }

  void Run(const std::string& sql) {
    const auto done = connection_->RunScript(sql, "mutation");
    ASSERT_TRUE(done) << sql << ": " << ToString(done.error());
  }
  std::int64_t Integer(const std::string& sql) {
    const storage::Query query{.name = "mutation", .sql = sql};
    auto statement = connection_->Use(query);
    const auto row = statement.Step();
    EXPECT_TRUE(row && *row) << sql;
    return row && *row ? statement.Integer(0) : 0;
  }
  std::int64_t Pick(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random_numbers_);
  }
  std::string PickEntry() { return std::to_string(Pick(1, entries_)); }

  audit::VerifyReport Verify(const audit::CheckpointFile& checkpoints) {
    return Verify(checkpoints, *connection_);
  }
  audit::VerifyReport Verify(const audit::CheckpointFile& checkpoints, storage::Connection& connection) {
    storage::SqliteSnapshot snapshot(connection);
    CountingRandom random;
    audit::SqliteAuditLog log(random);
    audit::SqliteAuditTree tree;
    const auto key = audit::SigningKey::Load(directory_.File("key"), "log");
    auto report = audit::VerifyStoredLog(log, tree, snapshot, key->verifier(), checkpoints, {});
    EXPECT_TRUE(report) << ToString(report.error());
    const auto rows = audit::CheckRows(snapshot, *report);
    EXPECT_TRUE(rows) << ToString(rows.error());
    return *report;
  }

  // What is changed until Undo comes back.
  void Begin() {
    Run("SAVEPOINT mutation; PRAGMA defer_foreign_keys = 1; DROP TRIGGER audit_entry_is_never_changed; "
        "DROP TRIGGER audit_entry_is_never_deleted");
  }
  void Undo() { Run("ROLLBACK TO mutation; RELEASE mutation"); }
  std::vector<std::string> Notes() {
    std::vector<std::string> notes;
    EXPECT_TRUE(file_.ForEach([&](const std::string& note) -> Result<void> {
      notes.push_back(note);
      return {};
    }));
    return notes;
  }
  audit::CheckpointFile FileOf(const std::vector<std::string>& notes) {
    std::string text;
    for (const std::string& note : notes) text += note + "\n";
    return audit::CheckpointFile(directory_.Write("made", text));
  }
  audit::Checkpoint Root() {
    storage::SqliteSnapshot snapshot(*connection_);
    CountingRandom random;
    audit::SqliteAuditLog log(random);
    audit::MerkleFrontier frontier;
    EXPECT_TRUE(log.ForEach(snapshot, 1, entries_, [&](audit::Sequence, std::string_view bytes) {
      frontier.Append(audit::LeafHash(bytes));
      return true;
    }));
    return {"log", frontier.size(), frontier.Root()};
  }

  using Mutation = std::pair<const char*, std::function<void(AuditMutation&)>>;
  // Each in turn, at random places; prints how many of each were found.
  void FindEach(const std::vector<Mutation>& kinds, int mutations) {
    std::map<std::string, int> found;
    for (int i = 0; i < mutations; ++i) {
      const Mutation& kind = kinds[static_cast<std::size_t>(i) % kinds.size()];
      Begin();
      kind.second(*this);
      ASSERT_FALSE(HasFailure()) << kind.first;
      const auto report = Verify(file_);
      EXPECT_EQ(report.verdict, Verdict::kTampered) << kind.first << ", mutation " << i;
      found[kind.first] += report.verdict == Verdict::kTampered ? 1 : 0;
      Undo();
    }
    for (const auto& [kind, count] : found) std::cout << kind << ": " << count << " found\n";
    EXPECT_EQ(Verify(file_).verdict, Verdict::kGood) << "the mutations were undone";
  }
  static std::vector<Mutation> ChangesOfTheLog();
  static std::vector<Mutation> ChangesOfRecords();
  static std::vector<Mutation> ChangesOfWhatBecameOfThem();

  const audit::CheckpointFile file_{directory_.File("checkpoints")};
  const audit::CheckpointFile witness_{directory_.File("witness")};
  std::unique_ptr<storage::Connection> connection_;
  int signed_ = 0;
  std::int64_t entries_ = 0;
  std::mt19937_64 random_numbers_{20261126};
};

// One byte of a column of the row, in the middle of its text or blob, becomes another.
std::string FlipByte(const std::string& table, const std::string& column, const std::string& where,
                     std::int64_t at, const std::string& type) {
  const std::string place = "(1 + " + std::to_string(at) + " % length(" + column + "))";
  return "UPDATE " + table + " SET " + column + " = CAST(substr(" + column + ", 1, " + place +
         " - 1) || CASE substr(" + column + ", " + place +
         ", 1) WHEN 'X' THEN 'Y' WHEN X'58' THEN X'59' ELSE 'X' END || substr(" + column + ", " + place +
         " + 1) AS " + type + ") WHERE " + where;
}

std::vector<AuditMutation::Mutation> AuditMutation::ChangesOfTheLog() {
  return {
      {"entry edited",
       [](AuditMutation& t) {
         t.Run(FlipByte("audit_entry", "bytes", "seq = " + t.PickEntry(), t.Pick(0, 1'000'000), "BLOB"));
       }},
      {"entry deleted",
       [](AuditMutation& t) { t.Run("DELETE FROM audit_entry WHERE seq = " + t.PickEntry()); }},
      {"entry deleted and the others moved up",
       [](AuditMutation& t) {
         const std::string seq = t.PickEntry();
         t.Run("DELETE FROM audit_entry WHERE seq = " + seq +
               "; UPDATE audit_entry SET seq = -seq WHERE seq > " + seq +
               "; UPDATE audit_entry SET seq = -seq - 1 WHERE seq < 0");
       }},
      {"entries exchanged",
       [](AuditMutation& t) {
         const std::int64_t first = t.Pick(1, t.entries_ - 1);
         const std::string a = std::to_string(first);
         const std::string b = std::to_string(t.Pick(first + 1, t.entries_));
         t.Run("UPDATE audit_entry SET bytes = (SELECT e.bytes FROM audit_entry AS e WHERE e.seq = " + a +
               " + " + b + " - audit_entry.seq) WHERE seq IN (" + a + ", " + b + ")");
       }},
      {"entry inserted",
       [](AuditMutation& t) {
         const std::string seq = t.PickEntry();
         t.Run("UPDATE audit_entry SET seq = -seq WHERE seq >= " + seq +
               "; UPDATE audit_entry SET seq = -seq + 1 WHERE seq < 0"
               "; INSERT INTO audit_entry (seq, trace_id, trace_seq, bytes) VALUES (" +
               seq + ", 'made-up', 1, CAST('{\"v\":1,\"seq\":" + seq +
               ",\"trace_id\":\"made-up\",\"trace_seq\":1}' AS BLOB))");
       }},
      {"log cut", [](AuditMutation& t) { t.Run("DELETE FROM audit_entry WHERE seq >= " + t.PickEntry()); }},
      {"log cut with its tree",
       [](AuditMutation& t) {
         t.Run("DELETE FROM audit_entry WHERE seq >= " + t.PickEntry() +
               "; DELETE FROM audit_tile; DELETE FROM audit_checkpoint");
       }},
      {"tree edited",
       [](AuditMutation& t) {
         t.Run(FlipByte("audit_tile", "hashes", "level = 0 AND tile_index = 0", t.Pick(0, 8'191), "BLOB"));
       }},
      {"stored checkpoint edited",
       [](AuditMutation& t) {
         t.Run(FlipByte("audit_checkpoint", "note", "one = 1", t.Pick(0, 100'000), "TEXT"));
       }},
  };
}

std::vector<AuditMutation::Mutation> AuditMutation::ChangesOfRecords() {
  return {
      {"raw record edited",
       [](AuditMutation& t) {
         const std::string which = std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM inbox_raw") - 1));
         t.Run(FlipByte("inbox_raw", "bytes",
                        "inbox_id = (SELECT inbox_id FROM inbox_raw LIMIT 1 OFFSET " + which + ")",
                        t.Pick(0, 1'000'000), "BLOB"));
       }},
      {"commitment edited",
       [](AuditMutation& t) {
         const std::string which =
             std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM record_revision") - 1));
         t.Run(
             "UPDATE record_revision SET raw_commitment = 'f' || substr(raw_commitment, 1, 63) WHERE "
             "inbox_id = "
             "(SELECT inbox_id FROM record_revision ORDER BY inbox_id LIMIT 1 OFFSET " +
             which + ")");
       }},
  };
}

std::vector<AuditMutation::Mutation> AuditMutation::ChangesOfWhatBecameOfThem() {
  return {
      {"state edited",
       [](AuditMutation& t) {
         const std::string which = std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM work_item") - 1));
         t.Run(
             "UPDATE work_item SET state = CASE state WHEN 'delivered' THEN 'queued' ELSE 'delivered' END "
             "WHERE "
             "position = (SELECT position FROM work_item ORDER BY position LIMIT 1 OFFSET " +
             which + ")");
       }},
      {"ledger edited",
       [](AuditMutation& t) {
         const std::string which =
             std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM resource_ledger") - 1));
         const char* column = t.Pick(0, 1) == 0 ? "server_id" : "version_id";
         t.Run(std::string("UPDATE resource_ledger SET ") + column + " = " + column +
               " || '9' WHERE ledger_id = "
               "(SELECT ledger_id FROM resource_ledger LIMIT 1 OFFSET " +
               which + ")");
       }},
      {"record of a submission exchanged",
       [](AuditMutation& t) {
         const std::string which = std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM inbox") - 1));
         const char* change = t.Pick(0, 1) == 0 ? "record_id = record_id || 'x'" : "revision = revision + 1";
         t.Run(std::string("UPDATE inbox SET ") + change +
               " WHERE inbox_id = (SELECT inbox_id FROM inbox ORDER BY inbox_id LIMIT 1 OFFSET " + which +
               ")");
       }},
      {"raw record deleted",
       [](AuditMutation& t) {
         const std::string which = std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM inbox_raw") - 1));
         t.Run("DELETE FROM inbox_raw WHERE inbox_id = (SELECT inbox_id FROM inbox_raw LIMIT 1 OFFSET " +
               which + ")");
       }},
      {"raw records exchanged",
       [](AuditMutation& t) {
         const std::string last = std::to_string(t.Integer("SELECT max(inbox_id) FROM inbox_raw"));
         const std::string one = std::to_string(t.Pick(0, t.Integer("SELECT count(*) FROM inbox_raw") - 2));
         const std::string other =
             "(SELECT inbox_id FROM inbox_raw ORDER BY inbox_id LIMIT 1 OFFSET " + one + ")";
         t.Run("CREATE TEMP TABLE was AS SELECT inbox_id, bytes FROM inbox_raw WHERE inbox_id IN (" + last +
               ", " + other +
               "); UPDATE inbox_raw SET bytes = (SELECT w.bytes FROM was AS w WHERE w.inbox_id <> "
               "inbox_raw.inbox_id) WHERE inbox_id IN (SELECT inbox_id FROM was); DROP TABLE was");
       }},
      {"map named by a mapping edited",
       [](AuditMutation& t) {
         t.Run(
             "UPDATE mapping SET map_id = map_id || 'x' WHERE position = (SELECT max(position) FROM "
             "mapping)");
       }},
  };
}

TEST_P(AuditMutation, UnchangedStore_IsGood) {
  const auto report = Verify(file_);
  EXPECT_EQ(report.verdict, Verdict::kGood) << report.reasons.front();
}

TEST_P(AuditMutation, EveryChangeOfTheLog_IsFound) {
  FindEach(ChangesOfTheLog(), Mutations() / 2);
}

TEST_P(AuditMutation, EveryChangeOfARow_IsFound) {
  std::vector<Mutation> kinds = ChangesOfRecords();
  for (Mutation& kind : ChangesOfWhatBecameOfThem()) kinds.push_back(std::move(kind));
  FindEach(kinds, Mutations() / 4);
}

TEST_P(AuditMutation, EveryChangeOfTheFileOfCheckpoints_IsFound) {
  const std::string bytes = ReadFile(file_.path());
  const auto other = audit::SigningKey::Make("log");
  std::map<std::string, int> found;
  for (int i = 0; i < Mutations() / 8; ++i) {
    std::string changed = bytes;
    // The last checkpoint, since an earlier one that is damaged is told apart from nothing else.
    const std::size_t last = bytes.rfind("log\n", bytes.size() - 120);
    const std::size_t at =
        last + static_cast<std::size_t>(Pick(0, static_cast<std::int64_t>(bytes.size() - last) - 2));
    const char* kind = "cut";
    if (i % 3 == 0) {
      changed.resize(at);
    } else if (i % 3 == 1) {
      kind = "edited";
      changed[at] = changed[at] == 'X' ? 'Y' : 'X';
    } else {
      kind = "last checkpoint replaced";
      changed.resize(last);
      changed += audit::SignCheckpoint(other, {"log", static_cast<std::uint64_t>(entries_), {}}) + "\n";
    }
    directory_.Write("changed", changed);
    const Verdict verdict = Verify(audit::CheckpointFile(directory_.File("changed"))).verdict;
    EXPECT_EQ(verdict, Verdict::kTampered) << kind << ", " << i << " at " << at;
    found[kind] += verdict == Verdict::kTampered ? 1 : 0;
  }
  for (const auto& [kind, count] : found)
    std::cout << "file of checkpoints " << kind << ": " << count << " found\n";
}

// An older store with the checkpoints of its time is whole in itself. Who keeps a later checkpoint sees it.
TEST_P(AuditMutation, StoreRolledBackWithItsCheckpoints_IsFoundByTheWitnessAlone) {
  const std::vector<std::string> notes = Notes();
  ASSERT_EQ(notes.size(), static_cast<std::size_t>(signed_));
  int found = 0;
  for (int kept = 1; kept < signed_; ++kept) {
    const auto older = Open(CopyAt(kept));
    ASSERT_NE(older, nullptr);
    const audit::CheckpointFile of_its_time = FileOf({notes.begin(), notes.begin() + kept});
    EXPECT_EQ(Verify(of_its_time, *older).verdict, Verdict::kGood) << "the witness is not needed";
    const Verdict verdict = Verify(witness_, *older).verdict;
    EXPECT_EQ(verdict, Verdict::kTampered) << "at checkpoint " << kept;
    found += verdict == Verdict::kTampered ? 1 : 0;
  }
  std::cout << "store rolled back with its checkpoints: " << found << " found by the witness\n";
}

// Who holds the log's key can sign what never was.
TEST_P(AuditMutation, LogRewrittenAndSignedWithItsKey_IsFoundByTheWitnessAlone) {
  const auto key = audit::SigningKey::Load(directory_.File("key"), "log");
  ASSERT_TRUE(key);
  int found = 0;
  for (int i = 0; i < Mutations() / 8; ++i) {
    Begin();
    Run("UPDATE audit_entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"time_utc\":\"1970', "
        "'\"time_utc\":\"1971') AS BLOB) WHERE seq = " +
        PickEntry() + "; DELETE FROM audit_tile; DELETE FROM audit_checkpoint");
    const audit::CheckpointFile forged = FileOf({audit::SignCheckpoint(*key, Root())});
    EXPECT_NE(Verify(forged).verdict, Verdict::kTampered) << "the witness is not needed";
    const Verdict verdict = Verify(witness_).verdict;
    EXPECT_EQ(verdict, Verdict::kTampered) << i;
    found += verdict == Verdict::kTampered ? 1 : 0;
    Undo();
  }
  std::cout << "log rewritten and signed with its key: " << found << " found by the witness\n";
}

INSTANTIATE_TEST_SUITE_P(Sqlite, AuditMutation, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
