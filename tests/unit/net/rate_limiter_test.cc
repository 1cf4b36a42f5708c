#include "net/rate_limiter.h"

#include <gtest/gtest.h>

namespace fhir_adapter::net {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

int TakeAll(RateLimiter& limiter, const std::string& client, std::int64_t now_us) {
  int taken = 0;
  while (taken < 100'000 && limiter.Take(client, now_us) == 0) ++taken;
  return taken;
}

TEST(RateLimiter, QuietClient_MaySendItsBurstAndNotOneMore) {
  RateLimiter limiter(10, 20, 100);
  EXPECT_EQ(TakeAll(limiter, "a", 0), 20);
  EXPECT_EQ(limiter.Take("a", 0), 100) << "ms until the next, at ten a second";
  EXPECT_EQ(TakeAll(limiter, "b", 0), 20) << "another client";
}

TEST(RateLimiter, Bucket_FillsAtItsRateUpToTheBurst) {
  RateLimiter limiter(10, 20, 100);
  TakeAll(limiter, "a", 0);
  EXPECT_GT(limiter.Take("a", 99'999), 0);
  EXPECT_EQ(limiter.Take("a", 100'000), 0);
  EXPECT_EQ(TakeAll(limiter, "a", kSecondUs), 9);
  EXPECT_EQ(TakeAll(limiter, "a", 2 * kSecondUs), 10);
  EXPECT_EQ(TakeAll(limiter, "a", 4 * kSecondUs), 20);
  EXPECT_EQ(TakeAll(limiter, "a", 365 * 86'400 * kSecondUs), 20);
}

TEST(RateLimiter, RefusedRequest_IsNotCounted) {
  RateLimiter limiter(1, 1, 100);
  EXPECT_EQ(limiter.Take("a", 0), 0);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(limiter.Take("a", 500'000), 500);
  EXPECT_EQ(limiter.Take("a", kSecondUs), 0);
}

TEST(RateLimiter, ClockThatGoesBack_GivesNothingAndTakesNothing) {
  RateLimiter limiter(1, 2, 100);
  EXPECT_EQ(limiter.Take("a", kSecondUs), 0);
  EXPECT_EQ(limiter.Take("a", 0), 0);
  EXPECT_GT(limiter.Take("a", 0), 0);
}

TEST(RateLimiter, NoRate_LimitsNothing) {
  RateLimiter limiter(0, 0, 1);
  EXPECT_EQ(TakeAll(limiter, "a", 0), 100'000);
  EXPECT_EQ(limiter.client_count(), 0U);
}

TEST(RateLimiter, Clients_AreRememberedUpToTheirNumber) {
  RateLimiter limiter(1, 1, 3);
  for (const char* client : {"a", "b", "c"}) EXPECT_EQ(limiter.Take(client, 0), 0);
  EXPECT_GT(limiter.Take("a", 0), 0) << "three are told apart";
  EXPECT_EQ(limiter.client_count(), 3U);
  EXPECT_EQ(limiter.Take("d", 0), 0) << "a fourth makes all start again";
  EXPECT_EQ(limiter.client_count(), 1U);
  EXPECT_EQ(limiter.Take("a", 0), 0);
}

TEST(RateLimiter, QuietClients_AreForgottenFirst) {
  RateLimiter limiter(1, 1, 2);
  EXPECT_EQ(limiter.Take("quiet", 0), 0);
  EXPECT_EQ(limiter.Take("busy", kSecondUs), 0);
  EXPECT_EQ(limiter.Take("new", kSecondUs), 0);
  EXPECT_EQ(limiter.client_count(), 2U);
  EXPECT_GT(limiter.Take("busy", kSecondUs), 0) << "still remembered";
}

}  // namespace
}  // namespace fhir_adapter::net
