// Random changes of an exported log, each of bytes that an entry, a hash or the checkpoint depends on: every
// one is found with the key alone, but for the two kinds that need a witness, which the witness finds.
//
// FHIR_ADAPTER_AUDIT_MUTATIONS (2,000; long.sh: 100,000): half of them are made here, half in
// sqlite_audit_mutation_test.cc.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>

#include "audit/checkpointer.h"
#include "audit/snapshot_log.h"
#include "audit/tile_directory.h"
#include "backend.h"

namespace fhir_adapter::test {
namespace {

using audit::Checkpoint;
using audit::Verdict;

constexpr std::uint64_t kSeed = 20261127;

int Mutations() {
  const char* count = std::getenv("FHIR_ADAPTER_AUDIT_MUTATIONS");  // long.sh sets it
  return (count == nullptr ? 2'000 : std::atoi(count)) / 2;
}

// A log as it was written: entries and the note that signs them.
struct Signed {
  std::vector<std::string> entries;
  std::string note;
};

class EntrySource final : public audit::LogSource {
 public:
  explicit EntrySource(const std::vector<std::string>& entries) : entries_(entries) {}
  Result<void> ForEach(std::uint64_t last, const Visit& visit) override {
    for (std::uint64_t i = 0; i < entries_.size() && i < last; ++i) ADAPTER_CHECK(visit(i + 1, entries_[i]));
    return {};
  }
  Result<std::uint64_t> TreeSize() override { return entries_.size(); }
  audit::TileStore& tiles() override { std::abort(); }

 private:
  const std::vector<std::string>& entries_;
};

class ExportedLogMutation : public ContractTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i) versions_.push_back(MakeVersion(i));
    for (const Signed& version : versions_) ASSERT_TRUE(witness_.Append(version.note));
    Export(folder_, versions_.back().entries, versions_.back().note, key_);
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
      if (file.is_regular_file()) files_[file.path().string()] = ReadFile(file.path());
    }
    ASSERT_GT(files_.size(), 6U) << "more than one bundle and tile";
  }

  // Longer than a bundle, so that the tree has full and partial tiles of two levels.
  Signed MakeVersion(int number) {
    for (int i = 0; i < 150; ++i) {
      const std::string record = "R-" + std::to_string(number) + "-" + std::to_string(i);
      if (i % 25 == 0) {
        Queue(record, 1, std::to_string(100'000 + i));
      } else {
        Accept(record, 1);
      }
    }
    Signed version;
    EXPECT_TRUE(store().Read([&](storage::Snapshot& snapshot) -> Result<void> {
      ADAPTER_TRY(const audit::Sequence last, log().Size(snapshot));
      return log().ForEach(snapshot, 1, last, [&](audit::Sequence, std::string_view bytes) {
        version.entries.emplace_back(bytes);
        return true;
      });
    }));
    version.note = Note(key_, version.entries);
    return version;
  }

  static std::string Note(const audit::SigningKey& key, const std::vector<std::string>& entries) {
    audit::MerkleFrontier frontier;
    for (const std::string& entry : entries) frontier.Append(audit::LeafHash(entry));
    return audit::SignCheckpoint(key, {"log", entries.size(), frontier.Root()});
  }
  // As its maker would write it who holds `key`.
  static void Export(const std::string& folder, const std::vector<std::string>& entries,
                     const std::string& note, const audit::SigningKey& key) {
    const auto checkpoint = audit::OpenCheckpoint(key.verifier(), note);
    ASSERT_TRUE(checkpoint);
    EntrySource source(entries);
    const auto written = audit::ExportLog(source, key.verifier(), *checkpoint, note, folder);
    ASSERT_TRUE(written) << ToString(written.error());
  }
  void Restore() {
    std::filesystem::remove_all(folder_);
    for (const auto& [path, bytes] : files_) Overwrite(path, bytes);
  }
  void Overwrite(const std::string& path, std::string_view bytes) {
    directory_.Write(std::filesystem::relative(path, directory_.path()).string(), bytes);
  }

  // With the verifier's own copy of the key, as an auditor has it.
  Verdict VerdictOf(const audit::CheckpointFile& kept) {
    audit::VerifyOptions options;
    options.has_own_format = false;
    const auto report = audit::VerifyExportedLog(folder_, key_.verifier(), kept, options);
    EXPECT_TRUE(report) << ToString(report.error());
    return report ? report->verdict : Verdict::kIncomplete;
  }

  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(numbers_);
  }
  std::string Flipped(std::string bytes) {
    const std::size_t at = Below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(7)));
    return bytes;
  }
  // A file whose path holds `part`.
  std::string PickFile(const std::string& part) {
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : files_) {
      if (path.find(part) != std::string::npos) paths.push_back(path);
    }
    return paths[Below(paths.size())];
  }
  // The files of these entries in place of the others; the checkpoint stays.
  void PutEntries(const std::vector<std::string>& entries) {
    Forge(entries, Note(key_, entries), key_);
    Overwrite(folder_ + "/checkpoint", versions_.back().note);
  }
  void Forge(const std::vector<std::string>& entries, const std::string& note, const audit::SigningKey& key) {
    std::filesystem::remove_all(folder_);
    Export(folder_, entries, note, key);
  }
  std::vector<std::string> OneEdited() {
    std::vector<std::string> entries = versions_.back().entries;
    std::string& entry = entries[Below(entries.size())];
    entry = Flipped(entry);
    return entries;
  }

  struct Kind {
    const char* name;
    void (ExportedLogMutation::*change)();
  };
  void EntryEdited() { FlipIn("/tile/entries/"); }
  void HashEdited() { FlipIn(Below(4) == 0 ? "/tile/1/" : "/tile/0/"); }
  void CheckpointEdited() { FlipIn("/checkpoint"); }
  void FlipIn(const std::string& part) {
    const std::string path = PickFile(part);
    Overwrite(path, Flipped(files_.at(path)));
  }
  void FileCut() {
    const std::string path = PickFile("/tile/");
    Overwrite(path, files_.at(path).substr(0, Below(files_.at(path).size())));
  }
  void FileRemoved() { std::filesystem::remove(PickFile("/tile/")); }
  void EntryEditedWithItsTree() { PutEntries(OneEdited()); }
  void EntryDeleted() {
    std::vector<std::string> entries = versions_.back().entries;
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(Below(entries.size())));
    PutEntries(entries);
  }
  void EntriesExchanged() {
    std::vector<std::string> entries = versions_.back().entries;
    const std::size_t first = Below(entries.size() - 1);
    std::swap(entries[first], entries[first + 1 + Below(entries.size() - first - 1)]);
    PutEntries(entries);
  }
  void EntryInserted() {
    std::vector<std::string> entries = versions_.back().entries;
    const std::string again = entries[Below(entries.size())];
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(Below(entries.size())), again);
    PutEntries(entries);
  }
  void LogCut() {
    std::vector<std::string> entries = versions_.back().entries;
    entries.resize(1 + Below(entries.size() - 1));
    PutEntries(entries);
  }
  // With a key of the forger's own, also as `vkey`.
  void SignedByAnother() {
    const std::vector<std::string> entries = OneEdited();
    Forge(entries, Note(other_, entries), other_);
  }
  void CheckpointReplacedByAnEarlierOne() {
    Overwrite(folder_ + "/checkpoint", versions_[Below(versions_.size() - 1)].note);
  }
  // Whole in itself, since it once was the log.
  void RolledBack() {
    const Signed& earlier = versions_[Below(versions_.size() - 1)];
    Forge(earlier.entries, earlier.note, key_);
  }
  // Whole in itself, since the key was stolen.
  void RewrittenWithTheLogsKey() {
    const std::vector<std::string> entries = OneEdited();
    Forge(entries, Note(key_, entries), key_);
  }

  static const std::vector<Kind>& FoundByTheKey() {
    static const std::vector<Kind> kinds = {
        {"entry edited", &ExportedLogMutation::EntryEdited},
        {"entry edited with its tree", &ExportedLogMutation::EntryEditedWithItsTree},
        {"entry deleted", &ExportedLogMutation::EntryDeleted},
        {"entries exchanged", &ExportedLogMutation::EntriesExchanged},
        {"entry inserted", &ExportedLogMutation::EntryInserted},
        {"log cut", &ExportedLogMutation::LogCut},
        {"file cut", &ExportedLogMutation::FileCut},
        {"file removed", &ExportedLogMutation::FileRemoved},
        {"hash edited", &ExportedLogMutation::HashEdited},
        {"checkpoint edited", &ExportedLogMutation::CheckpointEdited},
        {"rewritten and signed by another", &ExportedLogMutation::SignedByAnother},
    };
    return kinds;
  }
  static const std::vector<Kind>& NeedingAWitness() {
    static const std::vector<Kind> kinds = {
        {"rolled back", &ExportedLogMutation::RolledBack},
        {"rewritten with the log's own key", &ExportedLogMutation::RewrittenWithTheLogsKey},
    };
    return kinds;
  }

  const audit::SigningKey key_ = audit::SigningKey::Make("log");
  const audit::SigningKey other_ = audit::SigningKey::Make("log");
  const std::string folder_ = directory_.File("export");
  const audit::CheckpointFile none_{directory_.File("none")};
  const audit::CheckpointFile witness_{directory_.File("witness")};
  std::vector<Signed> versions_;              // oldest first
  std::map<std::string, std::string> files_;  // of the newest, by path
  std::mt19937_64 numbers_{kSeed};
};

TEST_P(ExportedLogMutation, UnchangedFolder_IsGood) {
  EXPECT_EQ(VerdictOf(none_), Verdict::kGood);
  EXPECT_EQ(VerdictOf(witness_), Verdict::kGood);
}

TEST_P(ExportedLogMutation, EveryChangeOfItsFiles_IsFoundWithTheKeyAlone) {
  std::map<std::string, int> found;
  const int count = Mutations() * 11 / 13;
  for (int i = 0; i < count; ++i) {
    const Kind& kind = FoundByTheKey()[static_cast<std::size_t>(i) % FoundByTheKey().size()];
    (this->*kind.change)();
    ASSERT_FALSE(HasFailure()) << kind.name;
    const Verdict verdict = VerdictOf(none_);
    EXPECT_EQ(verdict, Verdict::kTampered) << kind.name << ", mutation " << i << ", seed " << kSeed;
    found[kind.name] += verdict == Verdict::kTampered ? 1 : 0;
    Restore();
  }
  for (const auto& [kind, times] : found) std::cout << kind << ": " << times << " found\n";
  EXPECT_EQ(VerdictOf(witness_), Verdict::kGood) << "the mutations were undone";
}

TEST_P(ExportedLogMutation, OlderOrForgedByTheKeysHolder_IsFoundByTheWitnessAlone) {
  std::map<std::string, int> found;
  const int count = std::max(Mutations() * 2 / 13, 1);
  for (int i = 0; i < count; ++i) {
    const Kind& kind = NeedingAWitness()[static_cast<std::size_t>(i) % NeedingAWitness().size()];
    (this->*kind.change)();
    ASSERT_FALSE(HasFailure()) << kind.name;
    EXPECT_EQ(VerdictOf(none_), Verdict::kGood) << kind.name << ": the witness is not needed, " << i;
    const Verdict verdict = VerdictOf(witness_);
    EXPECT_EQ(verdict, Verdict::kTampered) << kind.name << ", mutation " << i << ", seed " << kSeed;
    found[kind.name] += verdict == Verdict::kTampered ? 1 : 0;
    Restore();
  }
  for (const auto& [kind, times] : found) std::cout << kind << ": " << times << " found by the witness\n";
}

// A checkpoint that a person kept does what the witness does.
TEST_P(ExportedLogMutation, CheckpointKeptElsewhere_FindsTheOlderFolder) {
  audit::VerifyOptions options;
  options.has_own_format = false;
  for (const Signed& version : versions_) {
    options.since = *audit::OpenCheckpoint(key_.verifier(), version.note);
    const auto report = audit::VerifyExportedLog(folder_, key_.verifier(), none_, options);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->verdict, Verdict::kGood) << "it has grown from it";
  }
  RolledBack();
  const auto report = audit::VerifyExportedLog(folder_, key_.verifier(), none_, options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->verdict, Verdict::kTampered);
}

INSTANTIATE_TEST_SUITE_P(Backends, ExportedLogMutation, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
