// The tree over the log, its checkpoints and proofs, on every backend.
#include <gtest/gtest.h>

#include "audit/checkpointer.h"
#include "audit/clock_watch.h"
#include "audit/snapshot_log.h"
#include "audit/tile_directory.h"
#include "backend.h"
#include "core/limits.h"

namespace fhir_adapter::test {
namespace {

using audit::Checkpoint;
using audit::Verdict;

class AuditTreeContract : public ContractTest {
 protected:
  // Entries in one transaction: as many as a size needs.
  void Append(std::int64_t count) {
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      for (std::int64_t i = 0; i < count; ++i) {
        audit::Entry entry;
        entry.time = now();
        entry.event = audit::EventKind::kStarted;
        ADAPTER_CHECK(log().Append(transaction, entry));
      }
      return {};
    }));
  }
  audit::Checkpointer MakeCheckpointer() {
    auto key = audit::SigningKey::LoadOrMake(directory_.File("key"), "log");
    EXPECT_TRUE(key);
    return {audit::LogPorts{store(), log(), tree()}, std::move(*key), file_, witness_};
  }
  std::optional<Checkpoint> Sign() {
    auto made = MakeCheckpointer().Advance();
    EXPECT_TRUE(made) << ToString(made.error());
    return made ? *made : std::nullopt;
  }
  audit::VerifierKey Key() { return MakeCheckpointer().key(); }
  audit::VerifyReport Verify(const audit::VerifyOptions& options = {}) {
    return Seen<audit::VerifyReport>([&](storage::Snapshot& snapshot) {
      return audit::VerifyStoredLog(log(), tree(), snapshot, Key(), file_, options);
    });
  }

  const audit::CheckpointFile file_{directory_.File("checkpoints")};
  const audit::CheckpointFile witness_{directory_.File("witness")};
};

TEST_P(AuditTreeContract, EmptyLog_HasNoCheckpointAndIsGood) {
  EXPECT_FALSE(Sign());
  EXPECT_EQ(Verify().verdict, Verdict::kGood);
}

TEST_P(AuditTreeContract, LogWithoutCheckpoint_IsIncomplete) {
  Append(3);
  EXPECT_EQ(Verify().verdict, Verdict::kIncomplete);
}

// Sizes around full tiles, and past what is put into the tree at once.
TEST_P(AuditTreeContract, LogThatGrows_VerifiesAtEverySize) {
  std::uint64_t size = 0;
  for (const std::int64_t count :
       std::initializer_list<std::int64_t>{1, 254, 1, 1, 255, 1, 200, limits::kCheckpointEntriesMax + 1}) {
    Append(count);
    size += static_cast<std::uint64_t>(count);
    const auto checkpoint = Sign();
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->size, size);
    const auto report = Verify();
    EXPECT_EQ(report.verdict, Verdict::kGood) << (report.reasons.empty() ? "" : report.reasons.front());
    EXPECT_EQ(report.entries, size);
    EXPECT_EQ(report.covered, size);
  }
  EXPECT_EQ(Verify().checkpoints, 8u);
  EXPECT_FALSE(Sign()) << "nothing new";
}

TEST_P(AuditTreeContract, EntriesBehindTheLastCheckpoint_AreCounted) {
  Append(5);
  ASSERT_TRUE(Sign());
  Append(2);
  const auto report = Verify();
  EXPECT_EQ(report.verdict, Verdict::kGood);
  EXPECT_EQ(report.entries, 7u);
  EXPECT_EQ(report.covered, 5u);
  EXPECT_EQ(*MakeCheckpointer().Uncovered(), 2u);
}

TEST_P(AuditTreeContract, Witness_GetsWhatTheFileGets) {
  Append(5);
  ASSERT_TRUE(Sign());
  EXPECT_EQ(*witness_.Last(), *file_.Last());
}

TEST_P(AuditTreeContract, CrashBetweenFileAndStore_IsNoTampering) {
  Append(5);
  ASSERT_TRUE(Sign());
  Append(1);
  // What Advance does before the store holds the note.
  const auto key = audit::SigningKey::Load(directory_.File("key"), "log");
  audit::MerkleFrontier frontier;
  ASSERT_TRUE(store().Read([&](storage::Snapshot& snapshot) -> Result<void> {
    return log().ForEach(snapshot, 1, 6, [&](audit::Sequence, std::string_view bytes) {
      frontier.Append(audit::LeafHash(bytes));
      return true;
    });
  }));
  ASSERT_TRUE(file_.Append(audit::SignCheckpoint(*key, {"log", 6, frontier.Root()})));
  EXPECT_EQ(Verify().verdict, Verdict::kGood);
  EXPECT_TRUE(Sign());
  EXPECT_EQ(Verify().verdict, Verdict::kGood);
}

TEST_P(AuditTreeContract, FileOfCheckpointsGoneOrCut_IsTampered) {
  Append(5);
  ASSERT_TRUE(Sign());
  const std::string first = *file_.Last();
  Append(5);
  ASSERT_TRUE(Sign());
  ASSERT_TRUE(file_.StartAgain(first));
  EXPECT_EQ(Verify().verdict, Verdict::kTampered);
  ASSERT_TRUE(file_.StartAgain(""));
  EXPECT_EQ(Verify().verdict, Verdict::kTampered);
}

TEST_P(AuditTreeContract, CheckpointKeptElsewhere_IsComparedWithTheLog) {
  Append(5);
  const auto kept = Sign();
  ASSERT_TRUE(kept);
  Append(5);
  ASSERT_TRUE(Sign());
  audit::VerifyOptions options;
  options.since = kept;
  EXPECT_EQ(Verify(options).verdict, Verdict::kGood);
  options.since->root[0] ^= 1;
  EXPECT_EQ(Verify(options).verdict, Verdict::kTampered);
  options.since = Checkpoint{"log", 11, {}};
  EXPECT_EQ(Verify(options).verdict, Verdict::kTampered);
}

TEST_P(AuditTreeContract, EveryEntry_HasAProofThatVerifies) {
  Append(300);
  const auto checkpoint = Sign();
  ASSERT_TRUE(checkpoint);
  for (std::uint64_t index = 0; index < 300; ++index) {
    const auto text = Seen<std::string>([&](storage::Snapshot& snapshot) {
      return audit::ProveEntry(log(), tree(), snapshot, index, *checkpoint, *file_.Last());
    });
    EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\nextra ")) << index;
    EXPECT_NE(text.find("\nindex " + std::to_string(index) + "\n"), std::string::npos);
    EXPECT_TRUE(text.ends_with("\n\n" + *file_.Last()));
  }
}

TEST_P(AuditTreeContract, ExportedLog_ReadsBackAndVerifies) {
  for (const std::int64_t count : {1, 255, 1, 443}) {
    Append(count);
    const auto checkpoint = Sign();
    ASSERT_TRUE(checkpoint);
    const std::string folder = directory_.File("export-" + std::to_string(checkpoint->size));
    const auto exported = store().Read([&](storage::Snapshot& snapshot) {
      audit::SnapshotLog source(log(), tree(), snapshot);
      return audit::ExportLog(source, Key(), *checkpoint, *file_.Last(), folder);
    });
    ASSERT_TRUE(exported) << ToString(exported.error());
    audit::TileDirectory read_back(folder, checkpoint->size);
    audit::VerifyOptions options;
    options.since = checkpoint;
    const auto report = audit::VerifyLog(read_back, Key(), audit::CheckpointFile(folder + "/none"), options);
    ASSERT_TRUE(report) << ToString(report.error());
    EXPECT_EQ(report->verdict, Verdict::kGood);
    EXPECT_EQ(report->entries, checkpoint->size);
    const auto again = store().Read([&](storage::Snapshot& snapshot) {
      audit::SnapshotLog source(log(), tree(), snapshot);
      return audit::ExportLog(source, Key(), *checkpoint, *file_.Last(), folder);
    });
    EXPECT_FALSE(again) << "a folder that is not empty";
  }
}

// The log's order is that of its numbers, whatever the clock says, and the jump is written down.
TEST_P(AuditTreeContract, ClockSetBack_IsAnEntryAndReordersNothing) {
  audit::ClockWatch watch;
  EXPECT_FALSE(watch.HasGoneBack(TimeUs{100'000'000}, 5'000'000));
  EXPECT_FALSE(watch.HasGoneBack(TimeUs{101'000'000}, 6'000'000));
  EXPECT_FALSE(watch.HasGoneBack(TimeUs{101'000'000}, 7'000'000)) << "a second is tolerated";
  EXPECT_FALSE(watch.HasGoneBack(TimeUs{202'000'000}, 8'000'000)) << "forward is no jump back";
  EXPECT_TRUE(watch.HasGoneBack(TimeUs{102'000'000}, 9'000'000));
  EXPECT_FALSE(watch.HasGoneBack(TimeUs{103'000'000}, 10'000'000)) << "told once";

  Append(1);
  const audit::LogPorts ports{store(), log(), tree()};
  EXPECT_FALSE(*audit::IsBehindLog(ports, now()));
  const TimeUs earlier{now().us - 3'600'000'000};
  EXPECT_TRUE(*audit::IsBehindLog(ports, earlier));
  ASSERT_TRUE(audit::AppendClockSetBack(ports, earlier));
  EXPECT_FALSE(*audit::IsBehindLog(ports, earlier));
  Append(1);
  ASSERT_TRUE(Sign());
  EXPECT_EQ(Verify().verdict, Verdict::kGood);
  EXPECT_EQ(Verify().entries, 3u);
}

INSTANTIATE_TEST_SUITE_P(Backends, AuditTreeContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
