#include "fhir/element.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

class ElementTest : public testing::Test {
 protected:
  Element Root(std::string_view text) {
    node_ = *ReadJson(text, arena_);
    return RootElement(*node_, schema_);
  }
  std::vector<Element> Children(const Element& parent, std::string_view name) {
    std::vector<Element> children;
    AppendChildren(parent, name, schema_, children);
    return children;
  }

  const Schema& schema_ = Schema::R4();
  Arena arena_;
  Node* node_ = nullptr;
};

TEST_F(ElementTest, Root_TakesItsTypeFromResourceType) {
  EXPECT_EQ(Root(R"({"resourceType":"Patient"})").type, schema_.FindType("Patient"));
  EXPECT_EQ(Root(R"({"resourceType":"Nonsense"})").type, nullptr);
  EXPECT_EQ(Root(R"({})").type, nullptr);
  EXPECT_TRUE(Children(Root(R"({"a":1})"), "a").empty());
}

TEST_F(ElementTest, Choice_IsFoundByItsBareName) {
  const Element root = Root(R"({"resourceType":"Observation","valueQuantity":{"value":1.10}})");
  const std::vector<Element> values = Children(root, "value");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].type, schema_.FindType("Quantity"));
  EXPECT_EQ(values[0].definition->name, "value");
  EXPECT_EQ(Children(values[0], "value")[0].node->text, "1.10");
  // In FHIRPath the element is called value: valueQuantity is a name of JSON only.
  EXPECT_TRUE(Children(root, "valueQuantity").empty());
}

TEST_F(ElementTest, Primitive_BringsItsShadow) {
  const Element root = Root(
      R"({"resourceType":"Patient","birthDate":"1970-01-01","_birthDate":{"id":"b","extension":[{"url":"u"}]}})");
  const std::vector<Element> dates = Children(root, "birthDate");
  ASSERT_EQ(dates.size(), 1U);
  ASSERT_NE(dates[0].shadow, nullptr);
  EXPECT_EQ(Children(dates[0], "extension").size(), 1U);
  EXPECT_EQ(Children(dates[0], "id")[0].node->text, "b");
}

TEST_F(ElementTest, ShadowAlone_IsAnElementWithoutValue) {
  const Element root = Root(R"({"resourceType":"Observation","_valueString":{"extension":[{"url":"u"}]}})");
  const std::vector<Element> values = Children(root, "value");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].node, nullptr);
  EXPECT_EQ(values[0].type, schema_.FindType("string"));
}

TEST_F(ElementTest, ListOfPrimitives_PairsValuesAndShadows) {
  const Element root = Root(
      R"({"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"x"},null,{"id":"y"}]}]})");
  const std::vector<Element> given = Children(Children(root, "name")[0], "given");
  ASSERT_EQ(given.size(), 4U);
  EXPECT_EQ(given[0].node->text, "A");
  EXPECT_EQ(given[0].shadow, nullptr);
  EXPECT_EQ(given[1].node, nullptr);
  EXPECT_NE(given[1].shadow, nullptr);
  EXPECT_EQ(given[2].node->text, "C");
  EXPECT_EQ(given[3].node, nullptr);
}

TEST_F(ElementTest, NestedResource_HasItsOwnType) {
  const Element root = Root(
      R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","active":true}},{"resource":{}}]})");
  const std::vector<Element> entries = Children(root, "entry");
  EXPECT_EQ(Children(entries[0], "resource")[0].type, schema_.FindType("Patient"));
  EXPECT_EQ(Children(entries[1], "resource")[0].type, schema_.FindType("Resource"));
}

TEST_F(ElementTest, AllChildren_StandInSchemaOrder) {
  const Element root = Root(
      R"({"code":{"text":"x"},"unknown":1,"_issued":{"id":"i"},"status":"final","resourceType":"Observation",
          "valueInteger":3,"id":"o","component":[{},{}],"valueString":"both"})");
  std::vector<Element> children;
  AppendAllChildren(root, schema_, children);
  std::vector<std::string> names;
  for (const Element& child : children) names.emplace_back(child.definition->name);
  EXPECT_EQ(names, (std::vector<std::string>{"id", "status", "code", "issued", "value", "value", "component",
                                             "component"}));
}

}  // namespace
}  // namespace fhir_adapter::fhir
