#include "fml/concept_map.h"

#include <gtest/gtest.h>
#include <string>

#include "fhir/json_reader.h"
#include "map_run.h"

namespace fhir_adapter::fml {
namespace {

ConceptMapIndex Index(const std::string& json) {
  static Arena arena;
  const auto root = fhir::ReadJson(json, arena);
  auto index = ConceptMapIndex::FromResource(**root, "c.json");
  EXPECT_TRUE(index) << (index ? "" : ToString(index.error()));
  return std::move(*index);
}

constexpr const char* kDrugs = R"({"resourceType":"ConceptMap","url":"http://x/cm","id":"drug",
 "group":[
  {"source":"http://local","target":"http://snomed.info/sct",
   "element":[{"code":"mid","display":"Midazolam","target":[{"code":"1","display":"one","equivalence":"equivalent"}]},
              {"code":"both","target":[{"code":"2","equivalence":"wider"},{"code":"3","equivalence":"equal"}]},
              {"code":"none","display":"Nothing","target":[{"equivalence":"unmatched"}]}],
   "unmapped":{"mode":"provided"}},
  {"source":"http://local","target":"http://www.whocc.no/atc",
   "element":[{"code":"mid","target":[{"code":"N05","equivalence":"equivalent"}]}]}]})";

TEST(ConceptMapIndex, SeveralGroups_GiveTargetsInTableOrder) {
  const ConceptMapIndex index = Index(kDrugs);
  const ConceptRow* row = index.Find("", "mid");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->display, "Midazolam");
  ASSERT_EQ(row->targets.size(), 2u);
  EXPECT_EQ(row->targets[0].system, "http://snomed.info/sct");
  EXPECT_EQ(row->targets[0].display, "one");
  EXPECT_EQ(row->targets[1].code, "N05");
}

TEST(ConceptMapIndex, SourceSystem_IsHonouredWhenGiven) {
  const ConceptMapIndex index = Index(kDrugs);
  EXPECT_NE(index.Find("http://local", "mid"), nullptr);
  EXPECT_EQ(index.Find("http://other", "mid"), nullptr);
  EXPECT_EQ(index.Find("", "unknown"), nullptr);
}

TEST(ConceptMapIndex, UnmatchedRow_IsKnownAndHasNoTarget) {
  const ConceptMapIndex index = Index(kDrugs);
  const ConceptRow* row = index.Find("", "none");
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(row->targets.empty());
}

TEST(ConceptMapIndex, R5Form_IsRead) {
  const ConceptMapIndex index = Index(R"({"resourceType":"ConceptMap","url":"http://x/r5","group":[
    {"source":"http://a|1","target":"http://b|2","element":[
      {"code":"x","target":[{"code":"y","relationship":"equivalent"}]},
      {"code":"z","target":[{"code":"w","relationship":"not-related-to"}]},
      {"code":"n","noMap":true}],
     "unmapped":{"mode":"use-source-code"}}]})");
  const ConceptRow* row = index.Find("http://a", "x");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->targets.at(0).system, "http://b");
  EXPECT_EQ(row->targets.at(0).version, "2");
  EXPECT_TRUE(index.Find("", "z")->targets.empty());
  EXPECT_TRUE(index.Find("", "n")->targets.empty());
  EXPECT_EQ(index.UnmappedFor("").policy, UnmappedPolicy::kProvided);
}

TEST(ConceptMapIndex, TargetThatDependsOnMore_KeepsOnWhat) {
  const ConceptMapIndex index = Index(R"({"resourceType":"ConceptMap","url":"http://x/d","group":[
    {"target":"http://b","element":[{"code":"x","target":[
      {"code":"special","equivalence":"equivalent","dependsOn":[{"property":"http://p","value":"v"}]},
      {"code":"plain","equivalence":"equivalent"}]}],"unmapped":{"mode":"provided"}}]})");
  ASSERT_EQ(index.Find("", "x")->targets.size(), 2u);
  EXPECT_EQ(index.Find("", "x")->targets[0].depends_on.at(0).property, "p") << "the last part of its name";
  EXPECT_EQ(index.Find("", "x")->targets[0].depends_on.at(0).value, "v");
  EXPECT_TRUE(index.Find("", "x")->targets[1].depends_on.empty());
  EXPECT_EQ(std::vector<std::string>(index.dependencies().begin(), index.dependencies().end()),
            std::vector<std::string>{"p"});
}

TEST(ConceptMapIndex, Overlay_ReplacesByCodeAndTargetSystem) {
  ConceptMapIndex index = Index(kDrugs);
  index.LayOver(Index(R"({"resourceType":"ConceptMap","url":"http://x/cm","group":[
    {"source":"http://local","target":"http://snomed.info/sct","element":[
      {"code":"mid","target":[{"code":"9","equivalence":"equivalent"}]},
      {"code":"both","target":[{"equivalence":"unmatched"}]},
      {"code":"new","target":[{"code":"8","equivalence":"equivalent"}]}],"unmapped":{"mode":"provided"}}]})"));
  const ConceptRow* row = index.Find("", "mid");
  ASSERT_EQ(row->targets.size(), 2u);
  EXPECT_EQ(row->targets[0].code, "9") << "in the place of the one that it replaces";
  EXPECT_EQ(row->targets[1].code, "N05");
  EXPECT_TRUE(index.Find("", "both")->targets.empty());
  EXPECT_EQ(index.Find("", "new")->targets.at(0).code, "8");
}

TEST(ConceptMapIndex, NoUnmapped_LacksAPolicy) {
  const std::string group = R"("group":[{"target":"http://b","element":[]}])";
  EXPECT_TRUE(Index("{\"resourceType\":\"ConceptMap\",\"url\":\"http://x/n\"," + group + "}").lacks_policy());
  EXPECT_FALSE(Index(R"({"resourceType":"ConceptMap","url":"http://x/n","extension":[
    {"url":"http://any/StructureDefinition/unmapped-policy","valueCode":"text-only"}],)" +
                     group + "}")
                   .lacks_policy());
}

TEST(ConceptMapIndex, BadPolicy_IsAnErrorAtItsPlace) {
  Arena arena;
  const auto root = fhir::ReadJson(
      R"({"resourceType":"ConceptMap","url":"http://x/n","group":[
{"target":"http://b","unmapped":{"mode":"guess"}}]})",
      arena);
  const auto index = ConceptMapIndex::FromResource(**root, "c.json");
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().where.line, 2u);
  EXPECT_EQ(index.error().code, Code::kSemantic);
}

// What a translate does with a code that the ConceptMap does not have.
std::string Policy(const std::string& policy, const std::string& unmapped = "") {
  return R"({"resourceType":"ConceptMap","url":"http://x/p","id":"p","extension":[
    {"url":"https://clinic.example/fhir/StructureDefinition/unmapped-policy","valueCode":")" +
         policy + R"("}],"group":[{"source":"http://l","target":"http://b","element":[
    {"code":"male","display":"Man","target":[{"code":"M","display":"Male","equivalence":"equal"}]}])" +
         unmapped + "}]}";
}

constexpr const char* kRules =
    "src.gender as v -> tgt.maritalStatus = translate(v, '#p', 'CodeableConcept');"
    "src.active as a -> tgt.active = a;";

test::RunResult Translate(const std::string& concept_map, const char* rules = kRules,
                          const char* record = R"({"resourceType":"Patient","gender":"x","active":true})") {
  test::RunOptions options;
  options.require_unmapped_policy = true;
  return test::RunMap({{"m.map", test::PatientMap(rules)}, {"p.json", concept_map}}, record, options);
}

TEST(UnmappedPolicy, KnownCode_GivesCodingAndText) {
  const test::RunResult run =
      Translate(Policy("reject"), kRules, R"({"resourceType":"Patient","gender":"male"})");
  EXPECT_EQ(run.json,
            R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://b","code":"M",)"
            R"("display":"Male"}],"text":"Man"}})");
  EXPECT_TRUE(run.issues.empty());
}

TEST(UnmappedPolicy, Reject_StopsTheRecord) {
  const test::RunResult run = Translate(Policy("reject"));
  EXPECT_EQ(run.json, "");
  EXPECT_EQ(run.issues, std::vector<std::string>{"unmapped-code /gender"});
}

TEST(UnmappedPolicy, Quarantine_GoesOnAndSendsNothing) {
  const test::RunResult run =
      Translate(Policy("quarantine"),
                "src.gender as v -> tgt.maritalStatus = translate(v, '#p', 'CodeableConcept');"
                "src.id as v -> tgt.maritalStatus = translate(v, '#p', 'CodeableConcept');",
                R"({"resourceType":"Patient","gender":"x","id":"y"})");
  EXPECT_EQ(run.json, "");
  EXPECT_EQ(run.issues, (std::vector<std::string>{"unmapped-code /gender", "unmapped-code /id"}));
}

TEST(UnmappedPolicy, TextOnly_KeepsTheCodeAsTextAndSaysSo) {
  const test::RunResult run = Translate(Policy("text-only"));
  EXPECT_EQ(run.json, R"({"resourceType":"Patient","active":true,"maritalStatus":{"text":"x"}})");
  EXPECT_EQ(run.issues, std::vector<std::string>{"unmapped-code /gender"});
  EXPECT_EQ(run.messages.front().find("x\""), std::string::npos);
}

TEST(UnmappedPolicy, Optional_IsSilent) {
  const test::RunResult run = Translate(Policy("optional"));
  EXPECT_EQ(run.json, R"({"resourceType":"Patient","active":true})");
  EXPECT_TRUE(run.issues.empty());
}

TEST(UnmappedPolicy, Fixed_GivesTheFixedCodeAndSaysSo) {
  const test::RunResult run =
      Translate(Policy("fixed", R"(,"unmapped":{"mode":"fixed","code":"UNK","display":"unknown"})"));
  EXPECT_EQ(run.json,
            R"({"resourceType":"Patient","active":true,"maritalStatus":{"coding":[{"system":"http://b",)"
            R"("code":"UNK","display":"unknown"}]}})");
  EXPECT_EQ(run.issues, std::vector<std::string>{"unmapped-code /gender"});
}

TEST(UnmappedPolicy, Provided_KeepsTheSourceCode) {
  const char* const rules = "src.gender as v -> tgt.language = translate(v, 'http://x/p', 'code');";
  const test::RunResult run = Translate(
      R"({"resourceType":"ConceptMap","url":"http://x/p","group":[{"target":"http://b","element":[],
          "unmapped":{"mode":"provided"}}]})",
      rules);
  EXPECT_EQ(run.json, R"({"resourceType":"Patient","language":"x"})");
}

TEST(UnmappedPolicy, OtherMap_IsAskedNext) {
  const char* const rules = "src.gender as v -> tgt.language = translate(v, 'http://x/1', 'code');";
  const auto run = [rules](const char* other_code) {
    test::RunOptions options;
    options.require_unmapped_policy = true;
    return test::RunMap(
        {{"m.map", test::PatientMap(rules)},
         {"1.json",
          R"({"resourceType":"ConceptMap","url":"http://x/1","group":[{"target":"http://b","element":[],
            "unmapped":{"mode":"other-map","url":"http://x/2"}}]})"},
         {"2.json",
          std::string(R"({"resourceType":"ConceptMap","url":"http://x/2","group":[{"target":"http://b",
            "element":[{"code":")") +
              other_code +
              R"(","target":[{"code":"two","equivalence":"equal"}]}],"unmapped":{"mode":"provided"}}]})"}},
        R"({"resourceType":"Patient","gender":"x"})", options);
  };
  EXPECT_EQ(run("x").json, R"({"resourceType":"Patient","language":"two"})");
  EXPECT_EQ(run("other").json, R"({"resourceType":"Patient","language":"x"})");
}

TEST(UnmappedPolicy, None_IsAnErrorOfTheMap) {
  const auto findings = test::Check(
      {{"m.map", test::PatientMap(kRules)},
       {"p.json", R"({"resourceType":"ConceptMap","url":"http://x/p","id":"p","group":[{"element":[]}]})"}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_NE(findings[0].find("m.map:6:53: error: the ConceptMap #p does not say"), std::string::npos)
      << findings[0];
}

TEST(UnmappedPolicy, NoneAndNotRequired_StopsTheRecord) {
  const test::RunResult run = test::RunMap(
      {{"m.map", test::PatientMap(kRules)},
       {"p.json", R"({"resourceType":"ConceptMap","url":"http://x/p","id":"p","group":[{"element":[]}]})"}},
      R"({"resourceType":"Patient","gender":"x"})");
  EXPECT_EQ(run.issues, std::vector<std::string>{"unmapped-code /gender"});
}

TEST(InlineConceptMap, Rows_AreUsedByName) {
  const std::string map =
      "conceptmap \"G\" {\n prefix s = \"http://s\"\n prefix t = \"http://t\"\n unmapped for s = t:UNK\n"
      " s:male - t:M\n}\n" +
      std::string(
          "group Main(source src : Patient, target tgt : Patient) {"
          "src.gender as v -> tgt.maritalStatus = translate(v, '#G', 'CodeableConcept'),"
          " tgt.language = translate(v, '#G', 'code'); }");
  EXPECT_EQ(test::RunRules(map, R"({"resourceType":"Patient","gender":"male"})").json,
            R"({"resourceType":"Patient","language":"M","maritalStatus":{"coding":[{"system":"http://t",)"
            R"("code":"M"}]}})");
  EXPECT_EQ(test::RunRules(map, R"({"resourceType":"Patient","gender":"z"})").json,
            R"({"resourceType":"Patient","language":"UNK","maritalStatus":{"coding":[{"system":"http://t",)"
            R"("code":"UNK"}]}})");
}

// dependsOn: a target holds when the variables called so have the values; product: what else it stands for.
constexpr std::string_view kConditional =
    R"({"resourceType":"ConceptMap","url":"http://example.org/c","id":"c",
  "extension":[{"url":"https://clinic.example/fhir/StructureDefinition/unmapped-policy","valueCode":"text-only"}],
  "group":[{"target":"http://example.org/t","element":[{"code":"male","target":[
    {"code":"M-A","equivalence":"equivalent","dependsOn":[{"property":"http://example.org/properties/kind","value":"a"}],
     "product":[{"property":"laterality","system":"http://example.org/l","value":"left","display":"Left"}]},
    {"code":"M-B","equivalence":"equivalent","dependsOn":[{"property":"kind","value":"b"}]},
    {"code":"M","equivalence":"wider"}]},
   {"code":"female","target":[{"code":"F-A","equivalence":"equivalent","dependsOn":[{"property":"kind","value":"a"}]}]}]}]})";

test::RunResult Conditional(const std::string& target, const char* gender, const char* kind) {
  return test::RunMap(
      {{"m.map", test::PatientMap("src.gender as g, src.language as kind -> " + target + ";")},
       {"c.json", std::string(kConditional)}},
      std::string(R"({"resourceType":"Patient","language":")") + kind + R"(","gender":")" + gender + "\"}",
      {.map = "m.map"});
}

TEST(ConceptMap, Target_HoldsWhenWhatItDependsOnHolds) {
  const auto codes = [](const char* gender, const char* kind) {
    return Conditional("tgt.maritalStatus = translate(g, '#c')", gender, kind).json;
  };
  EXPECT_EQ(
      codes("male", "a"),
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/t","code":"M-A"},)"
      R"({"system":"http://example.org/t","code":"M"}]}})");
  EXPECT_EQ(
      codes("male", "b"),
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/t","code":"M-B"},)"
      R"({"system":"http://example.org/t","code":"M"}]}})");
  EXPECT_EQ(
      codes("male", "c"),
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/t","code":"M"}]}})");
}

TEST(ConceptMap, CodeWhoseTargetsAllDependOnSomethingElse_IsUnmapped) {
  const auto run = Conditional("tgt.maritalStatus = translate(g, '#c')", "female", "b");
  EXPECT_EQ(run.json, R"({"resourceType":"Patient","maritalStatus":{"text":"female"}})");
  EXPECT_EQ(run.issues, std::vector<std::string>{"unmapped-code /gender"});
}

TEST(ConceptMap, Product_IsGivenByItsName) {
  const auto run = Conditional("tgt.maritalStatus = translate(g, '#c', 'product:laterality')", "male", "a");
  EXPECT_EQ(
      run.json,
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/l","code":"left","display":"Left"}]}})")
      << testing::PrintToString(run.findings);
  EXPECT_EQ(Conditional("tgt.maritalStatus = translate(g, '#c', 'product:laterality')", "male", "b").json,
            R"({"resourceType":"Patient"})");
}

TEST(ConceptMap, DependencyWithoutAVariable_IsAWarningAndLeavesTheTargetOut) {
  const std::vector<SourceFile> files = {
      {"m.map", test::PatientMap("src.gender as g -> tgt.maritalStatus = translate(g, '#c');")},
      {"c.json", std::string(kConditional)}};
  const std::string findings = testing::PrintToString(test::Check(files));
  EXPECT_NE(findings.find("warning: targets of this ConceptMap depend on kind"), std::string::npos)
      << findings;
  const auto run = test::RunMap(files, R"({"resourceType":"Patient","gender":"male"})", {.map = "m.map"});
  EXPECT_EQ(
      run.json,
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/t","code":"M"}]}})");
}

}  // namespace
}  // namespace fhir_adapter::fml
