#include "app/key_cache.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "token_mint.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

class StoppedClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{now_us}; }
  std::int64_t MonotonicUs() override { return now_us; }
  void AdvanceSeconds(std::int64_t seconds) { now_us += seconds * kSecondUs; }
  std::int64_t now_us = 1'000 * kSecondUs;
};

std::string SetWith(const std::string& kid) {
  static const SigningKey key("ES256");
  return "{\"keys\":[" + key.Jwk("\"kid\":\"" + kid + "\"") + "]}";
}

const Result<std::string> kFailed = Fail(Code::kUnreachable, "no answer");

TEST(KeyCache, Keys_AreDueAtOnceAndThenRegularly) {
  StoppedClock clock;
  KeyCache cache(clock);
  EXPECT_EQ(cache.keys(), nullptr);
  EXPECT_EQ(cache.DueInUs(), 0);
  EXPECT_TRUE(cache.Take(SetWith("a")));
  EXPECT_EQ(cache.DueInUs(), limits::kJwtKeysRefreshSeconds * kSecondUs);
  EXPECT_FALSE(cache.Take(SetWith("a"))) << "the same as before";
  EXPECT_TRUE(cache.Take(SetWith("b")));
  EXPECT_NE(cache.keys()->Find("b"), nullptr);
  EXPECT_EQ(cache.keys()->Find("a"), nullptr);
}

TEST(KeyCache, NewKeyId_BringsOneReadingAndThenAnAnswer) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.Take(SetWith("a"));
  clock.AdvanceSeconds(limits::kJwtKeysRetrySeconds);
  EXPECT_TRUE(cache.IsWorthWaiting("b"));
  EXPECT_EQ(cache.DueInUs(), 0);
  cache.Take(SetWith("b"));
  EXPECT_NE(cache.keys()->Find("b"), nullptr);
}

TEST(KeyCache, KeyIdThatIsNotThereAfterwards_IsRefusedWithoutWaiting) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.Take(SetWith("a"));
  EXPECT_TRUE(cache.IsWorthWaiting("made-up"));
  cache.Take(SetWith("a"));
  EXPECT_FALSE(cache.IsWorthWaiting("made-up"));
  cache.Take(SetWith("a"));
  EXPECT_FALSE(cache.IsWorthWaiting("made-up")) << "and stays so";
  EXPECT_TRUE(cache.IsWorthWaiting("another"));
}

TEST(KeyCache, FloodOfKeyIds_BringsNoMoreReadingsThanItsRate) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.Take(SetWith("a"));
  int readings = 0;
  constexpr int kSeconds = 100;
  for (int second = 0; second < kSeconds; ++second) {
    for (int i = 0; i < 50; ++i) cache.IsWorthWaiting(std::to_string(second * 50 + i));
    if (cache.DueInUs() == 0) {
      cache.Take(SetWith("a"));
      ++readings;
    }
    clock.AdvanceSeconds(1);
  }
  EXPECT_EQ(readings, kSeconds / limits::kJwtKeysRetrySeconds - 1);
}

TEST(KeyCache, FailedReading_KeepsTheKeysUntilTheyAreTooOld) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.Take(SetWith("a"));
  EXPECT_FALSE(cache.Take(kFailed));
  EXPECT_NE(cache.trouble(), "");
  EXPECT_EQ(cache.DueInUs(), limits::kJwtKeysRetrySeconds * kSecondUs);
  EXPECT_FALSE(cache.Take(std::string("{}"))) << "not a set";
  clock.AdvanceSeconds(limits::kJwtKeysMaxAgeSeconds);
  EXPECT_NE(cache.keys(), nullptr);
  clock.AdvanceSeconds(1);
  EXPECT_EQ(cache.keys(), nullptr);
  cache.Take(SetWith("a"));
  EXPECT_NE(cache.keys(), nullptr);
  EXPECT_EQ(cache.trouble(), "");
}

TEST(KeyCache, AskedFor_IsDueAtOnce) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.Take(SetWith("a"));
  cache.AskAgain();
  EXPECT_EQ(cache.DueInUs(), 0);
}

// The reading under way may have begun before whatever made somebody ask.
TEST(KeyCache, AskedForWhileAReadingFails_IsDueAtOnceOnlyOnce) {
  StoppedClock clock;
  KeyCache cache(clock);
  cache.AskAgain();
  cache.Take(kFailed);
  EXPECT_EQ(cache.DueInUs(), 0);
  cache.Take(kFailed);
  EXPECT_EQ(cache.DueInUs(), limits::kJwtKeysRetrySeconds * kSecondUs);
}

}  // namespace
}  // namespace fhir_adapter::app
