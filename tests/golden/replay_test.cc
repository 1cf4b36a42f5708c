// A mapped record can be made again years later: its map set, facts and engine are pinned, whatever became of
// the files that it was mapped with.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "app/mapping_files.h"
#include "core/clock.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/mapping_pool.h"
#include "pipeline/receive.h"
#include "pipeline/record_input.h"
#include "pipeline/shared_record_mapper.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::golden {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMap = "procedure-record";

std::shared_ptr<const pipeline::MappingSet> SetIn(const std::string& folder) {
  auto files = app::ReadMappingFiles(folder);
  EXPECT_TRUE(files.has_value());
  pipeline::MappingSettings settings;
  settings.map = kMap;
  settings.site = "pain-clinic";
  settings.patient_identifier_system = "https://hospital.example/fhir/sid/mrn";
  std::vector<fml::Finding> findings;
  return files ? pipeline::MappingSet::Build(std::move(*files), settings, findings) : nullptr;
}

// The records of fixtures/records and of the cases beside the maps.
std::vector<std::string> Records() {
  std::vector<std::string> paths;
  for (const char* folder : {"fixtures/records", "mappings"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(FHIR_ADAPTER_SOURCE_DIR) / folder)) {
      const bool is_case = entry.path().filename() == "input.json";
      const bool is_record = std::string_view(folder) == "fixtures/records";
      if (entry.path().extension() == ".json" && (is_case || is_record)) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Replay : public testing::Test {
 protected:
  Replay() {
    fs::copy(fs::path(FHIR_ADAPTER_SOURCE_DIR) / "mappings", maps_, fs::copy_options::recursive);
    storage::SqliteStoreSettings settings;
    settings.path = directory_.File("adapter.db");
    auto opened = outbox::OpenSqliteBackend(std::move(settings), SystemRandom());
    EXPECT_TRUE(opened.has_value());
    backend_ = std::move(*opened);
  }

  // Receipts of those that were accepted now and mapped with `set`.
  std::vector<std::string> AcceptAndMap(const std::shared_ptr<const pipeline::MappingSet>& set) {
    pipeline::Receiver receiver(*backend_->store, backend_->inbox, backend_->queue, SystemClock(), {});
    pipeline::MappingPool pool(*backend_->store, backend_->inbox, SystemClock(), {});
    pool.SetMapper(std::make_shared<pipeline::SharedRecordMapper>(set));
    std::vector<std::string> receipts;
    for (const std::string& path : Records()) {
      pipeline::RecordInput input(set->model(), record::RecordFormat::kJson);
      input.Push(*app::ReadFile(path));
      input.Finish();
      pipeline::Submission submission;
      submission.source = "test";
      submission.actor.id = "test";
      while (auto record = input.Next()) submission.records.push_back(std::move(*record));
      auto answer = receiver.ReceiveNow(std::move(submission));
      EXPECT_TRUE(answer.has_value()) << path;
      for (const auto& one : answer->records) receipts.push_back(one.receipt);
      EXPECT_TRUE(pool.Drain().has_value());
    }
    return receipts;
  }

  outbox::PinnedMapping Pinned(const std::string& receipt) {
    auto pinned =
        storage::ReadValue<outbox::PinnedMapping>(*backend_->store, [&](storage::Snapshot& snapshot) {
          return backend_->inbox.LoadPinned(snapshot, outbox::WorkId{receipt});
        });
    return pinned ? std::move(*pinned) : outbox::PinnedMapping{};
  }
  std::string MapSetBytes(const std::string& sha256) {
    auto bytes = storage::ReadValue<std::string>(*backend_->store, [&](storage::Snapshot& snapshot) {
      return backend_->inbox.LoadMapSet(snapshot, sha256);
    });
    return bytes ? std::move(*bytes) : std::string();
  }
  void ChangeEveryFileOfTheMaps() {
    for (const auto& entry : fs::recursive_directory_iterator(maps_)) {
      if (!entry.is_regular_file()) continue;
      std::ofstream(entry.path(), std::ios::trunc) << "// nothing is left of this file\n";
    }
  }

  test::TemporaryDirectory directory_;
  const std::string maps_ = directory_.File("mappings");
  std::unique_ptr<outbox::SqliteBackend> backend_;
};

TEST_F(Replay, EveryFixtureAfterAllMapFilesChanged_GivesTheStoredOutput) {
  const std::vector<std::string> receipts = AcceptAndMap(SetIn(maps_));
  ChangeEveryFileOfTheMaps();
  ASSERT_EQ(SetIn(maps_), nullptr) << "control: the files on the disk are of no use any more";
  std::shared_ptr<const pipeline::MappingSet> set;
  int replayed = 0;
  int with_dose_changed = 0;
  for (const std::string& receipt : receipts) {
    const outbox::PinnedMapping pinned = Pinned(receipt);
    if (pinned.map_set_sha256.empty()) continue;  // quarantined: nothing was mapped
    if (!set) {
      auto read = pipeline::MappingSet::FromBytes(MapSetBytes(pinned.map_set_sha256), pinned.map_set_sha256,
                                                  pinned.map_id);
      ASSERT_TRUE(read.has_value()) << ToString(read.error());
      set = std::move(*read);
    }
    ASSERT_EQ(set->name(), pinned.map_set_sha256);
    const pipeline::SharedRecordMapper mapper(set);
    EXPECT_EQ(mapper.engine(), pinned.engine);
    EXPECT_EQ(outbox::OutputHash(mapper.Map({}, pinned.bytes, pinned.facts).resources), pinned.output_sha256)
        << receipt;
    ++replayed;
    // Control: one digit of a dose more is another output.
    std::string tenfold = pinned.bytes;
    const std::size_t at = tenfold.find("\"value\": 50");
    if (at == std::string::npos) continue;
    tenfold.insert(at + 11, "0");
    EXPECT_NE(outbox::OutputHash(mapper.Map({}, tenfold, pinned.facts).resources), pinned.output_sha256);
    ++with_dose_changed;
  }
  EXPECT_GT(replayed, 15);
  EXPECT_GT(with_dose_changed, 0);
}

TEST_F(Replay, BytesOfAnotherSet_AreRefused) {
  const auto set = SetIn(maps_);
  ASSERT_NE(set, nullptr);
  const std::string bytes = set->Bytes();
  ASSERT_TRUE(pipeline::MappingSet::FromBytes(bytes, set->name(), kMap).has_value());
  std::string changed = bytes;
  changed.replace(changed.find("clinic.example"), 14, "clinic.invalid");
  for (const std::string& wrong : {changed, std::string("{}"), std::string("[]")}) {
    const auto refused = pipeline::MappingSet::FromBytes(wrong, set->name(), kMap);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kIntegrity);
  }
  EXPECT_FALSE(pipeline::MappingSet::FromBytes(bytes.substr(0, bytes.size() / 2), set->name(), kMap));
}

}  // namespace
}  // namespace fhir_adapter::golden
