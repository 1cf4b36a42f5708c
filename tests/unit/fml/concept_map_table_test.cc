#include "fml/concept_map_table.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "map_run.h"

namespace fhir_adapter::fml {
namespace {

// The table as JSON, or the error.
std::string Read(std::string_view table) {
  Arena arena;
  const auto node = ReadConceptMapTable(table, "t.csv", arena);
  return node ? fhir::ToJson(**node) : ToString(node.error());
}

std::string Write(std::string_view json) {
  Arena arena;
  const auto node = fhir::ReadJson(json, arena);
  if (!node) return ToString(node.error());
  const auto table = WriteConceptMapTable(**node);
  return table ? *table : ToString(table.error());
}

constexpr std::string_view kRoute =
    "# url: http://example.org/route\n"
    "# status: active\n"
    "# unmapped-policy: text-only\n"
    "# title: By which way, and how\n"
    "system,code,display,target system,target code,target display,equivalence,comment\n"
    "http://example.org/s,oral,By mouth,http://snomed.info/sct,26643006,Oral route,equivalent,\n"
    "http://example.org/s,epidural,,http://snomed.info/sct,404820008,,equivalent,\"near, not the same\"\n"
    "http://example.org/s,epidural,,http://snomed.info/sct,37839007,,wider,\n"
    "http://example.org/s,other,,http://snomed.info/sct,,,,\n"
    ",x,,,y,,equal,\n";

TEST(ConceptMapTable, Table_IsTheConceptMap) {
  Arena arena;
  const auto expected =
      fhir::ReadJson(R"({"resourceType":"ConceptMap","url":"http://example.org/route","status":"active",
    "extension":[{"url":"https://clinic.example/fhir/StructureDefinition/unmapped-policy","valueCode":"text-only"}],
    "title":"By which way, and how","group":[
    {"source":"http://example.org/s","target":"http://snomed.info/sct","element":[
      {"code":"oral","display":"By mouth","target":[{"code":"26643006","display":"Oral route","equivalence":"equivalent"}]},
      {"code":"epidural","target":[{"code":"404820008","equivalence":"equivalent","comment":"near, not the same"},
                                   {"code":"37839007","equivalence":"wider"}]},
      {"code":"other"}]},
    {"element":[{"code":"x","target":[{"code":"y","equivalence":"equal"}]}]}]})",
                     arena);
  ASSERT_TRUE(expected);
  const auto read = ReadConceptMapTable(kRoute, "t.csv", arena);
  ASSERT_TRUE(read) << ToString(read.error());
  EXPECT_TRUE(fhir::SameContent(**read, **expected)) << fhir::ToJson(**read);
  const fhir::Node* code = (*read)->Find("group")->items()[0]->Find("element")->items()[1]->Find("code");
  EXPECT_EQ(code->line, 7u);
  EXPECT_EQ(code->column, 22u);
}

// As a spreadsheet of a country with decimal commas saves it: marked, separated by semicolons, rows filled
// up.
TEST(ConceptMapTable, SavedByASpreadsheet_IsTheSame) {
  std::string table = "\xEF\xBB\xBF";
  for (const char c : kRoute)
    table += c == ',' ? std::string(";") : c == '\n' ? std::string("\r\n") : std::string(1, c);
  table.replace(table.find("By which way; and"), 17, "By which way, and");
  table.replace(table.find("near; not"), 9, "near, not");
  table.replace(table.find("route\r\n"), 5, "route;;;;;;;");
  EXPECT_EQ(Read(table), Read(kRoute));
}

struct RoundTripCase {
  const char* name;
  const char* json;
};
void PrintTo(const RoundTripCase& c, std::ostream* out) {
  *out << c.name;
}

class ConceptMapRoundTrip : public testing::TestWithParam<RoundTripCase> {};

TEST_P(ConceptMapRoundTrip, Resource_IsTheSameAfterTheTable) {
  Arena arena;
  const auto before = fhir::ReadJson(GetParam().json, arena);
  ASSERT_TRUE(before);
  const auto table = WriteConceptMapTable(**before);
  ASSERT_TRUE(table) << ToString(table.error());
  const auto after = ReadConceptMapTable(*table, "t.csv", arena);
  ASSERT_TRUE(after) << ToString(after.error()) << *table;
  EXPECT_TRUE(fhir::SameContent(**before, **after)) << *table;
  const auto again = WriteConceptMapTable(**after);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *table);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ConceptMapRoundTrip,
    testing::Values(
        RoundTripCase{"Unmapped", R"({"resourceType":"ConceptMap","url":"u","group":[
          {"source":"a","element":[{"code":"x"}],"unmapped":{"mode":"fixed","code":"y","display":"Y, fixed"}},
          {"source":"b","element":[{"code":"x"}],"unmapped":{"mode":"other-map","url":"http://example.org/o"}}]})"},
        RoundTripCase{"DependsOnAndProduct",
                      R"({"resourceType":"ConceptMap","url":"u","group":[{"element":[{"code":"x","target":[
          {"code":"y","equivalence":"wider","dependsOn":[{"property":"http://example.org/p","value":"1"},{"property":"q","value":"a = b"}],
           "product":[{"property":"p","system":"http://example.org/s","value":"v","display":"V"}]}]}]}]})"},
        RoundTripCase{
            "R5", R"({"resourceType":"ConceptMap","url":"u","sourceScopeUri":"http://example.org/vs","group":[
          {"source":"http://example.org/s|1","target":"http://example.org/t","element":[{"code":"x","noMap":true},
           {"code":"y","target":[{"code":"z","relationship":"related-to","dependsOn":[{"attribute":"a","valueCode":"c"}]}]}],
           "unmapped":{"mode":"use-source-code","relationship":"equivalent"}}]})"},
        RoundTripCase{"Versions", R"({"resourceType":"ConceptMap","url":"u","group":[
          {"source":"a","sourceVersion":"1","target":"b","targetVersion":"2","element":[{"code":"x","target":[{"equivalence":"unmatched","comment":"none"}]}]}]})"},
        RoundTripCase{"SameCodeAndGroupTwice", R"({"resourceType":"ConceptMap","url":"u","group":[
          {"source":"a","element":[{"code":"x","target":[{"code":"1"}]},{"code":"x","target":[{"code":"2"}]}]},
          {"source":"a","element":[{"code":"x","target":[{"code":"3"}]}]}]})"},
        RoundTripCase{"ExtensionsAndText",
                      R"({"resourceType":"ConceptMap","url":"u","description":"two\nlines, \"quoted\"",
          "contact":[{"name":"N"}],"extension":[{"url":"e","valueCode":"c"},{"url":"f","valueDecimal":1.50}],"group":[
          {"extension":[{"url":"g","valueCode":"c"}],"element":[{"code":"a,b;c","display":" \"D\" ","extension":[{"url":"h","valueCode":"c"}],
           "target":[{"code":"y","_display":{"extension":[{"url":"i","valueCode":"c"}]}},{"code":"001"}]}]}]})"},
        RoundTripCase{"Empty", R"({"resourceType":"ConceptMap","url":"u","experimental":false})"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ConceptMapTable, EveryShippedConceptMap_IsTheSameAfterTheTable) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(FHIR_ADAPTER_SOURCE_DIR) + "/mappings/terminology")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string json{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    Arena arena;
    const auto before = fhir::ReadJson(json, arena);
    ASSERT_TRUE(before);
    if ((*before)->Find("resourceType")->text != "ConceptMap") continue;
    const auto table = WriteConceptMapTable(**before);
    ASSERT_TRUE(table) << entry.path() << ToString(table.error());
    const auto after = ReadConceptMapTable(*table, "t.csv", arena);
    ASSERT_TRUE(after) << entry.path() << ToString(after.error());
    EXPECT_TRUE(fhir::SameContent(**before, **after)) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 30u);
}

TEST(ConceptMapTable, WhatATableCannotHold_IsAnError) {
  EXPECT_EQ(Write(R"({"resourceType":"ConceptMap","group":[{"element":[{"code":"x","target":[]}]}]})"),
            "1:39: a table cannot hold all of this ConceptMap; what is lost is in its group 1");
}

TEST(ConceptMapTable, Fault_NamesItsPlace) {
  const std::string head = "# url: u\ncode,target code\n";
  EXPECT_EQ(Read(head + "a,4.06188E+08\n"),
            "t.csv:3:3: a spreadsheet has turned this code into a number, and digits are lost: enter it "
            "again in a cell "
            "formatted as text");
  EXPECT_EQ(Read(head + "a,b\n a,c\n"), "t.csv:4:1: there are blanks around this code");
  EXPECT_EQ(Read(head + "a,b,c\n"), "t.csv:3:5: this cell has no column");
  EXPECT_EQ(Read(head + ",b\n"), "t.csv:3:1: this row has no code");
  EXPECT_EQ(Read(head + "a,\"b\n"), "t.csv:3:3: this quoted cell does not end");
  EXPECT_EQ(Read("# url: u\ncode,target kode\n"),
            "t.csv:2:6: unknown column target kode; did you mean target code?");
  EXPECT_EQ(Read("# url: u\ncode,display\n"), "t.csv:2:1: there is no column target code");
  EXPECT_EQ(Read("# url: u\n"), "t.csv:2:1: there is no line with the names of the columns");
  EXPECT_EQ(Read("# url\n"), "t.csv:1:1: a line with # is `# name: text` or `# name = JSON`");
  EXPECT_EQ(Read("# group 2 unmapped = {}\ncode,target code\na,b\n"), "t.csv:1:1: there is no group 2");
}

TEST(ConceptMapTable, Bytes_AtTheLimitAndAbove) {
  std::string table = "# url: u\ncode,target code\na,b\n# ";
  table = "# comment: " + std::string(limits::kMapFileBytesMax - table.size() - 10, 'x') + "\n" +
          table.substr(0, table.size() - 2);
  ASSERT_EQ(table.size(), limits::kMapFileBytesMax);
  EXPECT_NE(Read(table).find("\"code\":\"a\""), std::string::npos);
  EXPECT_NE(Read(table + "\n").find("kMapFileBytesMax"), std::string::npos);
}

// A set reads a table as it reads JSON, and lays a site's table over it.
TEST(ConceptMapTable, InASet_TranslatesAndIsLaidOver) {
  const std::string map =
      test::PatientMap("src.gender as g -> tgt.maritalStatus = translate(g, 'http://example.org/m');");
  const std::string ours =
      "# url: http://example.org/m\n# status: active\n# unmapped-policy: reject\n"
      "code,target system,target "
      "code,equivalence\nmale,http://example.org/t,M,equivalent\nfemale,http://example.org/t,F,equivalent\n";
  const std::string site =
      "# url: http://example.org/m\n# status: active\ncode,target system,target code,equivalence\n"
      "male,http://example.org/t,S,equivalent\n";
  const auto run = [&](std::vector<SourceFile> files, const char* gender) {
    files.push_back({"m.map", map});
    return test::RunMap(std::move(files),
                        std::string(R"({"resourceType":"Patient","gender":")") + gender + "\"}",
                        {.require_unmapped_policy = true, .map = "m.map"})
        .json;
  };
  const auto patient = [](const char* code) {
    return std::string(
               R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://example.org/t","code":")") +
           code + "\"}]}}";
  };
  EXPECT_EQ(run({{"m.csv", ours}}, "male"), patient("M"));
  EXPECT_EQ(run({{"m.csv", ours}, {"site/m.csv", site}}, "male"), patient("S"));
  EXPECT_EQ(run({{"m.csv", ours}, {"site/m.csv", site}}, "female"), patient("F"));
  EXPECT_EQ(run({{"m.csv", ours}}, "other"), "");
}

TEST(ConceptMapTable, AnotherCsvFile_IsAWarning) {
  EXPECT_EQ(
      test::Check({{"m.map", test::PatientMap("src.gender -> tgt.gender;")}, {"d.csv", "a,b\n1,2\n"}}),
      std::vector<std::string>{
          "d.csv:1:1: warning: not read: a table of codes begins with lines such as `# url: https://…`"});
}

}  // namespace
}  // namespace fhir_adapter::fml
