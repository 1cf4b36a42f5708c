#include "sync/concurrency_limit.h"

#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

void AnswerWell(ConcurrencyLimit& limit, int answers) {
  for (int i = 0; i < answers; ++i) limit.OnGoodAnswer();
}

TEST(ConcurrencyLimit, TooMuch_HalvesItDownToOne) {
  ConcurrencyLimit limit(8);
  EXPECT_EQ(limit.limit(), 8U);
  std::int64_t now_us = 0;
  for (const std::size_t expected : {4U, 2U, 1U, 1U}) {
    limit.OnTooMuch(now_us);
    EXPECT_EQ(limit.limit(), expected);
    now_us += kSecondUs;
  }
}

TEST(ConcurrencyLimit, SeveralRefusalsOfOneMoment_CountOnce) {
  ConcurrencyLimit limit(8);
  for (int i = 0; i < 8; ++i) limit.OnTooMuch(5 * kSecondUs + i);
  EXPECT_EQ(limit.limit(), 4U);
  limit.OnTooMuch(6 * kSecondUs - 1);
  EXPECT_EQ(limit.limit(), 4U);
  limit.OnTooMuch(6 * kSecondUs);
  EXPECT_EQ(limit.limit(), 2U);
}

TEST(ConcurrencyLimit, GoodAnswers_AddOneForEachRoundUpToTheMost) {
  ConcurrencyLimit limit(4);
  limit.OnTooMuch(0);
  limit.OnTooMuch(kSecondUs);
  ASSERT_EQ(limit.limit(), 1U);
  AnswerWell(limit, 1);
  EXPECT_EQ(limit.limit(), 2U);
  AnswerWell(limit, 1);
  EXPECT_EQ(limit.limit(), 2U);
  AnswerWell(limit, 1);
  EXPECT_EQ(limit.limit(), 3U);
  AnswerWell(limit, 3);
  EXPECT_EQ(limit.limit(), 4U);
  AnswerWell(limit, 100);
  EXPECT_EQ(limit.limit(), 4U);
}

TEST(ConcurrencyLimit, RefusalBetweenGoodAnswers_BeginsTheRoundAgain) {
  ConcurrencyLimit limit(8);
  limit.OnTooMuch(0);
  AnswerWell(limit, 3);
  limit.OnTooMuch(1);
  AnswerWell(limit, 3);
  EXPECT_EQ(limit.limit(), 4U);
  AnswerWell(limit, 1);
  EXPECT_EQ(limit.limit(), 5U);
}

}  // namespace
}  // namespace fhir_adapter::sync
