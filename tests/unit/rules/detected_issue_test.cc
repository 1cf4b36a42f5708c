// The shipped map that makes DetectedIssues of what the rules found.
#include <filesystem>
#include <gtest/gtest.h>

#include "fhir/json_writer.h"
#include "fml/map_set.h"
#include "fml/mapper.h"
#include "unit/rules/rule_record.h"

namespace fhir_adapter::rules {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const fml::MapSet> CompileShipped() {
  std::vector<fml::SourceFile> files;
  const fs::path root = record::SourcePath("mappings");
  for (const char* folder : {"models", "rules"}) {
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".json" && path.extension() != ".map") continue;
      files.push_back({fs::relative(path, root), record::ReadFileBytes(path)});
    }
  }
  fml::MapSetOptions options;
  options.configuration = {{"canonicalBase", "https://clinic.example/fhir"},
                           {"patientIdentifierSystem", "https://hospital.example/mrn"}};
  std::vector<fml::Finding> findings;
  auto maps = fml::MapSet::Compile(std::move(files), options, findings);
  for (const fml::Finding& finding : findings) ADD_FAILURE() << ToLine(finding);
  return maps;
}

Finding TenfoldFinding() {
  Finding finding;
  finding.identifier = "s.R.RATIO.1";
  finding.rule_id = "RATIO";
  finding.rule_version = "1.0.0";
  finding.system = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
  finding.code = "DOSE";
  finding.severity = "high";
  finding.text = "tenfold";
  finding.identified = "2014-05-06T21:10:00+09:00";
  finding.implicated = {{"MedicationAdministration", "it-administration", "s.R.1"},
                        {"MedicationRequest", "it-order", "s.O"}};
  return finding;
}

Finding LocalFinding() {
  Finding finding = TenfoldFinding();
  finding.identifier = "s.R.SED3";
  finding.rule_id = finding.code = "SED3";
  finding.system.clear();
  finding.text = "sedation";
  finding.implicated = {{"Procedure", "it-procedure", "s.R"}};
  finding.evidence = {{"Observation", "it-observation", "s.R.sedation.a"},
                      {"Observation", "it-observation", "s.R.sedation.b"}};
  return finding;
}

TEST(DetectedIssueMap, Findings_BecomeIssuesWithEveryElement) {
  const auto maps = CompileShipped();
  ASSERT_NE(maps, nullptr);
  const fml::MapInfo* map = maps->FindMap("rules/detected-issue.map");
  ASSERT_NE(map, nullptr);
  Arena arena;
  const fhir::Node* tree = FindingsTree({TenfoldFinding(), LocalFinding()}, "s.R", "10,3", arena);
  fml::Mapper mapper(maps);
  auto mapping = mapper.Map(*map, *tree, fml::MapRequest());
  ASSERT_TRUE(mapping.has_value());
  for (const Issue& issue : mapping->issues) ADD_FAILURE() << ToLine(issue);
  ASSERT_NE(mapping->target, nullptr);
  std::string json;
  fhir::WriteResource(*mapping->target, maps->schema(), json);
  EXPECT_EQ(
      json,
      R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"DetectedIssue",)"
      R"("identifier":[{"system":"https://clinic.example/fhir/sid/it-issue","value":"s.R.RATIO.1"}],"status":"final",)"
      R"("code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"DOSE"}],"text":"tenfold"},)"
      R"("severity":"high","patient":{"reference":"Patient?identifier=https://hospital.example/mrn|10%5C%2C3"},)"
      R"("identifiedDateTime":"2014-05-06T21:10:00+09:00",)"
      R"("author":{"type":"Device","identifier":{"system":"https://clinic.example/fhir/sid/it-device","value":"fhir-adapter"},"display":"fhir-adapter"},)"
      R"("implicated":[{"reference":"MedicationAdministration?identifier=https://clinic.example/fhir/sid/it-administration|s.R.1"},)"
      R"({"reference":"MedicationRequest?identifier=https://clinic.example/fhir/sid/it-order|s.O"}],)"
      R"("detail":"tenfold","reference":"https://clinic.example/fhir/rules/RATIO|1.0.0"}},)"
      R"({"resource":{"resourceType":"DetectedIssue",)"
      R"("identifier":[{"system":"https://clinic.example/fhir/sid/it-issue","value":"s.R.SED3"}],"status":"final",)"
      R"("code":{"coding":[{"system":"https://clinic.example/fhir/CodeSystem/it-local","code":"SED3"}],"text":"sedation"},)"
      R"("severity":"high","patient":{"reference":"Patient?identifier=https://hospital.example/mrn|10%5C%2C3"},)"
      R"("identifiedDateTime":"2014-05-06T21:10:00+09:00",)"
      R"("author":{"type":"Device","identifier":{"system":"https://clinic.example/fhir/sid/it-device","value":"fhir-adapter"},"display":"fhir-adapter"},)"
      R"("implicated":[{"reference":"Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|s.R"}],)"
      R"("evidence":[{"detail":[{"reference":"Observation?identifier=https://clinic.example/fhir/sid/it-observation|s.R.sedation.a"},)"
      R"({"reference":"Observation?identifier=https://clinic.example/fhir/sid/it-observation|s.R.sedation.b"}]}],)"
      R"("detail":"sedation","reference":"https://clinic.example/fhir/rules/SED3|1.0.0"}}]})");
}

}  // namespace
}  // namespace fhir_adapter::rules
