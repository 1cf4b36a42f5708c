#include "fhir/checker.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

// "pointer: message" for each issue, one a line.
std::string Check(std::string_view text, const Schema& schema = Schema::R4()) {
  Arena arena;
  const Result<Node*> node = ReadJson(text, arena);
  if (!node) return "cannot read: " + ToString(node.error());
  Issues issues;
  CheckResource(**node, schema, issues);
  std::string all;
  for (const Issue& issue : issues) {
    EXPECT_EQ(issue.code, Code::kOutputInvalid);
    all += issue.where.pointer + " " + issue.message + "\n";
  }
  return all;
}

std::string Observation(const std::string& members) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" + members + "}";
}

struct Valid {
  const char* name;
  std::string json;
};

class CheckerValidTest : public testing::TestWithParam<Valid> {};

TEST_P(CheckerValidTest, HasNoIssue) {
  EXPECT_EQ(Check(GetParam().json), "");
}

INSTANTIATE_TEST_SUITE_P(
    Table, CheckerValidTest,
    testing::Values(
        Valid{"Observation", Observation(R"("valueQuantity":{"value":1.10,"comparator":">","unit":"mg",
            "system":"http://unitsofmeasure.org","code":"mg"},"effectiveDateTime":"2026-03")")},
        Valid{"PrimitiveWithExtensionOnly", R"({"resourceType":"Patient","_birthDate":{"extension":[{
            "url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}})"},
        Valid{"ListWithNullAndExtension", R"({"resourceType":"Patient","name":[{"given":["A",null],
            "_given":[null,{"extension":[{"url":"http://x.example/e","valueString":"v"}]}]}]})"},
        Valid{"DoseWithExtensionOnly", R"({"resourceType":"MedicationAdministration","status":"completed",
            "medicationCodeableConcept":{"text":"x"},"subject":{"display":"p"},"effectiveDateTime":"2026-01-01",
            "dosage":{"dose":{"extension":[{"url":"http://x.example/e","valueCode":"unknown"}]}}})"},
        Valid{"RequiredBindingByExtensionOnly", R"({"resourceType":"Observation","_status":{"extension":[{
            "url":"http://x.example/e","valueCode":"unknown"}]},"code":{"text":"x"}})"},
        Valid{"ConditionalReference", Observation(R"("subject":{"reference":"Patient?identifier=s|1"})")},
        Valid{"AbsoluteReference",
              Observation(R"("subject":{"reference":"https://h.example/fhir/Patient/1"})")},
        Valid{"VersionedReference", Observation(R"("subject":{"reference":"Patient/1/_history/2"})")},
        Valid{"UrnOutsideABundle",
              Observation(R"("subject":{"reference":"urn:uuid:00000000-0000-0000-0000-000000000000"})")},
        Valid{"ReferenceByIdentifier",
              Observation(R"("subject":{"identifier":{"value":"1"},"type":"Patient"})")},
        Valid{"Contained",
              R"({"resourceType":"MedicationAdministration","contained":[{"resourceType":"Medication",
            "id":"m"}],"status":"completed","medicationReference":{"reference":"#m"},"subject":{"display":"p"},
            "effectiveDateTime":"2026-01-01"})"},
        Valid{"ContainedThatRefersToItsContainer",
              Observation(R"("contained":[{"resourceType":"Provenance","id":"p",
            "target":[{"reference":"#"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"display":"a"}}]}])")},
        Valid{"Bundle", R"({"resourceType":"Bundle","type":"transaction","entry":[
            {"fullUrl":"urn:uuid:00000000-0000-0000-0000-000000000001","resource":{"resourceType":"Patient",
             "active":true},"request":{"method":"POST","url":"Patient"}},
            {"fullUrl":"urn:uuid:00000000-0000-0000-0000-000000000002","resource":{"resourceType":"Observation",
             "status":"final","code":{"text":"x"},"subject":{
             "reference":"urn:uuid:00000000-0000-0000-0000-000000000001"}},
             "request":{"method":"PUT","url":"Observation?identifier=a|b"}}]})"},
        Valid{"NestedExtension", R"({"resourceType":"Patient","extension":[{"url":"http://x.example/e",
            "extension":[{"url":"part","valueBoolean":true}]}]})"}),
    [](const auto& test) { return test.param.name; });

struct Broken {
  const char* name;
  std::string json;
  std::string line;  // the only one
};

void PrintTo(const Broken& test, std::ostream* out) {
  *out << test.name;
}

class CheckerTest : public testing::TestWithParam<Broken> {};

TEST_P(CheckerTest, ReportsExactlyThis) {
  EXPECT_EQ(Check(GetParam().json), GetParam().line + "\n");
}

std::string Name(const testing::TestParamInfo<Broken>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Structure, CheckerTest,
    testing::Values(
        Broken{"NoResourceType", "{}", "/resourceType resource.resourceType: not a resource type of FHIR R4"},
        Broken{"UnknownType", R"({"resourceType":"Foo"})",
               "/resourceType Foo.resourceType: not a resource type of FHIR R4"},
        Broken{"AbstractType", R"({"resourceType":"DomainResource"})",
               "/resourceType DomainResource.resourceType: not a resource type of FHIR R4"},
        Broken{"DataTypeAsResource", R"({"resourceType":"Quantity"})",
               "/resourceType Quantity.resourceType: not a resource type of FHIR R4"},
        Broken{"Missing", R"({"resourceType":"Observation","status":"final"})",
               "/code Observation.code: a required element is missing"},
        Broken{"MissingChoice", R"({"resourceType":"MedicationAdministration","status":"completed",
               "medicationCodeableConcept":{"text":"x"},"subject":{"display":"x"}})",
               "/effective[x] MedicationAdministration.effective: a required element is missing"},
        Broken{"UnknownElement", Observation(R"("foo":1)"), "/foo Observation.foo: unknown element"},
        Broken{"NestedUnknownElement", Observation(R"("component":[{"code":{"text":"x"},"status":"final"}])"),
               "/component/0/status Observation.component[0].status: unknown element"},
        Broken{"BareChoice", Observation(R"("value":1)"), "/value Observation.value: unknown element"},
        Broken{"WrongChoiceType", Observation(R"("valueMoney":{"value":1})"),
               "/valueMoney Observation.valueMoney: unknown element"},
        Broken{"TwoChoices", Observation(R"("valueInteger":1,"valueBoolean":true)"),
               "/valueBoolean Observation.value: more than one type of a choice"},
        Broken{"TwoChoicesByShadow", Observation(R"("valueInteger":1,"_valueString":{"extension":[{
               "url":"http://x.example/e","valueCode":"u"}]})"),
               "/_valueString Observation.value: more than one type of a choice"},
        Broken{"ShadowOfAnObject", Observation(R"("_method":{"id":"x"})"),
               "/_method Observation._method: unknown element"},
        Broken{"ResourceTypeInside", Observation(R"("method":{"resourceType":"x","text":"t"})"),
               "/method/resourceType Observation.method.resourceType: unknown element"},
        Broken{"ListExpected", Observation(R"("category":{"text":"x"})"),
               "/category Observation.category: an array is expected"},
        Broken{"SingleExpected", Observation(R"("method":[{"text":"x"}])"),
               "/method Observation.method: a single value is expected, not an array"},
        Broken{"EmptyArray", Observation(R"("category":[])"),
               "/category Observation.category: an empty array"},
        Broken{"EmptyObject", Observation(R"("method":{})"), "/method Observation.method: an empty object"},
        Broken{"EmptyString", Observation(R"("valueString":"")"),
               "/valueString Observation.value: an empty string"},
        Broken{"Null", Observation(R"("method":null)"), "/method Observation.method: null"},
        Broken{"NullItem", Observation(R"("category":[null])"), "/category/0 Observation.category[0]: null"},
        Broken{"NullPrimitiveItem", R"({"resourceType":"Patient","name":[{"given":["A",null]}]})",
               "/name/0/given/1 Patient.name[0].given[1]: null without an extension (ele-1)"},
        Broken{"NullInBoth", R"({"resourceType":"Patient","name":[{"given":["A"],"_given":[null,null]}]})",
               "/name/0/_given/1 Patient.name[0].given[1]: null without a value (ele-1)"},
        Broken{"OnlyId", Observation(R"("method":{"id":"x"})"),
               "/method Observation.method: nothing but an id (ele-1)"},
        Broken{"ShadowOnlyId", R"({"resourceType":"Patient","_gender":{"id":"x"}})",
               "/_gender Patient.gender: neither a value nor an extension (ele-1)"},
        Broken{"ObjectForPrimitive", Observation(R"("valueString":{"a":1})"),
               "/valueString Observation.value: a single value is expected"},
        Broken{"PrimitiveForObject", Observation(R"("method":"x")"),
               "/method Observation.method: an object is expected"},
        Broken{"TooManyItems", R"({"resourceType":"Patient","communication":[{"language":{"text":"x"},
               "preferred":[true]}]})",
               "/communication/0/preferred Patient.communication[0].preferred: a single value is expected, "
               "not an array"}),
    Name);

INSTANTIATE_TEST_SUITE_P(
    Binding, CheckerTest,
    testing::Values(
        Broken{"Code", R"({"resourceType":"Observation","status":"Final","code":{"text":"x"}})",
               "/status Observation.status: no code of the required value set "
               "http://hl7.org/fhir/ValueSet/observation-status"},
        Broken{"CodeableConceptSystem",
               R"({"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{
               "coding":[{"system":"http://x.example","code":"active"}]}})",
               "/clinicalStatus Condition.clinicalStatus: no code of the required value set "
               "http://hl7.org/fhir/ValueSet/condition-clinical"},
        Broken{"CodeableConceptTextOnly",
               R"({"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{
               "text":"active"}})",
               "/clinicalStatus Condition.clinicalStatus: no code of the required value set "
               "http://hl7.org/fhir/ValueSet/condition-clinical"},
        Broken{"Comparator", Observation(R"("valueQuantity":{"value":1,"comparator":"~"})"),
               "/valueQuantity/comparator Observation.value.comparator: no code of the required value set "
               "http://hl7.org/fhir/ValueSet/quantity-comparator"}),
    Name);

INSTANTIATE_TEST_SUITE_P(
    Reference, CheckerTest,
    testing::Values(
        Broken{"WrongType", Observation(R"("subject":{"reference":"Medication/1"})"),
               "/subject/reference Observation.subject.reference: a reference to a resource of a type that "
               "is not "
               "allowed here"},
        Broken{"WrongTypeByUrl", Observation(R"("subject":{"reference":"http://h.example/Medication/1"})"),
               "/subject/reference Observation.subject.reference: a reference to a resource of a type that "
               "is not "
               "allowed here"},
        Broken{"WrongTypeByQuery", Observation(R"("subject":{"reference":"Medication?code=1"})"),
               "/subject/reference Observation.subject.reference: a reference to a resource of a type that "
               "is not "
               "allowed here"},
        Broken{"WrongTypeByQueryWithUrl",
               Observation(R"("subject":{"reference":"Medication?identifier=http://s.example|1"})"),
               "/subject/reference Observation.subject.reference: a reference to a resource of a type that "
               "is not "
               "allowed here"},
        Broken{"WrongStatedType", Observation(R"("subject":{"type":"Medication","display":"x"})"),
               "/subject/type Observation.subject.type: a reference to a resource of a type that is not "
               "allowed here"},
        Broken{"StatedTypeDiffers", Observation(R"("subject":{"type":"Group","reference":"Patient/1"})"),
               "/subject/type Observation.subject.type: differs from the type that the reference names"},
        Broken{"NoUrl", Observation(R"("subject":{"reference":"somebody"})"),
               "/subject/reference Observation.subject.reference: neither Type/id, nor a URL, nor a local "
               "reference"},
        Broken{
            "BadId", Observation(R"("subject":{"reference":"Patient/a_b"})"),
            "/subject/reference Observation.subject.reference: the id in the reference is not well-formed"},
        Broken{"EmptyQuery", Observation(R"("subject":{"reference":"Patient?"})"),
               "/subject/reference Observation.subject.reference: a conditional reference is a resource "
               "type, ? and "
               "a query"},
        Broken{"BadUuid", Observation(R"("subject":{"reference":"urn:uuid:ABC"})"),
               "/subject/reference Observation.subject.reference: urn:uuid: without a lower-case UUID"},
        Broken{
            "Dangling",
            R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://h.example/Observation/1",
               "resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{
               "reference":"urn:uuid:00000000-0000-0000-0000-000000000001"}}}]})",
            "/entry/0/resource/subject/reference Bundle.entry[0].resource.subject.reference: no entry of the "
            "Bundle has this fullUrl"},
        Broken{"BundleTargetType", R"({"resourceType":"Bundle","type":"collection","entry":[
               {"fullUrl":"urn:uuid:00000000-0000-0000-0000-000000000001","resource":{"resourceType":"Medication",
                "id":"1"}},
               {"fullUrl":"http://h.example/Observation/1","resource":{"resourceType":"Observation","status":"final",
                "code":{"text":"x"},"subject":{"reference":"urn:uuid:00000000-0000-0000-0000-000000000001"}}}]})",
               "/entry/1/resource/subject/reference Bundle.entry[1].resource.subject.reference: a reference "
               "to a "
               "resource of a type that is not allowed here"},
        Broken{"RelativeWithoutFullUrl",
               R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":{
               "resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/1"}}}]})",
               "/entry/0/resource/subject/reference Bundle.entry[0].resource.subject.reference: a relative "
               "reference "
               "in an entry without fullUrl"},
        Broken{"NoContained", Observation(R"("subject":{"reference":"#p"})"),
               "/subject/reference Observation.subject.reference: no contained resource has this id (ref-1)"},
        Broken{"ContainedOfWrongType", Observation(R"("contained":[{"resourceType":"Medication","id":"p"}],
               "subject":{"reference":"#p"})"),
               "/subject/reference Observation.subject.reference: a reference to a resource of a type that "
               "is not "
               "allowed here"},
        Broken{"UnusedContained", Observation(R"("contained":[{"resourceType":"Patient","id":"p"}])"),
               "/contained/0 Observation.contained[0]: nothing refers to this contained resource (dom-3)"},
        Broken{"ContainedWithoutId", Observation(R"("contained":[{"resourceType":"Patient","active":true}])"),
               "/contained/0 Observation.contained[0]: a contained resource needs an id"},
        Broken{"ContainedTwice", Observation(R"("contained":[{"resourceType":"Patient","id":"p"},
               {"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"})"),
               "/contained/1 Observation.contained[1]: another contained resource has this id"},
        Broken{"ContainedVersion", Observation(R"("contained":[{"resourceType":"Patient","id":"p","meta":{
               "versionId":"1"}}],"subject":{"reference":"#p"})"),
               "/contained/0 Observation.contained[0]: a contained resource has no versionId or lastUpdated "
               "(dom-4)"},
        Broken{"ContainedSecurity", Observation(R"("contained":[{"resourceType":"Patient","id":"p","meta":{
               "security":[{"code":"x"}]}}],"subject":{"reference":"#p"})"),
               "/contained/0 Observation.contained[0]: a contained resource has no security label (dom-5)"},
        Broken{"ContainedInContained", Observation(R"("contained":[{"resourceType":"Patient","id":"p",
               "contained":[{"resourceType":"Organization","id":"o","name":"x"}],
               "managingOrganization":{"display":"o"}}],"subject":{"reference":"#p"})"),
               "/contained/0/contained Observation.contained[0].contained: contained inside a contained "
               "resource "
               "(dom-2)"}),
    Name);

constexpr char kCondition[] = R"({"resourceType":"Condition","subject":{"display":"x"},)";
constexpr char kActive[] =
    R"("clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]})";
constexpr char kInError[] =
    R"("verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]})";

INSTANTIATE_TEST_SUITE_P(
    Invariant, CheckerTest,
    testing::Values(
        Broken{"Ext1Both",
               R"({"resourceType":"Patient","extension":[{"url":"http://x.example/e","valueCode":"a",
               "extension":[{"url":"b","valueCode":"c"}]}]})",
               "/extension/0 Patient.extension[0]: an extension has a value or extensions, not both and not "
               "neither "
               "(ext-1)"},
        Broken{"Ext1Neither", R"({"resourceType":"Patient","extension":[{"url":"http://x.example/e"}]})",
               "/extension/0 Patient.extension[0]: an extension has a value or extensions, not both and not "
               "neither "
               "(ext-1)"},
        Broken{"RelativeExtensionUrl",
               R"({"resourceType":"Patient","extension":[{"url":"e","valueCode":"a"}]})",
               "/extension/0/url Patient.extension[0].url: the url of an extension is absolute"},
        Broken{
            "Mad1",
            R"({"resourceType":"MedicationAdministration","status":"completed","medicationCodeableConcept":{
               "text":"x"},"subject":{"display":"p"},"effectiveDateTime":"2026-01-01","dosage":{"text":"t"}})",
            "/dosage MedicationAdministration.dosage: dose or rate (mad-1)"},
        Broken{
            "SimpleQuantity", R"({"resourceType":"MedicationAdministration","status":"completed",
               "medicationCodeableConcept":{"text":"x"},"subject":{"display":"p"},"effectiveDateTime":"2026-01-01",
               "dosage":{"dose":{"value":1,"comparator":"<"}}})",
            "/dosage/dose MedicationAdministration.dosage.dose: a comparator is not allowed here (sqty-1)"},
        Broken{"Obs3", Observation(R"("referenceRange":[{"type":{"text":"x"}}])"),
               "/referenceRange/0 Observation.referenceRange[0]: low, high or text (obs-3)"},
        Broken{"Obs6", Observation(R"("valueInteger":1,"dataAbsentReason":{"text":"x"})"),
               " Observation: dataAbsentReason only without a value (obs-6)"},
        Broken{
            "Obs7",
            R"({"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://s.example","code":"1"}]},
               "valueInteger":1,"component":[{"code":{"coding":[{"system":"http://s.example","code":"1"}]}}]})",
            " Observation: no component has the code of an Observation with a value (obs-7)"},
        Broken{"Con4", std::string(kCondition) + kActive + R"(,"abatementDateTime":"2026"})",
               " Condition: an abated condition is inactive, resolved or in remission (con-4)"},
        Broken{"Con5", std::string(kCondition) + kActive + "," + kInError + "}",
               " Condition: no clinicalStatus when entered in error (con-5)"},
        Broken{
            "Ppc1",
            R"({"resourceType":"Consent","status":"active","scope":{"text":"x"},"category":[{"text":"x"}]})",
            " Consent: policy or policyRule (ppc-1)"},
        Broken{
            "Ppc5",
            R"({"resourceType":"Consent","status":"active","category":[{"text":"x"}],"policyRule":{"text":"x"},
               "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"treatment"}]}})",
            " Consent: a patient for this scope (ppc-5)"},
        Broken{
            "Per1", Observation(R"("effectivePeriod":{"start":"2026-02-02","end":"2026-02-01"})"),
            "/effectivePeriod Observation.effective: start is not after end, to the same precision (per-1)"},
        Broken{
            "Per1InUtc", Observation(R"("effectivePeriod":{"start":"2026-02-02T10:00:00+01:00",
               "end":"2026-02-02T09:30:00+02:00"})"),
            "/effectivePeriod Observation.effective: start is not after end, to the same precision (per-1)"},
        Broken{"Rng2", Observation(R"("valueRange":{"low":{"value":10},"high":{"value":9.5}})"),
               "/valueRange Observation.value: low and high have values of one unit, low is not above high "
               "(rng-2)"},
        Broken{
            "Rat1", Observation(R"("valueRatio":{"numerator":{"value":1}})"),
            "/valueRatio Observation.value: numerator and denominator, or neither and an extension (rat-1)"},
        Broken{"Qty3", Observation(R"("valueQuantity":{"value":1,"code":"mg"})"),
               "/valueQuantity Observation.value: a code needs its system (qty-3)"},
        Broken{"Sev1", R"({"resourceType":"AuditEvent","type":{"code":"x"},"recorded":"2026-01-01T00:00:00Z",
               "agent":[{"requestor":true}],"source":{"observer":{"display":"x"}},
               "entity":[{"name":"n","query":"cQ=="}]})",
               "/entity/0 AuditEvent.entity[0]: name or query, not both (sev-1)"},
        Broken{"Bdl1", R"({"resourceType":"Bundle","type":"collection","total":0})",
               " Bundle: total only in search sets and histories (bdl-1)"},
        Broken{
            "Bdl3",
            R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient",
               "active":true}}]})",
            " Bundle: entry.request in each entry of a batch, transaction or history, nowhere else (bdl-3)"},
        Broken{
            "Bdl3Elsewhere",
            R"({"resourceType":"Bundle","type":"collection","entry":[{"request":{"method":"GET",
               "url":"Patient"}}]})",
            " Bundle: entry.request in each entry of a batch, transaction or history, nowhere else (bdl-3)"},
        Broken{"Bdl4", R"({"resourceType":"Bundle","type":"transaction-response","entry":[{"resource":{
               "resourceType":"Patient","active":true}}]})",
               " Bundle: entry.response in each entry of a response or history, nowhere else (bdl-4)"},
        Broken{
            "Bdl5",
            R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://h.example/Patient/1"}]})",
            "/entry/0 Bundle.entry[0]: a resource, request or response (bdl-5)"},
        Broken{"Bdl7", R"({"resourceType":"Bundle","type":"collection","entry":[
               {"fullUrl":"http://h.example/Patient/1","resource":{"resourceType":"Patient","active":true}},
               {"fullUrl":"http://h.example/Patient/1","resource":{"resourceType":"Patient","active":true}}]})",
               " Bundle: fullUrl is unique (bdl-7)"},
        Broken{
            "Bdl8",
            R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://h.example/Patient/1/_history/1",
               "resource":{"resourceType":"Patient","active":true}}]})",
            "/entry/0 Bundle.entry[0]: fullUrl names no version (bdl-8)"}),
    Name);

struct Primitive {
  const char* member;  // of an Extension: "valueDate"
  std::string value;   // as JSON
  bool is_valid;
};

class CheckerPrimitiveTest : public testing::TestWithParam<Primitive> {};

TEST_P(CheckerPrimitiveTest, FormatIsThatOfR4) {
  const Primitive& test = GetParam();
  const std::string issues =
      Check(R"({"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"http://x.example/e",")" +
            std::string(test.member) + "\":" + test.value + "}]}");
  if (test.is_valid) {
    EXPECT_EQ(issues, "");
  } else {
    EXPECT_EQ(issues.substr(0, issues.find(' ')), "/extension/0/" + std::string(test.member)) << issues;
    EXPECT_EQ(issues.find('\n'), issues.size() - 1) << issues;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, CheckerPrimitiveTest,
    testing::Values(Primitive{"valueBoolean", "true", true}, Primitive{"valueBoolean", "\"true\"", false},
                    Primitive{"valueBoolean", "1", false}, Primitive{"valueInteger", "0", true},
                    Primitive{"valueInteger", "-2147483648", true},
                    Primitive{"valueInteger", "2147483647", true},
                    Primitive{"valueInteger", "2147483648", false},
                    Primitive{"valueInteger", "-2147483649", false},
                    Primitive{"valueInteger", "99999999999999999999", false},
                    Primitive{"valueInteger", "1.0", false}, Primitive{"valueInteger", "1e2", false},
                    Primitive{"valueInteger", "-0", false}, Primitive{"valueInteger", "\"1\"", false},
                    Primitive{"valueUnsignedInt", "0", true}, Primitive{"valueUnsignedInt", "-1", false},
                    Primitive{"valuePositiveInt", "1", true}, Primitive{"valuePositiveInt", "0", false},
                    Primitive{"valueDecimal", "1.10", true}, Primitive{"valueDecimal", "-1E+2", true},
                    Primitive{"valueDecimal", "\"1.1\"", false}, Primitive{"valueDecimal", "true", false}));

INSTANTIATE_TEST_SUITE_P(
    Texts, CheckerPrimitiveTest,
    testing::Values(
        Primitive{"valueString", "\" a\\t\\r\\nb\"", true}, Primitive{"valueString", "\"a\\u0001\"", false},
        Primitive{"valueString", "1", false},
        Primitive{"valueString", "\"" + std::string(limits::kFhirStringBytesMax, 'a') + "\"", true},
        Primitive{"valueString", "\"" + std::string(limits::kFhirStringBytesMax + 1, 'a') + "\"", false},
        Primitive{"valueMarkdown", "\"# a\"", true}, Primitive{"valueCode", "\"a b\"", true},
        Primitive{"valueCode", "\" a\"", false}, Primitive{"valueCode", "\"a \"", false},
        Primitive{"valueCode", "\"a  b\"", false}, Primitive{"valueCode", "\"a\\tb\"", false},
        Primitive{"valueId", "\"A-z.9\"", true},
        Primitive{"valueId", "\"" + std::string(64, 'a') + "\"", true},
        Primitive{"valueId", "\"" + std::string(65, 'a') + "\"", false},
        Primitive{"valueId", "\"a_b\"", false}, Primitive{"valueUri", "\"a:b\"", true},
        Primitive{"valueUri", "\"a b\"", false},
        Primitive{"valueUri", "\"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7\"", true},
        Primitive{"valueUri", "\"urn:uuid:53FEFA32-fcbb-4ff8-8a92-55ee120877b7\"", false},
        Primitive{"valueUri", "\"urn:oid:1.2.3\"", true}, Primitive{"valueUri", "\"urn:oid:1.02\"", false},
        Primitive{"valueUrl", "\"http://a.example\"", true},
        Primitive{"valueCanonical", "\"http://a.example|1\"", true},
        Primitive{"valueCanonical", "\"relative\"", false},
        Primitive{"valueOid", "\"urn:oid:2.16.840.1\"", true},
        Primitive{"valueOid", "\"urn:oid:3.1\"", false}, Primitive{"valueOid", "\"1.2.3\"", false},
        Primitive{"valueOid", "\"urn:oid:1.2.\"", false},
        Primitive{"valueUuid", "\"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7\"", true},
        Primitive{"valueUuid", "\"53fefa32-fcbb-4ff8-8a92-55ee120877b7\"", false},
        Primitive{"valueBase64Binary", "\"QUJD\"", true}, Primitive{"valueBase64Binary", "\"QUI=\"", true},
        Primitive{"valueBase64Binary", "\"QQ==\"", true}, Primitive{"valueBase64Binary", "\"QUJ\"", false},
        Primitive{"valueBase64Binary", "\"Q===\"", false}, Primitive{"valueBase64Binary", "\"QU=D\"", false},
        Primitive{"valueBase64Binary", "\"QU-D\"", false}));

INSTANTIATE_TEST_SUITE_P(Times, CheckerPrimitiveTest,
                         testing::Values(Primitive{"valueDate", "\"2026-02-28\"", true},
                                         Primitive{"valueDate", "\"2026-02-29\"", false},
                                         Primitive{"valueDate", "\"2026-02-28T00:00:00Z\"", false},
                                         Primitive{"valueDateTime", "\"2026-02\"", true},
                                         Primitive{"valueDateTime", "\"2026-02-28T10:00:00\"", false},
                                         Primitive{"valueDateTime", "\"2026-02-28T10:00:00+02:00\"", true},
                                         Primitive{"valueInstant", "\"2026-02-28T10:00:00.5Z\"", true},
                                         Primitive{"valueInstant", "\"2026-02-28\"", false},
                                         Primitive{"valueTime", "\"10:00:00\"", true},
                                         Primitive{"valueTime", "\"10:00\"", false},
                                         Primitive{"valueTime", "1000", false}));

// --- definitions of our own ------------------------------------------------------------------------------

class CheckerExtensionTest : public testing::Test {
 protected:
  CheckerExtensionTest() {
    Arena arena;
    const Result<void> added =
        schema_->AddStructureDefinition(**ReadJson(R"({"resourceType":"StructureDefinition",
      "url":"http://clinic.example/ph","kind":"complex-type","type":"Extension","derivation":"constraint",
      "context":[{"type":"element","expression":"Medication"},{"type":"element","expression":"Patient.birthDate"}],
      "differential":{"element":[{"path":"Extension"},{"path":"Extension.value[x]","type":[{"code":"decimal"}]}]}})",
                                                   arena));
    EXPECT_TRUE(added);
  }
  std::unique_ptr<Schema> schema_ = Schema::ExtendR4();
};

TEST_F(CheckerExtensionTest, RightTypeAndPlace_HasNoIssue) {
  EXPECT_EQ(
      Check(
          R"({"resourceType":"Medication","extension":[{"url":"http://clinic.example/ph","valueDecimal":3.3}]})",
          *schema_),
      "");
  EXPECT_EQ(
      Check(
          R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://clinic.example/ph","valueDecimal":3.3}]}})",
          *schema_),
      "");
}

TEST_F(CheckerExtensionTest, WrongType_IsReported) {
  EXPECT_EQ(
      Check(
          R"({"resourceType":"Medication","extension":[{"url":"http://clinic.example/ph","valueString":"3"}]})",
          *schema_),
      "/extension/0/valueString Medication.extension[0].value: not a type that the definition of the "
      "extension "
      "allows\n");
}

TEST_F(CheckerExtensionTest, WrongPlace_IsReported) {
  EXPECT_EQ(
      Check(
          R"({"resourceType":"Patient","_gender":{"extension":[{"url":"http://clinic.example/ph","valueDecimal":3.3}]}})",
          *schema_),
      "/_gender/extension/0 Patient.gender.extension[0]: the definition of the extension does not allow it "
      "here\n");
}

TEST(Checker, Issues_LimitIsTheMostReported) {
  const auto with = [](std::size_t count) {
    std::string json = R"({"resourceType":"Patient")";
    for (std::size_t i = 0; i < count; ++i) json += ",\"x" + std::to_string(i) + "\":1";
    const std::string all = Check(json + "}");
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n'));
  };
  EXPECT_EQ(with(limits::kCheckIssuesMax), limits::kCheckIssuesMax);
  EXPECT_EQ(with(limits::kCheckIssuesMax + 1), limits::kCheckIssuesMax);
}

TEST(Checker, Depth_LimitIsTheDeepestObjectAllowed) {
  // The resource is the first object, each extension one more.
  const auto nested = [](std::size_t objects) {
    std::string json = R"({"resourceType":"Basic","code":{"text":"x"})";
    std::string end = "}";
    for (std::size_t i = 1; i < objects; ++i) {
      const bool is_last = i + 1 == objects;
      json += std::string(i == 1 ? "," : "") + R"("extension":[{"url":"http://x.example/e",)" +
              (is_last ? R"("valueCode":"x")" : "");
      end = "}]" + end;
    }
    Arena arena;
    const Result<Node*> node = ReadJson(json + end, arena, JsonLimits{1'000'000, 1'000, 1'000});
    Issues issues;
    CheckResource(**node, Schema::R4(), issues);
    return issues.empty() ? "" : issues[0].message.substr(issues[0].message.rfind(": ") + 2);
  };
  EXPECT_EQ(nested(limits::kResourceDepthMax), "");
  EXPECT_EQ(nested(limits::kResourceDepthMax + 1), "nested too deep");
}

TEST(Checker, Issue_HasPointerAndPositionButNoValue) {
  Arena arena;
  const Node& node = **ReadJson("{\"resourceType\":\"Patient\",\n \"gender\":\"SECRET\"}", arena);
  Issues issues;
  CheckResource(node, Schema::R4(), issues);
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].where, (Location{{}, 2, 11, "/gender"}));
  EXPECT_EQ(issues[0].message.find("SECRET"), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::fhir
