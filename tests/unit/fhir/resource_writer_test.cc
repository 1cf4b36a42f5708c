#include <gtest/gtest.h>
#include <string>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {
namespace {

struct OrderCase {
  const char* name;
  const char* input;
  const char* output;
};

class WriteResourceTest : public testing::TestWithParam<OrderCase> {};

TEST_P(WriteResourceTest, UsesTheOrderOfTheSchema) {
  Arena arena;
  std::string out;
  WriteResource(**ReadJson(GetParam().input, arena), Schema::R4(), out);
  EXPECT_EQ(out, GetParam().output);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WriteResourceTest,
    testing::Values(
        OrderCase{"Root", R"({"status":"final","id":"1","resourceType":"Observation","meta":{}})",
                  R"({"resourceType":"Observation","id":"1","meta":{},"status":"final"})"},
        OrderCase{"AlreadyOrdered", R"({"resourceType":"Observation","id":"1","status":"final"})",
                  R"({"resourceType":"Observation","id":"1","status":"final"})"},
        OrderCase{
            "Nested",
            R"({"code":{"text":"t","coding":[{"code":"c","system":"s"}]},"resourceType":"Observation"})",
            R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"c"}],"text":"t"}})"},
        OrderCase{
            "Shadow",
            R"({"_birthDate":{"extension":[{"valueCode":"x","url":"u"}],"id":"i"},"gender":"male","birthDate":"1970","resourceType":"Patient"})",
            R"({"resourceType":"Patient","gender":"male","birthDate":"1970","_birthDate":{"id":"i","extension":[{"url":"u","valueCode":"x"}]}})"},
        OrderCase{"ShadowAlone",
                  R"({"resourceType":"Observation","device":{},"_valueString":{"id":"v"},"issued":"x"})",
                  R"({"resourceType":"Observation","issued":"x","_valueString":{"id":"v"},"device":{}})"},
        OrderCase{
            "Choice",
            R"({"interpretation":[],"valueQuantity":{"unit":"mg","value":1.10},"effectiveDateTime":"2020","resourceType":"Observation"})",
            R"({"resourceType":"Observation","effectiveDateTime":"2020","valueQuantity":{"value":1.10,"unit":"mg"},"interpretation":[]})"},
        OrderCase{"UnknownLast",
                  R"({"zzz":1,"status":"final","aaa":{"y":1,"x":2},"resourceType":"Observation"})",
                  R"({"resourceType":"Observation","status":"final","zzz":1,"aaa":{"y":1,"x":2}})"},
        OrderCase{"UnknownResource", R"({"b":1,"a":2,"resourceType":"Nonsense"})",
                  R"({"b":1,"a":2,"resourceType":"Nonsense"})"},
        OrderCase{
            "Bundle",
            R"({"entry":[{"request":{"url":"Patient","method":"PUT"},"resource":{"active":true,"resourceType":"Patient","contained":[{"status":"active","resourceType":"Medication","id":"m"}]},"fullUrl":"u"}],"type":"transaction","resourceType":"Bundle"})",
            R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"u","resource":{"resourceType":"Patient","contained":[{"resourceType":"Medication","id":"m","status":"active"}],"active":true},"request":{"method":"PUT","url":"Patient"}}]})"},
        OrderCase{"WrongShapes",
                  R"({"status":{"b":1},"code":[[{"text":1}]],"category":3,"resourceType":"Observation"})",
                  R"({"resourceType":"Observation","status":{"b":1},"category":3,"code":[[{"text":1}]]})"}),
    [](const auto& test) { return test.param.name; });

// More members than the writer keeps places for on the stack.
TEST(WriteResource, ManyMembers_AreStillOrdered) {
  std::string input = "{\"status\":\"final\"";
  std::string rest;
  for (int i = 0; i < 100; ++i) rest += ",\"x" + std::to_string(i) + "\":0";
  input += rest + ",\"id\":\"1\",\"resourceType\":\"Observation\"}";
  Arena arena;
  std::string out;
  WriteResource(**ReadJson(input, arena), Schema::R4(), out);
  EXPECT_EQ(out, "{\"resourceType\":\"Observation\",\"id\":\"1\",\"status\":\"final\"" + rest + "}");
}

}  // namespace
}  // namespace fhir_adapter::fhir
