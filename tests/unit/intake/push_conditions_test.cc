#include "intake/push_conditions.h"

#include <gtest/gtest.h>
#include <string>

namespace fhir_adapter::intake {
namespace {

std::string Searched(const std::string& query) {
  const auto token = ReadIdentifierSearch(query);
  if (!token) return std::string(Name(token.error().code));
  return (token->system ? *token->system + " / " : std::string("any / ")) + token->value;
}

// FHIR R4 search.html#token, #escaping.
TEST(PushConditions, IdentifierSearch_ReadsTokens) {
  EXPECT_EQ(Searched("identifier=s|v"), "s / v");
  EXPECT_EQ(Searched("identifier=https%3A%2F%2Fs%7Cv%20w"), "https://s / v w");
  EXPECT_EQ(Searched("?identifier=s|v"), "s / v");
  EXPECT_EQ(Searched("Observation?identifier=s|v"), "s / v");
  EXPECT_EQ(Searched("identifier=|v"), " / v");
  EXPECT_EQ(Searched("identifier=v"), "any / v");
  EXPECT_EQ(Searched("identifier=s|a\\|b"), "s / a|b");
  EXPECT_EQ(Searched("identifier=s|a|b"), "s / a|b");
  EXPECT_EQ(Searched(""), "usage");
  EXPECT_EQ(Searched("identifier="), "usage");
  EXPECT_EQ(Searched("identifier=s|"), "usage");
  EXPECT_EQ(Searched("code=1"), "not-supported");
  EXPECT_EQ(Searched("identifier=a|b&identifier=c|d"), "not-supported");
}

std::string TargetOf(const std::string& method, const std::string& url) {
  const auto target = ReadTarget(method, url);
  return target ? target->id + "?" + target->query : std::string(Name(target.error().code));
}

TEST(PushConditions, UrlOfAnEntry_IsOneOfThreeForms) {
  EXPECT_EQ(TargetOf("POST", "Observation"), "?");
  EXPECT_EQ(TargetOf("PUT", "Observation/x1"), "x1?");
  EXPECT_EQ(TargetOf("PUT", "Observation?identifier=a|b"), "?identifier=a|b");
  for (const char* url :
       {"Observations", "Patient/1", "", "/Observation", "http://evil.example/Observation/1"}) {
    EXPECT_EQ(TargetOf("PUT", url), "not-supported") << url;
  }
  EXPECT_EQ(TargetOf("POST", "Observation/x1"), "not-supported");
  EXPECT_EQ(TargetOf("DELETE", "Observation/x1"), "not-supported");
  EXPECT_EQ(TargetOf("GET", "Observation/x1"), "not-supported");
}

std::string Matched(const std::string& tag) {
  Target target;
  target.method = "POST";
  target.if_match = tag;
  const auto request = MakePushRequest(target, {});
  if (!request) return std::string(Name(request.error().code));
  return request->if_match ? std::to_string(*request->if_match) : "none";
}

TEST(PushConditions, IfMatch_IsOneVersion) {
  EXPECT_EQ(Matched(""), "none");
  EXPECT_EQ(Matched("W/\"3\""), "3");
  EXPECT_EQ(Matched("\"12\""), "12");
  for (const char* tag : {"*", "3", "W/3", "W/\"\"", "W/\"0\"", "W/\"-1\"", "W/\"1\", W/\"2\"", "W/\"1x\"",
                          "W/\"99999999999999999999\""}) {
    EXPECT_EQ(Matched(tag), "usage") << tag;
  }
}

}  // namespace
}  // namespace fhir_adapter::intake
