#include "outbox/retry_policy.h"

#include <gtest/gtest.h>

namespace fhir_adapter::outbox {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::uint64_t kLowest = 0;
constexpr std::uint64_t kHighest = ~0ULL;

RetryPolicy Policy() {
  return RetryPolicy{1 * kSecond, 300 * kSecond, 3'600 * kSecond};
}

std::int64_t DelayS(int attempt, std::uint64_t random, std::optional<std::int64_t> retry_after_s = {}) {
  Failed failed;
  failed.attempt = attempt;
  failed.first_attempt = TimeUs{0};
  failed.now = TimeUs{0};
  if (retry_after_s) failed.retry_after_us = *retry_after_s * kSecond;
  const auto next = NextAttempt(Policy(), failed, random);
  return next ? next->us / kSecond : -1;
}

struct Row {
  int attempt;
  std::int64_t highest_s;
};

TEST(RetryPolicy, Ceiling_DoublesUpToTheMaximum) {
  for (const Row& row : {Row{1, 1}, Row{2, 2}, Row{3, 4}, Row{4, 8}, Row{9, 256}, Row{10, 300}, Row{64, 300},
                         Row{1'000'000, 300}}) {
    EXPECT_EQ(DelayS(row.attempt, kHighest), row.highest_s) << row.attempt;
    EXPECT_EQ(DelayS(row.attempt, kLowest), 1) << row.attempt;
  }
}

TEST(RetryPolicy, Jitter_IsSpreadOverTheWholeRange) {
  EXPECT_EQ(DelayS(9, kHighest / 2), 128);
  EXPECT_EQ(DelayS(9, kHighest / 4), 64);
}

TEST(RetryPolicy, RetryAfter_IsNeverUndercut) {
  EXPECT_EQ(DelayS(1, kLowest, 120), 120);
  EXPECT_EQ(DelayS(10, kHighest, 120), 300);
  EXPECT_EQ(DelayS(1, kLowest, 0), 1);
}

TEST(RetryPolicy, Budget_EndsWithItsLastMicrosecond) {
  Failed failed;
  failed.first_attempt = TimeUs{1'000};
  failed.now = TimeUs{1'000 + 3'599 * kSecond};
  EXPECT_TRUE(NextAttempt(Policy(), failed, kLowest));
  failed.now.us += 1;
  EXPECT_FALSE(NextAttempt(Policy(), failed, kLowest));
}

TEST(RetryPolicy, OutageOf48Hours_UsesUpNothingOfADefaultBudget) {
  Failed failed;
  failed.first_attempt = TimeUs{0};
  for (int attempt = 1; failed.now.us < 48LL * 3'600 * kSecond; ++attempt) {
    failed.attempt = attempt;
    const auto next = NextAttempt(RetryPolicy{}, failed, kHighest);
    ASSERT_TRUE(next) << attempt;
    ASSERT_GT(next->us, failed.now.us);
    failed.now = *next;
  }
}

TEST(RetryPolicy, MinimumAboveTheMaximum_IsKept) {
  RetryPolicy policy = Policy();
  policy.retry_max_us = 0;
  EXPECT_EQ(NextAttempt(policy, Failed{5, TimeUs{0}, TimeUs{0}, {}}, kHighest)->us, kSecond);
}

}  // namespace
}  // namespace fhir_adapter::outbox
