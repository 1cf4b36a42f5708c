#include "core/clock.h"

#include <gtest/gtest.h>

namespace fhir_adapter {
namespace {

TEST(TimeUs, ToString_IsRfc3339InUtcWithMicroseconds) {
  EXPECT_EQ(ToString(TimeUs{0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(ToString(TimeUs{951'782'400'000'001}), "2000-02-29T00:00:00.000001Z");
  EXPECT_EQ(ToString(TimeUs{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(SystemClock, MonotonicTime_NeverGoesBack) {
  const auto before = SystemClock().MonotonicUs();
  EXPECT_GE(SystemClock().MonotonicUs(), before);
}

TEST(SystemRandom, TwoNumbers_Differ) {
  EXPECT_NE(SystemRandom().Next(), SystemRandom().Next());
}

}  // namespace
}  // namespace fhir_adapter
