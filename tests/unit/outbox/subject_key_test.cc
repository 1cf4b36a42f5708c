#include <gtest/gtest.h>

#include "outbox/inbox.h"

namespace fhir_adapter::outbox {
namespace {

TEST(SubjectKey, OtherBytesThanLettersDigitsAndTwoMarks_AreEscaped) {
  EXPECT_EQ(SubjectKey("pain-clinic", "MG-3_a"), "pain-clinic.MG-3_a");
  EXPECT_EQ(SubjectKey("a.b", "c"), "a~2Eb.c");
  EXPECT_EQ(SubjectKey("a", "~ é|"), "a.~7E~20~C3~A9~7C");
}

TEST(SubjectKey, PartsThatJoinToTheSameText_AreDifferent) {
  EXPECT_NE(SubjectKey("a.b", "c"), SubjectKey("a", "b.c"));
}

IntendedResource Make(const char* type, const char* value, const char* sha256) {
  IntendedResource resource;
  resource.key = ResourceKey{type, "s", value};
  resource.sha256 = sha256;
  return resource;
}

TEST(OutputHash, DiffersInKeyContentOrderAndBoundaries) {
  const std::vector<IntendedResource> one = {Make("A", "bc", "1"), Make("B", "d", "2")};
  EXPECT_EQ(OutputHash(one), OutputHash(one));
  for (const std::vector<IntendedResource>& other :
       {std::vector{Make("B", "d", "2"), Make("A", "bc", "1")}, std::vector{Make("A", "bc", "1")},
        std::vector{Make("A", "bc", "1"), Make("B", "d", "3")},
        std::vector{Make("Ab", "c", "1"), Make("B", "d", "2")}, std::vector<IntendedResource>{}}) {
    EXPECT_NE(OutputHash(one), OutputHash(other));
  }
}

}  // namespace
}  // namespace fhir_adapter::outbox
