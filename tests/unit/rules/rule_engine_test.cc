// What the engine does around the rules: what the store knows, what is skipped, what is kept for other
// records.
#include "rules/rule_engine.h"

#include <gtest/gtest.h>

#include "fhir/json_writer.h"
#include "unit/rules/rule_record.h"

namespace fhir_adapter::rules {
namespace {

using Lines = std::vector<std::string>;

PatientFacts Known(const std::vector<std::string>& rows) {
  PatientFacts facts = EmptyStore();
  for (const std::string& row : rows) facts.other_records.push_back(R"({"rows":[)" + row + "]}");
  return facts;
}

std::string Earlier(const std::string& at, const std::string& drug = "midazolam",
                    const std::string& key = "s.A") {
  return R"({"recordKey":")" + key + R"(","status":"completed","drug":")" + drug + R"(","seq":1,"at":")" +
         at + R"("})";
}

bool Fires(const RuleOutcome& outcome, const std::string& identifier) {
  for (const Finding& finding : outcome.findings) {
    if (finding.identifier == identifier) return true;
  }
  return false;
}

Lines NotesOf(const RuleOutcome& outcome) {
  Lines lines;
  for (const Issue& note : outcome.notes) lines.push_back(ToLine(note));
  return lines;
}

struct IntervalCase {
  std::string name;
  std::string at;       // of this record, 3 mg midazolam
  std::string earlier;  // of the other record
  bool fires;
};

class Interval : public ::testing::TestWithParam<IntervalCase> {};

TEST_P(Interval, FiresWhenTheLongestPossibleIntervalIsBelow28Days) {
  const auto& [name, at, earlier, fires] = GetParam();
  const RuleOutcome outcome =
      RunOn(PlausibleRecord({{"performed", R"({"start":")" + at + R"("})"}}), Known({Earlier(earlier)}));
  EXPECT_EQ(Fires(outcome, "s.R~201.MID-INT.1"), fires);
  for (const Finding& finding : outcome.findings) {
    EXPECT_EQ(finding.code, "MINFREQ");
    EXPECT_EQ(finding.severity, "moderate");
    EXPECT_EQ(finding.implicated,
              (std::vector<NamedResource>{{"MedicationAdministration", "it-administration", "s.R~201.1"}}));
  }
  EXPECT_TRUE(outcome.notes.empty());
}

INSTANTIATE_TEST_SUITE_P(Dates, Interval,
                         ::testing::Values(IntervalCase{"TwentySevenDays", "2015-03-31", "2015-03-04", true},
                                           IntervalCase{"TwentyEightDays", "2015-04-01", "2015-03-04", false},
                                           IntervalCase{"CalendarDaysNotHours", "2015-04-01T08:00:00+01:00",
                                                        "2015-03-04T20:00:00+01:00", false},
                                           IntervalCase{"FebruaryMonth", "2015-02", "2015-02-02", true},
                                           IntervalCase{"FebruaryMonthFromItsFirst", "2015-02-28", "2015-02",
                                                        true},
                                           IntervalCase{"NextMonthMayBeFar", "2015-03", "2015-02-15", false},
                                           IntervalCase{"YearOnly", "2015", "2014-12-31", false},
                                           IntervalCase{"Later", "2015-03-04", "2015-03-20", false},
                                           IntervalCase{"LeapFebruary", "2012-03-01", "2012-02-03", true}),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(StoreRules, CountOfRecords_IsAboutTheProcedure) {
  const RuleOutcome outcome = RunOn(PlausibleRecord({{"seriesNumber", "58"}}));
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].implicated,
            (std::vector<NamedResource>{{"Procedure", "it-procedure", "s.R~201"}}));
}

TEST(StoreRules, IntervalOfMagnesium_IsNotJudged) {
  EXPECT_FALSE(Fires(RunOn(PlausibleRecord(), Known({Earlier("2015-03-01", "magnesium-sulfate")})),
                     "s.R~201.MID-INT.1"));
  EXPECT_FALSE(Fires(
      RunOn(PlausibleRecord(Rows(Row("magnesium-sulfate", Dose("50")))), Known({Earlier("2015-03-01")})),
      "s.R~201.MID-INT.1"));
}

TEST(StoreRules, TwoRecordsOfOneDay_OnlyTheLaterKeyFires) {
  const Members day = {{"performed", R"({"start":"2015-03-04"})"}};
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(day), Known({Earlier("2015-03-04", "midazolam", "s.A")})),
                    "s.R~201.MID-INT.1"));
  EXPECT_FALSE(Fires(RunOn(PlausibleRecord(day), Known({Earlier("2015-03-04", "midazolam", "s.Z")})),
                     "s.R~201.MID-INT.1"));
}

TEST(StoreRules, FirstDoseWithoutSeriesNumber_IsTheOneWithoutAnEarlierRecord) {
  const Members first = {{"seriesNumber", ""}};
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(first), Known({})), "s.R~201.MID-FIRST.1"));
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(first), Known({Earlier("2015-03-05")})), "s.R~201.MID-FIRST.1"));
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(first), Known({Earlier("2014", "magnesium-sulfate")})),
                    "s.R~201.MID-FIRST.1"));
  EXPECT_FALSE(Fires(RunOn(PlausibleRecord(first), Known({Earlier("2014")})), "s.R~201.MID-FIRST.1"));
}

TEST(StoreRules, CountWithoutSeriesNumber_AddsEarlierAdministrations) {
  Lines rows;
  for (int i = 0; i < 56; ++i) rows.push_back(Earlier("2010-01-01"));
  const Members unnumbered = {{"seriesNumber", ""}};
  EXPECT_FALSE(Fires(RunOn(PlausibleRecord(unnumbered), Known(rows)), "s.R~201.COUNT"));
  rows.push_back(Earlier("2010-01-01", "magnesium-sulfate"));
  rows.push_back(Earlier("2016-01-01"));
  EXPECT_FALSE(Fires(RunOn(PlausibleRecord(unnumbered), Known(rows)), "s.R~201.COUNT"));
  rows.push_back(Earlier("2010-01-02"));
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(unnumbered), Known(rows)), "s.R~201.COUNT"));
}

TEST(StoreRules, WithoutAStore_AreSkippedWithOneNoteThatIsTheSameForEveryRecord) {
  const Lines note = {
      "f.json: : rule-skipped: skipped COUNT MID-FIRST MID-INT where they need the patient's other records, "
      "which "
      "are not known here (note)"};
  EXPECT_EQ(NotesOf(RunOn(PlausibleRecord({{"seriesNumber", ""}}), PatientFacts())), note);
  EXPECT_EQ(NotesOf(RunOn(PlausibleRecord(), PatientFacts())), note);
  EXPECT_EQ(NotesOf(RunOn(PlausibleRecord(Rows(Row("magnesium-sulfate", Dose("50")))), PatientFacts())),
            Lines());
}

TEST(RuleNotes, DoseThatIsNoMass_IsNotedOnceForAllItsRules) {
  const RuleOutcome outcome = RunOn(PlausibleRecord(Rows("\n" + Row("midazolam", Dose("2", "mL")))));
  EXPECT_EQ(NotesOf(outcome), (Lines{"f.json:2:100: /administrations/0/dose/unit: rule-skipped: skipped "
                                     "MID-CEIL MID-LOW MID-WT: the dose is not a "
                                     "mass (note)"}));
}

struct NoteCase {
  std::string name;
  Members replaced;
  std::string note;  // from the pointer on
};

class UnitNote : public ::testing::TestWithParam<NoteCase> {};

TEST_P(UnitNote, UnitOfAnotherKind_IsNotedWithItsRules) {
  const Lines notes = NotesOf(RunOn(PlausibleRecord(GetParam().replaced)));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].substr(notes[0].find(": ") + 2), GetParam().note);
}

INSTANTIATE_TEST_SUITE_P(
    Units, UnitNote,
    ::testing::Values(
        NoteCase{"Midazolam", Rows(Row("midazolam", Dose("2", "mL"))),
                 "/administrations/0/dose/unit: rule-skipped: skipped MID-CEIL MID-LOW MID-WT: the dose is "
                 "not a mass (note)"},
        NoteCase{"MidazolamWithoutWeight",
                 {{"patient", R"({"mrn":"7"})"},
                  {"administrations", "[" + Row("midazolam", Dose("2", "mL")) + "]"}},
                 "/administrations/0/dose/unit: rule-skipped: skipped MID-CEIL MID-LOW: the dose is not a "
                 "mass (note)"},
        NoteCase{
            "FirstMidazolam",
            {{"seriesNumber", "1"}, {"administrations", "[" + Row("midazolam", Dose("2", "mmol")) + "]"}},
            "/administrations/0/dose/unit: rule-skipped: skipped MID-CEIL MID-FIRST MID-LOW MID-WT: the dose "
            "is not a mass "
            "(note)"},
        NoteCase{"Magnesium", Rows(Row("magnesium-sulfate", Dose("2", "mmol"))),
                 "/administrations/0/dose/unit: rule-skipped: skipped MG-DOSE MG-TOX: the dose is not a mass "
                 "(note)"},
        NoteCase{"Ordered",
                 Rows(Row("new", Dose("2", "mL") + R"(,"order":{"orderId":"O",)" + Dose("2", "mg") + "}")),
                 "/administrations/0/dose/unit: rule-skipped: skipped RATIO: the dose is not a mass (note)"},
        NoteCase{
            "Volume", Rows(Row("midazolam", R"("volume":{"value":2,"unit":"mg"})")),
            "/administrations/0/volume/unit: rule-skipped: skipped VOL: the volume is not a volume (note)"},
        NoteCase{"Observation",
                 {{"observationPeriod", R"({"value":2,"unit":"mg"})"}},
                 "/observationPeriod/unit: rule-skipped: skipped OBS: the observation period is not a time "
                 "(note)"},
        NoteCase{
            "Duration",
            {{"outcome", R"({"reliefDuration":{"value":2,"unit":"mg"}})"}},
            "/outcome/reliefDuration/unit: rule-skipped: skipped DUR: the duration is not a time (note)"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(RuleNotes, OrderOfZeroOrOfAnotherKind_IsNoted) {
  const auto notes = [](const std::string& order) {
    return NotesOf(RunOn(PlausibleRecord(
        Rows(Row("magnesium-sulfate", Dose("50") + R"(,"order":{"orderId":"O",)" + order + "}")))));
  };
  ASSERT_EQ(notes(Dose("0")).size(), 1U);
  EXPECT_NE(notes(Dose("0"))[0].find(
                "/administrations/0/order/dose/value: rule-skipped: skipped RATIO: the order is zero"),
            std::string::npos);
  ASSERT_EQ(notes(Dose("1", "mL")).size(), 1U);
  EXPECT_NE(notes(Dose("1", "mL"))[0].find(
                "/administrations/0/order/dose/unit: rule-skipped: skipped RATIO: the order is not a mass"),
            std::string::npos);
}

TEST(RuleEngine, IssueThatFiredBefore_KeepsTheTimeOfItsFirstFiring) {
  PatientFacts facts = EmptyStore();
  facts.firings.push_back({"s.R~201.CONSENT", "2015-03-04T11:00:00+01:00"});
  const RuleOutcome outcome = RunOn(PlausibleRecord({{"consent", ""}, {"earlierStages", ""}}), facts);
  ASSERT_EQ(outcome.findings.size(), 2U);
  EXPECT_EQ(outcome.findings[0].rule_id, "CONSENT");
  EXPECT_EQ(outcome.findings[0].identified, "2015-03-04T11:00:00+01:00");
  EXPECT_EQ(outcome.findings[1].identified, "2015-03-04T12:00:00+01:00");
}

TEST(RuleEngine, Fact_HoldsTherapeuticRowsWithTheirTime) {
  const Members rows =
      Rows(Row("midazolam", R"("at":"2015-03-04T10:05:00+01:00")") + "," + Row("magnesium-sulfate", "", 2) +
           R"(,{"seq":3,"purpose":"rescue","drug":"calcium-gluconate"})");
  EXPECT_EQ(
      RunOn(PlausibleRecord(rows)).fact,
      R"({"rows":[{"recordKey":"s.R~201","status":"completed","drug":"midazolam","seq":1,"at":"2015-03-04T10:05:00+01:00"},)"
      R"({"recordKey":"s.R~201","status":"completed","drug":"magnesium-sulfate","seq":2,"at":"2015-03-04T10:00:00+01:00"}]})");
}

TEST(RuleEngine, VoidedOrUndoneRecord_GivesNoFact) {
  EXPECT_EQ(RunOn(PlausibleRecord({{"status", R"("voided")"}})).fact, "");
  EXPECT_EQ(RunOn(PlausibleRecord({{"status", R"("not-done")"}})).fact, "");
  EXPECT_NE(RunOn(PlausibleRecord({{"status", R"("in-progress")"}})).fact, "");
}

TEST(RuleEngine, FactOfOneRecord_IsWhatAnotherReads) {
  PatientFacts facts = EmptyStore();
  facts.other_records.push_back(RunOn(PlausibleRecord({{"performed", R"({"start":"2015-02-20"})"}})).fact);
  EXPECT_TRUE(Fires(RunOn(PlausibleRecord(), facts), "s.R~201.MID-INT.1"));
}

TEST(RuleEngine, FindingsTree_IsAnInstanceOfItsModel) {
  Finding finding;
  finding.identifier = "s.R.X.1";
  finding.rule_id = "X";
  finding.rule_version = "1.0.0";
  finding.code = "X";
  finding.severity = "low";
  finding.text = "t";
  finding.identified = "2015-03-04T11:00:00Z";
  finding.implicated = {{"Procedure", "it-procedure", "s.R"}};
  Arena arena;
  EXPECT_EQ(
      fhir::ToJson(*FindingsTree({finding}, "s.R", "7", arena)),
      R"({"recordKey":"s.R","patient":{"mrn":"7"},"finding":[{"identifier":"s.R.X.1","ruleId":"X","version":"1.0.0",)"
      R"("status":"final","code":"X","severity":"low","text":"t","identified":"2015-03-04T11:00:00Z",)"
      R"("implicated":[{"resource":"Procedure","system":"it-procedure","value":"s.R"}],"evidence":[]}]})");
}

std::vector<OwnedRuleFile> FilesWith(const std::string& rule) {
  std::vector<OwnedRuleFile> files;
  for (OwnedRuleFile& file : ShippedRuleFiles()) {
    if (file.path == "settings.json") files.push_back(std::move(file));
  }
  files.push_back({"new.json", rule});
  return files;
}

constexpr const char* kNewRule = R"({"kind":"rule","id":"NEW","version":"2.0.0","title":"t",
 "parameters":{"most":3},
 "checks":[{"for":"%rows","let":[{"name":"ph","value":"solutionPh"}],
  "cases":[{"when":"%ph > %most","code":"NEW","severity":"low","text":"pH above {most}"}],"implicated":["administration"]}]})";

TEST(RuleEngine, RuleThatASiteAdds_RunsWithoutAChangeOfTheProgram) {
  const auto rules = BuildRules(FilesWith(kNewRule));
  ASSERT_TRUE(rules.has_value()) << ToString(rules.error());
  Arena arena;
  const auto record = fhir::ReadJson(PlausibleRecord(Rows(Row("new-drug", R"("solutionPh":3.1)"))), arena);
  RuleRequest request;
  request.record = *record;
  request.record_key = "s.R";
  const RuleOutcome outcome = RunRules(*rules, request, arena);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].identifier, "s.R.NEW");
  EXPECT_EQ(outcome.findings[0].text, "pH above 3");
  EXPECT_EQ(outcome.findings[0].rule_version, "2.0.0");
}

TEST(RuleEngine, RuleThatFailsWhileRunning_IsSkippedAndTheOthersRun) {
  std::vector<OwnedRuleFile> files = ShippedRuleFiles();
  files.push_back({"bad.json", R"({"kind":"rule","id":"BAD","version":"1","title":"t","checks":[
    {"cases":[{"when":"administrations.seq.single() = 1","code":"BAD","severity":"low","text":"t"}]}]})"});
  const auto rules = BuildRules(files);
  ASSERT_TRUE(rules.has_value()) << ToString(rules.error());
  Arena arena;
  const std::string two = Row("midazolam", Dose("3"), 1) + "," + Row("midazolam", Dose("3"), 2);
  const auto record =
      fhir::ReadJson(PlausibleRecord({{"consent", ""}, {"administrations", "[" + two + "]"}}), arena);
  RuleRequest request;
  request.record = *record;
  request.record_key = "s.R";
  const RuleOutcome outcome = RunRules(*rules, request, arena);
  EXPECT_TRUE(Fires(outcome, "s.R.CONSENT"));
  EXPECT_FALSE(Fires(outcome, "s.R.BAD"));
  bool noted = false;
  for (const std::string& note : NotesOf(outcome))
    noted = noted || note.find("skipped BAD: it could not be evaluated") != std::string::npos;
  EXPECT_TRUE(noted);
}

struct FaultCase {
  std::string name;
  std::string from;
  std::string to;
  std::string message;
};

class RuleFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(RuleFault, Build_SaysFileLineAndReason) {
  std::string rule = kNewRule;
  const std::size_t at = rule.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  rule.replace(at, GetParam().from.size(), GetParam().to);
  const auto rules = BuildRules(FilesWith(rule));
  ASSERT_FALSE(rules.has_value());
  EXPECT_EQ(rules.error().code, Code::kConfiguration);
  EXPECT_EQ(rules.error().where.file, "new.json");
  EXPECT_NE(rules.error().where.line, 0U);
  EXPECT_NE(rules.error().message.find(GetParam().message), std::string::npos) << rules.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, RuleFault,
    ::testing::Values(
        FaultCase{"NotJson", "\"kind\"", "kind", ""},
        FaultCase{"OtherKind", "\"rule\"", "\"rul\"", "kind must be rule or rule-settings"},
        FaultCase{"UnknownMember", "\"title\"", "\"tittle\"", "tittle is not known here; known:"},
        FaultCase{"NoId", R"("id":"NEW",)", "", "id must be a text"},
        FaultCase{"Syntax", "%ph > %most", "%ph >", ""},
        FaultCase{"UnknownVariable", "%ph > %most", "%ph > %least", "least"},
        FaultCase{"UnknownElement", "\"solutionPh\"", "\"solutionPH\"", "solutionPH"},
        FaultCase{"UnknownTarget", "\"administration\"", "\"dose\"", "the settings have no target dose"},
        FaultCase{"UnknownSeverity", "\"low\"", "\"mild\"", "severity must be high, moderate or low"},
        FaultCase{"UnknownParameterInText", "{most}", "{least}", "the rule has no parameter least"},
        FaultCase{"VariableTwice", "\"name\":\"ph\"", "\"name\":\"most\"", "%most is defined twice"},
        FaultCase{"NoCases", "\"cases\"", "\"case\"", "case is not known here"}),
    [](const auto& parameter) { return parameter.param.name; });

TEST(RuleSetBuild, SameIdTwiceOrNoSettings_IsAnError) {
  auto files = FilesWith(kNewRule);
  files.push_back({"other.json", kNewRule});
  EXPECT_EQ(BuildRules(files).error().message, "another file has the rule NEW");
  EXPECT_EQ(BuildRules({{"new.json", kNewRule}}).error().message, "no file has kind rule-settings");
}

}  // namespace
}  // namespace fhir_adapter::rules
