// The shipped rules, each at its threshold and one step beyond.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "unit/rules/rule_record.h"

namespace fhir_adapter::rules {
namespace {

// What each finding must be about: its administration, or the procedure; and what was compared, without the
// record's key.
void ExpectTargets(const Finding& finding) {
  static const std::map<std::string, std::set<std::string>> evidence = {
      {"MID-WT", {"weight"}},       {"OBS", {"observation-period"}},
      {"SED3", {"sedation.b"}},     {"DUR", {"relief-duration"}},
      {"LABREF", {"laboratory.l"}}, {"RELIEF", {"relief-percent", "pain.b", "pain.f", "pain.g"}}};
  const std::string stem = "s.R~201." + finding.rule_id + ".";
  const bool about_row = finding.identifier.starts_with(stem);
  ASSERT_FALSE(finding.implicated.empty()) << finding.identifier;
  const NamedResource expected = about_row
                                     ? NamedResource{"MedicationAdministration", "it-administration",
                                                     "s.R~201." + finding.identifier.substr(stem.size())}
                                     : NamedResource{"Procedure", "it-procedure", "s.R~201"};
  EXPECT_EQ(finding.implicated[0], expected);
  EXPECT_EQ(finding.implicated.size(), finding.rule_id == "RATIO" ? 2U : 1U);
  const auto allowed = evidence.find(finding.rule_id);
  EXPECT_EQ(finding.evidence.empty(), allowed == evidence.end()) << finding.rule_id;
  for (const NamedResource& named : finding.evidence) {
    EXPECT_EQ(named.resource, "Observation");
    EXPECT_EQ(named.system, "it-observation");
    EXPECT_TRUE(allowed->second.contains(named.value.substr(std::string("s.R~201.").size()))) << named.value;
  }
}

// `suffix code severity` of the findings of one rule; the suffix is what follows the rule's id.
std::vector<std::string> FindingsOf(const RuleOutcome& outcome, const std::string& rule) {
  std::vector<std::string> lines;
  for (const Finding& finding : outcome.findings) {
    if (finding.rule_id != rule) continue;
    const std::string stem = "s.R~201." + rule;
    EXPECT_EQ(finding.identifier.substr(0, stem.size()), stem);
    EXPECT_EQ(finding.rule_version, "1.0.0");
    EXPECT_EQ(finding.status, "final");
    EXPECT_EQ(finding.text.find_first_of("{}"), std::string::npos);
    ExpectTargets(finding);
    lines.push_back(finding.identifier.substr(stem.size()) + " " + finding.code + " " + finding.severity);
  }
  return lines;
}

struct RuleCase {
  std::string name;
  std::string rule;
  Members replaced;
  std::vector<std::string> findings;
};

class ShippedRule : public ::testing::TestWithParam<RuleCase> {};

TEST_P(ShippedRule, FiresOrNotAsTheTableOfRulesSays) {
  const RuleOutcome outcome = RunOn(PlausibleRecord(GetParam().replaced));
  EXPECT_EQ(FindingsOf(outcome, GetParam().rule), GetParam().findings);
  EXPECT_TRUE(outcome.notes.empty()) << ToLine(outcome.notes.front());
}

std::string NameOf(const ::testing::TestParamInfo<RuleCase>& parameter) {
  return parameter.param.name;
}

using Lines = std::vector<std::string>;

Members Midazolam(const std::string& value, const std::string& unit = "mg") {
  return Rows(Row("midazolam", Dose(value, unit)));
}
Members Magnesium(const std::string& value, const std::string& unit = "mg") {
  return Rows(Row("magnesium-sulfate", Dose(value, unit)));
}
Members With(Members members, const std::string& name, const std::string& value) {
  members[name] = value;
  return members;
}

INSTANTIATE_TEST_SUITE_P(
    Dose, ShippedRule,
    ::testing::Values(
        RuleCase{"CeilingAt", "MID-CEIL", Midazolam("5"), {}},
        RuleCase{"CeilingAtInGrams", "MID-CEIL", Midazolam("0.005", "g"), {}},
        RuleCase{"CeilingAbove", "MID-CEIL", Midazolam("5.01"), {".1 DOSEH high"}},
        RuleCase{"CeilingAboveInMicrograms", "MID-CEIL", Midazolam("5001", "ug"), {".1 DOSEH high"}},
        RuleCase{"CeilingWithoutDose", "MID-CEIL", Rows(Row("midazolam", "")), {}},
        RuleCase{"CeilingOfOtherDrug", "MID-CEIL", Magnesium("50"), {}},
        RuleCase{"LeastAt", "MID-LOW", Midazolam("2.0"), {}},
        RuleCase{"LeastBelow", "MID-LOW", Midazolam("1.99"), {".1 DOSEL low"}},
        RuleCase{"FirstIsTwo", "MID-FIRST", With(Midazolam("2"), "seriesNumber", "1"), {}},
        RuleCase{"FirstIsTwoInGrams", "MID-FIRST", With(Midazolam("0.002", "g"), "seriesNumber", "1"), {}},
        RuleCase{
            "FirstAbove", "MID-FIRST", With(Midazolam("2.5"), "seriesNumber", "1"), {".1 DOSEH moderate"}},
        RuleCase{
            "FirstBelow", "MID-FIRST", With(Midazolam("1.5"), "seriesNumber", "1"), {".1 DOSEL moderate"}},
        RuleCase{"NotTheFirst", "MID-FIRST", With(Midazolam("3"), "seriesNumber", "2"), {}},
        RuleCase{"FirstLooksAtTheLowestSeq",
                 "MID-FIRST",
                 With(Rows(Row("midazolam", Dose("5"), 10) + "," + Row("midazolam", Dose("3"), 9)),
                      "seriesNumber", "1"),
                 {".9 DOSEH moderate"}},
        RuleCase{"WeightAtMost",
                 "MID-WT",
                 With(Midazolam("3"), "patient", R"({"mrn":"7","ageYears":50,"weightKg":50})"),
                 {}},
        RuleCase{"WeightAbove",
                 "MID-WT",
                 With(Midazolam("3.001"), "patient", R"({"mrn":"7","ageYears":50,"weightKg":50})"),
                 {".1 DOSEHINDW low"}},
        RuleCase{"WeightAtLeast",
                 "MID-WT",
                 With(Midazolam("2"), "patient", R"({"mrn":"7","ageYears":50,"weightKg":100})"),
                 {}},
        RuleCase{"WeightBelow",
                 "MID-WT",
                 With(Midazolam("1.999"), "patient", R"({"mrn":"7","ageYears":50,"weightKg":100})"),
                 {".1 DOSELINDW low"}},
        RuleCase{
            "WeightUnknown", "MID-WT", With(Midazolam("5"), "patient", R"({"mrn":"7","ageYears":50})"), {}},
        RuleCase{"MagnesiumAt", "MG-DOSE", Magnesium("50"), {}},
        RuleCase{"MagnesiumAtInGrams", "MG-DOSE", Magnesium("0.05", "g"), {}},
        RuleCase{"MagnesiumAbove", "MG-DOSE", Magnesium("50.1"), {".1 DOSEH moderate"}},
        RuleCase{"ToxicBelow", "MG-TOX", Magnesium("499.99"), {}},
        RuleCase{"ToxicAt", "MG-TOX", Magnesium("500"), {".1 DOSEH high"}},
        RuleCase{"ToxicAtInGrams", "MG-TOX", Magnesium("0.5", "g"), {".1 DOSEH high"}},
        RuleCase{
            "EachRowHasItsOwnIssue",
            "MG-DOSE",
            Rows(Row("magnesium-sulfate", Dose("60"), 1) + "," + Row("magnesium-sulfate", Dose("50"), 2) +
                 "," + Row("magnesium-sulfate", Dose("70"), 3)),
            {".1 DOSEH moderate", ".3 DOSEH moderate"}}),
    NameOf);

Members Ordered(const std::string& given, const std::string& order) {
  return Rows(Row("magnesium-sulfate", given + R"(,"order":{"orderId":"O/1",)" + order + "}"));
}

INSTANTIATE_TEST_SUITE_P(
    Ratio, ShippedRule,
    ::testing::Values(
        RuleCase{"Same", "RATIO", Ordered(Dose("50"), Dose("50")), {}},
        RuleCase{"SameInOtherUnit", "RATIO", Ordered(Dose("0.05", "g"), Dose("50")), {}},
        RuleCase{"SameWithMoreDigits", "RATIO", Ordered(Dose("50.00"), Dose("5e1")), {}},
        RuleCase{"Tenfold", "RATIO", Ordered(Dose("500"), Dose("50")), {".1 DOSE high"}},
        RuleCase{"TenfoldInOtherUnit", "RATIO", Ordered(Dose("0.5", "g"), Dose("50")), {".1 DOSE high"}},
        RuleCase{"JustBelowTenfold", "RATIO", Ordered(Dose("499.99"), Dose("50")), {".1 DOSE moderate"}},
        RuleCase{"ATenth", "RATIO", Ordered(Dose("5"), Dose("50")), {".1 DOSE high"}},
        RuleCase{"JustAboveATenth", "RATIO", Ordered(Dose("5.01"), Dose("50")), {".1 DOSE moderate"}},
        RuleCase{"OrderWithoutDose", "RATIO", Ordered(Dose("5"), R"("at":"2015")"), {}},
        RuleCase{"NoDoseGiven", "RATIO", Ordered(R"("lot":"x")", Dose("50")), {}}),
    NameOf);

Members Also(const std::string& more, const std::string& drug = "midazolam") {
  return Rows(Row(drug, Dose("3") + "," + more));
}
Members One(const std::string& name, const std::string& value) {
  return {{name, value}};
}

INSTANTIATE_TEST_SUITE_P(
    Product, ShippedRule,
    ::testing::Values(
        RuleCase{"Preserved", "PF", Also(R"("preservativeFree":false)"), {".1 PF high"}},
        RuleCase{"PreservativeFree", "PF", Also(R"("preservativeFree":true)"), {}},
        RuleCase{"PreservativeUnknown", "PF", {}, {}},
        RuleCase{"OtherDiluent", "DIL", Also(R"("diluent":"water")"), {".1 DIL moderate"}},
        RuleCase{"Glucose", "DIL", Also(R"("diluent":"glucose-5%")"), {}},
        RuleCase{"Saline", "DIL", Also(R"("diluent":"normal-saline")"), {}},
        RuleCase{"Undiluted", "DIL", Also(R"("diluent":"none")"), {}},
        RuleCase{"DiluentUnknown", "DIL", {}, {}},
        RuleCase{"DiluentOfOtherDrug", "DIL", Also(R"("diluent":"water")", "magnesium-sulfate"), {}},
        RuleCase{"VolumeAt", "VOL", Also(R"("volume":{"value":3,"unit":"mL"})"), {}},
        RuleCase{"VolumeAtInLitres", "VOL", Also(R"("volume":{"value":0.003,"unit":"L"})"), {}},
        RuleCase{"VolumeAbove", "VOL", Also(R"("volume":{"value":3.1,"unit":"mL"})"), {".1 VOL low"}},
        RuleCase{"VolumeUnknown", "VOL", {}, {}},
        RuleCase{
            "VolumeOfOtherDrug", "VOL", Also(R"("volume":{"value":4,"unit":"mL"})", "magnesium-sulfate"), {}},
        RuleCase{"GaugeIn1997",
                 "GAUGE",
                 {{"procedure", R"({"kind":"intrathecal-injection","needleGauge":22})"},
                  {"performed", R"({"start":"1997-12"})"}},
                 {}},
        RuleCase{"GaugeIn1998",
                 "GAUGE",
                 {{"procedure", R"({"kind":"intrathecal-injection","needleGauge":22})"},
                  {"performed", R"({"start":"1998"})"}},
                 {" GAUGE low"}},
        RuleCase{"FineNeedle",
                 "GAUGE",
                 One("procedure", R"({"kind":"intrathecal-injection","needleGauge":25})"),
                 {}},
        RuleCase{"GaugeUnknown", "GAUGE", {}, {}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Care, ShippedRule,
    ::testing::Values(
        RuleCase{"ObservedLongEnough", "OBS", {}, {}},
        RuleCase{"ObservedInHours", "OBS", One("observationPeriod", R"({"value":3,"unit":"h"})"), {}},
        RuleCase{"ObservedTooShort",
                 "OBS",
                 One("observationPeriod", R"({"value":179,"unit":"min"})"),
                 {" OBS low"}},
        RuleCase{"ObservedTooShortInHours",
                 "OBS",
                 One("observationPeriod", R"({"value":2.9,"unit":"h"})"),
                 {" OBS low"}},
        RuleCase{"MagnesiumObserved",
                 "OBS",
                 With(Magnesium("50"), "observationPeriod", R"({"value":30,"unit":"min"})"),
                 {}},
        RuleCase{"MagnesiumObservedTooShort",
                 "OBS",
                 With(Magnesium("50"), "observationPeriod", R"({"value":29,"unit":"min"})"),
                 {" OBS low"}},
        RuleCase{"ObservationUnknown", "OBS", One("observationPeriod", ""), {}},
        RuleCase{"ConsentWritten", "CONSENT", {}, {}},
        RuleCase{"ConsentVerbal", "CONSENT", One("consent", R"({"kind":"verbal"})"), {}},
        RuleCase{"ConsentNone", "CONSENT", One("consent", R"({"kind":"none"})"), {" CONSENT moderate"}},
        RuleCase{"ConsentAbsent", "CONSENT", One("consent", ""), {" CONSENT moderate"}},
        RuleCase{"ConsentWithoutKind", "CONSENT", One("consent", R"({"at":"2015"})"), {" CONSENT moderate"}},
        RuleCase{"BothStages", "STAGE", {}, {}},
        RuleCase{"OneStage", "STAGE", One("earlierStages", R"([{"stage":2}])"), {" STAGE low"}},
        RuleCase{"NoStages", "STAGE", One("earlierStages", ""), {" STAGE low"}},
        RuleCase{"StagesOfMagnesium", "STAGE", With(Magnesium("50"), "earlierStages", ""), {}},
        RuleCase{"PhantomLimb", "INDIC", One("indications", R"([{"code":"X"},{"code":"PHANTOM-LIMB"}])"), {}},
        RuleCase{"FailedBackSurgery", "INDIC", One("indications", R"([{"code":"FBSS"}])"), {}},
        RuleCase{"RegionalPain", "INDIC", One("indications", R"([{"code":"CRPS-1"}])"), {}},
        RuleCase{"Neuralgia", "INDIC", One("indications", R"([{"code":"PHN"}])"), {}},
        RuleCase{
            "OtherIndication", "INDIC", One("indications", R"([{"code":"X"},{"code":"Y"}])"), {" COND low"}},
        RuleCase{"NoIndication", "INDIC", One("indications", ""), {}},
        RuleCase{"OperatedLevel",
                 "LEVEL",
                 {{"procedure", R"({"kind":"intrathecal-injection","level":"L4-L5"})"},
                  {"history", R"({"operatedLevels":["L3-L4","L4-L5"]})"}},
                 {" COND moderate"}},
        RuleCase{"OtherLevel",
                 "LEVEL",
                 {{"procedure", R"({"kind":"intrathecal-injection","level":"L5-S1"})"},
                  {"history", R"({"operatedLevels":["L3-L4","L4-L5"]})"}},
                 {}},
        RuleCase{"LevelUnknown", "LEVEL", One("history", R"({"operatedLevels":["L4-L5"]})"), {}},
        RuleCase{"NothingOperated",
                 "LEVEL",
                 One("procedure", R"({"kind":"intrathecal-injection","level":"L4-L5"})"),
                 {}}),
    NameOf);

Members Patient(const std::string& more) {
  return One("patient", R"({"mrn":"7",)" + more + "}");
}

INSTANTIATE_TEST_SUITE_P(
    Age, ShippedRule,
    ::testing::Values(RuleCase{"YoungestYears", "AGE", Patient(R"("ageYears":28)"), {}},
                      RuleCase{"TooYoungYears", "AGE", Patient(R"("ageYears":27)"), {" AGE low"}},
                      RuleCase{"OldestYears", "AGE", Patient(R"("ageYears":86)"), {}},
                      RuleCase{"TooOldYears", "AGE", Patient(R"("ageYears":87)"), {" AGE low"}},
                      RuleCase{"YoungestDay", "AGE", Patient(R"("birthDate":"1987-03-04")"), {}},
                      RuleCase{"TooYoungByADay", "AGE", Patient(R"("birthDate":"1987-03-05")"), {" AGE low"}},
                      RuleCase{"MonthDecides", "AGE", Patient(R"("birthDate":"1987-04")"), {" AGE low"}},
                      RuleCase{"MonthDoesNotDecide", "AGE", Patient(R"("birthDate":"1987-03")"), {}},
                      RuleCase{"YearDoesNotDecide", "AGE", Patient(R"("birthDate":"1987")"), {}},
                      RuleCase{"OldestDay", "AGE", Patient(R"("birthDate":"1928-03-05")"), {}},
                      RuleCase{"TooOldByADay", "AGE", Patient(R"("birthDate":"1928-03-04")"), {" AGE low"}},
                      RuleCase{"AgeUnknown", "AGE", Patient(R"("sex":"male")"), {}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Harm, ShippedRule,
    ::testing::Values(
        RuleCase{"SedationTwo", "SED3", One("sedation", R"([{"rowId":"a","score":2}])"), {}},
        RuleCase{"SedationThree",
                 "SED3",
                 One("sedation", R"([{"rowId":"a","score":2},{"rowId":"b","score":3}])"),
                 {" SED3 high"}},
        RuleCase{"Bladder",
                 "NEURO",
                 One("symptoms", R"([{"rowId":"a","kind":"bladder-dysfunction"}])"),
                 {" NEURO high"}},
        RuleCase{"Bowel",
                 "NEURO",
                 One("symptoms", R"([{"rowId":"a","kind":"bowel-dysfunction"}])"),
                 {" NEURO high"}},
        RuleCase{"Radiculopathy",
                 "NEURO",
                 One("symptoms", R"([{"rowId":"a","kind":"radiculopathy"}])"),
                 {" NEURO high"}},
        RuleCase{
            "Headache", "NEURO", One("symptoms", R"([{"rowId":"a","kind":"headache"},{"rowId":"b"}])"), {}},
        RuleCase{"DurationAt", "DUR", One("outcome", R"({"reliefDuration":{"value":1096,"unit":"d"}})"), {}},
        RuleCase{"DurationAbove",
                 "DUR",
                 One("outcome", R"({"reliefDuration":{"value":1097,"unit":"d"}})"),
                 {" DUR low"}},
        RuleCase{
            "DurationInWeeks", "DUR", One("outcome", R"({"reliefDuration":{"value":156,"unit":"wk"}})"), {}},
        RuleCase{"DurationAboveInWeeks",
                 "DUR",
                 One("outcome", R"({"reliefDuration":{"value":157,"unit":"wk"}})"),
                 {" DUR low"}},
        RuleCase{"ThreeYears", "DUR", One("outcome", R"({"reliefDuration":{"value":3,"unit":"a"}})"), {}},
        RuleCase{"CountAt", "COUNT", One("seriesNumber", "57"), {}},
        RuleCase{"CountAbove", "COUNT", One("seriesNumber", "58"), {" COUNT low"}}),
    NameOf);

Members Laboratory(const std::string& row) {
  return One("laboratory", R"([{"rowId":"l","value":1,)" + row + "}]");
}

INSTANTIATE_TEST_SUITE_P(
    Laboratory, ShippedRule,
    ::testing::Values(
        RuleCase{
            "MagnesiumRange",
            "LABREF",
            Laboratory(R"("analyte":"magnesium","fraction":"total","unit":"mmol/L","low":0.45,"high":0.75)"),
            {" LABREF moderate"}},
        RuleCase{
            "MagnesiumRangeAbove",
            "LABREF",
            Laboratory(R"("analyte":"magnesium","fraction":"total","unit":"mmol/L","low":0.45,"high":0.751)"),
            {}},
        RuleCase{"CalciumMassRange",
                 "LABREF",
                 Laboratory(R"("analyte":"calcium","fraction":"total","unit":"mg/dL","low":4.20,"high":6.0)"),
                 {" LABREF moderate"}},
        RuleCase{
            "CalciumMassRangeAbove",
            "LABREF",
            Laboratory(R"("analyte":"calcium","fraction":"total","unit":"mg/dL","low":4.20,"high":6.001)"),
            {}},
        RuleCase{"CalciumMolarRange",
                 "LABREF",
                 Laboratory(R"("analyte":"calcium","fraction":"total","unit":"mmol/L","low":1.1,"high":1.5)"),
                 {" LABREF moderate"}},
        RuleCase{
            "CalciumMolarRangeAbove",
            "LABREF",
            Laboratory(R"("analyte":"calcium","fraction":"total","unit":"mmol/L","low":1.1,"high":1.501)"),
            {}},
        RuleCase{"FractionUnstated",
                 "LABREF",
                 Laboratory(
                     R"("analyte":"magnesium","fraction":"unstated","unit":"mmol/L","low":0.45,"high":0.70)"),
                 {}},
        RuleCase{"NoRange",
                 "LABREF",
                 Laboratory(R"("analyte":"magnesium","fraction":"total","unit":"mmol/L")"),
                 {}}),
    NameOf);

// Baseline 8, so that 6 is 25 % and 2 is 75 % relief.
Members Relief(const std::string& outcome, const std::string& pain) {
  return {{"outcome", outcome}, {"pain", "[" + pain + "]"}};
}
std::string Score(const std::string& id, const std::string& timing, const std::string& more,
                  const std::string& scale = "NRS") {
  return R"({"rowId":")" + id + R"(","timing":")" + timing + R"(","scale":")" + scale + "\"," + more + "}";
}
const std::string kBase = Score("b", "baseline", R"("value":8)");

INSTANTIATE_TEST_SUITE_P(
    Relief, ShippedRule,
    ::testing::Values(
        RuleCase{"TenPointsApart",
                 "RELIEF",
                 Relief(R"({"reliefPercent":65})", kBase + "," + Score("f", "follow-up", R"("value":2)")),
                 {}},
        RuleCase{"MoreThanTenPointsApart",
                 "RELIEF",
                 Relief(R"({"reliefPercent":64.9})", kBase + "," + Score("f", "follow-up", R"("value":2)")),
                 {" RELIEF moderate"}},
        RuleCase{"MoreThanTenPointsAbove",
                 "RELIEF",
                 Relief(R"({"reliefPercent":85.1})", kBase + "," + Score("f", "follow-up", R"("value":2)")),
                 {" RELIEF moderate"}},
        RuleCase{"LatestFollowUpCounts",
                 "RELIEF",
                 Relief(R"({"reliefPercent":75})",
                        kBase + "," + Score("f", "follow-up", R"("value":2,"at":"2015-06")") + "," +
                            Score("g", "follow-up", R"("value":6,"at":"2015-05")")),
                 {}},
        RuleCase{"WithoutTimesTheLastRowCounts",
                 "RELIEF",
                 Relief(R"({"reliefPercent":75})", kBase + "," + Score("f", "follow-up", R"("value":2)") +
                                                       "," + Score("g", "follow-up", R"("value":6)")),
                 {" RELIEF moderate"}},
        RuleCase{
            "OtherScale",
            "RELIEF",
            Relief(R"({"reliefPercent":0})", kBase + "," + Score("f", "follow-up", R"("value":2)", "VAS")),
            {}},
        RuleCase{"OtherRegion",
                 "RELIEF",
                 Relief(R"({"reliefPercent":0})",
                        kBase + "," + Score("f", "follow-up", R"("value":2,"region":"legs")")),
                 {}},
        RuleCase{
            "SameRegion",
            "RELIEF",
            Relief(R"({"reliefPercent":0})", Score("b", "baseline", R"("value":8,"region":"legs")") + "," +
                                                 Score("f", "follow-up", R"("value":2,"region":"legs")")),
            {" RELIEF moderate"}},
        RuleCase{"Comparator",
                 "RELIEF",
                 Relief(R"({"reliefPercent":0})",
                        kBase + "," + Score("f", "follow-up", R"("value":2,"comparator":"<")")),
                 {}},
        RuleCase{"BaselineZero",
                 "RELIEF",
                 Relief(R"({"reliefPercent":0})", Score("b", "baseline", R"("value":0)") + "," +
                                                      Score("f", "follow-up", R"("value":2)")),
                 {}},
        RuleCase{"RangeIsNotExact",
                 "RELIEF",
                 Relief(R"({"reliefPercent":0})", Score("b", "baseline", R"("low":8,"high":10)") + "," +
                                                      Score("f", "follow-up", R"("value":2)")),
                 {}},
        RuleCase{"AfterIsNotFollowUp",
                 "RELIEF",
                 Relief(R"({"reliefPercent":0})", kBase + "," + Score("f", "after", R"("value":2)")),
                 {}},
        RuleCase{
            "SuccessAtHalf", "RELIEF", One("outcome", R"({"success":"successful","reliefPercent":50})"), {}},
        RuleCase{"SuccessBelowHalf",
                 "RELIEF",
                 One("outcome", R"({"success":"successful","reliefPercent":49.9})"),
                 {" RELIEF moderate"}},
        RuleCase{"PartialBelowHalf",
                 "RELIEF",
                 One("outcome", R"({"success":"partial","reliefPercent":49.9})"),
                 {}},
        RuleCase{"SuccessWithoutPercent", "RELIEF", One("outcome", R"({"success":"successful"})"), {}},
        RuleCase{"BothReasonsGiveOneIssue",
                 "RELIEF",
                 Relief(R"({"success":"successful","reliefPercent":20})",
                        kBase + "," + Score("f", "follow-up", R"("value":2)")),
                 {" RELIEF moderate"}}),
    NameOf);

std::vector<std::string> RulesThatFire(const RuleOutcome& outcome) {
  std::vector<std::string> ids;
  for (const Finding& finding : outcome.findings) ids.push_back(finding.rule_id);
  return ids;
}

TEST(ShippedRules, PlausibleRecord_FiresNothing) {
  const RuleOutcome outcome = RunOn(PlausibleRecord());
  EXPECT_EQ(RulesThatFire(outcome), Lines());
  EXPECT_TRUE(outcome.notes.empty());
}

TEST(ShippedRules, AreThoseOfTheTable) {
  Lines ids;
  for (const RuleInfo& rule : ShippedRules().rules()) ids.push_back(rule.id);
  EXPECT_EQ(ids, (Lines{"AGE",   "CONSENT", "COUNT",  "DIL",      "DUR",       "GAUGE",   "INDIC",   "LABREF",
                        "LEVEL", "MG-DOSE", "MG-TOX", "MID-CEIL", "MID-FIRST", "MID-INT", "MID-LOW", "MID-WT",
                        "NEURO", "OBS",     "PF",     "RATIO",    "RELIEF",    "SED3",    "STAGE",   "VOL"}));
}

class StatusTest : public ::testing::TestWithParam<std::pair<std::string, bool>> {};

TEST_P(StatusTest, RulesRunOnCompletedAndCorrectedOnly) {
  const auto& [status, runs] = GetParam();
  const RuleOutcome outcome = RunOn(PlausibleRecord({{"status", "\"" + status + "\""}, {"consent", ""}}));
  EXPECT_EQ(RulesThatFire(outcome), runs ? Lines{"CONSENT"} : Lines());
}

INSTANTIATE_TEST_SUITE_P(Statuses, StatusTest,
                         ::testing::Values(std::pair("completed", true), std::pair("corrected", true),
                                           std::pair("in-progress", false), std::pair("not-done", false),
                                           std::pair("voided", false)));

TEST(ShippedRules, RowsThatAreNotTherapeuticAndIntrathecal_AreLeftAlone) {
  const std::string dose = R"("drug":"midazolam","dose":{"value":9,"unit":"mg"}})";
  const auto fires = [&](const std::string& row, const std::string& kind = "intrathecal-injection") {
    return RulesThatFire(RunOn(PlausibleRecord({{"administrations", "[" + row + dose + "]"},
                                                {"procedure", R"({"kind":")" + kind + R"("})"},
                                                {"patient", R"({"mrn":"7"})"}})));
  };
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"therapeutic","route":"intrathecal",)"), Lines{"MID-CEIL"});
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"therapeutic",)"), Lines{"MID-CEIL"});
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"therapeutic",)", "other-procedure"), Lines());
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"therapeutic","route":"intravenous",)"), Lines());
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"rescue","route":"intrathecal",)"), Lines());
  EXPECT_EQ(fires(R"({"seq":1,"purpose":"supportive","route":"intrathecal",)"), Lines());
}

const Finding* Find(const RuleOutcome& outcome, const std::string& rule) {
  for (const Finding& finding : outcome.findings) {
    if (finding.rule_id == rule) return &finding;
  }
  return nullptr;
}

using Named = std::vector<NamedResource>;

TEST(ShippedRules, TenfoldRatio_NamesAdministrationAndOrderAndSaysTenfold) {
  const RuleOutcome outcome = RunOn(PlausibleRecord(Ordered(Dose("500"), Dose("50"))));
  const Finding* ratio = Find(outcome, "RATIO");
  ASSERT_NE(ratio, nullptr);
  EXPECT_NE(ratio->text.find("tenfold"), std::string::npos);
  EXPECT_EQ(ratio->system, "http://terminology.hl7.org/CodeSystem/v3-ActCode");
  EXPECT_EQ(ratio->implicated, (Named{{"MedicationAdministration", "it-administration", "s.R~201.1"},
                                      {"MedicationRequest", "it-order", "s.O~2F1"}}));
  EXPECT_TRUE(ratio->evidence.empty());
  EXPECT_EQ(RulesThatFire(outcome), (Lines{"MG-DOSE", "MG-TOX", "RATIO"}));
}

TEST(ShippedRules, SuccessWithLittleRelief_NamesTheRelief) {
  const RuleOutcome outcome =
      RunOn(PlausibleRecord(One("outcome", R"({"success":"successful","reliefPercent":49})")));
  const Finding* finding = Find(outcome, "RELIEF");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->implicated, (Named{{"Procedure", "it-procedure", "s.R~201"}}));
  EXPECT_EQ(finding->evidence, (Named{{"Observation", "it-observation", "s.R~201.relief-percent"}}));
}

TEST(ShippedRules, DoseForWeight_NamesTheWeightAsEvidence) {
  const RuleOutcome outcome =
      RunOn(PlausibleRecord(With(Midazolam("5"), "patient", R"({"mrn":"7","weightKg":50})")));
  const Finding* finding = Find(outcome, "MID-WT");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->implicated, (Named{{"MedicationAdministration", "it-administration", "s.R~201.1"}}));
  EXPECT_EQ(finding->evidence, (Named{{"Observation", "it-observation", "s.R~201.weight"}}));
}

TEST(ShippedRules, ReliefOfScores_NamesTheProcedureAndWhatWasCompared) {
  const RuleOutcome outcome = RunOn(PlausibleRecord(
      Relief(R"({"reliefPercent":10})", kBase + "," + Score("f", "follow-up", R"("value":2)"))));
  const Finding* finding = Find(outcome, "RELIEF");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->system, "");
  EXPECT_EQ(finding->implicated, (Named{{"Procedure", "it-procedure", "s.R~201"}}));
  EXPECT_EQ(finding->evidence, (Named{{"Observation", "it-observation", "s.R~201.relief-percent"},
                                      {"Observation", "it-observation", "s.R~201.pain.b"},
                                      {"Observation", "it-observation", "s.R~201.pain.f"}}));
}

}  // namespace
}  // namespace fhir_adapter::rules
