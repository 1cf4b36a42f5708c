// Differences of two JSON trees, as a person reads them.
#include "fhir/json_difference.h"

#include <gtest/gtest.h>

#include "core/arena.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

std::vector<std::string> Compare(std::string_view expected, std::string_view found,
                                 std::size_t lines_max = 10) {
  Arena arena;
  return Differences(**ReadJson(expected, arena), **ReadJson(found, arena), lines_max);
}

using Lines = std::vector<std::string>;

TEST(JsonDifference, SameTrees_HaveNone) {
  EXPECT_EQ(Compare(R"({"a":[1,{"b":"x"}]})", R"({"a":[1,{"b":"x"}]})"), Lines());
}

TEST(JsonDifference, Digits_AreCompared) {
  EXPECT_EQ(Compare(R"({"dose":{"value":1.10}})", R"({"dose":{"value":1.1}})"),
            (Lines{"dose.value: expected 1.10, found 1.1"}));
}

TEST(JsonDifference, MembersAndItems_AreNamedByPath) {
  EXPECT_EQ(Compare(R"({"a":1,"c":[{"d":true},2]})", R"({"b":"x","c":[{"d":false}]})"),
            (Lines{"a: expected 1, found nothing", "c[0].d: expected true, found false",
                   "c[1]: expected 2, found nothing", "b: expected nothing, found \"x\""}));
}

TEST(JsonDifference, OtherKindOfValue_IsShown) {
  EXPECT_EQ(Compare(R"({"a":[]})", R"({"a":{}})"), (Lines{"a: expected [], found {}"}));
}

TEST(JsonDifference, OrderOfMembers_Counts) {
  EXPECT_EQ(Compare(R"({"a":{"b":1,"c":2}})", R"({"a":{"c":2,"b":1}})"),
            (Lines{"a: the members stand in another order"}));
}

TEST(JsonDifference, EntryOfABundle_IsFoundByItsFullUrl) {
  const char* expected =
      R"({"entry":[{"fullUrl":"u:1","resource":{"resourceType":"Device","status":"active"}},
    {"fullUrl":"u:2","resource":{"resourceType":"Procedure","status":"completed"}}]})";
  const char* found =
      R"({"entry":[{"fullUrl":"u:2","resource":{"resourceType":"Procedure","status":"not-done"}}]})";
  EXPECT_EQ(
      Compare(expected, found),
      (Lines{
          R"(entry[0](Device): expected {"fullUrl":"u:1","resource":{"resourceType":"Device","status":"active"}}, found nothing)",
          "entry[1](Procedure).resource.status: expected \"completed\", found \"not-done\""}));
}

TEST(JsonDifference, OrderOfEntries_Counts) {
  EXPECT_EQ(Compare(R"([{"fullUrl":"u:1"},{"fullUrl":"u:2"}])", R"([{"fullUrl":"u:2"},{"fullUrl":"u:1"}])"),
            (Lines{": the entries stand in another order"}));
}

TEST(JsonDifference, MoreThanAskedFor_IsCounted) {
  EXPECT_EQ(Compare("[1,2,3]", "[4,5,6]", 2),
            (Lines{"[0]: expected 1, found 4", "[1]: expected 2, found 5", "and 1 more differences"}));
}

TEST(JsonDifference, Elements_HoldWholeValuesWhateverTheOrder) {
  Arena arena;
  const std::string was = R"({"a":50,"b":[1],"c":true,"d":")" + std::string(300, 'x') + R"("})";
  const std::string is = R"({"c":true,"d":"y","b":[1,{"e":2}],"f":null})";
  const auto found = ElementDifferences(**ReadJson(was, arena), **ReadJson(is, arena));
  const std::vector<ElementDifference> expected = {{"a", "50", ""},
                                                   {"b[1]", "", R"({"e":2})"},
                                                   {"d", "\"" + std::string(300, 'x') + "\"", R"("y")"},
                                                   {"f", "", "null"}};
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(ElementDifferences(**ReadJson(R"({"a":1,"b":2})", arena), **ReadJson(R"({"b":2,"a":1})", arena))
                  .empty());
}

TEST(JsonLayout, Value_StaysOnALineWhileItFits) {
  Arena arena;
  EXPECT_EQ(LayOut(**ReadJson(R"({"a":[1,{"b":"x"}]})", arena)), "{\"a\": [1, {\"b\": \"x\"}]}\n");
  EXPECT_EQ(LayOut(**ReadJson(R"({"resourceType":"Device","id":"1"})", arena)),
            "{\n  \"resourceType\": \"Device\",\n  \"id\": \"1\"\n}\n");
}

TEST(JsonLayout, LineOf150_IsKeptAnd151IsBroken) {
  Arena arena;
  const auto of = [&arena](std::size_t letters) {
    return LayOut(**ReadJson("[\"" + std::string(letters, 'x') + "\",1]", arena));
  };
  EXPECT_EQ(of(143).find('\n'), 150u);
  EXPECT_EQ(of(144).find('\n'), 1u);
}

}  // namespace
}  // namespace fhir_adapter::fhir
