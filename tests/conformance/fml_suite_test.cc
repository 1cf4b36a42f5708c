// The official mapping suite (r5/structure-mapping) and the maps of the validator's, against our engine. They
// come from tests/conformance/fetch.sh; their absence is a failure.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/map_set.h"
#include "fml/mapper.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "fml/structure_map.h"
#include "suite_files.h"

namespace fhir_adapter::fml {
namespace {

std::string Folder() {
  return conformance::CacheDirectory() + "/conformance/fhir-test-cases/structure-mapping/";
}

std::string Text(const fhir::Node& object, std::string_view name) {
  const fhir::Node* member = object.Find(name);
  return member == nullptr ? std::string() : std::string(member->text);
}

// Empty when the map gives the published result, else what is wrong.
std::string Outcome(const fhir::Node& test) {
  const auto map_text = conformance::ReadFile(Folder() + Text(test, "map"));
  const auto source_text = conformance::ReadFile(Folder() + Text(test, "source"));
  const auto result_text = conformance::ReadFile(Folder() + Text(test, "output"));
  if (!map_text || !source_text) return "the map or its source is missing";
  if (!result_text || !Text(test, "output").ends_with(".json")) return "there is no published result as JSON";
  MapSetOptions options;
  options.require_unmapped_policy = false;
  std::vector<Finding> findings;
  const auto set = MapSet::Compile({{Text(test, "map"), *map_text}}, options, findings);
  if (set == nullptr) return findings.empty() ? "not compiled" : ToLine(findings.front());
  Arena arena;
  const auto source = fhir::ReadJson(*source_text, arena);
  const auto expected = fhir::ReadJson(*result_text, arena);
  if (!source || !expected) return "the source or the result is no JSON";
  Mapper mapper(set);
  auto mapping = mapper.Map(set->maps().front(), **source, {});
  if (!mapping) return ToString(mapping.error());
  if (mapping->target == nullptr)
    return mapping->issues.empty() ? "no target" : mapping->issues.front().message;
  ResolveReferences(*mapping, set->schema(), "", mapper.arena());
  return fhir::SameContent(*mapping->target, **expected) ? "" : "got " + fhir::ToJson(*mapping->target);
}

TEST(FmlSuite, PublishedResults_AreOursButForListedExceptions) {
  const auto suite = conformance::ReadFile(Folder() + "tests.ndjson");
  ASSERT_TRUE(suite) << "the suite is missing: run tests/conformance/fetch.sh";
  const auto exceptions =
      conformance::ReadExceptions(std::string(FHIR_ADAPTER_CONFORMANCE_DIR) + "/exceptions-fml.txt");
  std::istringstream lines(*suite);
  std::size_t count = 0;
  std::size_t passed = 0;
  for (std::string line; std::getline(lines, line);) {
    Arena arena;
    const auto test = fhir::ReadJson(line, arena);
    ASSERT_TRUE(test);
    ++count;
    const std::string number = Text(**test, "number");
    const std::string fault = Outcome(**test);
    if (fault.empty()) ++passed;
    if (exceptions.contains(number)) {
      EXPECT_NE(fault, "") << number << " passes: take it off the list of exceptions";
      EXPECT_FALSE(exceptions.at(number).empty()) << number << " has no reason";
    } else {
      EXPECT_EQ(fault, "") << number << " " << Text(**test, "map");
    }
  }
  EXPECT_EQ(count, 10u);
  EXPECT_EQ(passed, 6u);
  std::printf("FML: %zu of %zu tests give the published result\n", passed, count);
}

// Every map parses; printed, and written as a StructureMap of either release, it is read as the same map.
TEST(FmlSuite, EveryMap_ParsesAndIsTheSameInEveryForm) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".map" && ending != ".fml") continue;
    ++count;
    const auto map =
        ParseMap(*conformance::ReadFile(entry.path().string()), entry.path().filename().string());
    ASSERT_TRUE(map) << ToString(map.error());
    const auto printed = ParseMap(PrintMap(*map), "printed");
    ASSERT_TRUE(printed) << entry.path() << ToString(printed.error());
    EXPECT_TRUE(*printed == *map) << entry.path();
    for (const auto release : {StructureMapRelease::kR4, StructureMapRelease::kR5}) {
      Arena arena;
      const auto read = ReadStructureMap(*WriteStructureMap(*map, release, arena), "written");
      ASSERT_TRUE(read) << entry.path() << ToString(read.error());
      EXPECT_TRUE(*read == *map) << entry.path();
    }
  }
  EXPECT_EQ(count, 17u);
}

// The suite has one map as text and as the StructureMap that the reference implementation made of it. They
// differ in the head (`map` line, metadata) and in the spelling of one expression's texts.
TEST(FmlSuite, StructureMapOfTheReferenceImplementation_IsTheMapOfItsText) {
  Arena arena;
  const auto text = conformance::ReadFile(Folder() + "qr2cda-eval.map");
  const auto json = conformance::ReadFile(Folder() + "qr2cda-eval.json");
  ASSERT_TRUE(text && json);
  const auto resource = fhir::ReadJson(*json, arena);
  ASSERT_TRUE(resource);
  auto from_text = ParseMap(*text, "text");
  auto from_json = ReadStructureMap(**resource, "json");
  ASSERT_TRUE(from_text) << ToString(from_text.error());
  ASSERT_TRUE(from_json) << ToString(from_json.error());
  EXPECT_EQ(from_json->url, from_text->url);
  EXPECT_EQ(from_json->name, from_text->name);
  from_json->metadata = from_text->metadata;
  const auto plain = [](const ast::Map& map) {
    std::string out;
    for (const char c : PrintMap(map)) {
      if (c != ' ') out += c == '"' ? '\'' : c;
    }
    return out;
  };
  EXPECT_EQ(plain(*from_json), plain(*from_text));
}

}  // namespace
}  // namespace fhir_adapter::fml
