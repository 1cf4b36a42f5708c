#include "fhir/node.h"

#include <gtest/gtest.h>
#include <string>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {
namespace {

Node* Read(Arena& arena, std::string_view text) {
  Result<Node*> result = ReadJson(text, arena);
  EXPECT_TRUE(result) << text;
  return result ? *result : Node::Null(arena);
}

TEST(Node, Set_AppendsThenReplaces) {
  Arena arena;
  Node* object = Node::Object(arena);
  for (int i = 0; i < 40; ++i) {
    object->Set(arena, arena.Copy("m" + std::to_string(i)), Node::Number(arena, std::to_string(i)));
  }
  object->Set(arena, "m7", Node::String(arena, "seven"));
  EXPECT_EQ(object->size, 40U);
  EXPECT_EQ(object->Find("m7")->text, "seven");
  EXPECT_EQ(object->Find("m39")->text, "39");
  EXPECT_EQ(object->Find("m40"), nullptr);
}

TEST(Node, Remove_KeepsTheOrderOfTheOthers) {
  Arena arena;
  Node* object = Read(arena, R"({"a":1,"b":2,"c":3})");
  EXPECT_TRUE(object->Remove("b"));
  EXPECT_FALSE(object->Remove("b"));
  EXPECT_EQ(ToJson(*object), R"({"a":1,"c":3})");
}

TEST(Node, Append_GrowsTheArray) {
  Arena arena;
  Node* array = Node::Array(arena);
  for (int i = 0; i < 9; ++i) array->Append(arena, Node::Number(arena, std::to_string(i)));
  EXPECT_EQ(ToJson(*array), "[0,1,2,3,4,5,6,7,8]");
}

TEST(Node, AddingToAReadTree_KeepsWhatWasRead) {
  Arena arena;
  Node* object = Read(arena, R"({"a":[1]})");
  object->Find("a")->Append(arena, Node::Null(arena));
  object->AddMember(arena, "b", Node::Boolean(arena, true));
  EXPECT_EQ(ToJson(*object), R"({"a":[1,null],"b":true})");
}

TEST(Node, Clone_OutlivesTheFirstArena) {
  Arena second;
  Node* copy = nullptr;
  {
    Arena first;
    copy = Clone(*Read(first, R"({"a":[1.10,"x",{"b":null}],"c":false})"), second);
  }
  EXPECT_EQ(ToJson(*copy), R"({"a":[1.10,"x",{"b":null}],"c":false})");
}

struct Comparison {
  const char* a;
  const char* b;
  bool same;
};

class SameContentTest : public testing::TestWithParam<Comparison> {};

TEST_P(SameContentTest, IsSymmetric) {
  Arena arena;
  const Node* a = Read(arena, GetParam().a);
  const Node* b = Read(arena, GetParam().b);
  EXPECT_EQ(SameContent(*a, *b), GetParam().same);
  EXPECT_EQ(SameContent(*b, *a), GetParam().same);
}

INSTANTIATE_TEST_SUITE_P(Table, SameContentTest,
                         testing::Values(Comparison{R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
                                         Comparison{R"({"a":1,"b":2})", R"({"a":1,"c":2})", false},
                                         Comparison{R"({"a":1})", R"({"a":1,"b":2})", false},
                                         Comparison{"[1,2]", "[2,1]", false},
                                         Comparison{"1.1", "1.10", false}, Comparison{"1", "\"1\"", false},
                                         Comparison{"true", "false", false}, Comparison{"null", "null", true},
                                         Comparison{R"([{"a":[]}])", R"([{"a":[]}])", true},
                                         Comparison{"[]", "{}", false}));

}  // namespace
}  // namespace fhir_adapter::fhir
