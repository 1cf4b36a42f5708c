// `map test` on folders of cases, with the shipped maps.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "app/commands.h"

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class MapTestCommand : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    const fs::path shipped = fs::path(FHIR_ADAPTER_MAPPINGS_DIR) / "procedure-record/tests/mg-1";
    for (const char* name : {"input.json", "expected.json", "expected-issues"}) {
      if (fs::exists(shipped / name)) Write(Case() / name, Read(shipped / name));
    }
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path Case() const { return root_ / "procedure-record/tests/mine"; }

  int Run(bool update = false, bool coverage = false) {
    out_.str("");
    MapTestOptions options;
    options.directory = root_.string();
    options.map_directory = FHIR_ADAPTER_MAPPINGS_DIR;
    options.update = update;
    options.coverage = coverage;
    options.junit_file = (root_ / "junit.xml").string();
    std::istringstream in;
    return RunMapTest({}, options, Streams{in, out_, err_});
  }

  // Replaces a text of a file of the case, which must be there.
  void Change(const char* file, const std::string& from, const std::string& to) {
    std::string text = Read(Case() / file);
    const std::size_t place = text.find(from);
    ASSERT_NE(place, std::string::npos) << from;
    Write(Case() / file, text.replace(place, from.size(), to));
  }

  const fs::path root_ =
      fs::path(testing::TempDir()) /
      ("map-test-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(MapTestCommand, CaseAsExpected_Passes) {
  EXPECT_EQ(Run(), 0) << out_.str() << err_.str();
  EXPECT_EQ(out_.str(), "1 cases, 0 failed\n");
  EXPECT_NE(Read(root_ / "junit.xml").find("<testcase classname=\"procedure-record\" name=\"mine\"/>"),
            std::string::npos);
}

TEST_F(MapTestCommand, Difference_IsNamedByElementPath) {
  Change("expected.json", "\"status\": \"completed\"", "\"status\": \"stopped<\"");
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(out_.str().find(".status: expected \"stopped<\", found \"completed\""), std::string::npos)
      << out_.str();
  EXPECT_NE(out_.str().find("1 cases, 1 failed"), std::string::npos);
  const std::string junit = Read(root_ / "junit.xml");
  EXPECT_NE(junit.find("failures=\"1\""), std::string::npos);
  EXPECT_NE(junit.find("expected &quot;stopped&lt;&quot;"), std::string::npos) << junit;
}

TEST_F(MapTestCommand, Update_WritesWhatIsFoundAndTheCasePasses) {
  const std::string good = Read(Case() / "expected.json");
  Write(Case() / "expected.json", "{}");
  EXPECT_EQ(Run(true), 0) << err_.str();
  EXPECT_EQ(Read(Case() / "expected.json"), good);
  EXPECT_EQ(Run(), 0);
}

TEST_F(MapTestCommand, NewCase_IsMadeByAnInputAndUpdate) {
  fs::remove(Case() / "expected.json");
  fs::remove(Case() / "expected-issues");
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(out_.str().find("expected.json: expected no Bundle, found one"), std::string::npos) << out_.str();
  EXPECT_EQ(Run(true), 0);
  EXPECT_EQ(Run(), 0);
}

TEST_F(MapTestCommand, RefusedRecord_IsACaseByItsIssues) {
  Change("input.json", "\"magnesium-sulfate\"", "\"another-drug\"");
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(out_.str().find("expected.json: expected a Bundle, found none"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("found '/administrations/0/drug unmapped-code quarantined'"), std::string::npos);
  EXPECT_EQ(Run(true), 0);
  EXPECT_FALSE(fs::exists(Case() / "expected.json"));
  EXPECT_EQ(Run(), 0);
}

TEST_F(MapTestCommand, Coverage_ListsRulesAndRowsThatNoCaseReaches) {
  EXPECT_EQ(Run(false, true), 0);
  EXPECT_NE(out_.str().find("procedure-record/document-reference.map:"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find(": no case reaches the rule"), std::string::npos);
  EXPECT_NE(out_.str().find("ConceptMap/symptom: drowsiness: no case reaches the row"), std::string::npos);
}

TEST_F(MapTestCommand, FolderWithoutCases_IsSaid) {
  fs::remove(Case() / "input.json");
  EXPECT_EQ(Run(), 3);
  EXPECT_NE(err_.str().find("no case tests/<case>/input.json is here or below"), std::string::npos)
      << err_.str();
}

}  // namespace
}  // namespace fhir_adapter::app
