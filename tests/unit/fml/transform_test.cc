// Each transform with each number of parameters, as the language defines it.

#include <gtest/gtest.h>
#include <regex>
#include <string>

#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

struct TransformCase {
  const char* name;
  std::string target;    // what follows `src -> `
  std::string expected;  // the target's members; or "!code"
  std::string record =
      R"("id":"abcdef","active":true,"birthDate":"1974-12-25","name":[{"family":"F","given":["G","H"]}])";
};

void PrintTo(const TransformCase& c, std::ostream* out) {
  *out << c.name;
}

class TransformTest : public testing::TestWithParam<TransformCase> {};

TEST_P(TransformTest, Call_GivesValue) {
  const std::string rules = "src.id as id, src.name as name -> " + GetParam().target + ";";
  const RunResult run = RunRules(rules, "{\"resourceType\":\"Patient\"," + GetParam().record + "}");
  ASSERT_TRUE(run.findings.empty()) << run.findings.front();
  std::string expected = GetParam().expected;
  if (!expected.starts_with("!")) {
    expected = "{\"resourceType\":\"Patient\"" + (expected.empty() ? "" : "," + expected) + "}";
  }
  std::string got = run.json;
  if (!run.issues.empty()) got = "!" + run.issues.front().substr(0, run.issues.front().find(' '));
  EXPECT_EQ(got, expected) << (run.messages.empty() ? "" : run.messages.front());
}

const TransformCase kTexts[] = {
    {"Copy", "tgt.id = copy(id)", R"("id":"abcdef")"},
    {"CopyLiteral", "tgt.id = copy('x')", R"("id":"x")"},
    {"Truncate", "tgt.id = truncate(id, 3)", R"("id":"abc")"},
    {"TruncateLonger", "tgt.id = truncate(id, 30)", R"("id":"abcdef")"},
    {"TruncateCountsCharacters", "tgt.id = truncate('äöü', 2)", R"("id":"äö")"},
    {"TruncateToNothing", "tgt.id = truncate(id, 0)", ""},
    {"EscapeToXml", "tgt.id = escape('a<b&\\'', 'text', 'xml')", R"("id":"a&lt;b&amp;&apos;")"},
    {"EscapeFromHtml", "tgt.id = escape('&lt;&#228;&#xE4;&amp;', 'html', 'text')", R"("id":"<ää&")"},
    {"EscapeToJson", "tgt.id = escape('a\"\\\\', 'text', 'json')", R"("id":"a\\\"\\\\")"},
    {"EscapeToUrl", "tgt.id = escape('a b/ä', 'text', 'url')", R"("id":"a%20b%2F%C3%A4")"},
    {"EscapeFromUrl", "tgt.id = escape('a%20b', 'url', 'text')", R"("id":"a b")"},
    {"AppendOne", "tgt.id = append(id)", R"("id":"abcdef")"},
    {"AppendMany", "tgt.id = append(id, '-', 1, '-', true, '-', 1.50)", R"("id":"abcdef-1-true-1.50")"},
    {"AppendNothing", "tgt.id = append(id, (src.gender))", R"("id":"abcdef")"},
    {"AppendSeveral", "tgt.id = append((name.given))", "!map-failed"},
    {"CastToString", "tgt.extension as e, e.value = cast(true, 'string')",
     R"("extension":[{"valueString":"true"}])"},
    {"CastToInteger", "tgt.extension as e, e.value = cast('12', 'positiveInt')",
     R"("extension":[{"valuePositiveInt":12}])"},
    {"CastKeepsDigits", "tgt.extension as e, e.value = cast('1.10', 'decimal')",
     R"("extension":[{"valueDecimal":1.10}])"},
    {"CastToDate", "tgt.extension as e, e.value = cast('2020-01-02T10:00:00Z', 'date')",
     R"("extension":[{"valueDate":"2020-01-02"}])"},
    {"CastByTarget", "tgt.active = cast('true')", R"("active":true)"},
    {"CastFails", "tgt.multipleBirth = cast('x', 'integer')", "!map-failed"},
    {"CastWouldLose", "tgt.multipleBirth = cast('1.5', 'integer')", "!map-failed"},
};

const TransformCase kValues[] = {
    {"Create", "tgt.maritalStatus = create('CodeableConcept') as c, c.text = 'x'",
     R"("maritalStatus":{"text":"x"})"},
    {"CreateOfTheElementsType", "tgt.maritalStatus = create() as c, c.text = 'x'",
     R"("maritalStatus":{"text":"x"})"},
    {"CreateBackbone", "tgt.contact = create('Patient.contact') as c, c.gender = 'male'",
     R"("contact":[{"gender":"male"}])"},
    {"Evaluate1", "tgt.id = evaluate(name.family)", R"("id":"F")"},
    {"Evaluate2", "tgt.id = evaluate(name, given.last())", R"("id":"H")"},
    {"CcText", "tgt.maritalStatus = cc('only text')", R"("maritalStatus":{"text":"only text"})"},
    {"Cc2", "tgt.maritalStatus = cc('http://s', 'c')",
     R"("maritalStatus":{"coding":[{"system":"http://s","code":"c"}]})"},
    {"Cc3", "tgt.maritalStatus = cc('http://s', 'c', 'D')",
     R"("maritalStatus":{"coding":[{"system":"http://s","code":"c","display":"D"}]})"},
    {"CcWithoutCode", "tgt.maritalStatus = cc('http://s', (src.gender))", ""},
    {"C2", "tgt.maritalStatus as m, m.coding = c('http://s', 'c')",
     R"("maritalStatus":{"coding":[{"system":"http://s","code":"c"}]})"},
    {"C3", "tgt.maritalStatus as m, m.coding = c('http://s', 'c', 'D')",
     R"("maritalStatus":{"coding":[{"system":"http://s","code":"c","display":"D"}]})"},
    {"CodingIntoConcept", "tgt.maritalStatus = c('http://s', 'c')",
     R"("maritalStatus":{"coding":[{"system":"http://s","code":"c"}]})"},
    {"QtyText", "tgt.extension as e, e.value = qty('<= 5.50 mg')",
     R"("extension":[{"valueQuantity":{"value":5.50,"comparator":"<=","unit":"mg"}}])"},
    {"QtyBadText", "tgt.extension as e, e.value = qty('about 5 mg')", "!map-failed"},
    {"Qty2", "tgt.extension as e, e.value = qty(42, 'kg')",
     R"("extension":[{"valueQuantity":{"value":42,"unit":"kg"}}])"},
    {"Qty4", "tgt.extension as e, e.value = qty(1.50, 'kilogram', 'http://unitsofmeasure.org', 'kg')",
     R"("extension":[{"valueQuantity":{"value":1.50,"unit":"kilogram","system":"http://unitsofmeasure.org","code":"kg"}}])"},
    {"QuantityLiteral", "tgt.extension as e, e.value = 5 'mg'",
     R"("extension":[{"valueQuantity":{"value":5,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}])"},
    {"Id2", "tgt.identifier = id('http://s', id)",
     R"("identifier":[{"system":"http://s","value":"abcdef"}])"},
    {"Id3", "tgt.identifier = id('http://s', '1', 'MR')",
     R"("identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},)"
     R"("system":"http://s","value":"1"}])"},
    {"Cp2", "tgt.telecom = cp('fax', '555')", R"("telecom":[{"system":"fax","value":"555"}])"},
    {"CpPhone", "tgt.telecom = cp('+1 555')", R"("telecom":[{"system":"phone","value":"+1 555"}])"},
    {"CpEmail", "tgt.telecom = cp('a@b.c')", R"("telecom":[{"system":"email","value":"a@b.c"}])"},
    {"CpUrl", "tgt.telecom = cp('https://b.c')", R"("telecom":[{"system":"url","value":"https://b.c"}])"},
    {"ReferenceToSource", "tgt.managingOrganization = reference(src)",
     R"("managingOrganization":{"reference":"Patient/abcdef"})"},
    {"ReferenceAsText", "tgt.managingOrganization as o, o.reference = reference(src)",
     R"("managingOrganization":{"reference":"Patient/abcdef"})"},
    {"Pointer", "tgt.managingOrganization as o, o.reference = pointer(src)",
     R"("managingOrganization":{"reference":"Patient/abcdef"})"},
    {"ReferenceToNoResource", "tgt.managingOrganization = reference(id)", "!map-failed"},
};

const TransformCase kTimes[] = {
    {"DateTimeOfFhir", "tgt.deceased = toDateTime('2020-01-02T03:04:05+01:00')",
     R"("deceasedDateTime":"2020-01-02T03:04:05+01:00")"},
    {"DateTimeWithFormat", "tgt.deceased = toDateTime('20200102030405+0200', 'yyyyMMddHHmmssZ')",
     R"("deceasedDateTime":"2020-01-02T03:04:05+02:00")"},
    {"DateTimeWithFraction",
     "tgt.deceased = toDateTime('2020-01-02 03:04:05.120Z', 'yyyy-MM-dd HH:mm:ss.SSSZ')",
     R"("deceasedDateTime":"2020-01-02T03:04:05.120Z")"},
    {"DateTimeOfADay", "tgt.deceased = toDateTime('2.1.2020', 'd.M.yyyy')",
     R"("deceasedDateTime":"2020-01-02")"},
    {"DateTimeAfternoon", "tgt.deceased = toDateTime('01/02/2020 12:30 AM Z', 'MM/dd/yyyy hh:mm a Z')",
     R"("deceasedDateTime":"2020-01-02T00:30:00Z")"},
    {"DateTimeDoesNotFit", "tgt.deceased = toDateTime('2020', 'yyyyMM')", "!map-failed"},
    {"DateTimeImpossible", "tgt.deceased = toDateTime('20200230', 'yyyyMMdd')", "!map-failed"},
    {"Date", "tgt.birthDate = toDate('2020-02')", R"("birthDate":"2020-02")"},
    {"DateWithFormat", "tgt.birthDate = toDate('25/12/1974', 'dd/MM/yyyy')", R"("birthDate":"1974-12-25")"},
    {"DateMonthName", "tgt.birthDate = toDate('25 Dec 1974', 'dd MMM yyyy')", R"("birthDate":"1974-12-25")"},
    {"DateLongMonthName", "tgt.birthDate = toDate('December 1974', 'MMMM yyyy')", R"("birthDate":"1974-12")"},
    {"DateTwoDigits", "tgt.birthDate = toDate('740101', 'yyMMdd')", R"("birthDate":"1974-01-01")"},
    {"Time", "tgt.extension as e, e.value = toTime('10:11:12')", R"("extension":[{"valueTime":"10:11:12"}])"},
    {"TimeWithFormat", "tgt.extension as e, e.value = toTime('1011', 'HHmm')",
     R"("extension":[{"valueTime":"10:11:00"}])"},
    {"UnixDateTime", "tgt.deceased = unixToDateTime(1577934245)",
     R"("deceasedDateTime":"2020-01-02T03:04:05Z")"},
    {"UnixDateTimeZone", "tgt.deceased = unixToDateTime(1577934245, '+09:00')",
     R"("deceasedDateTime":"2020-01-02T12:04:05+09:00")"},
    {"UnixDate", "tgt.birthDate = unixToDate(1577934245)", R"("birthDate":"2020-01-02")"},
    {"UnixDateZone", "tgt.birthDate = unixToDate(1577934245, '-05:00')", R"("birthDate":"2020-01-01")"},
    {"UnixTime", "tgt.extension as e, e.value = unixToTime(1577934245)",
     R"("extension":[{"valueTime":"03:04:05"}])"},
    {"UnixTimeZone", "tgt.extension as e, e.value = unixToTime(1577934245, '+05:30')",
     R"("extension":[{"valueTime":"08:34:05"}])"},
    {"UnixBadZone", "tgt.birthDate = unixToDate(0, 'CET')", "!map-failed"},
    {"UnixNoNumber", "tgt.birthDate = unixToDate(id)", "!map-failed"},
};

const TransformCase kConversions[] = {
    {"DateOfDateTime", "tgt.birthDate = (@2020-01-02T10:00:00Z)", R"("birthDate":"2020-01-02")"},
    {"DateTimeOfDate", "tgt.deceased = create('dateTime') as d, d.value = (src.birthDate)",
     R"("deceasedDateTime":"1974-12-25")"},
    {"InstantOfPartialDateTime", "tgt.meta as m, m.lastUpdated = (@2020-01-02)", "!map-failed"},
    {"TextToNumber", "tgt.multipleBirth = '2'", "!map-failed"},
    {"IntegerOfWholeDecimal", "tgt.telecom as t, t.rank = cast('2.0', 'positiveInt')",
     R"("telecom":[{"rank":2}])"},
    {"WrongComplex", "tgt.maritalStatus = (src.name)", "!map-failed"},
};

const auto kName = [](const auto& test) { return std::string(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Texts, TransformTest, testing::ValuesIn(kTexts), kName);
INSTANTIATE_TEST_SUITE_P(Values, TransformTest, testing::ValuesIn(kValues), kName);
INSTANTIATE_TEST_SUITE_P(Times, TransformTest, testing::ValuesIn(kTimes), kName);

TEST(Conversions, Fault_StopsTheRecordOrTheMap) {
  for (const TransformCase& c : kConversions) {
    const RunResult run =
        RunRules("src.id as id -> " + c.target + ";", "{\"resourceType\":\"Patient\"," + c.record + "}");
    const std::string expected =
        c.expected.starts_with("!") ? "" : "{\"resourceType\":\"Patient\"," + c.expected + "}";
    EXPECT_EQ(run.json, expected) << c.name;
    EXPECT_EQ(expected.empty(), !(run.findings.empty() && run.issues.empty())) << c.name;
  }
}

TEST(Uuid, Calls_DifferByPlaceAndCountAndFollowTheSeed) {
  const char* const rules = "src.name as n -> tgt.contact as c, c.id = uuid(); src -> tgt.id = uuid();";
  const char* const record = R"({"resourceType":"Patient","name":[{},{"family":"a"},{"family":"b"}]})";
  const RunResult first = RunRules(rules, record);
  const std::regex form(
      R"re(\{"resourceType":"Patient","id":"([0-9a-f-]{36})","contact":\[\{"id":"([0-9a-f-]{36})"\},\{"id":"([0-9a-f-]{36})"\},\{"id":"([0-9a-f-]{36})"\}\]\})re");
  std::smatch ids;
  ASSERT_TRUE(std::regex_match(first.json, ids, form)) << first.json;
  EXPECT_NE(ids[1], ids[2]);
  EXPECT_NE(ids[2], ids[3]);
  EXPECT_NE(ids[3], ids[4]);
  EXPECT_EQ(RunRules(rules, record).json, first.json) << "the same record gives the same ids";
  EXPECT_EQ(
      RunMap({{"m.map", PatientMap(rules)}, {"a.map", "group G(source a, target b) { a -> b.x = uuid(); }"}},
             record, {.map = "m.map"})
          .json,
      first.json)
      << "whatever other maps are in the set";
  RunOptions other;
  other.seed = "other";
  EXPECT_NE(RunRules(rules, record, other).json, first.json);
}

TEST(Translate, SystemDisplayAndTargetType_AreGiven) {
  const std::string concept_map = R"({"resourceType":"ConceptMap","url":"http://x/p","id":"p","group":[
    {"target":"http://b","targetVersion":"7","element":[{"code":"male","target":[
      {"code":"M","display":"Male","equivalence":"equal"}]}],"unmapped":{"mode":"provided"}}]})";
  const auto run = [&concept_map](const std::string& target) {
    return RunMap({{"m.map", PatientMap("src.gender as v -> " + target + ";")}, {"p.json", concept_map}},
                  R"({"resourceType":"Patient","gender":"male"})")
        .json;
  };
  EXPECT_EQ(run("tgt.implicitRules = translate(v, '#p', 'system')"),
            R"({"resourceType":"Patient","implicitRules":"http://b"})");
  EXPECT_EQ(run("tgt.language = translate(v, 'http://x/p|1', 'display')"),
            R"({"resourceType":"Patient","language":"Male"})");
  const std::string coding = R"({"system":"http://b","version":"7","code":"M","display":"Male"})";
  EXPECT_EQ(run("tgt.maritalStatus as m, m.coding = translate(v, '#p', 'Coding')"),
            R"({"resourceType":"Patient","maritalStatus":{"coding":[)" + coding + "]}}");
  EXPECT_EQ(run("tgt.maritalStatus = translate(v, '#p')"),
            R"({"resourceType":"Patient","maritalStatus":{"coding":[)" + coding + "]}}");
  EXPECT_EQ(run("tgt.language = translate(v, '#p')"), R"({"resourceType":"Patient","language":"M"})");
  EXPECT_EQ(run("translate(v, '#p', 'CodeableConcept') as c, tgt.maritalStatus as m, m.coding = (%c.coding)"),
            R"({"resourceType":"Patient","maritalStatus":{"coding":[)" + coding + "]}}");
}

}  // namespace
}  // namespace fhir_adapter::fml::test
