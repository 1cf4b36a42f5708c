#include "pipeline/push_input.h"

#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"
#include "shipped_set.h"

namespace fhir_adapter::pipeline {
namespace {

std::string BundleOf(std::size_t entries) {
  std::string bundle = R"({"resourceType":"Bundle","type":"batch","entry":[)";
  for (std::size_t i = 0; i < entries; ++i) {
    bundle += std::string(i == 0 ? "" : ",") + R"({"request":{"method":"POST","url":"Observation"}})";
  }
  return bundle + "]}";
}

TEST(PushInput, Bundle_HasALimitOfEntries) {
  const auto full = ReadPushBundle(BundleOf(limits::kPushBundleEntriesMax), ShippedSet());
  ASSERT_TRUE(full);
  EXPECT_EQ(full->entries.size(), limits::kPushBundleEntriesMax);
  const auto more = ReadPushBundle(BundleOf(limits::kPushBundleEntriesMax + 1), ShippedSet());
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kLimit);
}

TEST(PushInput, Body_HasALimitOfBytes) {
  const auto body_of = [](std::size_t bytes) {
    std::string body = R"({"resourceType":"Patient"})";
    return body.insert(1, bytes - body.size(), ' ');
  };
  EXPECT_TRUE(ReadPushBody(body_of(limits::kPushBodyBytesMax), ShippedSet()));
  const auto more = ReadPushBody(body_of(limits::kPushBodyBytesMax + 1), ShippedSet());
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kLimit);
}

TEST(PushInput, HostileBundles_AreRefusedOrAnswered) {
  for (const char* bundle : {
           "",
           "{",
           "[]",
           "null",
           "1",
           R"({"resourceType":"Bundle"})",
           R"({"resourceType":"Bundle","type":"batch","entry":{}})",
           R"({"resourceType":"Bundle","type":"batch","entry":[null]})",
           R"({"resourceType":"Bundle","type":"batch","entry":[{"request":[]}]})",
           R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":1,"url":[]}}]})",
       }) {
    EXPECT_FALSE(ReadPushBundle(bundle, ShippedSet())) << bundle;
  }
  for (const char* resource :
       {"null", "[]", "1", "\"x\"", "{}", R"({"resourceType":"Observation","meta":[],"identifier":1})"}) {
    const auto bundle = ReadPushBundle(
        R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Observation"},"resource":)" +
            std::string(resource) + "}]}",
        ShippedSet());
    ASSERT_TRUE(bundle) << resource;
    ASSERT_FALSE(bundle->entries[0].observation.issues.empty()) << resource;
    EXPECT_TRUE(
        bundle->entries[0].observation.issues[0].where.pointer.starts_with("Bundle.entry[0].resource"))
        << resource;
  }
}

}  // namespace
}  // namespace fhir_adapter::pipeline
