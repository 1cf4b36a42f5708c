#include "core/result.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace fhir_adapter {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(Code::kType, "odd", Location{"numbers.txt", 3, 7, "/n"});
  return n / 2;
}

Result<int> Quarter(int n) {
  ADAPTER_TRY(const int half, Half(n));
  return Half(half);
}

Result<void> MustBeEven(int n) {
  ADAPTER_CHECK(Half(n));
  return {};
}

TEST(Result, Value_IsReturned) {
  const auto result = Quarter(12);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 3);
}

TEST(Result, ErrorInside_ReachesTheCallerUnchanged) {
  const auto result = Quarter(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Error{Code::kType, "odd", Location{"numbers.txt", 3, 7, "/n"}}));
}

TEST(Result, VoidResult_CarriesTheError) {
  EXPECT_TRUE(MustBeEven(2));
  EXPECT_EQ(MustBeEven(3).error().code, Code::kType);
}

TEST(Result, MoveOnlyValue_CanBeTakenOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(ResultDeathTest, ValueOfAnError_Aborts) {
  auto result = Half(1);
  EXPECT_DEATH((void)result.value(), "");
}

TEST(Error, ToString_NamesFileLineColumnAndPointer) {
  EXPECT_EQ(ToString(Half(1).error()), "numbers.txt:3:7: /n: odd");
  EXPECT_EQ(ToString(Error{Code::kType, "odd", {}}), "odd");
}

}  // namespace
}  // namespace fhir_adapter
