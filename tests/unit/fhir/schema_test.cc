#include "fhir/schema.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

const TypeInfo& Type(std::string_view name) {
  const TypeInfo* type = Schema::R4().FindType(name);
  if (type == nullptr) throw std::runtime_error("no type " + std::string(name));
  return *type;
}

const ElementInfo& ElementOf(std::string_view type, std::string_view name) {
  const ElementInfo* element = Schema::FindElement(Type(type), name);
  if (element == nullptr) throw std::runtime_error("no element " + std::string(name));
  return *element;
}

std::vector<std::string> TypeNames(const ElementInfo& element) {
  std::vector<std::string> names;
  for (const ElementType& type : element.types) names.emplace_back(type.type->name);
  return names;
}

std::vector<std::string> Targets(const ElementInfo& element) {
  std::vector<std::string> names(element.types.front().targets.begin(), element.types.front().targets.end());
  return names;
}

TEST(SchemaR4, IsVersion401) {
  EXPECT_EQ(Schema::R4().fhir_version(), "4.0.1");
}

TEST(SchemaR4, HoldsEveryTypeOnce) {
  // The resource list of R4 has 146 concrete resources, the data types page 20 primitives (xhtml included).
  EXPECT_NE(Schema::R4().FindType("Observation"), nullptr);
  EXPECT_EQ(Schema::R4().FindType("Bundle")->kind, TypeKind::kResource);
  EXPECT_EQ(Schema::R4().FindType("Quantity")->kind, TypeKind::kComplex);
  EXPECT_EQ(Schema::R4().FindType("positiveInt")->kind, TypeKind::kPrimitive);
  EXPECT_EQ(Schema::R4().FindType("Observation.component")->kind, TypeKind::kBackbone);
  EXPECT_TRUE(Schema::R4().FindType("DomainResource")->is_abstract);
  EXPECT_EQ(Schema::R4().FindType("NoSuchType"), nullptr);
  EXPECT_EQ(Schema::R4().FindType(""), nullptr);
}

TEST(SchemaR4, TypesAreFoundByUrl) {
  const TypeInfo* type = Schema::R4().FindType("http://hl7.org/fhir/StructureDefinition/Patient");
  EXPECT_EQ(type, Schema::R4().FindType("Patient"));
  EXPECT_EQ(type, Schema::R4().FindType("http://hl7.org/fhir/StructureDefinition/Patient|4.0.1"));
  EXPECT_EQ(type->url, "http://hl7.org/fhir/StructureDefinition/Patient");
}

TEST(SchemaR4, ObservationSubject_IsThatOfR4AndNotR4B) {
  EXPECT_THAT(Targets(ElementOf("Observation", "subject")),
              testing::ElementsAre("Device", "Group", "Location", "Patient"));
}

TEST(SchemaR4, Elements_StandInTheOrderOfTheDefinition) {
  std::vector<std::string> names;
  for (const ElementInfo& element : Type("MedicationAdministration.dosage").elements) {
    names.emplace_back(element.name);
    EXPECT_EQ(element.order, names.size() - 1);
  }
  EXPECT_THAT(names, testing::ElementsAre("id", "extension", "modifierExtension", "text", "site", "route",
                                          "method", "dose", "rate"));
}

TEST(SchemaR4, Cardinality_IsThatOfTheDefinition) {
  const ElementInfo& status = ElementOf("MedicationAdministration", "status");
  EXPECT_EQ(status.min, 1U);
  EXPECT_EQ(status.max, 1U);
  EXPECT_TRUE(status.is_modifier);
  EXPECT_FALSE(status.is_list());
  const ElementInfo& category = ElementOf("Observation", "category");
  EXPECT_EQ(category.min, 0U);
  EXPECT_EQ(category.max, kUnbounded);
  EXPECT_TRUE(category.is_list());
}

TEST(SchemaR4, Choice_HasAMemberNameForEachType) {
  const ElementInfo& value = ElementOf("Observation", "value");
  EXPECT_TRUE(value.is_choice);
  EXPECT_THAT(TypeNames(value),
              testing::ElementsAre("Quantity", "CodeableConcept", "string", "boolean", "integer", "Range",
                                   "Ratio", "SampledData", "time", "dateTime", "Period"));
  const auto property = Schema::FindProperty(Type("Observation"), "valueQuantity");
  ASSERT_TRUE(property);
  EXPECT_EQ(property->element, &value);
  EXPECT_EQ(property->type, &Type("Quantity"));
  EXPECT_EQ(Schema::FindProperty(Type("Observation"), "value")->type, nullptr);
  EXPECT_FALSE(Schema::FindProperty(Type("Observation"), "valueMoney"));
  EXPECT_FALSE(Schema::FindProperty(Type("Observation"), "_status"));
  EXPECT_EQ(Schema::FindElement(Type("Observation"), "valueQuantity"), &value);
}

TEST(SchemaR4, JsonName_JoinsNameAndType) {
  EXPECT_EQ(Schema::JsonName(ElementOf("Observation", "value"), Type("dateTime")), "valueDateTime");
  EXPECT_EQ(Schema::JsonName(ElementOf("Observation", "status"), Type("code")), "status");
  EXPECT_EQ(Schema::JsonName(ElementOf("Observation", "value"), Type("Money")), "");
  // A subtype goes under the name of the type that is allowed.
  EXPECT_EQ(Schema::JsonName(ElementOf("Observation", "value"), Type("Duration")), "valueQuantity");
  EXPECT_EQ(Schema::JsonName(ElementOf("Extension", "value"), Type("Duration")), "valueDuration");
}

TEST(SchemaR4, Extension_MayHoldFiftyTypes) {
  EXPECT_EQ(ElementOf("Extension", "value").types.size(), 50U);
}

TEST(SchemaR4, ContentReference_LeadsToTheSameBackbone) {
  EXPECT_EQ(ElementOf("Observation.component", "referenceRange").types.front().type,
            &Type("Observation.referenceRange"));
  EXPECT_EQ(ElementOf("Bundle.entry", "link").types.front().type, &Type("Bundle.link"));
  EXPECT_EQ(ElementOf("Questionnaire.item", "item").types.front().type, &Type("Questionnaire.item"));
}

TEST(SchemaR4, SubtypeOf_FollowsTheBaseDefinition) {
  EXPECT_TRUE(Schema::IsSubtypeOf(Type("Age"), Type("Quantity")));
  EXPECT_TRUE(Schema::IsSubtypeOf(Type("code"), Type("string")));
  EXPECT_TRUE(Schema::IsSubtypeOf(Type("Observation"), Type("DomainResource")));
  EXPECT_TRUE(Schema::IsSubtypeOf(Type("Observation.component"), Type("BackboneElement")));
  EXPECT_FALSE(Schema::IsSubtypeOf(Type("Bundle"), Type("DomainResource")));
  EXPECT_FALSE(Schema::IsSubtypeOf(Type("Quantity"), Type("Age")));
}

TEST(SchemaR4, RequiredBinding_HasTheCompleteCodeList) {
  const ValueSetInfo* status = ElementOf("Observation", "status").required_binding;
  ASSERT_NE(status, nullptr);
  std::vector<std::string> codes;
  for (const ValueSetInfo::Row& row : status->codes) codes.emplace_back(row.code);
  EXPECT_THAT(codes, testing::UnorderedElementsAre("registered", "preliminary", "final", "amended",
                                                   "corrected", "cancelled", "entered-in-error", "unknown"));
  EXPECT_TRUE(status->Contains("final"));
  EXPECT_TRUE(status->Contains("http://hl7.org/fhir/observation-status", "final"));
  EXPECT_FALSE(status->Contains("http://example.org", "final"));
  EXPECT_FALSE(status->Contains("Final"));
  EXPECT_FALSE(status->Contains(""));
}

TEST(SchemaR4, RequiredBinding_OfTheNamedElementsIsThere) {
  for (const auto& [type, element] :
       std::vector<std::pair<std::string, std::string>>{{"AdverseEvent", "actuality"},
                                                        {"AdverseEvent", "severity"},
                                                        {"AdverseEvent", "outcome"},
                                                        {"Procedure", "status"},
                                                        {"Condition", "clinicalStatus"},
                                                        {"Condition", "verificationStatus"},
                                                        {"DetectedIssue", "severity"},
                                                        {"Quantity", "comparator"},
                                                        {"Bundle", "type"},
                                                        {"MedicationRequest", "intent"},
                                                        {"Provenance.entity", "role"},
                                                        {"Identifier", "use"}}) {
    EXPECT_NE(ElementOf(type, element).required_binding, nullptr) << type << "." << element;
  }
  // Example, preferred and extensible bindings bind nothing, and what cannot be listed is not in the table.
  EXPECT_EQ(ElementOf("Observation", "code").required_binding, nullptr);
  EXPECT_EQ(ElementOf("Attachment", "contentType").required_binding, nullptr);
}

// R4 lists its own types in a value set, which comes from another file than the definitions.
TEST(SchemaR4, EveryTypeThatR4Lists_IsInTheTable) {
  // Names for "any", and two profiles on Quantity.
  const std::set<std::string_view> no_types = {"Any", "Type", "SimpleQuantity", "MoneyQuantity"};
  const ValueSetInfo* all = Schema::R4().FindValueSet("http://hl7.org/fhir/ValueSet/all-types");
  ASSERT_NE(all, nullptr);
  std::size_t resources = 0;
  for (const ValueSetInfo::Row& row : all->codes) {
    if (no_types.contains(row.code)) continue;
    const TypeInfo* type = Schema::R4().FindType(row.code);
    ASSERT_NE(type, nullptr) << row.code;
    const bool is_resource = row.system == "http://hl7.org/fhir/resource-types";
    EXPECT_EQ(type->kind == TypeKind::kResource, is_resource) << row.code;
    resources += is_resource ? 1 : 0;
  }
  EXPECT_EQ(resources, 148U);  // Resource and DomainResource among them
}

TEST(SchemaR4, AllTypesValueSet_IncludesBothSystems) {
  const ValueSetInfo* all = Schema::R4().FindValueSet("http://hl7.org/fhir/ValueSet/all-types|4.0.1");
  ASSERT_NE(all, nullptr);
  EXPECT_TRUE(all->Contains("http://hl7.org/fhir/data-types", "Quantity"));
  EXPECT_TRUE(all->Contains("http://hl7.org/fhir/resource-types", "Observation"));
}

TEST(SchemaR4, SimpleQuantity_IsMarked) {
  const ElementInfo& dose = ElementOf("MedicationAdministration.dosage", "dose");
  EXPECT_TRUE(dose.types.front().is_simple_quantity);
  EXPECT_FALSE(ElementOf("Observation", "value").types.front().is_simple_quantity);
}

// Every member name of every type leads back to its element: the generated slots are the ones we compute.
TEST(SchemaR4, EveryName_IsFoundInItsTable) {
  std::vector<const TypeInfo*> open{&Type("DomainResource"), &Type("Bundle"), &Type("Extension")};
  std::set<const TypeInfo*> seen;
  while (!open.empty()) {
    const TypeInfo* type = open.back();
    open.pop_back();
    if (type == nullptr || !seen.insert(type).second) continue;
    EXPECT_EQ(Schema::R4().FindType(type->name), type) << type->name;
    open.push_back(type->base);
    for (const ElementInfo& element : type->elements) {
      for (const ElementType& allowed : element.types) {
        const auto property = Schema::FindProperty(*type, allowed.json_name);
        ASSERT_TRUE(property) << type->name << "." << allowed.json_name;
        EXPECT_EQ(property->element, &element);
        EXPECT_EQ(property->type, allowed.type);
        open.push_back(allowed.type);
      }
    }
    if (const auto property = Schema::FindProperty(*type, "noSuchMember")) ADD_FAILURE() << type->name;
  }
  EXPECT_GT(seen.size(), 60U);
}

// --- extension -----------------------------------------------------------------------------------------

constexpr char kModel[] = R"({
  "resourceType":"StructureDefinition","url":"http://clinic.example/StructureDefinition/Visit","name":"Visit",
  "status":"active","kind":"logical","abstract":false,"type":"Visit",
  "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Element","derivation":"specialization",
  "differential":{"element":[
    {"id":"Visit","path":"Visit","min":0,"max":"*"},
    {"path":"Visit.recordId","min":1,"max":"1","type":[{"code":"string"}]},
    {"path":"Visit.kind","min":1,"max":"1","type":[{"code":"code"}],
     "binding":{"strength":"required","valueSet":"http://clinic.example/ValueSet/kind"}},
    {"path":"Visit.pain","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
    {"path":"Visit.pain.value","min":0,"max":"1","type":[{"code":"decimal"}]},
    {"path":"Visit.pain.note","min":0,"max":"1","type":[{"code":"Base"}]},
    {"path":"Visit.pain.note.text","type":[{"code":"string"}]},
    {"path":"Visit.later","min":0,"max":"*","contentReference":"#Visit.pain"},
    {"path":"Visit.when[x]","min":0,"max":"1","type":[{"code":"date"},{"code":"Period"}]}
  ]}})";

constexpr char kValueSet[] = R"({"resourceType":"ValueSet","url":"http://clinic.example/ValueSet/kind",
  "compose":{"include":[{"system":"http://clinic.example/kinds"},
                        {"system":"http://other.example","concept":[{"code":"b"}]}]}})";

constexpr char kCodeSystem[] = R"({"resourceType":"CodeSystem","url":"http://clinic.example/kinds",
  "content":"complete","concept":[{"code":"z","concept":[{"code":"a"}]}]})";

Result<void> Add(Schema& schema, std::string_view text) {
  Arena arena;  // what the schema keeps it has copied
  const Node& node = **ReadJson(text, arena);
  const Node* kind = node.Find("resourceType");
  if (kind != nullptr && kind->text == "CodeSystem") return schema.AddCodeSystem(node);
  if (kind != nullptr && kind->text == "ValueSet") return schema.AddValueSet(node);
  return schema.AddStructureDefinition(node);
}

TEST(SchemaExtension, LogicalModel_BecomesATypeWithBackbones) {
  const auto schema = Schema::ExtendR4();
  ASSERT_TRUE(Add(*schema, kModel));
  const TypeInfo* visit = schema->FindType("Visit");
  ASSERT_NE(visit, nullptr);
  EXPECT_EQ(visit->kind, TypeKind::kLogical);
  EXPECT_EQ(schema->FindType("http://clinic.example/StructureDefinition/Visit|1"), visit);
  ASSERT_EQ(visit->elements.size(), 5U);  // no id, no extension: a local record is no Element
  EXPECT_EQ(visit->elements[0].name, "recordId");
  EXPECT_EQ(visit->elements[0].min, 1U);
  EXPECT_EQ(visit->elements[0].types.front().type, schema->FindType("string"));
  const TypeInfo* pain = schema->FindType("Visit.pain");
  ASSERT_NE(pain, nullptr);
  EXPECT_EQ(pain->kind, TypeKind::kBackbone);
  EXPECT_EQ(Schema::FindElement(*visit, "pain")->types.front().type, pain);
  EXPECT_TRUE(Schema::FindElement(*visit, "pain")->is_list());
  EXPECT_EQ(Schema::FindElement(*visit, "later")->types.front().type, pain);
  EXPECT_EQ(Schema::FindElement(*pain, "note")->types.front().type, schema->FindType("Visit.pain.note"));
  EXPECT_EQ(Schema::FindProperty(*visit, "whenPeriod")->type, schema->FindType("Period"));
  EXPECT_EQ(schema->FindType("Observation"), Schema::R4().FindType("Observation"));
}

TEST(SchemaExtension, Binding_ResolvesInAnyOrder) {
  std::vector<std::string> parts = {kModel, kValueSet, kCodeSystem};
  std::sort(parts.begin(), parts.end());
  do {
    const auto schema = Schema::ExtendR4();
    for (const std::string& part : parts) ASSERT_TRUE(Add(*schema, part));
    const ValueSetInfo* codes = Schema::FindElement(*schema->FindType("Visit"), "kind")->required_binding;
    ASSERT_NE(codes, nullptr);
    EXPECT_EQ(codes->codes.size(), 3U);
    EXPECT_TRUE(codes->Contains("http://clinic.example/kinds", "a"));
    EXPECT_TRUE(codes->Contains("http://other.example", "b"));
  } while (std::next_permutation(parts.begin(), parts.end()));
}

TEST(SchemaExtension, ValueSetThatCannotBeEnumerated_BindsNothing) {
  const auto schema = Schema::ExtendR4();
  ASSERT_TRUE(Add(*schema, kModel));
  ASSERT_TRUE(Add(*schema, kValueSet));
  EXPECT_EQ(Schema::FindElement(*schema->FindType("Visit"), "kind")->required_binding, nullptr);
  EXPECT_EQ(schema->FindValueSet("http://clinic.example/ValueSet/kind"), nullptr);
}

TEST(SchemaExtension, ExtensionDefinition_SaysValueAndContext) {
  const auto schema = Schema::ExtendR4();
  ASSERT_TRUE(Add(*schema, R"({"resourceType":"StructureDefinition",
    "url":"http://clinic.example/StructureDefinition/stage","kind":"complex-type","type":"Extension",
    "derivation":"constraint","context":[{"type":"element","expression":"Procedure"}],
    "differential":{"element":[{"path":"Extension"},
      {"path":"Extension.url","fixedUri":"http://clinic.example/StructureDefinition/stage"},
      {"path":"Extension.value[x]","min":1,"type":[{"code":"positiveInt"}]}]}})"));
  const ExtensionInfo* stage = schema->FindExtension("http://clinic.example/StructureDefinition/stage");
  ASSERT_NE(stage, nullptr);
  EXPECT_THAT(stage->contexts, testing::ElementsAre("Procedure"));
  ASSERT_EQ(stage->value_types.size(), 1U);
  EXPECT_EQ(stage->value_types[0]->name, "positiveInt");
  EXPECT_EQ(schema->FindExtension("http://clinic.example/other"), nullptr);
}

TEST(SchemaExtension, OtherProfile_NamesTheTypeItConstrains) {
  const auto schema = Schema::ExtendR4();
  ASSERT_TRUE(Add(*schema, R"({"resourceType":"StructureDefinition","url":"http://clinic.example/p",
    "kind":"resource","type":"Procedure","derivation":"constraint",
    "differential":{"element":[{"path":"Procedure"}]}})"));
  EXPECT_EQ(schema->FindType("http://clinic.example/p"), schema->FindType("Procedure"));
}

struct BadModel {
  const char* name;
  const char* elements;
  std::uint32_t column;
};

class SchemaExtensionErrorTest : public testing::TestWithParam<BadModel> {};

TEST_P(SchemaExtensionErrorTest, NamesThePosition) {
  const auto schema = Schema::ExtendR4();
  const Result<void> result = Add(*schema,
                                  std::string(R"({"resourceType":"StructureDefinition","kind":"logical",
"url":"http://clinic.example/x","snapshot":{"element":[
)") + GetParam().elements + "]}}");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kSemantic);
  EXPECT_EQ(result.error().where, (Location{{}, 3, GetParam().column, {}})) << ToString(result.error());
}

INSTANTIATE_TEST_SUITE_P(
    Table, SchemaExtensionErrorTest,
    testing::Values(
        BadModel{"UnknownType", R"({"path":"X"},{"path":"X.a","type":[{"code":"Foo"}]})", 36},
        BadModel{"NoType", R"({"path":"X"},{"path":"X.a"})", 14},
        BadModel{"NoRoot", R"({"path":"X.a","type":[{"code":"string"}]})", 1},
        BadModel{"NameTaken", R"({"path":"Patient"})", 1},
        BadModel{"BadMax", R"({"path":"X"},{"path":"X.a","max":"many","type":[{"code":"string"}]})", 14},
        BadModel{
            "Twice",
            R"({"path":"X"},{"path":"X.a","type":[{"code":"code"}]},{"path":"X.a","type":[{"code":"code"}]})",
            54},
        BadModel{"TwoTypesWithoutChoice",
                 R"({"path":"X"},{"path":"X.a","type":[{"code":"code"},{"code":"id"}]})", 14},
        BadModel{"DanglingContentReference", R"({"path":"X"},{"path":"X.a","contentReference":"#X.b"})", 14}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace fhir_adapter::fhir
