// Each source has a map of its own, and a record keeps the one that it came for.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShipped = "maps/procedure-record/procedure-record.map";
constexpr const char* kOther = "maps/other-clinic.map";

// Two folders, of which the second goes through a map that says another title and makes no Provenance.
class SourceMaps : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(FHIR_ADAPTER_SOURCE_DIR "/mappings", folder_.File("maps"), fs::copy_options::recursive);
    std::string map = ReadFile(folder_.File(kShipped));
    map = Replaced(map, "StructureMap/procedure-record'", "StructureMap/other-clinic'");
    map = Replaced(map, "'ProcedureRecord'", "'OtherClinic'");
    folder_.Write(kOther, Replaced(map, "then Drugs(record, key, bundle) \"drugs\"",
                                   "then Course(record, key, bundle) \"drugs\""));
    DaemonOptions options;
    options.endpoint = sandbox_.url();
    options.maps = folder_.File("maps");
    options.more_configuration = Source("own", "") + Source("other", "map = \"other-clinic\"\n");
    sandbox_.RegisterPatient("200002");
    sandbox_.RegisterPatient("200003");
    daemon_ = std::make_unique<RunningDaemon>(options);
  }

  std::string Source(const std::string& name, const std::string& more) const {
    return "[[source]]\nname = \"" + name + "\"\nkind = \"directory\"\npath = \"" + folder_.File(name) +
           "\"\n" + more;
  }
  static std::string Record(const std::string& id) {
    return Replaced(Fixture("records/bare.json"), "EDGE-BARE", id);
  }
  // Of another patient: a finding about an interval between the two would speak of an administration that
  // the other map leaves out.
  static std::string OtherRecord(const std::string& id) {
    return Replaced(Record(id), "\"mrn\": \"200002\"", "\"mrn\": \"200003\"");
  }
  void MoveIn(const std::string& source, const std::string& id) const {
    folder_.Write(id, source == "other" ? OtherRecord(id) : Record(id));
    fs::rename(folder_.File(id), fs::path(folder_.File(source)) / (id + ".json"));
  }
  // Of the daemon's own copy, as editors do.
  void Append(const std::string& file, const std::string& text) const {
    const TemporaryDirectory& own = daemon_->folder();
    own.Write("edited", ReadFile(own.File(file)) + text);
    fs::rename(own.File("edited"), own.File(file));
  }
  int Administrations(const std::string& id) {
    return sandbox_.Count("MedicationAdministration?identifier=pain-clinic." + id + ".1");
  }
  int Procedures(const std::string& id) { return sandbox_.Count("Procedure?identifier=pain-clinic." + id); }
  int Provenances(const std::string& id) {
    const std::string procedure = AtPointer(sandbox_.One("Procedure?identifier=pain-clinic." + id), "/id");
    return sandbox_.Count("Provenance?target=Procedure/" + procedure);
  }
  TemporaryDirectory folder_;
  RunningSandbox sandbox_;
  std::unique_ptr<RunningDaemon> daemon_;
};

TEST_F(SourceMaps, TwoFoldersWithTwoMaps_DeliverWhatEachMapSays) {
  MoveIn("own", "OWN-1");
  MoveIn("other", "OTHER-1");
  ASSERT_EQ(daemon_->Submit(Record("HTTP-1")).status, 202);
  for (const char* id : {"OWN-1", "OTHER-1", "HTTP-1"}) {
    ASSERT_EQ(daemon_->WaitForState(id, 1, {"delivered"}), "delivered");
    EXPECT_EQ(Procedures(id), 1);
  }
  EXPECT_EQ(Administrations("OWN-1"), 1);
  EXPECT_EQ(Administrations("OTHER-1"), 0);
  EXPECT_EQ(Administrations("HTTP-1"), 1);
  // The map of the others has no map for Provenances beside it.
  EXPECT_EQ(Provenances("OTHER-1"), 0);
  EXPECT_GE(Provenances("OWN-1"), 1);

  const auto lineage = daemon_->Command({"trace", "OTHER-1", "--element", "Procedure.status"});
  EXPECT_THAT(lineage.standard_output, testing::HasSubstr("other-clinic.map:"));
}

TEST_F(SourceMaps, MapsThatAreEdited_AreExchangedForBothSources) {
  Append(kShipped, "\n// another comment\n");
  ASSERT_TRUE(daemon_->process().WaitForLine("\"maps-changed\"")) << daemon_->process().StandardError();
  Append(kOther, "\n// another comment\n");
  ASSERT_TRUE(daemon_->process().WaitForLine("\"maps-changed\"")) << daemon_->process().StandardError();
  MoveIn("own", "OWN-1");
  MoveIn("other", "OTHER-1");
  ASSERT_EQ(daemon_->WaitForState("OWN-1", 1, {"delivered"}), "delivered");
  ASSERT_EQ(daemon_->WaitForState("OTHER-1", 1, {"delivered"}), "delivered");
  EXPECT_EQ(Administrations("OWN-1"), 1);
  EXPECT_EQ(Administrations("OTHER-1"), 0);
}

TEST_F(SourceMaps, EditThatTakesTheMapOfASourceAway_IsRefused) {
  fs::rename(daemon_->folder().File(kOther), daemon_->folder().File("aside"));
  const auto line = daemon_->process().WaitForLine("\"maps-kept\"");
  ASSERT_TRUE(line) << daemon_->process().StandardError();
  EXPECT_THAT(*line, testing::HasSubstr("[[source]] 'other' map: no map 'other-clinic'"));
  MoveIn("other", "OTHER-1");
  EXPECT_EQ(daemon_->WaitForState("OTHER-1", 1, {"delivered"}), "delivered");
}

TEST(SourceMapCheck, UnknownMap_IsNamedWithTheNearest) {
  const TemporaryDirectory folder;
  folder.Write("c.toml",
               "[[source]]\nname = \"a\"\nkind = \"directory\"\npath = \"/in\"\n"
               "[[source]]\nname = \"b\"\nkind = \"directory\"\npath = \"/in\"\n"
               "map = \"procedure-recrod\"\n");
  const ProcessResult result = RunAdapter({"--config", folder.File("c.toml"), "check"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.standard_output,
              testing::HasSubstr("[[source]] 'b' map: no map 'procedure-recrod' with a source type; did you "
                                 "mean procedure-record?"));
  const ProcessResult serve = RunAdapter({"--config", folder.File("c.toml"), "serve"});
  EXPECT_EQ(serve.exit_code, 2);
}

}  // namespace
}  // namespace fhir_adapter::test
