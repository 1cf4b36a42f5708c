#include "record/record_model.h"

#include <gtest/gtest.h>

#include "unit/record/shipped_model.h"

namespace fhir_adapter::record {
namespace {

const ModelElement* At(std::initializer_list<std::string_view> path) {
  const ModelElement* element = &ShippedModel().root();
  for (const std::string_view name : path) {
    element = element->Find(name);
    if (element == nullptr) return nullptr;
  }
  return element;
}

TEST(RecordModel, ShippedModel_IsNamedProcedureRecord) {
  EXPECT_EQ(ShippedModel().type(), "ProcedureRecord");
  EXPECT_EQ(ShippedModel().url(), "https://clinic.example/fhir/StructureDefinition/ProcedureRecord");
}

struct ElementCase {
  std::vector<std::string_view> path;
  ValueType type;
  bool is_required;
  bool is_list;
};

class ShippedElement : public ::testing::TestWithParam<ElementCase> {};

TEST_P(ShippedElement, HasTypeAndCardinalityOfTheRecordTable) {
  const ModelElement* element = &ShippedModel().root();
  for (const std::string_view name : GetParam().path) {
    element = element->Find(name);
    ASSERT_NE(element, nullptr) << name;
  }
  EXPECT_EQ(element->type, GetParam().type);
  EXPECT_EQ(element->is_required, GetParam().is_required);
  EXPECT_EQ(element->is_list, GetParam().is_list);
}

INSTANTIATE_TEST_SUITE_P(
    RecordTable, ShippedElement,
    ::testing::Values(
        ElementCase{{"recordId"}, ValueType::kString, true, false},
        ElementCase{{"revision"}, ValueType::kInteger, true, false},
        ElementCase{{"site"}, ValueType::kString, true, false},
        ElementCase{{"status"}, ValueType::kCode, true, false},
        ElementCase{{"recorded"}, ValueType::kInstant, true, false},
        ElementCase{{"correction", "at"}, ValueType::kInstant, false, false},
        ElementCase{{"correction", "by", "name"}, ValueType::kString, false, false},
        ElementCase{{"patient"}, ValueType::kObject, true, false},
        ElementCase{{"patient", "mrn"}, ValueType::kString, true, false},
        ElementCase{{"patient", "birthDate"}, ValueType::kDate, false, false},
        ElementCase{{"patient", "weightKg"}, ValueType::kDecimal, false, false},
        ElementCase{{"performed", "start"}, ValueType::kDateTime, true, false},
        ElementCase{{"performed", "end"}, ValueType::kDateTime, false, false},
        ElementCase{{"indications", "code"}, ValueType::kCode, true, false},
        ElementCase{{"history", "operatedLevels"}, ValueType::kCode, false, true},
        ElementCase{{"procedure", "kind"}, ValueType::kCode, true, false},
        ElementCase{{"procedure", "localAnaesthesia", "given"}, ValueType::kBoolean, false, false},
        ElementCase{{"administrations"}, ValueType::kObject, false, true},
        ElementCase{{"administrations", "seq"}, ValueType::kInteger, true, false},
        ElementCase{{"administrations", "purpose"}, ValueType::kCode, true, false},
        ElementCase{{"administrations", "drug"}, ValueType::kCode, true, false},
        ElementCase{{"administrations", "dose", "value"}, ValueType::kDecimal, false, false},
        ElementCase{{"administrations", "order", "orderId"}, ValueType::kString, true, false},
        ElementCase{{"administrations", "order", "dose", "unit"}, ValueType::kString, false, false},
        ElementCase{{"pain", "rowId"}, ValueType::kString, true, false},
        ElementCase{{"pain", "timing"}, ValueType::kCode, true, false},
        ElementCase{{"pain", "scale"}, ValueType::kCode, true, false},
        ElementCase{{"pain", "aboutSeq"}, ValueType::kInteger, false, false},
        ElementCase{{"outcome", "facets"}, ValueType::kCode, false, true},
        ElementCase{{"adverseEvents", "symptomRowIds"}, ValueType::kString, false, true},
        ElementCase{{"laboratory", "value"}, ValueType::kDecimal, false, false},
        ElementCase{{"visits", "visitId"}, ValueType::kString, true, false},
        ElementCase{{"notes"}, ValueType::kString, false, true}));

TEST(RecordModel, ClosedLists_HoldTheCodesOfTheRecordTable) {
  using Codes = std::vector<std::string>;
  EXPECT_EQ(At({"status"})->closed_list,
            (Codes{"completed", "corrected", "in-progress", "not-done", "voided"}));
  EXPECT_EQ(At({"patient", "sex"})->closed_list, (Codes{"female", "male", "other", "unknown"}));
  EXPECT_EQ(At({"setting"})->closed_list, (Codes{"emergency", "inpatient", "outpatient"}));
  EXPECT_EQ(At({"performers", "function"})->closed_list,
            (Codes{"performer", "preparer", "verifier", "witness"}));
  EXPECT_EQ(At({"consent", "kind"})->closed_list, (Codes{"none", "verbal", "written"}));
  EXPECT_EQ(At({"procedure", "guidance"})->closed_list, (Codes{"c-arm", "none"}));
  EXPECT_EQ(At({"procedure", "position"})->closed_list, (Codes{"prone", "recumbent", "sitting"}));
  EXPECT_EQ(At({"procedure", "cerebrospinalFluid", "turbidity"})->closed_list,
            (Codes{"marked", "none", "slight"}));
  EXPECT_EQ(At({"administrations", "purpose"})->closed_list, (Codes{"rescue", "supportive", "therapeutic"}));
  EXPECT_EQ(At({"pain", "timing"})->closed_list, (Codes{"after", "baseline", "follow-up"}));
  EXPECT_EQ(At({"pain", "scale"})->closed_list, (Codes{"NRS", "VAS", "unspecified"}));
  EXPECT_EQ(At({"pain", "comparator"})->closed_list, (Codes{"<", "<=", ">", ">="}));
  EXPECT_EQ(At({"pain", "notRecorded"})->closed_list, (Codes{"asked-declined", "not-asked", "unknown"}));
  EXPECT_EQ(At({"outcome", "success"})->closed_list,
            (Codes{"partial", "successful", "unknown", "unsuccessful"}));
  EXPECT_EQ(At({"outcome", "facets"})->closed_list, (Codes{"hobbies", "housework", "overall", "sleep"}));
  EXPECT_EQ(At({"adverseEvents", "severity"})->closed_list, (Codes{"mild", "moderate", "severe"}));
  EXPECT_EQ(At({"adverseEvents", "outcome"})->closed_list,
            (Codes{"fatal", "ongoing", "recovering", "resolved", "resolvedWithSequelae", "unknown"}));
  EXPECT_EQ(At({"adverseEvents", "causality"})->closed_list,
            (Codes{"certain", "conditional", "possible", "probable", "unassessable", "unlikely"}));
  EXPECT_EQ(At({"laboratory", "fraction"})->closed_list, (Codes{"ionised", "total", "unstated"}));
  EXPECT_EQ(At({"visits", "kind"})->closed_list, (Codes{"emergency", "follow-up", "telephone"}));
}

TEST(RecordModel, OpenLists_TakeLocalCodes) {
  EXPECT_FALSE(At({"procedure", "kind"})->closed_list);
  EXPECT_FALSE(At({"procedure", "level"})->closed_list);
  EXPECT_FALSE(At({"history", "operatedLevels"})->closed_list);
  EXPECT_FALSE(At({"indications", "code"})->closed_list);
  EXPECT_FALSE(At({"administrations", "drug"})->closed_list);
  EXPECT_FALSE(At({"administrations", "diluent"})->closed_list);
  EXPECT_FALSE(At({"administrations", "route"})->closed_list);
  EXPECT_FALSE(At({"coProcedures", "kind"})->closed_list);
  EXPECT_FALSE(At({"symptoms", "kind"})->closed_list);
  EXPECT_FALSE(At({"adverseEvents", "kind"})->closed_list);
  EXPECT_FALSE(At({"laboratory", "analyte"})->closed_list);
}

struct BrokenModel {
  std::string_view name;
  std::string_view element;  // second element of the differential
  std::string_view message;
};

class BrokenModelTest : public ::testing::TestWithParam<BrokenModel> {};

TEST_P(BrokenModelTest, Build_SaysWhatIsWrongAndWhere) {
  Arena arena;
  const std::string text =
      R"({"resourceType":"StructureDefinition","kind":"logical","url":"u","differential":{"element":[
{"path":"R"},
)" + std::string(GetParam().element) +
      "]}}";
  auto structure = fhir::ReadJson(text, arena);
  ASSERT_TRUE(structure.has_value());
  const auto model = RecordModel::Build(**structure, {});
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code, Code::kConfiguration);
  EXPECT_EQ(model.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, BrokenModelTest,
    ::testing::Values(
        BrokenModel{"UnknownType", R"({"path":"R.a","max":"1","type":[{"code":"Quantity"}]})",
                    "R.a: type Quantity is not supported in a record model"},
        BrokenModel{"NoType", R"({"path":"R.a","max":"1"})", "R.a needs exactly one type"},
        BrokenModel{"OddMax", R"({"path":"R.a","max":"3","type":[{"code":"string"}]})",
                    "R.a: max must be 1 or *"},
        BrokenModel{"NoParent", R"({"path":"R.a.b","max":"1","type":[{"code":"string"}]})",
                    "R.a.b stands below nothing that can hold it"},
        BrokenModel{
            "NoValueSet",
            R"({"path":"R.a","max":"1","type":[{"code":"code"}],"binding":{"strength":"required","valueSet":"v"}})",
            "R.a: value set v is not there"},
        BrokenModel{
            "ConstraintWithoutCode",
            R"({"path":"R.a","max":"1","type":[{"code":"code"}],"constraint":[{"key":"c","expression":"true"}]})",
            "constraint c needs the extension record-issue-code with a code that quarantines"},
        BrokenModel{
            "ConstraintThatRejects",
            R"({"path":"R.a","max":"1","type":[{"code":"code"}],"constraint":[{"key":"c","expression":"true","extension":[{"url":"x/StructureDefinition/record-issue-code","valueCode":"missing"}]}]})",
            "constraint c needs the extension record-issue-code with a code that quarantines"},
        BrokenModel{
            "ReferenceToNoKey",
            R"({"path":"R.a","max":"1","type":[{"code":"string"}],"extension":[{"url":"x/StructureDefinition/record-row-reference","valueString":"b.c"}]})",
            "R.a: b.c is not the key of a row"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace fhir_adapter::record
