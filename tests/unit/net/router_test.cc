#include "net/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fhir_adapter::net {
namespace {

using testing::ElementsAre;

Route MakeRoute(std::string method, std::string pattern) {
  Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.is_public = true;
  route.handler = [](const HttpRequest&, const Responder&) {};
  return route;
}

Router MakeRouter() {
  return *Router::Create({MakeRoute("GET", "/fhir/metadata"), MakeRoute("GET", "/fhir/{type}"),
                          MakeRoute("POST", "/fhir/{type}"), MakeRoute("PUT", "/fhir/{type}/{id}"),
                          MakeRoute("GET", "/fhir/{type}/{id}"), MakeRoute("GET", "/fhir/{type}/_history"),
                          MakeRoute("POST", "/records")});
}

TEST(Router, Parameters_AreDecodedSegmentBySegment) {
  const Router router = MakeRouter();
  const auto match = router.Find("PUT", "/fhir/Patient/a%2Fb%20c");
  ASSERT_TRUE(match && match->route != nullptr);
  EXPECT_EQ(match->route->pattern, "/fhir/{type}/{id}");
  ASSERT_EQ(match->path_parameters.size(), 2u);
  EXPECT_EQ(match->path_parameters[0].value, "Patient");
  EXPECT_EQ(match->path_parameters[1].value, "a/b c");
}

TEST(Router, Literal_WinsOverParameter) {
  const Router router = MakeRouter();
  EXPECT_EQ(router.Find("GET", "/fhir/metadata")->route->pattern, "/fhir/metadata");
  EXPECT_EQ(router.Find("GET", "/fhir/Patient/_history")->route->pattern, "/fhir/{type}/_history");
  EXPECT_EQ(router.Find("GET", "/fhir/Patient")->route->pattern, "/fhir/{type}");
}

TEST(Router, Head_IsServedByGet) {
  EXPECT_EQ(MakeRouter().Find("HEAD", "/fhir/metadata")->route->pattern, "/fhir/metadata");
}

TEST(Router, OtherMethod_NamesWhatIsAllowed) {
  const Router router = MakeRouter();
  const auto match = router.Find("DELETE", "/fhir/Patient");
  EXPECT_EQ(match->route, nullptr);
  EXPECT_THAT(match->allowed_methods, ElementsAre("GET", "HEAD", "POST"));
  // A parameter that would also fit does not lend its methods to a literal.
  EXPECT_THAT(router.Find("POST", "/fhir/metadata")->allowed_methods, ElementsAre("GET", "HEAD"));
}

TEST(Router, UnlistedPath_MatchesNothing) {
  const Router router = MakeRouter();
  for (const char* path : {"/", "", "/records/", "/record", "/fhir//x", "/fhir/", "/fhir/a/b/c", "/RECORDS",
                           "/records/../records", "//records"}) {
    const auto match = router.Find("POST", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->route, nullptr) << path;
    EXPECT_TRUE(match->allowed_methods.empty()) << path;
  }
}

TEST(Router, UnusableRoute_IsRefused) {
  Route without_handler = MakeRoute("GET", "/a");
  without_handler.handler = nullptr;
  Route without_roles = MakeRoute("GET", "/a");
  without_roles.is_public = false;
  Route both = MakeRoute("GET", "/a");
  both.roles = {Role::kAuditor};
  EXPECT_FALSE(Router::Create({without_handler}));
  EXPECT_FALSE(Router::Create({without_roles}));
  EXPECT_FALSE(Router::Create({both}));
  EXPECT_FALSE(Router::Create({MakeRoute("GET", "a")}));
  EXPECT_FALSE(Router::Create({MakeRoute("GET", "/a"), MakeRoute("GET", "/a")}));
  EXPECT_TRUE(Router::Create({MakeRoute("GET", "/a"), MakeRoute("PUT", "/a")}));
}

}  // namespace
}  // namespace fhir_adapter::net
