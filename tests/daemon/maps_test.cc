// Maps that are edited while the daemon runs.
#include <atomic>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <signal.h>
#include <string>
#include <thread>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kMap = "maps/procedure-record/condition.map";
constexpr const char* kTable = "maps/terminology/indication.json";

// A record of a patient of its own, so that records are mapped in parallel.
std::string Record(int number) {
  const std::string id = std::to_string(number);
  return Replaced(Replaced(Fixture("records/bare.json"), "EDGE-BARE", "FLOW-" + id), "200002", "300" + id);
}

class Maps : public testing::Test {
 protected:
  void SetUp() override {
    DaemonOptions options;
    options.maps = FHIR_ADAPTER_SOURCE_DIR "/mappings";
    daemon_ = std::make_unique<RunningDaemon>(options);
  }

  std::string Read(const std::string& file) const { return ReadFile(daemon_->folder().File(file)); }
  // As editors do: written beside, then renamed.
  void Edit(const std::string& file, const std::string& text) const {
    daemon_->folder().Write("edited", text);
    std::filesystem::rename(daemon_->folder().File("edited"), daemon_->folder().File(file));
  }

  std::string SetOf(int number) const {
    return daemon_->Query(
        "SELECT map_set_sha256 FROM mapping JOIN work_item USING (position) JOIN record_subject USING "
        "(subject_key) WHERE record_id = 'FLOW-" +
        std::to_string(number) + "'");
  }
  std::string Metric(const std::string& name) const {
    const std::string page = daemon_->client().Get("/metrics").body;
    const std::size_t at = page.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    const std::size_t begin = at + name.size() + 2;
    return page.substr(begin, page.find('\n', begin) - begin);
  }

  std::unique_ptr<RunningDaemon> daemon_;
};

TEST_F(Maps, EditedWhileRecordsFlow_EveryRecordIsMappedWithTheOldOrTheNewSet) {
  ASSERT_EQ(daemon_->Submit(Record(0)).status, 202);
  ASSERT_EQ(daemon_->WaitForState("FLOW-0", 1, {"queued"}), "queued");

  std::atomic<bool> done = false;
  std::atomic<int> accepted = 0;
  int sent = 0;
  std::thread sender([&] {
    HttpClient client(daemon_->url());
    client.set_content_type("application/json");
    while (!done) accepted += client.Post("/records", Record(++sent)).status == 202 ? 1 : 0;
  });
  Edit(kMap, Read(kMap) + "\n// another comment\n");
  const auto line = daemon_->process().WaitForLine("\"maps-changed\"");
  done = true;
  sender.join();
  ASSERT_TRUE(line) << daemon_->process().StandardError();
  const int last = sent + 1;
  ASSERT_EQ(daemon_->Submit(Record(last)).status, 202);
  for (int i = 1; i <= last; ++i) {
    ASSERT_EQ(daemon_->WaitForState("FLOW-" + std::to_string(i), 1, {"queued"}), "queued");
  }

  const std::string before = AtPointer(*line, "/before");
  const std::string set = AtPointer(*line, "/set");
  EXPECT_NE(before, set);
  EXPECT_EQ(accepted, sent);
  EXPECT_EQ(SetOf(0), before);
  EXPECT_EQ(SetOf(last), set);
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM mapping"), std::to_string(last + 1));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM mapping WHERE map_set_sha256 NOT IN ('" + before + "', '" +
                           set + "')"),
            "0");
  EXPECT_EQ(Metric("fhir_adapter_map_reloads_total{outcome=\"changed\"}"), "1");
  EXPECT_EQ(daemon_->Query(
                "SELECT json_extract(CAST(bytes AS TEXT), '$.mapping.sha256', '$.supersedes.reason') FROM "
                "audit_entry WHERE CAST(bytes AS TEXT) LIKE '%\"event\":\"maps-changed\"%'"),
            "[\"" + set + "\",\"" + before + "\"]");
}

TEST_F(Maps, EditThatDoesNotCompile_IsRefusedAndIntakeGoesOn) {
  ASSERT_EQ(daemon_->Submit(Record(1)).status, 202);
  ASSERT_EQ(daemon_->WaitForState("FLOW-1", 1, {"queued"}), "queued");
  const std::string good = Read(kMap);
  Edit(kMap, Replaced(good, "'#indication'", "'#indicatoin'"));
  const auto line = daemon_->process().WaitForLine("\"maps-kept\"");
  ASSERT_TRUE(line) << daemon_->process().StandardError();
  EXPECT_THAT(*line, HasSubstr("procedure-record/condition.map:"));
  ASSERT_EQ(daemon_->Submit(Record(2)).status, 202);
  ASSERT_EQ(daemon_->WaitForState("FLOW-2", 1, {"queued"}), "queued");
  EXPECT_EQ(SetOf(2), SetOf(1));
  EXPECT_EQ(AtPointer(*line, "/set"), SetOf(1));
  EXPECT_EQ(Metric("fhir_adapter_map_reloads_total{outcome=\"kept\"}"), "1");
  EXPECT_EQ(Metric("fhir_adapter_maps_refused"), "1");
  EXPECT_EQ(daemon_->Query(
                "SELECT json_extract(CAST(bytes AS TEXT), '$.outcome') FROM audit_entry WHERE CAST(bytes AS "
                "TEXT) LIKE '%\"event\":\"maps-kept\"%'"),
            "configuration");
}

TEST_F(Maps, EditThatACaseSpeaksAgainst_IsTakenOnceTheCaseIsCorrected) {
  Edit(kTable, Replaced(Read(kTable), "Complex regional pain syndrome type I", "Algodystrophy"));
  const auto kept = daemon_->process().WaitForLine("\"maps-kept\"");
  ASSERT_TRUE(kept) << daemon_->process().StandardError();
  EXPECT_THAT(*kept, HasSubstr("cases beside the maps fail"));
  EXPECT_THAT(*kept, HasSubstr("procedure-record/mg-1"));
  EXPECT_THAT(*kept, Not(HasSubstr("Algodystrophy")));
  EXPECT_EQ(RunAdapter({"map", "test", daemon_->folder().File("maps")}).exit_code, 1);
  EXPECT_EQ(RunAdapter({"map", "test", "--update", daemon_->folder().File("maps")}).exit_code, 0);
  EXPECT_TRUE(daemon_->process().WaitForLine("\"maps-changed\"")) << daemon_->process().StandardError();
}

// Nothing can be seen of what a link leads to: there the signal does it.
TEST(LinkedMap, Signal_ReadsTheFolderAgain) {
  const TemporaryDirectory folder;
  std::filesystem::copy(FHIR_ADAPTER_SOURCE_DIR "/mappings", folder.File("maps"),
                        std::filesystem::copy_options::recursive);
  const std::string text = ReadFile(folder.File(kMap));
  folder.Write("elsewhere.map", text);
  std::filesystem::remove(folder.File(kMap));
  std::filesystem::create_symlink(folder.File("elsewhere.map"), folder.File(kMap));
  DaemonOptions options;
  options.maps = folder.File("maps");
  RunningDaemon daemon(options);
  folder.Write("elsewhere.map", text + "\n// another comment\n");
  daemon.process().Signal(SIGHUP);
  EXPECT_TRUE(daemon.process().WaitForLine("\"maps-changed\"")) << daemon.process().StandardError();
}

}  // namespace
}  // namespace fhir_adapter::test
