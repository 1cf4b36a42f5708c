#include "sandbox/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace fhir_adapter::sandbox {
namespace {

std::vector<bool> Hits(const char* spec, int requests, const char* method = "POST", const char* path = "/") {
  FaultInjector injector({*ParseFault(spec)});
  std::vector<bool> hits;
  for (int i = 0; i < requests; ++i) hits.push_back(injector.Next(method, path) != nullptr);
  return hits;
}

TEST(Fault, Status_HasItsParts) {
  const auto fault = ParseFault("status:503:3:retry-after=7:POST /Observation");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->kind, FaultKind::kStatus);
  EXPECT_EQ(fault->status, 503);
  EXPECT_EQ(fault->first, 3u);
  EXPECT_EQ(fault->retry_after_s, 7);
  EXPECT_EQ(fault->method, "POST");
  EXPECT_EQ(fault->path_prefix, "/Observation");
}

TEST(Fault, OtherKinds_AreRead) {
  EXPECT_EQ(ParseFault("delay:250")->delay_ms, 250);
  EXPECT_EQ(ParseFault("drop")->kind, FaultKind::kDrop);
  EXPECT_EQ(ParseFault("reset:every=10")->every, 10u);
  EXPECT_EQ(ParseFault("drop:p=0.25/9")->per_million, 250'000u);
  EXPECT_EQ(ParseFault("drop:p=0.25/9")->seed, 9u);
}

TEST(Fault, BadSpecification_NamesThePart) {
  for (const char* spec : {"", "stop", "status", "status:200", "status:600", "status:abc", "delay",
                           "delay:-1", "drop:0", "drop:every=0", "drop:p=1.5", "drop:p=0.1234567", "drop:p=x",
                           "drop:p=0.1/x", "drop:PATCHY", "drop:POST Observation", "drop:retry-after=x"}) {
    const auto fault = ParseFault(spec);
    ASSERT_FALSE(fault) << spec;
    EXPECT_EQ(fault.error().code, Code::kUsage);
  }
}

TEST(Fault, Delay_IsLimited) {
  EXPECT_TRUE(ParseFault("delay:" + std::to_string(limits::kSandboxDelayMsMax)));
  EXPECT_FALSE(ParseFault("delay:" + std::to_string(limits::kSandboxDelayMsMax + 1)));
}

TEST(FaultInjector, Count_HitsTheFirst) {
  EXPECT_THAT(Hits("drop:2", 4), testing::ElementsAre(true, true, false, false));
}

TEST(FaultInjector, Every_HitsTheNth) {
  EXPECT_THAT(Hits("drop:every=3", 7), testing::ElementsAre(false, false, true, false, false, true, false));
}

TEST(FaultInjector, Probability_IsTheSameForTheSameSeed) {
  const std::vector<bool> hits = Hits("drop:p=0.1/7", 10'000);
  EXPECT_EQ(hits, Hits("drop:p=0.1/7", 10'000));
  EXPECT_NE(hits, Hits("drop:p=0.1/8", 10'000));
  const auto count = std::count(hits.begin(), hits.end(), true);
  EXPECT_GT(count, 900);  // 1,000 expected; standard deviation 30
  EXPECT_LT(count, 1'100);
  EXPECT_THAT(Hits("drop:p=0", 3), testing::ElementsAre(false, false, false));
  EXPECT_THAT(Hits("drop:p=1", 3), testing::ElementsAre(true, true, true));
}

TEST(FaultInjector, OtherRequests_DoNotCount) {
  FaultInjector injector({*ParseFault("drop:1:POST /Observation")});
  EXPECT_EQ(injector.Next("GET", "/Observation"), nullptr);
  EXPECT_EQ(injector.Next("POST", "/Patient"), nullptr);
  EXPECT_NE(injector.Next("POST", "/Observation"), nullptr);
  EXPECT_EQ(injector.Next("POST", "/Observation"), nullptr);
}

TEST(FaultInjector, SeveralFaults_CountEachForItself) {
  FaultInjector injector({*ParseFault("status:503:1"), *ParseFault("drop:every=2")});
  EXPECT_EQ(injector.Next("GET", "/")->kind, FaultKind::kStatus);
  EXPECT_EQ(injector.Next("GET", "/")->kind, FaultKind::kDrop);
  EXPECT_EQ(injector.Next("GET", "/"), nullptr);
}

}  // namespace
}  // namespace fhir_adapter::sandbox
