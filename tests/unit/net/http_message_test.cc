#include "net/http_message.h"

#include <gtest/gtest.h>

namespace fhir_adapter::net {
namespace {

TEST(MediaTypeParameter, Value_IsFoundWhateverTheCaseOfItsName) {
  EXPECT_EQ(MediaTypeParameter("text/csv; Charset=UTF-8; header=present", "charset"), "UTF-8");
  EXPECT_EQ(MediaTypeParameter("text/csv;charset=\"windows-1252\" ", "charset"), "windows-1252");
  EXPECT_EQ(MediaTypeParameter("text/csv; x; header = absent", "header"), "absent");
  EXPECT_EQ(MediaTypeParameter("text/csv", "charset"), "");
  EXPECT_EQ(MediaTypeParameter("text/csv; charset", "charset"), "");
  EXPECT_EQ(MediaTypeParameter("charset=utf-8", "charset"), "");
}

TEST(HttpHeaders, NameInOtherCase_IsFound) {
  HttpHeaders headers;
  headers.Add("Content-Type", "text/csv");
  EXPECT_EQ(headers.Get("content-TYPE"), "text/csv");
  EXPECT_TRUE(headers.Has("CONTENT-TYPE"));
  EXPECT_FALSE(headers.Has("Content-Typ"));
}

TEST(HttpHeaders, Set_ReplacesEveryField) {
  HttpHeaders headers;
  headers.Add("A", "1");
  headers.Add("a", "2");
  ASSERT_EQ(headers.Count("A"), 2u);
  headers.Set("A", "3");
  EXPECT_EQ(headers.Count("a"), 1u);
  EXPECT_EQ(headers.Get("a"), "3");
}

TEST(PercentDecode, Escapes_AreDecoded) {
  EXPECT_EQ(*PercentDecode("a%7Cb%c3%A9", false), "a|b\xC3\xA9");
  EXPECT_EQ(*PercentDecode("a+b", false), "a+b");
  EXPECT_EQ(*PercentDecode("a+b%2B", true), "a b+");
}

TEST(PercentDecode, BadEscapeOrNul_IsRefused) {
  for (const char* text : {"%", "%4", "%4g", "a%zz", "%00"}) {
    EXPECT_FALSE(PercentDecode(text, false)) << text;
  }
}

TEST(ParseQuery, Pairs_KeepOrderAndRepetition) {
  const auto parameters = ParseQuery("identifier=a%7Cb&_count=2&&flag&identifier=c=d");
  ASSERT_TRUE(parameters);
  ASSERT_EQ(parameters->size(), 4u);
  EXPECT_EQ((*parameters)[0].name, "identifier");
  EXPECT_EQ((*parameters)[0].value, "a|b");
  EXPECT_EQ((*parameters)[2].name, "flag");
  EXPECT_EQ((*parameters)[2].value, "");
  EXPECT_EQ((*parameters)[3].value, "c=d");
}

TEST(PercentEncode, Reserved_IsEscapedAndComesBack) {
  const std::string text = "https://clinic.example/sid|A 1+\xC3\xA9,$\\";
  EXPECT_EQ(PercentEncode("a|b c"), "a%7Cb%20c");
  EXPECT_EQ(*PercentDecode(PercentEncode(text), true), text);
}

TEST(JsonString, ControlCharactersAndQuotes_AreEscaped) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000A\\u0001\"");
}

TEST(HttpDate, Date_IsThatOfHttp) {
  EXPECT_EQ(HttpDate(TimeUs{784'111'777'000'000}), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
}

TEST(ProblemResponse, Error_HasStatusAndCodeOfTheTable) {
  const HttpResponse response = ProblemResponse(Error{Code::kHighWater, "full", {}});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.Get("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
            "\"code\":\"high-water\",\"detail\":\"full\"}\n");
}

}  // namespace
}  // namespace fhir_adapter::net
