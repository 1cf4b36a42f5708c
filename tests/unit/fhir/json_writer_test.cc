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

// Each byte at each place of a text that is read eight bytes at a time, against the rule itself.
TEST(JsonWriter, EveryByte_IsEscapedAtEveryPlace) {
  for (int byte = 0; byte < 0x80; ++byte) {
    for (std::size_t place = 0; place < 17; ++place) {
      std::string text(17, 'x');
      text[place] = static_cast<char>(byte);
      std::string json;
      WriteJsonString(text, json);
      const bool is_escaped = byte < 0x20 || byte == '"' || byte == '\\';
      EXPECT_EQ(json.size() > text.size() + 2, is_escaped) << byte << " at " << place;
      Arena arena;
      const Result<Node*> read = ReadJson(json, arena);
      ASSERT_TRUE(read) << byte << " at " << place;
      EXPECT_EQ((*read)->text, text);
    }
  }
}

}  // namespace
}  // namespace fhir_adapter::fhir
