// `map diff` between the shipped maps and an edited copy.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "app/commands.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using testing::HasSubstr;

class MapDiffCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(FHIR_ADAPTER_MAPPINGS_DIR, folder_.File("maps"),
                          std::filesystem::copy_options::recursive);
  }

  void Edit(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = test::ReadFile(folder_.File("maps/" + file));
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder_.Write("maps/" + file, text.replace(at, from.size(), to));
  }

  int Run(bool json = false) {
    MapDiffOptions options;
    options.against = FHIR_ADAPTER_MAPPINGS_DIR;
    options.map_directory = folder_.File("maps");
    for (const char* record : {"mg-1", "bare"}) {
      options.records.push_back(std::string(FHIR_ADAPTER_MAPPINGS_DIR "/../fixtures/records/") + record +
                                ".json");
    }
    GlobalOptions global;
    global.json = json;
    std::istringstream in;
    out_.str("");
    return RunMapDiff(global, options, Streams{in, out_, err_});
  }

  test::TemporaryDirectory folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(MapDiffCommand, SameMaps_ChangeNothing) {
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(out_.str(), "0 of 2 records changed\n");
}

TEST_F(MapDiffCommand, TextOfATable_IsShownForTheRecordThatHasTheCode) {
  Edit("terminology/indication.json", "Complex regional pain syndrome type I", "Algodystrophy");
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(out_.str(), HasSubstr("mg-1.json: pain-clinic/MG-1 revision 1\n  Condition "
                                    "pain-clinic.MG-1.indication.CRPS-1: code.coding[0].display: \"Complex "
                                    "regional pain syndrome type I\" → \"Algodystrophy\"\n"));
  EXPECT_THAT(out_.str(), HasSubstr("1 of 2 records changed\n"));
  EXPECT_THAT(out_.str(), HasSubstr("       1  Condition.code.coding.display\n"));
  EXPECT_EQ(Run(true), 1);
  EXPECT_THAT(out_.str(), HasSubstr("\"recordId\":\"MG-1\",\"revision\":1,\"resources\":[{\"type\":"));
  EXPECT_THAT(out_.str(), HasSubstr("{\"path\":\"code.coding[0].display\",\"before\":\"Complex regional pain "
                                    "syndrome type I\",\"after\":\"Algodystrophy\"}"));
}

TEST_F(MapDiffCommand, MapsThatDoNotCompile_EndWithUsage) {
  Edit("procedure-record/condition.map", "'#indication'", "'#indicatoin'");
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("procedure-record/condition.map:"));
}

}  // namespace
}  // namespace fhir_adapter::app
