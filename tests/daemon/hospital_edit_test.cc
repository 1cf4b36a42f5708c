// What hospital IT can do without a compiler: a new drug, a new field of the record and a new plausibility
// rule, by editing a copy of the mappings only. The same binary gives the right output.
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecord =
    R"({"recordId":"N-1","revision":1,"site":"pain-clinic","status":"completed","recorded":"2024-01-02T10:00:00Z",
    "patient":{"mrn":"1"},"performed":{"start":"2024-01-02T09:00:00Z"},"procedure":{"kind":"intrathecal-injection"},
    "consent":{"kind":"written"},"ward":"W-7",
    "administrations":[{"seq":1,"purpose":"therapeutic","drug":"newdrug","route":"intrathecal","dose":{"value":0.10,"unit":"mg"}}]})";

class EditedMappings : public testing::Test {
 protected:
  EditedMappings() {
    fs::copy(FHIR_ADAPTER_SOURCE_DIR "/mappings", folder_.File("mappings"), fs::copy_options::recursive);
  }

  void Edit(const std::string& name, const std::string& from, const std::string& to) {
    folder_.Write("mappings/" + name, Replaced(ReadFile(folder_.File("mappings/" + name)), from, to));
  }

  ProcessResult Map() {
    return RunAdapter({"map", "--map-dir", folder_.File("mappings"), "--format", "ndjson",
                       folder_.Write("record.json", kRecord)});
  }

  // The line of the output whose resource has this type.
  static std::string Resource(const ProcessResult& result, const std::string& type) {
    std::size_t begin = 0;
    while (begin < result.standard_output.size()) {
      const std::size_t end = result.standard_output.find('\n', begin);
      const std::string line = result.standard_output.substr(begin, end - begin);
      if (AtPointer(line, "/resourceType") == type) return line;
      begin = end + 1;
    }
    return "";
  }

  TemporaryDirectory folder_;
};

TEST_F(EditedMappings, WithoutAnEdit_TheNewDrugIsQuarantinedAndTheFieldReported) {
  const ProcessResult result = Map();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.standard_output.empty());
  EXPECT_NE(result.standard_error.find("/administrations/0/drug: unmapped-code"), std::string::npos)
      << result.standard_error;
  EXPECT_NE(result.standard_error.find("/ward: unknown-field"), std::string::npos) << result.standard_error;
}

TEST_F(EditedMappings, NewDrugFieldAndRule_GiveTheirOutputFromTheSameBinary) {
  folder_.Write("mappings/terminology/site/drug.json", R"({
    "resourceType": "ConceptMap", "url": "https://clinic.example/fhir/ConceptMap/drug", "status": "active",
    "group": [{"source": "https://clinic.example/fhir/CodeSystem/procedure-record-drug",
      "target": "https://clinic.example/fhir/CodeSystem/pharmacy",
      "element": [{"code": "newdrug", "display": "new drug",
        "target": [{"code": "P-77", "display": "New drug 0.1 mg/mL", "equivalence": "equivalent"}]}]}]})");
  Edit("models/ProcedureRecord.json", R"({
        "id": "ProcedureRecord.notes",)",
       R"({
        "id": "ProcedureRecord.ward", "path": "ProcedureRecord.ward", "short": "where the patient lay",
        "min": 0, "max": "1", "type": [{"code": "string"}]
      },
      {
        "id": "ProcedureRecord.notes",)");
  Edit("procedure-record/procedure-note.map", "  record.notes as text ->",
       "  record.ward as ward -> procedure.note as note, note.text = ('Ward: ' & %ward) \"ward\";\n  "
       "record.notes as text ->");
  folder_.Write("mappings/rules/NEW-DOSE.json", R"({
    "kind": "rule", "id": "NEW-DOSE", "version": "1.0.0", "title": "New drug above its usual dose",
    "basis": "the pharmacy's sheet", "parameters": {"usual_ug": 50},
    "checks": [{"for": "%rows.where(drug = 'newdrug' and dose.exists())",
      "let": [{"name": "given", "value": "dose.inUnit('ug')"}],
      "cases": [{"when": "%given > %usual_ug", "code": "NEW-DOSE", "severity": "low", "text": "Above {usual_ug} ug."}],
      "suffix": "seq.toString()", "implicated": ["administration"]
}]
})");

  const ProcessResult result = Map();
EXPECT_EQ(result.exit_code, 0) << result.standard_error;
const std::string administration = Resource(result, "MedicationAdministration");
EXPECT_EQ(AtPointer(administration, "/contained/0/code/coding/0/code"), "P-77") << administration;
EXPECT_EQ(AtPointer(administration, "/dosage/dose/value"), "0.10");
EXPECT_NE(Resource(result, "Procedure").find("\"Ward: W-7\""), std::string::npos);
const std::string issue = Resource(result, "DetectedIssue");
EXPECT_NE(result.standard_output.find("pain-clinic.N-1.NEW-DOSE.1"), std::string::npos)
    << result.standard_output;
EXPECT_NE(result.standard_output.find("Above 50 ug."), std::string::npos) << issue;
EXPECT_EQ(result.standard_error.find("unknown-field"), std::string::npos) << result.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
