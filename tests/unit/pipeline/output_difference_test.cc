#include "pipeline/output_difference.h"

#include <gtest/gtest.h>

namespace fhir_adapter::pipeline {
namespace {

using fhir::ElementDifference;
using outbox::IntendedResource;

IntendedResource Resource(const std::string& value, const std::string& json) {
  IntendedResource resource;
  resource.key = {"Observation", "https://clinic.example", value};
  resource.json = json;
  return resource;
}

TEST(CompareOutputs, SameInAnotherOrder_AreNoDifference) {
  const std::vector<IntendedResource> before = {Resource("a", R"({"x":1})"), Resource("b", R"({"x":2})")};
  const std::vector<IntendedResource> after = {Resource("b", R"({"x":2})"), Resource("a", R"({"x":1})")};
  EXPECT_TRUE(CompareOutputs(before, after).empty());
}

TEST(CompareOutputs, ElementOfOne_IsNamedWithBothValues) {
  const std::vector<IntendedResource> before = {Resource("a", R"({"x":1})"),
                                                Resource("b", R"({"dose":{"value":1.0},"y":true})")};
  const std::vector<IntendedResource> after = {before.front(),
                                               Resource("b", R"({"dose":{"value":1.00},"y":true})")};
  const auto found = CompareOutputs(before, after);
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].key.value, "b");
  EXPECT_EQ(found[0].elements, (std::vector<ElementDifference>{{"dose.value", "1.0", "1.00"}}));
}

TEST(CompareOutputs, ResourceOfOneSide_DiffersAsAWhole) {
  const std::vector<IntendedResource> before = {Resource("a", R"({"x":1})")};
  const std::vector<IntendedResource> after = {Resource("b", R"({"x":2})")};
  const auto found = CompareOutputs(before, after);
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].key.value, "a");
  EXPECT_EQ(found[0].elements, (std::vector<ElementDifference>{{"", R"({"x":1})", ""}}));
  EXPECT_EQ(found[1].key.value, "b");
  EXPECT_EQ(found[1].elements, (std::vector<ElementDifference>{{"", "", R"({"x":2})"}}));
}

TEST(CompareIssues, CountsOnBothSides_Decide) {
  const Issue missing{Code::kMissing, Location{"f", 1, 2, "/status"}, "m"};
  const Issue unknown{Code::kUnknownField, Location{"f", 3, 4, "/x"}, "n"};
  EXPECT_TRUE(CompareIssues({missing, unknown}, {unknown, missing}).empty());
  EXPECT_EQ(CompareIssues({missing, missing}, {missing, unknown}),
            (std::vector<ElementDifference>{{"/status missing", "rejected", ""},
                                            {"/x unknown-field", "", "note"}}));
}

}  // namespace
}  // namespace fhir_adapter::pipeline
