// The page of `trace --html` in Chromium: it loads nothing, runs nothing, and nothing of it is cut on paper.
#include <gtest/gtest.h>
#include <regex>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr const char* kScript = "<script>document.title='run'</script><img src=x onerror=alert(1)>";
constexpr int kFreeTextsMin = 20;

// Every free text of the record ends in a script.
std::string WithScripts(std::string record, int* count) {
  static const std::regex member(
      R"re(("(?:name|text|reason|procedure|product|manufacturer|lot|agent|region|note)": "[^"]*)")re");
  static const std::regex list(R"re(("(?:notes|implants|priorTherapies)": \["[^"]*)")re");
  for (const std::regex* field : {&member, &list}) {
    const auto begin = std::sregex_iterator(record.begin(), record.end(), *field);
    *count += static_cast<int>(std::distance(begin, std::sregex_iterator()));
    record = std::regex_replace(record, *field, std::string("$1") + kScript + "\"");
  }
  return record;
}

ProcessResult Probe(const TemporaryDirectory& folder, const std::string& page) {
  ProcessOptions options;
  options.arguments = {"python3", "-B", FHIR_ADAPTER_SOURCE_DIR "/tests/interop/browser/page_probe.py", page,
                       folder.File("page.pdf")};
  return RunProcess(options, 120'000);
}

TEST(TracePage, EveryFreeTextHoldsAScript_LoadsAndRunsNothingAndPrintsWhole) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("200001", "female");
  DaemonOptions options;
  options.endpoint = sandbox.url();
  RunningDaemon daemon(options);
  int texts = 0;
  const std::string record = WithScripts(Fixture("records/full.json"), &texts);
  ASSERT_GE(texts, kFreeTextsMin);
  ASSERT_EQ(daemon.Submit(record).status, 202);
  ASSERT_EQ(daemon.WaitForState("EDGE-FULL", 1, {"delivered"}), "delivered");
  const std::string page = daemon.folder().File("page.html");
  ASSERT_EQ(daemon.Command({"trace", "EDGE-FULL", "--html", page}).exit_code, 0);
  ASSERT_NE(ReadFile(page).find("&lt;script&gt;"), std::string::npos);

  const ProcessResult probe = Probe(daemon.folder(), page);
  ASSERT_EQ(probe.exit_code, 0) << probe.standard_error;
  const std::string& facts = probe.standard_output;
  for (const char* list : {"/requests", "/messages", "/errors", "/dialogs", "/dom", "/missing"}) {
    EXPECT_EQ(AtPointer(facts, list), "[]") << list;
  }
  EXPECT_EQ(AtPointer(facts, "/title"), "Trace");
  EXPECT_EQ(AtPointer(facts, "/overflow"), "0");
  EXPECT_GT(std::stoi(AtPointer(facts, "/texts")), 100);
}

// The probe sees each of these when it happens.
TEST(TracePage_Control, PageThatDoesWhatItMustNot_IsSeen) {
  const TemporaryDirectory folder;
  const std::string wide(400, 'w');
  folder.Write("page.html",
               "<!DOCTYPE html><meta charset=utf-8><title>Trace</title><body><img src=http://127.0.0.1:9/x>"
               "<script>document.title='run';console.log('said');throw new Error('thrown')</script>"
               "<p style='overflow:hidden;white-space:nowrap;width:300px'>" +
                   wide + "end</p><p style='width:3000px'>wide</p>");
  const ProcessResult probe = Probe(folder, folder.File("page.html"));
  ASSERT_EQ(probe.exit_code, 0) << probe.standard_error;
  const std::string& facts = probe.standard_output;
  EXPECT_EQ(AtPointer(facts, "/requests/0"), "http://127.0.0.1:9/x");
  EXPECT_NE(facts.find("said"), std::string::npos);
  EXPECT_NE(AtPointer(facts, "/errors"), "[]");
  EXPECT_EQ(AtPointer(facts, "/dom"), "[\"img\",\"script\"]");
  EXPECT_EQ(AtPointer(facts, "/title"), "run");
  EXPECT_EQ(AtPointer(facts, "/missing/0"), wide + "end");
  EXPECT_GT(std::stoi(AtPointer(facts, "/overflow")), 1'000);
}

}  // namespace
}  // namespace fhir_adapter::test
