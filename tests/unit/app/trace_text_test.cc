#include "app/trace_text.h"

#include <gtest/gtest.h>

#include "app/resource_summary.h"
#include "app/trace_selector.h"

namespace fhir_adapter::app {
namespace {

using Kind = outbox::TraceSelectorKind;

struct Meant {
  Kind kind;
  std::string first;
  std::string second;
};

struct SelectorCase {
  std::string text;
  std::vector<Meant> meant;
};

TEST(TraceSelector, Text_IsReadAsWhatItMayMean) {
  const std::vector<Meant> single = {
      {Kind::kRecordId, "", "MG-3"}, {Kind::kPatient, "", "MG-3"}, {Kind::kReceipt, "", "MG-3"}};
  const std::vector<SelectorCase> cases = {
      {"MG-3", single},
      {"https://c.example/sid|a.b|c", {{Kind::kIdentifier, "https://c.example/sid", "a.b|c"}}},
      {"identifier s|v", {{Kind::kIdentifier, "s", "v"}}},
      {"https://h.example/fhir/Observation/7/_history/2", {{Kind::kResource, "Observation", "7"}}},
      {"https://h.example/fhir/metadata", {}},
      {"Observation/7",
       {{Kind::kResource, "Observation", "7"},
        {Kind::kRecord, "Observation", "7"},
        {Kind::kRecordId, "", "Observation/7"},
        {Kind::kPatient, "", "Observation/7"},
        {Kind::kReceipt, "", "Observation/7"}}},
      {"", {}},
  };
  for (const SelectorCase& one : cases) {
    const auto found = SelectorsOf(one.text);
    ASSERT_EQ(found.size(), one.meant.size()) << one.text;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].kind, one.meant[i].kind) << one.text;
      EXPECT_EQ(found[i].first, one.meant[i].first) << one.text;
      EXPECT_EQ(found[i].second, one.meant[i].second) << one.text;
    }
  }
}

TEST(TraceSummary, Resource_IsOneLine) {
  EXPECT_EQ(SummaryOf(R"({"resourceType":"MedicationAdministration","status":"completed",
                          "medicationCodeableConcept":{"coding":[{"code":"1","display":"a drug"}]},
                          "dosage":{"dose":{"value":0.50,"unit":"mg"}}})"),
            "completed, a drug, 0.50 mg");
  EXPECT_EQ(SummaryOf(R"({"resourceType":"DetectedIssue","severity":"high","detail":"too much"})"),
            "high, too much");
  EXPECT_EQ(SummaryOf(""), "");
  EXPECT_EQ(SummaryOf("[1]"), "");
}

TraceSection Recorded(const std::string& text) {
  TraceSection section;
  section.heading = "a " + text;
  section.facts = {{"b", text}};
  section.columns = {"c"};
  section.rows = {{text}};
  section.verbatim = text + "\n";
  return section;
}

TEST(TraceText, ControlCharacters_DoNotReachTheTerminal) {
  const std::string text = TraceText({Recorded("x\x1B[2Jy\r\x7F\xC2\x9B\xC3\xA9")});
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x7F'), std::string::npos);
  EXPECT_NE(text.find("x\\u001b[2Jy\\u000d\\u007f\\u009b\xC3\xA9"), std::string::npos) << text;
}

TEST(TraceHtml, EveryRecordedText_IsEscaped) {
  TraceSection timeline = Recorded("<script>a</script>&\"'");
  timeline.is_timeline = true;
  timeline.columns.assign(7, "c");
  timeline.rows = {std::vector<std::string>(7, "<script>a</script>&\"'")};
  const std::string html = TraceHtml({{Recorded("<script>a</script>&\"'"), timeline}});
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("&\"'"), std::string::npos);
  std::size_t escaped = 0;
  const std::string inert = "&lt;script&gt;a&lt;/script&gt;&amp;&quot;&#39;";
  for (std::size_t at = html.find(inert); at != std::string::npos; at = html.find(inert, at + 1)) ++escaped;
  EXPECT_EQ(escaped, 4u + 3u + 7u);  // heading, fact, cell, verbatim; then the timeline's
}

TEST(TraceHtml, Page_LoadsNothing) {
  const std::string html = TraceHtml({{Recorded("text")}});
  for (const char* loading : {"http:", "https:", "src=", "@import", "url(", "<script"}) {
    EXPECT_EQ(html.find(loading), std::string::npos) << loading;
  }
  EXPECT_NE(html.find("content=\"default-src 'none'; style-src 'unsafe-inline'\""), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::app
