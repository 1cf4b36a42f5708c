#include "fhir/json_writer.h"

#include <gtest/gtest.h>
#include <string>

#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

using std::string_literals::operator""s;

class RoundTripTest : public testing::TestWithParam<const char*> {};

TEST_P(RoundTripTest, CompactTextIsUnchanged) {
  Arena arena;
  const Result<Node*> result = ReadJson(GetParam(), arena);
  ASSERT_TRUE(result);
  EXPECT_EQ(ToJson(**result), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Table, RoundTripTest,
                         testing::Values("{}", "[]", "null", "true", "false", "-0", "1E+2", "1.10", "\"\"",
                                         R"({"b":[],"a":{},"c":[[],{}]})", R"("\"\\\b\f\n\r\t\u0000\u001f")",
                                         "\"\xC3\xA9\xF0\x9F\x98\x80/\x7F\""));

TEST(JsonWriter, Names_AreEscaped) {
  Arena arena;
  Node* object = Node::Object(arena);
  object->AddMember(arena, "a\"\n", Node::String(arena, "x\0y"s));
  EXPECT_EQ(ToJson(*object), R"({"a\"\n":"x\u0000y"})");
}

}  // namespace
}  // namespace fhir_adapter::fhir
