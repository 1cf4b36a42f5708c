#include "sync/circuit_breaker.h"

#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

constexpr outbox::RetryPolicy kPolicy{1'000'000, 300'000'000, 3'600'000'000};

CircuitBreaker Closed() {
  CircuitBreaker breaker(kPolicy);
  breaker.OnProbeSuccess();
  breaker.OnSuccess();
  return breaker;
}

TEST(CircuitBreaker, Start_ProbesThenLetsOnePieceGo) {
  CircuitBreaker breaker(kPolicy);
  EXPECT_EQ(breaker.state(), RouteState::kProbing);
  breaker.OnProbeSuccess();
  EXPECT_EQ(breaker.state(), RouteState::kHalfOpen);
  EXPECT_FALSE(breaker.OnSuccess());  // there was no trouble
  EXPECT_EQ(breaker.state(), RouteState::kClosed);
}

TEST(CircuitBreaker, FailuresInARow_OpenIt) {
  CircuitBreaker breaker = Closed();
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(breaker.OnFailure(Code::kTimeout, TimeUs{10}, 0));
  EXPECT_EQ(breaker.state(), RouteState::kClosed);
  EXPECT_TRUE(breaker.OnFailure(Code::kTimeout, TimeUs{10}, 0));
  EXPECT_EQ(breaker.state(), RouteState::kOpen);
  EXPECT_EQ(breaker.reason(), Code::kTimeout);
}

TEST(CircuitBreaker, SuccessBetween_StartsTheCountAgain) {
  CircuitBreaker breaker = Closed();
  for (int i = 0; i < 4; ++i) breaker.OnFailure(Code::kTimeout, TimeUs{10}, 0);
  breaker.OnSuccess();
  for (int i = 0; i < 4; ++i) breaker.OnFailure(Code::kTimeout, TimeUs{10}, 0);
  EXPECT_EQ(breaker.state(), RouteState::kClosed);
}

TEST(CircuitBreaker, TimeOver_ProbesAgain) {
  CircuitBreaker breaker = Closed();
  breaker.Open(Code::kUnauthorized, TimeUs{10}, TimeUs{1'000});
  breaker.Tick(TimeUs{999});
  EXPECT_EQ(breaker.state(), RouteState::kOpen);
  breaker.Tick(TimeUs{1'000});
  EXPECT_EQ(breaker.state(), RouteState::kProbing);
}

TEST(CircuitBreaker, LongTrouble_IsToldOnceWhenItStartsAndOnceWhenItEnds) {
  CircuitBreaker breaker = Closed();
  int begun = 0;
  int ended = 0;
  TimeUs now{0};
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) begun += breaker.OnFailure(Code::kUnreachable, now, 7) ? 1 : 0;
    now = breaker.open_until();
    breaker.Tick(now);
    if (round % 2 == 1) breaker.OnProbeSuccess();  // the probe gets through, the work does not
  }
  breaker.OnFailure(Code::kUnreachable, now, 7);
  breaker.Tick(breaker.open_until());
  breaker.OnProbeSuccess();
  ended += breaker.OnSuccess() ? 1 : 0;
  ended += breaker.OnSuccess() ? 1 : 0;
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(ended, 1);
}

TEST(CircuitBreaker, LateSuccessOfOlderWork_DoesNotCloseIt) {
  CircuitBreaker breaker = Closed();
  breaker.Open(Code::kTls, TimeUs{10}, TimeUs{1'000});
  EXPECT_FALSE(breaker.OnSuccess());
  EXPECT_EQ(breaker.state(), RouteState::kOpen);
}

}  // namespace
}  // namespace fhir_adapter::sync
