#include "sync/element_differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Paths(const std::string& ours, const std::string& theirs) {
  Arena arena;
  return DifferingElements(**ReadResource(ours, arena), **ReadResource(theirs, arena));
}

constexpr const char* kOurs =
    R"({"resourceType":"Observation","status":"final","note":[{"text":"a"},{"text":"b"}],)"
    R"("code":{"text":"x"},"valueQuantity":{"value":1.10,"unit":"mg"}})";

TEST(DifferingElements, SameContentInAnyOrder_HasNone) {
  EXPECT_THAT(
      Paths(kOurs, R"({"code":{"text":"x"},"resourceType":"Observation","status":"final",)"
                   R"("valueQuantity":{"unit":"mg","value":1.10},"note":[{"text":"a"},{"text":"b"}]})"),
      IsEmpty());
}

TEST(DifferingElements, EachDifference_IsNamedAtItsElement) {
  EXPECT_THAT(Paths(kOurs, R"({"resourceType":"Observation","status":"amended","code":{"text":"x"},)"
                           R"("note":[{"text":"a"},{"text":"c"},{"text":"d"}],)"
                           R"("valueQuantity":{"value":1.1,"unit":"mg","system":"u"},"issued":"2026"})"),
              ElementsAre("Observation.status", "Observation.note[1].text", "Observation.note[2]",
                          "Observation.valueQuantity.value", "Observation.valueQuantity.system",
                          "Observation.issued"));
}

TEST(DifferingElements, ElementThatOneSideLacks_IsNamedItself) {
  EXPECT_THAT(Paths(kOurs, R"({"resourceType":"Observation","status":"final","code":{"text":"x"}})"),
              ElementsAre("Observation.note", "Observation.valueQuantity"));
}

TEST(DifferingElements, OneItemOfAList_HasNoIndex) {
  EXPECT_THAT(Paths(R"({"resourceType":"Device","note":[{"text":"a"}]})",
                    R"({"resourceType":"Device","note":[{"text":"b"}]})"),
              ElementsAre("Device.note.text"));
}

TEST(DifferingElements, AnotherKindOfValue_IsADifference) {
  EXPECT_THAT(Paths(R"({"resourceType":"Device","note":"a"})", R"({"resourceType":"Device","note":["a"]})"),
              ElementsAre("Device.note"));
}

}  // namespace
}  // namespace fhir_adapter::sync
