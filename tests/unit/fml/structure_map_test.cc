#include "fml/structure_map.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <utility>

#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "map_run.h"

namespace fhir_adapter::fml {
namespace {

Result<ast::Map> Read(std::string_view json) {
  Arena arena;
  auto node = fhir::ReadJson(json, arena);
  if (!node) return Fail(node.error());
  return ReadStructureMap(**node, "m.json");
}

std::string Write(const ast::Map& map, StructureMapRelease release) {
  Arena arena;
  return fhir::ToJson(*WriteStructureMap(map, release, arena));
}

// The resource of R4, written by hand from its definition.
constexpr std::string_view kR4 =
    R"json({"resourceType":"StructureMap","url":"http://example.org/m","name":"M","status":"draft",
 "structure":[{"url":"http://hl7.org/fhir/StructureDefinition/Patient","mode":"source","alias":"P"},
              {"url":"http://hl7.org/fhir/StructureDefinition/Person","mode":"target"}],
 "import":["http://example.org/other-*"],
 "group":[{"name":"Main","typeMode":"none",
   "input":[{"name":"src","type":"P","mode":"source"},{"name":"tgt","mode":"target"}],
   "rule":[
     {"name":"name","source":[{"context":"src","min":0,"max":"*","type":"HumanName","defaultValueString":"x",
        "element":"name","listMode":"first","variable":"n","condition":"use = 'official'","check":"family.exists()",
        "logMessage":"'seen'"}],
      "target":[{"context":"tgt","contextType":"variable","element":"name","variable":"t","listMode":["share"],
                 "listRuleId":"names","transform":"create","parameter":[{"valueString":"HumanName"}]}],
      "rule":[{"name":"family","source":[{"context":"n","element":"family","variable":"f"}],
               "target":[{"context":"t","contextType":"variable","element":"family","transform":"copy",
                          "parameter":[{"valueId":"f"}]},
                         {"context":"t","contextType":"variable","element":"text","transform":"truncate",
                          "parameter":[{"valueId":"f"},{"valueInteger":10}]},
                         {"context":"t","contextType":"variable","element":"use","listMode":["collate"],
                          "transform":"evaluate","parameter":[{"valueString":"'usual'"}]}]}],
      "dependent":[{"name":"Other","variable":["n","t"]}]}]},
  {"name":"Other","typeMode":"type-and-types","extends":"Base",
   "input":[{"name":"a","type":"HumanName","mode":"source"},{"name":"b","type":"HumanName","mode":"target"}]},
  {"name":"Base","typeMode":"types",
   "input":[{"name":"a","type":"HumanName","mode":"source"},{"name":"b","type":"HumanName","mode":"target"}]}]})json";

constexpr std::string_view kText = R"(
/// url = 'http://example.org/m'
/// name = 'M'
/// status = 'draft'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias P as source
uses "http://hl7.org/fhir/StructureDefinition/Person" as target
imports "http://example.org/other-*"
group Main(source src : P, target tgt) {
  src.name : HumanName 0..* default ('x') first as n where (use = 'official') check (family.exists()) log ('seen')
    -> tgt.name = create('HumanName') as t share names then Other(n, t) {
      n.family as f -> t.family = f, t.text = truncate(f, 10), t.use = ('usual') single "family";
  } "name";
}
group Other(source a : HumanName, target b : HumanName) extends Base <<type+>> {}
group Base(source a : HumanName, target b : HumanName) <<types>> {}
)";

TEST(StructureMap, R4Resource_IsTheMapOfItsText) {
  const auto from_json = Read(kR4);
  ASSERT_TRUE(from_json) << ToString(from_json.error());
  const auto from_text = ParseMap(kText, "m.map");
  ASSERT_TRUE(from_text) << ToString(from_text.error());
  EXPECT_EQ(PrintMap(*from_json), PrintMap(*from_text));
  EXPECT_EQ(*from_json, *from_text);
}

TEST(StructureMap, Text_IsWrittenAsTheR4Resource) {
  const auto map = ParseMap(kText, "m.map");
  ASSERT_TRUE(map);
  Arena arena;
  const auto expected = fhir::ReadJson(kR4, arena);
  ASSERT_TRUE(expected);
  const fhir::Node* written = WriteStructureMap(*map, StructureMapRelease::kR4, arena);
  EXPECT_TRUE(fhir::SameContent(*written, **expected)) << fhir::ToJson(*written);
}

// R5: const, relationship, dependent.parameter, defaultValue as an expression, single, no contextType.
TEST(StructureMap, R5Resource_IsTheMapOfItsText) {
  const auto from_json =
      Read(R"({"resourceType":"StructureMap","url":"http://example.org/m","name":"M","status":"active",
   "contained":[{"resourceType":"ConceptMap","id":"cm","status":"draft","group":[{"source":"http://a","target":"http://b",
     "element":[{"code":"x","target":[{"code":"y","relationship":"source-is-narrower-than-target"}]}],
     "unmapped":{"mode":"use-source-code"}}]}],
   "const":[{"name":"c","value":"1 + 1"}],
   "group":[{"name":"Main","input":[{"name":"src","mode":"source"},{"name":"tgt","mode":"target"}],
     "rule":[{"source":[{"context":"src","element":"value[x]","defaultValue":"1 + 1","variable":"v"}],
              "target":[{"context":"tgt","element":"birthDate","listMode":["single"],"transform":"copy","parameter":[{"valueDate":"2020-01-02"}]}],
              "dependent":[{"name":"G","parameter":[{"valueId":"v"},{"valueString":"text"},{"valueDecimal":1.50}]}]}]}]})");
  ASSERT_TRUE(from_json) << ToString(from_json.error());
  const auto from_text = ParseMap(R"(
/// url = 'http://example.org/m'
/// name = 'M'
/// status = 'active'
conceptmap "cm" { prefix s1 = "http://a" prefix t2 = "http://b" unmapped for s1 = provided s1:x <= t2:y }
let c = 1 + 1;
group Main(source src, target tgt) {
  src.value default (1 + 1) as v -> tgt.birthDate = @2020-01-02 single then G(v, 'text', 1.50);
}
)",
                                  "m.map");
  ASSERT_TRUE(from_text) << ToString(from_text.error());
  EXPECT_EQ(PrintMap(*from_json), PrintMap(*from_text));
}

// What the resource has no element for survives both ways, in both releases.
TEST(StructureMap, WhatHasNoElement_IsKept) {
  const auto map = ParseMap(R"(
/// name = 'M'
/// url = 'http://example.org/m'
/// notSent = 'a: for a reason'
/// notSent = 'b: for another'
/// description = """
one
two
"""
map "http://example.org/other" = "Other"
conceptmap "cm" { prefix a = "http://a" prefix b = "http://b" unmapped for a = text-only a:x == b:y a:x != b:z a:n - a:m }
let c = 1 + 1;
group Main(source src, target tgt) {
  src -> tgt: a, b, c;
  src.x as y where (a = 1) -> tgt.z: d then { y.p -> tgt.q; } "named";
  src.a -> tgt.a = copy(a), tgt.b = @2020-01-01, tgt.c = @T12:00, tgt.d = 007, tgt.e = evaluate(src, 'x');
  src.a default (1 + 1) -> tgt.a then {};
  src.`odd name` as v -> (v.first()) as w, uuid() as u then G(src, 'text', 1 + 1), H(w) "x";
  src -> tgt.a = 12.50 'mg';
  src.a where (b = 'c') // why
    -> tgt.a.b.c = append(src.a, ' ', @2020) first;
}
)",
                            "m.map");
  ASSERT_TRUE(map) << ToString(map.error());
  for (const auto release : {StructureMapRelease::kR4, StructureMapRelease::kR5}) {
    const std::string json = Write(*map, release);
    const auto again = Read(json);
    ASSERT_TRUE(again) << ToString(again.error()) << json;
    EXPECT_EQ(PrintMap(*again), PrintMap(*map));
    EXPECT_EQ(*again, *map);
    EXPECT_EQ(Write(*again, release), json);
  }
}

// Another engine reads elements, not our extension: identity fields are rules, constants are HL7's extension.
TEST(StructureMap, IdentityFields_AreWrittenAsTheRulesTheyStandFor) {
  const auto map = ParseMap("group G(source src, target tgt) { src -> tgt: a, b; }", "m.map");
  ASSERT_TRUE(map);
  Arena arena;
  const fhir::Node* rule = WriteStructureMap(*map, StructureMapRelease::kR4, arena)
                               ->Find("group")
                               ->items()[0]
                               ->Find("rule")
                               ->items()[0];
  EXPECT_EQ(fhir::ToJson(*rule->Find("source")), R"([{"context":"src","variable":"copied"}])");
  EXPECT_EQ(
      fhir::ToJson(*rule->Find("rule")),
      R"([{"name":"a","source":[{"context":"copied","element":"a"}],"target":[{"context":"tgt","contextType":"variable","element":"a"}]},)"
      R"({"name":"b","source":[{"context":"copied","element":"b"}],"target":[{"context":"tgt","contextType":"variable","element":"b"}]}])");
}

TEST(StructureMap, ElementEditedUnderItsMapText_IsAnError) {
  const auto map = ParseMap("group G(source src, target tgt) { src -> tgt: a, b; }", "m.map");
  ASSERT_TRUE(map);
  std::string json = Write(*map, StructureMapRelease::kR4);
  const std::size_t at = json.find(R"("element":"b"}],"target")");
  ASSERT_NE(at, std::string::npos);
  json[at + 11] = 'z';
  const auto read = Read(json);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kSemantic);
  EXPECT_NE(read.error().message.find("map-text"), std::string::npos);
}

TEST(StructureMap, Fault_NamesItsPlace) {
  const auto read = Read(
      "{\"resourceType\":\"StructureMap\",\n \"group\":[{\"name\":\"G\",\n  "
      "\"input\":[{\"name\":\"s\",\"mode\":\"both\"}]}]}");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().where.line, 3u);
  EXPECT_EQ(read.error().where.column, 12u);
  EXPECT_EQ(read.error().message, "input.mode is source or target");
}

TEST(StructureMap, RulesInRules_AtTheLimitAndAbove) {
  // An array and an object a level: more than JSON may be deep, so the tree is made by hand.
  const auto nested = [](std::size_t levels) {
    Arena arena;
    fhir::Node* rule = nullptr;
    for (std::size_t i = 0; i < levels; ++i) {
      fhir::Node* outer = *fhir::ReadJson(R"({"source":[{"context":"s"}]})", arena);
      if (rule != nullptr) {
        fhir::Node* rules = fhir::Node::Array(arena);
        rules->Append(arena, rule);
        outer->AddMember(arena, "rule", rules);
      }
      rule = outer;
    }
    fhir::Node* root = *fhir::ReadJson(
        R"({"resourceType":"StructureMap","group":[{"name":"G","input":[{"name":"s","mode":"source"}],"rule":[]}]})",
        arena);
    root->Find("group")->items()[0]->Find("rule")->Append(arena, rule);
    const auto read = ReadStructureMap(*root, "m.json");
    return read ? std::string() : read.error().message;
  };
  EXPECT_EQ(nested(limits::kMapNestingMax - 1), "");
  EXPECT_EQ(nested(limits::kMapNestingMax), "rules are nested deeper than kMapNestingMax");
}

std::vector<std::filesystem::path> MapFiles() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"/mappings/procedure-record", "/mappings/rules", "/fixtures/corpus/fml"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(FHIR_ADAPTER_SOURCE_DIR) + folder)) {
      if (entry.path().extension() == ".map") files.push_back(entry.path());
    }
  }
  return files;
}

TEST(StructureMap, EveryMapOfTheProject_IsTheSameAfterBothReleases) {
  std::size_t count = 0;
  for (const auto& path : MapFiles()) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto map = ParseMap(text, path.filename().string());
    if (!map) continue;
    for (const auto release : {StructureMapRelease::kR4, StructureMapRelease::kR5}) {
      Arena arena;
      const auto again = ReadStructureMap(*WriteStructureMap(*map, release, arena), "m.json");
      ASSERT_TRUE(again) << path << ToString(again.error());
      EXPECT_TRUE(*again == *map) << path << "\n" << PrintMap(*again);
      ++count;
    }
  }
  EXPECT_GT(count, 60u);
}

// A map in JSON runs as its text does, imports a text and is imported by one.
TEST(StructureMap, MapAsJson_RunsAndIsImported) {
  constexpr std::string_view kEntry = R"(
map "http://example.org/main" = "Main"
uses "http://hl7.org/fhir/StructureDefinition/Patient" as source
uses "http://hl7.org/fhir/StructureDefinition/Person" as target
imports "http://example.org/name"
group Main(source src : Patient, target tgt : Person) { src.name as n -> tgt.name as t then Name(n, t); }
)";
  constexpr std::string_view kName = R"(
map "http://example.org/name" = "Name"
group Name(source n, target t) { n.family as f -> t.family = f; }
)";
  const auto as_json = [](std::string_view text) {
    return Write(*ParseMap(text, "m.map"), StructureMapRelease::kR4);
  };
  constexpr std::string_view kRecord = R"({"resourceType":"Patient","name":[{"family":"Doe"}]})";
  const auto first = test::RunMap({{"main.json", as_json(kEntry)}, {"name.map", std::string(kName)}}, kRecord,
                                  {.map = "Main"});
  const auto second = test::RunMap({{"main.map", std::string(kEntry)}, {"name.json", as_json(kName)}},
                                   kRecord, {.map = "Main"});
  EXPECT_EQ(first.json, R"({"resourceType":"Person","name":[{"family":"Doe"}]})")
      << testing::PrintToString(first.findings);
  EXPECT_EQ(second.json, first.json) << testing::PrintToString(second.findings);
}

}  // namespace
// R4 5.2: a parameter's value[x] is of its type. Found by fuzzing: a text as valueInteger ended the program.
TEST(StructureMapParameter, ValueOfAnotherType_IsRefusedWithItsPlace) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> faults = {
      {{"\"valueInteger\":\"ten\"", "valueInteger is "},
       {"\"valueInteger\":1.5", "valueInteger is "},
       {"\"valueInteger\":2147483648", "valueInteger is "},
       {"\"valueDecimal\":[]", "valueDecimal is not a single value"},
       {"\"valueBoolean\":\"true\"", "valueBoolean is "},
       {"\"valueString\":1", "valueString is not a text"},
       {"\"valueDate\":\"2020-13\"", "valueDate is "}}};
  for (const auto& [fault, message] : faults) {
    std::string json(kR4);
    const std::string_view right = "\"valueInteger\":10";
    json.replace(json.find(right), right.size(), fault);
    const auto map = Read(json);
    ASSERT_FALSE(map.has_value()) << fault;
    EXPECT_TRUE(map.error().message.starts_with(message)) << map.error().message;
    EXPECT_EQ(map.error().where.line, 17U) << fault;
  }
}

// What no element can hold is kept by the text beside it.
TEST(StructureMapParameter, NumberBeyondAnInteger_IsKeptAsText) {
  const auto map = ParseMap(
      "map 'http://example.org/m' = 'M'\ngroup g(source s, target t) {\n"
      "  s.a -> t.b = truncate(s, 99999999999);\n}\n",
      "m.map");
  ASSERT_TRUE(map.has_value()) << map.error().message;
  const std::string json = Write(*map, StructureMapRelease::kR4);
  EXPECT_EQ(json.find("\"valueInteger\":99999999999"), std::string::npos) << json;
  const auto again = Read(json);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(*again == *map) << json;
}

}  // namespace fhir_adapter::fml
