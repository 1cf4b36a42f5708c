#include "fml/map_set.h"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <utility>

#include "core/digest.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/mapper.h"
#include "map_run.h"

namespace fhir_adapter::fml {
namespace {

std::shared_ptr<const MapSet> Compile(std::vector<SourceFile> files, const MapSetOptions& options = {}) {
  std::vector<Finding> findings;
  auto set = MapSet::Compile(std::move(files), options, findings);
  for (const Finding& finding : findings) ADD_FAILURE() << ToLine(finding);
  return set;
}

const SourceFile kMap{"maps/one.map", test::PatientMap("src.id as v -> tgt.id = v;")};

TEST(MapSet, Name_DependsOnBytesPathsAndConfigurationOnly) {
  MapSetOptions options;
  options.configuration = {{"site", "a"}, {"canonicalBase", "b"}};
  MapSetOptions turned;
  turned.configuration = {{"canonicalBase", "b"}, {"site", "a"}};
  const SourceFile text{"README.md", "x"};
  const std::string name = Compile({kMap, text}, options)->name();
  EXPECT_EQ(name.size(), 64u);
  EXPECT_EQ(Compile({text, kMap}, turned)->name(), name);
  EXPECT_NE(Compile({kMap, {"README.md", "y"}}, options)->name(), name);
  EXPECT_NE(Compile({kMap, {"READM.md", "x"}}, options)->name(), name);
  turned.configuration[1].second = "c";
  EXPECT_NE(Compile({kMap, text}, turned)->name(), name);
}

TEST(MapSet, Name_IsOfTheStatedForm) {
  // Lengths before texts, so that no two sets of files run together.
  EXPECT_EQ(Compile({{"a", "bc"}})->name(), Sha256Hex("1:a2:bcconfiguration"));
}

TEST(MapSet, FindMap_TakesUrlNamePathAndStem) {
  const auto set = Compile({kMap});
  const MapInfo* map = set->FindMap("http://example.org/StructureMap/m");
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(set->FindMap("M"), map);
  EXPECT_EQ(set->FindMap("maps/one.map"), map);
  EXPECT_EQ(set->FindMap("one"), map);
  EXPECT_EQ(set->FindMap("two"), nullptr);
  EXPECT_EQ(map->source->name, "Patient");
}

TEST(MapSet, FaultyFile_GivesNoSet) {
  std::vector<Finding> findings;
  EXPECT_EQ(MapSet::Compile({{"m.map", "group"}}, {}, findings), nullptr);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, Code::kSyntax);
}

TEST(MapSet, Roots_LimitWhatIsLinked) {
  MapSetOptions options;
  options.roots = {"maps/one.map"};
  const auto set = Compile({kMap, {"bad.map", test::PatientMap("src.idd as v -> tgt.id = v;")}}, options);
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(set->maps().size(), 1u);
}

constexpr const char* kModel =
    R"({"resourceType":"StructureDefinition","url":"http://x/StructureDefinition/Rec",
 "name":"Rec","type":"http://x/StructureDefinition/Rec","kind":"logical","abstract":false,"status":"draft",
 "derivation":"specialization","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Element",
 "differential":{"element":[
  {"id":"Rec","path":"Rec","min":0,"max":"*"},
  {"id":"Rec.dose","path":"Rec.dose","min":0,"max":"1","type":[{"code":"decimal"}]},
  {"id":"Rec.at","path":"Rec.at","min":0,"max":"1","type":[{"code":"dateTime"}]},
  {"id":"Rec.row","path":"Rec.row","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"id":"Rec.row.text","path":"Rec.row.text","min":0,"max":"1","type":[{"code":"string"}]}]}})";

TEST(LogicalModel, Source_IsTypedByTheFirstGroup) {
  const std::string map =
      "uses \"http://x/StructureDefinition/Rec\" alias Record as source\n"
      "group Main(source src : Record, target tgt : Observation) {\n"
      " src.dose as d -> tgt.value = create('Quantity') as q, q.value = d;\n"
      " src.at as a -> tgt.effective = a;\n"
      " src.row as r -> tgt.note as n then Row(r, n);\n}\n"
      "group Row(source r : Record.row, target n : Annotation) { r.text as t -> n.text = t; }\n";
  const test::RunResult run =
      test::RunMap({{"m.map", map}, {"rec.json", kModel}},
                   R"({"dose":1.10,"at":"2011-03","row":[{"text":"a"},{"text":"b"}],"unknown":1})");
  ASSERT_TRUE(run.findings.empty()) << run.findings.front();
  EXPECT_EQ(run.json,
            R"({"resourceType":"Observation","effectiveDateTime":"2011-03","valueQuantity":{"value":1.10},)"
            R"("note":[{"text":"a"},{"text":"b"}]})");
}

TEST(LogicalModel, UnknownField_IsAnErrorOfTheMap) {
  const auto findings = test::Check({{"m.map",
                                      "uses \"http://x/StructureDefinition/Rec\" alias Record as source\n"
                                      "group Main(source src : Record, target tgt : Patient) { src.row as r, "
                                      "r.txt as t -> tgt.id = t; }\n"},
                                     {"rec.json", kModel}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0], "m.map:2:73: error: Rec.row has no element txt; did you mean text?");
}

TEST(LogicalModel, Target_IsWrittenWithoutResourceType) {
  const test::RunResult run =
      test::RunMap({{"m.map",
                     "uses \"http://x/StructureDefinition/Rec\" alias Rec as target\n"
                     "group Main(source src : Patient, target tgt : Rec) {\n"
                     " src.name as n -> tgt.row as r, r.text = (%n.family); src -> tgt.dose = 2.50;\n}\n"},
                    {"rec.json", kModel}},
                   R"({"resourceType":"Patient","name":[{"family":"A"},{"family":"B"}]})");
  ASSERT_TRUE(run.findings.empty()) << run.findings.front();
  EXPECT_EQ(run.json, R"({"row":[{"text":"A"},{"text":"B"}],"dose":2.50})");
}

TEST(LogicalModel, ElementThatNoMapReads_IsListedOrWarnedOf) {
  const auto findings = test::Check({{"m.map",
                                      "/// url = 'http://x/m'\n/// notSent = 'at: known elsewhere'\n/// "
                                      "notSent = 'row.txt: no such element'\n"
                                      "/// notSent = 'dose: but it is read'\n"
                                      "uses \"http://x/StructureDefinition/Rec\" alias Record as source\n"
                                      "group Main(source src : Record, target tgt : Patient) { src.row as r "
                                      "-> tgt.id = (%src.dose.toString()); }\n"},
                                     {"rec.json", kModel}});
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0], "m.map:3:1: error: Rec has no element row.txt; did you mean row.text?");
  EXPECT_EQ(findings[1], "m.map:4:1: warning: the element dose is listed as not sent, and a map reads it");
  EXPECT_EQ(
      findings[2],
      "m.map:6:7: warning: no map reads the source element row.text; map it, or say why not: /// notSent = "
      "'row.text: …'");
}

// What somebody has to decide yet is counted.
TEST(LogicalModel, ElementsListedAsNotMapped_AreCounted) {
  const auto findings =
      test::Check({{"m.map",
                    "/// url = 'http://x/m'\n/// notMapped = 'at: later'\n"
                    "/// notMapped = 'row.text: later'\n/// notMapped = 'dose: but it is read'\n"
                    "uses \"http://x/StructureDefinition/Rec\" alias Record as source\n"
                    "group Main(source src : Record, target tgt : Patient) { src -> tgt.id = "
                    "(%src.dose.toString()); }\n"},
                   {"rec.json", kModel}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0], "m.map:2:1: warning: 3 source elements are listed as not mapped");
  EXPECT_EQ(findings[1], "m.map:4:1: warning: the element dose is listed as not mapped, and a map reads it");
}

// A record that a message becomes is written by one map and read by another.
TEST(LogicalModel, ElementThatAMapWrites_IsNotRead) {
  const auto findings = test::Check(
      {{"a.map",
        "/// url = 'http://x/a'\n/// notSent = 'at: known elsewhere'\n/// notSent = 'row.text: likewise'\n"
        "uses \"http://x/StructureDefinition/Rec\" alias Record as source\n"
        "group Main(source src : Record, target tgt : Patient) { src -> tgt.id = (%src.dose.toString()); "
        "}\n"},
       {"b.map",
        "/// url = 'http://x/b'\nuses \"http://x/StructureDefinition/Rec\" alias Record as target\n"
        "group Other(source src : Patient, target tgt : Record) { src.birthDate as d -> tgt.at = d; }\n"},
       {"rec.json", kModel}});
  EXPECT_TRUE(findings.empty()) << findings.front();
}

TEST(Mapper, ThreadsShareOneSet) {
  const auto set = Compile({kMap});
  std::vector<std::thread> threads;
  std::vector<std::string> results(4);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&set, &results, i] {
      Mapper mapper(set);
      for (int round = 0; round < 50; ++round) {
        Arena arena;
        const std::string text = R"({"resourceType":"Patient","id":"p)" + std::to_string(i) + "\"}";
        const auto record = fhir::ReadJson(text, arena);
        const auto mapping = mapper.Map(set->maps().front(), **record, {});
        results[i].clear();
        fhir::WriteResource(*mapping->target, set->schema(), results[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i], R"({"resourceType":"Patient","id":"p)" + std::to_string(i) + "\"}");
  }
}

TEST(Mapper, Issue_HasFilePlaceAndPointerOfTheSource) {
  const auto set =
      Compile({{"m.map", test::PatientMap("src.name as n then { n.family check (false) \"fine\"; };")}});
  Mapper mapper(set);
  Arena arena;
  const auto record =
      fhir::ReadJson("{\"resourceType\":\"Patient\",\n \"name\":[{\"family\":\"secret\"}]}", arena);
  MapRequest request;
  request.file = "r.json";
  request.pointer_prefix = "/4";
  const auto mapping = mapper.Map(set->maps().front(), **record, request);
  ASSERT_EQ(mapping->issues.size(), 1u);
  const Issue& issue = mapping->issues[0];
  EXPECT_EQ(issue.code, Code::kMapCheck);
  EXPECT_EQ(issue.where.file, "r.json");
  EXPECT_EQ(issue.where.pointer, "/4/name/0/family");
  EXPECT_EQ(issue.where.line, 2u);
  EXPECT_EQ(issue.where.column, 20u);
  EXPECT_NE(issue.message.find("rule fine of group Main, m.map:6"), std::string::npos) << issue.message;
  EXPECT_EQ(issue.message.find("secret"), std::string::npos);
  EXPECT_EQ(mapping->target, nullptr);
}

// What the record is about is wanted even when it must not be sent.
TEST(Mapper, CheckThatFails_MayLetTheMapGoOn) {
  const auto set =
      Compile({{"m.map", test::PatientMap("src.name as n check (false) then { n.family -> "
                                          "tgt.language = 'en'; }; src.id as i -> tgt.id = i;")}});
  Mapper mapper(set);
  Arena arena;
  const auto record =
      fhir::ReadJson(R"({"resourceType":"Patient","id":"p","name":[{"family":"a"},{"family":"b"}]})", arena);
  MapRequest request;
  const auto stopped = mapper.Map(set->maps().front(), **record, request);
  EXPECT_EQ(stopped->issues.size(), 1U);
  ASSERT_NE(stopped->begun, nullptr);
  EXPECT_EQ(stopped->begun->Find("id"), nullptr);
  request.goes_on_after_check = true;
  const auto whole = mapper.Map(set->maps().front(), **record, request);
  EXPECT_EQ(whole->issues.size(), 2U) << "one for each name";
  EXPECT_EQ(whole->target, nullptr);
  ASSERT_NE(whole->begun, nullptr);
  EXPECT_EQ(MemberText(*whole->begun, "id"), "p");
}

TEST(Mapper, ChecksThatFail_HaveALimit) {
  const auto set =
      Compile({{"m.map", test::PatientMap("src.name check (false); src.id as i -> tgt.id = i;")}});
  Mapper mapper(set);
  const auto issues_of = [&](std::size_t names) {
    std::string text = R"({"resourceType":"Patient","id":"p","name":[)";
    for (std::size_t i = 0; i < names; ++i) text += std::string(i == 0 ? "" : ",") + R"({"family":"a"})";
    Arena arena;
    const auto record = fhir::ReadJson(text + "]}", arena);
    MapRequest request;
    request.goes_on_after_check = true;
    const auto mapping = mapper.Map(set->maps().front(), **record, request);
    return std::pair(mapping->issues.size(), mapping->begun->Find("id") != nullptr);
  };
  EXPECT_EQ(issues_of(limits::kMapIssuesMax), std::pair(limits::kMapIssuesMax, true));
  EXPECT_EQ(issues_of(limits::kMapIssuesMax + 1), std::pair(limits::kMapIssuesMax + 1, false));
  EXPECT_EQ(issues_of(limits::kMapIssuesMax + 2), std::pair(limits::kMapIssuesMax + 1, false));
}

TEST(Mapper, MapOfAnotherSet_IsAnError) {
  const auto one = Compile({kMap});
  const auto other = Compile({kMap});
  Mapper mapper(one);
  Arena arena;
  const auto record = fhir::ReadJson("{}", arena);
  EXPECT_FALSE(mapper.Map(other->maps().front(), **record, {}));
}

// Limits: at the limit, and one above.

test::RunResult Steps(std::uint64_t limit) {
  test::RunOptions options;
  options.steps_max = limit;
  return test::RunRules("src.name as n -> tgt.name as t, t.family = 'x';",
                        R"({"resourceType":"Patient","name":[{},{"id":"1"},{"id":"2"},{"id":"3"}]})",
                        options);
}

TEST(MapLimits, Steps_AtTheLimitAndAbove) {
  EXPECT_TRUE(Steps(4).issues.empty());
  const test::RunResult above = Steps(3);
  ASSERT_EQ(above.issues.size(), 1u);
  EXPECT_EQ(above.issues[0], "map-limit /name/3");
  EXPECT_NE(above.messages[0].find("kMapStepsMax (3) (rule name of group Main, m.map:6)"), std::string::npos)
      << above.messages[0];
}

TEST(MapLimits, Recursion_AtTheLimitAndAbove) {
  // Main is the first level; each call of Down one more.
  const auto run = [](std::uint32_t depth) {
    return test::RunRules(
        "group Main(source src : Patient, target tgt : Patient) {\n"
        " src.multipleBirth as n -> tgt.name as t then Down(src, n, t);\n}\n"
        "group Down(source src : Patient, source n, target t : HumanName) {\n"
        " n where (%n > 2) -> (%n - 1) as m then Down(src, m, t);\n"
        " n where (%n = 2) -> t.family = 'end';\n}",
        R"({"resourceType":"Patient","multipleBirthInteger":)" + std::to_string(depth) + "}");
  };
  const test::RunResult at = run(limits::kMapRecursionMax);
  EXPECT_TRUE(at.issues.empty()) << at.messages[0];
  EXPECT_NE(at.json.find("end"), std::string::npos);
  const test::RunResult above = run(limits::kMapRecursionMax + 1);
  ASSERT_EQ(above.issues.size(), 1u);
  EXPECT_TRUE(above.issues[0].starts_with("map-limit"));
  EXPECT_NE(above.messages[0].find("kMapRecursionMax"), std::string::npos);
}

TEST(MapLimits, EndlessRecursion_EndsWithAnIssue) {
  const test::RunResult run = test::RunRules(
      "group Main(source src : Patient, target tgt : Patient) { src -> tgt as t then Main(src, t); }",
      R"({"resourceType":"Patient"})");
  ASSERT_EQ(run.issues.size(), 1u);
  EXPECT_TRUE(run.issues[0].starts_with("map-limit"));
}

TEST(MapLimits, BranchingRecursion_EndsAtTheSteps) {
  const test::RunResult run = test::RunRules(
      "group Main(source src : Patient, target tgt : Patient) {\n"
      " src -> (1) as n then Down(n, tgt);\n}\n"
      "group Down(source n, target t : Patient) {\n"
      " n where (%n < 150) -> (%n + 1) as m then Down(m, t), Down(m, t);\n}",
      R"({"resourceType":"Patient"})");
  ASSERT_EQ(run.issues.size(), 1u);
  EXPECT_TRUE(run.issues[0].starts_with("map-limit")) << run.issues[0];
}

// The steps of a record's expressions are one budget: the least that is enough for one name is not for two.
TEST(MapLimits, ExpressionSteps_AtTheLimitAndAbove) {
  const auto run = [](std::uint64_t limit, const char* names) {
    test::RunOptions options;
    options.expression_steps_max = limit;
    return test::RunRules("src.name as n where (text.exists()) -> tgt.name as t, t.family = 'x';",
                          std::string(R"({"resourceType":"Patient","name":[)") + names + "]}", options);
  };
  constexpr const char* kOne = R"({"text":"a"})";
  std::uint64_t least = 1;
  while (!run(least, kOne).issues.empty()) ++least;
  const test::RunResult above = run(least - 1, kOne);
  ASSERT_EQ(above.issues.size(), 1u);
  EXPECT_EQ(above.issues[0], "map-limit /name/0");
  EXPECT_NE(above.messages[0].find("more than its " + std::to_string(least - 1) + " steps"),
            std::string::npos)
      << above.messages[0];
  EXPECT_NE(above.messages[0].find("(rule name of group Main, m.map:6)"), std::string::npos)
      << above.messages[0];
  EXPECT_EQ(run(least, R"({"text":"a"},{"text":"b"})").issues, std::vector<std::string>{"map-limit /name/1"});
}

// Nine to the twelfth: an expression in a map ends at its budget, not when it is done.
TEST(MapLimits, ExponentialExpression_EndsWithAnIssue) {
  std::string expression = "1";
  for (int i = 0; i < 12; ++i) expression = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9).select(" + expression + ")";
  test::RunOptions options;
  options.expression_steps_max = 100'000;
  const test::RunResult run = test::RunRules("src where (" + expression + ".exists()) -> tgt.active = true;",
                                             R"({"resourceType":"Patient"})", options);
  ASSERT_EQ(run.issues.size(), 1u);
  EXPECT_TRUE(run.issues[0].starts_with("map-limit")) << run.issues[0];
}

TEST(MapLimits, Elements_AtTheLimitAndAbove) {
  const auto run = [](std::uint64_t limit) {
    test::RunOptions options;
    options.elements_max = limit;
    return test::RunRules("src.name as n -> tgt.name as t, t.family = 'x';",
                          R"({"resourceType":"Patient","name":[{},{"id":"1"}]})", options);
  };
  EXPECT_TRUE(run(4).issues.empty()) << "two names and two families";
  const test::RunResult above = run(3);
  ASSERT_EQ(above.issues.size(), 1u);
  EXPECT_TRUE(above.issues[0].starts_with("map-limit"));
  EXPECT_NE(above.messages[0].find("kMapElementsMax (3)"), std::string::npos);
}

TEST(MapLimits, Issues_AtTheLimitAndAbove) {
  const auto run = [](std::size_t codes) {
    std::string names;
    for (std::size_t i = 0; i < codes; ++i) names += (i == 0 ? "{\"family\":\"x\"}" : ",{\"family\":\"x\"}");
    return test::RunMap(
        {{"m.map",
          test::PatientMap("src.name as n -> tgt.contact as c, c.relationship = translate(n.family, '#p');")},
         {"p.json",
          R"({"resourceType":"ConceptMap","id":"p","group":[{"target":"http://b","element":[],"extension":[],
          "unmapped":{"mode":"fixed","code":"f","extension":[
            {"url":"http://x/StructureDefinition/unmapped-policy","valueCode":"text-only"}]}}]})"}},
        "{\"resourceType\":\"Patient\",\"name\":[" + names + "]}");
  };
  const test::RunResult at = run(limits::kMapIssuesMax);
  EXPECT_EQ(at.issues.size(), limits::kMapIssuesMax);
  EXPECT_FALSE(at.json.empty());
  const test::RunResult above = run(limits::kMapIssuesMax + 1);
  EXPECT_TRUE(above.json.empty());
  EXPECT_TRUE(above.issues.back().starts_with("map-limit"));
}

TEST(MapLimits, OutputBytes_AtTheLimitAndAbove) {
  const auto run = [](std::uint64_t limit) {
    test::RunOptions options;
    options.output_bytes_max = limit;
    return test::RunRules("src.id as v -> tgt.id = v;", R"({"resourceType":"Patient","id":"abcdefgh"})",
                          options);
  };
  // The text, the member's name and eight for the punctuation.
  EXPECT_TRUE(run(8 + 2 + 8).issues.empty());
  const test::RunResult above = run(8 + 2 + 8 - 1);
  ASSERT_EQ(above.issues.size(), 1u);
  EXPECT_NE(above.messages[0].find("kMapOutputBytesMax"), std::string::npos);
}

// Lineage.

struct Recorder : LineageSink {
  std::vector<std::string> made;
  std::vector<std::string> ran;
  void Made(const LineageStep& step) override {
    std::string line(step.member);
    line += " <-";
    for (const fhir::Node* source : step.sources) line += " " + std::to_string(source->line);
    for (const RulePlace& rule : step.rules)
      line += " " + std::string(rule.rule) + ":" + std::to_string(rule.line);
    for (const ConceptMapRow& row : step.rows) {
      line +=
          " " + std::string(row.source_code) + "=" + std::string(row.target_code) + std::string(row.policy);
    }
    made.push_back(line);
  }
  void RuleRan(const RulePlace& rule) override { ran.emplace_back(rule.rule); }
};

TEST(Lineage, Elements_NameTheirSourcesRulesAndRows) {
  Recorder recorder;
  test::RunOptions options;
  options.lineage = &recorder;
  const std::string record =
      "{\"resourceType\":\"Patient\",\n\"gender\":\"male\",\n\"name\":[\n{\"family\":\"F\"}]}";
  const std::string rules =
      "src.name as n -> tgt.name as t then {\n n.family as f -> t.family = f \"family\";\n} \"name\";\n"
      "src.gender as g -> tgt.language = translate(g, '#p', 'code') \"code\";\n"
      "src.birthDate as b -> tgt.birthDate = b \"never\";";
  const std::vector<SourceFile> files = {
      {"m.map", test::PatientMap(rules)},
      {"p.json",
       R"({"resourceType":"ConceptMap","url":"http://x/p","id":"p","group":[{"target":"http://b","element":[
        {"code":"male","target":[{"code":"M","equivalence":"equal"}]}],"unmapped":{"mode":"provided"}}]})"}};
  const test::RunResult run = test::RunMap(files, record, options);
  EXPECT_EQ(recorder.made, (std::vector<std::string>{"name <- 4 name:6", "family <- 4 4 family:7 name:6",
                                                     "language <- 2 code:9 male=M"}));
  EXPECT_EQ(recorder.ran, (std::vector<std::string>{"name", "family", "code"}));
  EXPECT_EQ(run.json, test::RunMap(files, record).json) << "with and without observer the same";
}

}  // namespace
}  // namespace fhir_adapter::fml
