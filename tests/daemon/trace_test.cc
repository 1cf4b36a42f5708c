// What an auditor is shown, of the daemon as it is installed. The story is the third case of the magnesium
// paper: 50 mg ordered and first recorded, 500 mg given, found four hours later, treated with calcium,
// corrected.
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using fhir::Node;

constexpr const char* kAdministrations = "https://clinic.example/fhir/sid/it-administration";

DaemonOptions SendingTo(const std::string& endpoint) {
  DaemonOptions options;
  options.endpoint = endpoint;
  return options;
}

std::string ContentOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Trace : public testing::Test {
 protected:
  Trace() : daemon_(SendingTo(sandbox_.url())) {}

  void Deliver(const std::string& record, const std::string& record_id, int revision) {
    const HttpReply reply = daemon_.Submit(record);
    ASSERT_EQ(reply.status, 202) << reply.body;
    receipt_ = AtPointer(reply.body, "/accepted/0/receipt");
    ASSERT_EQ(daemon_.WaitForState(record_id, revision, {"delivered"}), "delivered");
  }
  void DeliverThirdCase() {
    sandbox_.RegisterPatient("100003", "male");
    Deliver(Fixture("records/mg-3-revision-1.json"), "MG-3", 1);
    Deliver(Fixture("records/mg-3-revision-2.json"), "MG-3", 2);
  }
  ProcessResult TraceOf(const std::string& selector) {
    return daemon_.Command({"--json", "trace", selector});
  }
  // The trace of a record that must be known, read.
  const Node& Read(const ProcessResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.standard_error;
    const auto read = fhir::ReadJson(result.standard_output, arena_);
    EXPECT_TRUE(read) << result.standard_output.substr(0, 500);
    return **read;
  }
  static const Node& Resource(const Node& trace, const std::string& type, const std::string& value) {
    for (const Node* resource : trace.Find("resources")->items()) {
      if (TextAt(*resource, "/type") == type && TextAt(*resource, "/identifier").ends_with("|" + value)) {
        return *resource;
      }
    }
    ADD_FAILURE() << "the trace has no " << type << " " << value;
    return trace;
  }
  static int CountOf(const Node& trace, const std::string& type) {
    int count = 0;
    for (const Node* resource : trace.Find("resources")->items()) count += TextAt(*resource, "/type") == type;
    return count;
  }

  RunningSandbox sandbox_;
  RunningDaemon daemon_;
  Arena arena_;
  std::string receipt_;
};

TEST_F(Trace, ThirdCaseOfTheMagnesiumPaper_ShowsWhatWasGivenCorrectedAndSent) {
  DeliverThirdCase();
  const Node& trace = Read(TraceOf("MG-3"));

  // The order, and the dose before and after.
  const Node& order = Resource(trace, "MedicationRequest", "pain-clinic.MG-3-O1");
  EXPECT_EQ(TextAt(order, "/states/0/content/dosageInstruction/0/doseAndRate/0/doseQuantity/value"), "50");
  const Node& given = Resource(trace, "MedicationAdministration", "pain-clinic.MG-3.1");
  EXPECT_EQ(TextAt(given, "/states/0/revision"), "1");
  EXPECT_EQ(TextAt(given, "/states/0/content/dosage/dose/value"), "50");
  EXPECT_EQ(TextAt(given, "/states/1/revision"), "2");
  EXPECT_EQ(TextAt(given, "/states/1/content/dosage/dose/value"), "500");
  bool is_changed = false;
  for (const Node* change : fhir::AtPointer(given, "/states/1/changes")->items()) {
    if (TextAt(*change, "/path") != "dosage.dose.value") continue;
    is_changed = TextAt(*change, "/before") == "50" && TextAt(*change, "/after") == "500";
  }
  EXPECT_TRUE(is_changed);

  // The server's two versions of it.
  const Node* versions = given.Find("versions");
  ASSERT_EQ(versions->size, 2u);
  EXPECT_EQ(TextAt(*versions, "/0/version"), "1");
  EXPECT_EQ(TextAt(*versions, "/0/revision"), "1");
  EXPECT_EQ(TextAt(*versions, "/1/version"), "2");
  EXPECT_EQ(TextAt(*versions, "/1/etag"), "W/\"2\"");
  EXPECT_TRUE(TextAt(*versions, "/1/url").starts_with(sandbox_.url() + "/MedicationAdministration/"));

  // Why, who and when.
  EXPECT_EQ(TextAt(trace, "/corrections/0/reason"), "amount of magnesium in the preparation was mistaken");
  EXPECT_EQ(TextAt(trace, "/revisions/1/status"), "corrected");
  const Node& provenance = Resource(trace, "Provenance", "pain-clinic.MG-3.2");
  EXPECT_EQ(TextAt(provenance, "/states/0/content/recorded"), "2014-05-06T21:10:00+09:00");

  // What followed: three findings, the adverse event, two rescue doses beside the injection.
  EXPECT_EQ(CountOf(trace, "DetectedIssue"), 3);
  EXPECT_EQ(CountOf(trace, "AdverseEvent"), 1);
  EXPECT_EQ(CountOf(trace, "MedicationAdministration"), 3);
  EXPECT_EQ(TextAt(Resource(trace, "MedicationAdministration", "pain-clinic.MG-3.3"),
                   "/states/0/content/dosage/dose/unit"),
            "g");
}

TEST_F(Trace, EveryKindOfSelector_FindsTheRecord) {
  DeliverThirdCase();
  const std::string administration = sandbox_.One(
      "MedicationAdministration?identifier=" + std::string(kAdministrations) + "|pain-clinic.MG-3.1");
  const std::string resource = "MedicationAdministration/" + AtPointer(administration, "/id");
  const std::string expected = TraceOf("pain-clinic/MG-3").standard_output;
  const std::string request(TextAt(Read(TraceOf("pain-clinic/MG-3")), "/events/0/requestId"));
  ASSERT_FALSE(request.empty());
  const std::vector<std::string> selectors = {
      "MG-3",   resource,
      receipt_, sandbox_.url() + "/" + resource + "/_history/1",
      "100003", std::string(kAdministrations) + "|pain-clinic.MG-3.1",
      request,  "identifier " + std::string(kAdministrations) + "|pain-clinic.MG-3.1"};
  for (const std::string& selector : selectors) {
    const Node& trace = Read(TraceOf(selector));
    EXPECT_EQ(TextAt(trace, "/recordId"), "MG-3") << selector;
    EXPECT_EQ(trace.Find("revisions")->size, 2u) << selector;
  }
}

TEST_F(Trace, UnknownSelector_EndsWithOneAndSaysWhatToDo) {
  DeliverThirdCase();
  for (const std::string selector : {"MG-4", "MedicationAdministration/no-such-id", "pain-clinic/MG-4",
                                     "https://clinic.example/fhir/sid/it-order|pain-clinic.MG-3.1"}) {
    const ProcessResult result = TraceOf(selector);
    EXPECT_EQ(result.exit_code, 1) << selector;
    EXPECT_TRUE(result.standard_output.empty()) << selector;
    EXPECT_NE(result.standard_error.find("queue list"), std::string::npos) << result.standard_error;
  }
}

// Stopped, the daemon has signed everything, and the trace needs neither it nor the server.
TEST_F(Trace, AfterTheStop_ProvesEachEntryOffline) {
  DeliverThirdCase();
  ASSERT_EQ(daemon_.Stop(), 0);
  sandbox_.process().Signal(SIGKILL);
  const Node& trace = Read(TraceOf("MG-3"));
  const Node* events = trace.Find("events");
  EXPECT_EQ(TextAt(trace, "/proof/newer"), "0");
  EXPECT_EQ(TextAt(trace, "/proof/proven"), std::to_string(events->size));
  const ProcessResult proof = daemon_.Command({"audit", "prove", std::string(TextAt(*events, "/0/entry"))});
  ASSERT_EQ(proof.exit_code, 0) << proof.standard_error;
  EXPECT_EQ(TextAt(*events, "/0/proof"), proof.standard_output);
}

TEST_F(Trace, EditedEntry_IsNotShownAsProven) {
  DeliverThirdCase();
  ASSERT_EQ(daemon_.Stop(), 0);
  ProcessOptions options;
  options.arguments = {"sqlite3", daemon_.state_directory() + "/adapter.db",
                       "DROP TRIGGER audit_entry_is_never_changed; UPDATE audit_entry SET bytes = "
                       "CAST(replace(CAST(bytes AS TEXT), '\"revision\":1', '\"revision\":2') AS BLOB) "
                       "WHERE CAST(bytes AS TEXT) LIKE '%\"event\":\"delivered\"%';"};
  ASSERT_EQ(RunProcess(options).exit_code, 0);
  const ProcessResult result = TraceOf("MG-3");
  EXPECT_EQ(result.exit_code, 5) << result.standard_error;
  EXPECT_NE(result.standard_error.find("is not what was signed"), std::string::npos) << result.standard_error;
}

TEST_F(Trace, HeldAndQuarantinedWork_ShowsWhoAndWhy) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"held"}), "held");
  const std::string work(TextAt(Read(TraceOf("MG-1")), "/work/0/id"));
  EXPECT_EQ(TextAt(Read(TraceOf("MG-1")), "/work/0/reasons/0/code"), "patient-not-found");
  ASSERT_EQ(
      daemon_.Command({"queue", "quarantine", work, "--reason", "asked <b>for</b> by the ward"}).exit_code,
      0);
  const Node& trace = Read(TraceOf("MG-1"));
  const Node& last = *trace.Find("events")->items().back();
  EXPECT_EQ(TextAt(last, "/event"), "quarantined");
  EXPECT_EQ(TextAt(last, "/remark"), "asked <b>for</b> by the ward");
  EXPECT_EQ(TextAt(last, "/role"), "operator");
  EXPECT_FALSE(TextAt(last, "/actor").empty());
}

// From the pinned map set, whatever has become of the files of the maps.
TEST_F(Trace, Element_LeadsToItsFieldAndRules) {
  DeliverThirdCase();
  const ProcessResult result =
      daemon_.Command({"--json", "trace", "MG-3", "--element", "MedicationAdministration.dosage.dose.value"});
  const Node& trace = Read(result);
  const Node* lineage = trace.Find("lineage");
  ASSERT_EQ(lineage->size, 2u);
  EXPECT_EQ(TextAt(*lineage, "/0/problem"), "");
  EXPECT_EQ(TextAt(*lineage, "/1/problem"), "");
  const Node* of_first = fhir::AtPointer(*lineage, "/0/elements");
  ASSERT_EQ(of_first->size, 1u);
  EXPECT_EQ(TextAt(*of_first, "/0/element"), "dosage.dose.value");
  EXPECT_EQ(TextAt(*of_first, "/0/sources/0/pointer"), "/administrations/0/dose/value");
  const Node* rules = fhir::AtPointer(*of_first, "/0/rules");
  ASSERT_GT(rules->size, 0u);
  EXPECT_TRUE(TextAt(*rules, "/0/file").ends_with("procedure-record.map"));
  EXPECT_NE(TextAt(*rules, "/0/line"), "0");
  // The injection and two rescue doses.
  EXPECT_EQ(fhir::AtPointer(*lineage, "/1/elements")->size, 3u);
  EXPECT_EQ(daemon_.Command({"trace", "MG-3", "--element", "dosage.rate"}).exit_code, 1);
}

// The page loads nothing, and what a person wrote stays text.
TEST_F(Trace, Html_IsOnePageInWhichRecordedTextIsInert) {
  sandbox_.RegisterPatient("100003", "male");
  Deliver(Fixture("records/mg-3-revision-1.json"), "MG-3", 1);
  Deliver(
      Replaced(Fixture("records/mg-3-revision-2.json"), "amount of magnesium in the preparation was mistaken",
               "<script>document.title='run'</script><img src=x onerror=alert(1)>"),
      "MG-3", 2);
  const std::string path = daemon_.folder().File("trace.html");
  const ProcessResult result = daemon_.Command({"trace", "MG-3", "--html", path});
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_TRUE(result.standard_output.empty());
  const std::string html = ContentOf(path);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const std::string loading :
       {"src=", "@import", "url(", "<iframe", "<object", "href=\"http", "href=\"//"}) {
    // Escaped texts may name anything; only what stands in a tag loads.
    const std::size_t at = html.find(loading);
    const bool is_in_a_tag = at != std::string::npos && html.rfind('<', at) > html.rfind('>', at);
    EXPECT_FALSE(is_in_a_tag) << loading;
  }
  EXPECT_NE(html.find("<td>dosage.dose.value</td><td>50</td><td>500</td>"), std::string::npos);
}

// What the server holds now: `trace --live`.
class LiveTrace : public Trace {
 protected:
  void SetUp() override { DeliverThirdCase(); }
  ProcessResult Live(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"trace", "MG-3", "--live"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return daemon_.Command(std::move(arguments));
  }
  // The line of --json, whatever the exit code.
  const Node& LiveOf(const ProcessResult& result) {
    const auto read = fhir::ReadJson(result.standard_output, arena_);
    EXPECT_TRUE(read) << result.standard_output.substr(0, 500) << result.standard_error;
    const Node* live = (*read)->Find("live");
    EXPECT_NE(live, nullptr);
    return *live;
  }
  const Node& Find(const Node& live, const std::string& url) {
    for (const Node* resource : live.Find("resources")->items()) {
      if (TextAt(*resource, "/url") == url) return *resource;
    }
    ADD_FAILURE() << "nothing is said of " << url;
    return live;
  }
  // Id of the one resource with this identifier, and what stands there.
  std::string IdOf(const std::string& type, const std::string& system, const std::string& value) {
    return AtPointer(
        sandbox_.One(type + "?identifier=https://clinic.example/fhir/sid/" + system + "|" + value), "/id");
  }
};

TEST_F(LiveTrace, UntouchedServer_HoldsEachResourceAsDelivered) {
  const ProcessResult result = Live({"--json"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  const Node& live = LiveOf(result);
  EXPECT_EQ(TextAt(live, "/base"), sandbox_.url());
  EXPECT_EQ(TextAt(live, "/problem"), "");
  EXPECT_GT(live.Find("resources")->size, 15u);
  for (const Node* resource : live.Find("resources")->items()) {
    EXPECT_EQ(TextAt(*resource, "/state"), "as-delivered") << TextAt(*resource, "/url");
    EXPECT_EQ(TextAt(*resource, "/version"), TextAt(*resource, "/deliveredVersion"));
    EXPECT_EQ(resource->Find("changes")->size, 0u) << TextAt(*resource, "/url");
  }
}

TEST_F(LiveTrace, EditedAndDeletedResources_AreShownWithTheirDifferences) {
  // Somebody changes the dose and adds a note; somebody deletes a Provenance, to which nothing refers.
  const std::string given = IdOf("MedicationAdministration", "it-administration", "pain-clinic.MG-3.1");
  const std::string json = sandbox_.client().Get("/MedicationAdministration/" + given).body;
  ASSERT_EQ(sandbox_.client()
                .Put("/MedicationAdministration/" + given,
                     Replaced(Replaced(json, "\"value\":500,", "\"value\":55,"), "\"subject\"",
                              "\"note\":[{\"text\":\"<b>seen</b>\"}],\"subject\""))
                .status,
            200);
  const std::string provenance = AtPointer(sandbox_.One("Provenance?_count=1"), "/id");
  ASSERT_EQ(sandbox_.client().Delete("/Provenance/" + provenance).status, 200);

  const ProcessResult result = Live({"--json"});
  EXPECT_EQ(result.exit_code, 1) << result.standard_error;
  const Node& live = LiveOf(result);
  const Node& edited = Find(live, "MedicationAdministration/" + given);
  EXPECT_EQ(TextAt(edited, "/state"), "changed-by-others");
  EXPECT_EQ(TextAt(edited, "/deliveredVersion"), "2");
  EXPECT_EQ(TextAt(edited, "/version"), "3");
  EXPECT_NE(TextAt(edited, "/lastUpdated"), "");
  ASSERT_EQ(edited.Find("changes")->size, 2u);
  EXPECT_EQ(TextAt(edited, "/changes/0/path"), "dosage.dose.value");
  EXPECT_EQ(TextAt(edited, "/changes/0/before"), "500");
  EXPECT_EQ(TextAt(edited, "/changes/0/after"), "55");
  EXPECT_EQ(TextAt(edited, "/changes/1/path"), "note");
  const Node& removed = Find(live, "Provenance/" + provenance);
  EXPECT_EQ(TextAt(removed, "/state"), "removed");
  EXPECT_EQ(TextAt(removed, "/status"), "410");
  int others = 0;
  for (const Node* resource : live.Find("resources")->items()) {
    others += TextAt(*resource, "/state") != "as-delivered";
  }
  EXPECT_EQ(others, 2);

  // The same for people, in the terminal and on the page.
  const ProcessResult text = Live();
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_NE(text.standard_output.find("changed by others since it was delivered"), std::string::npos);
  EXPECT_NE(text.standard_output.find("deleted by others (HTTP 410)"), std::string::npos);
  const std::string path = daemon_.folder().File("live.html");
  EXPECT_EQ(Live({"--html", path}).exit_code, 1);
  const std::string html = ContentOf(path);
  EXPECT_NE(html.find("<td>dosage.dose.value</td><td>500</td><td>55</td>"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;seen"), std::string::npos);
  EXPECT_EQ(html.find("<b>seen"), std::string::npos);
}

TEST_F(LiveTrace, RewrittenWithTheSameContent_IsNoDifference) {
  const std::string given = IdOf("MedicationAdministration", "it-administration", "pain-clinic.MG-3.1");
  const std::string json = sandbox_.client().Get("/MedicationAdministration/" + given).body;
  const auto put = [&](const std::string& body) {
    ASSERT_EQ(sandbox_.client().Put("/MedicationAdministration/" + given, body).status, 200);
  };
  put(Replaced(json, "\"value\":500,", "\"value\":55,"));
  put(json);
  const ProcessResult result = Live({"--json"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  const Node& rewritten = Find(LiveOf(result), "MedicationAdministration/" + given);
  EXPECT_EQ(TextAt(rewritten, "/state"), "same-content");
  EXPECT_EQ(TextAt(rewritten, "/version"), "4");
}

TEST_F(LiveTrace, UnreachableServer_EndsWithFourAndShowsWhatTheStoreKnows) {
  sandbox_.process().Signal(SIGKILL);
  const ProcessResult result = Live({"--json"});
  EXPECT_EQ(result.exit_code, 4) << result.standard_error;
  EXPECT_NE(result.standard_error.find("the server could not be asked"), std::string::npos);
  const Node& live = LiveOf(result);
  EXPECT_NE(TextAt(live, "/problem"), "");
  for (const Node* resource : live.Find("resources")->items()) {
    EXPECT_EQ(TextAt(*resource, "/state"), "not-asked");
  }
  EXPECT_NE(result.standard_output.find("amount of magnesium in the preparation was mistaken"),
            std::string::npos);
}

// A patient with more records than one trace shows: the cut is said, not silent.
TEST(TraceOfAPatient, RecordsAboveTheLimit_AreCutAndTheCutIsSaid) {
  constexpr int kLimit = 1'000;
  RunningDaemon daemon({});
  const std::string record = R"({"recordId":"R-#","revision":1,"site":"pain-clinic","status":"completed",)"
                             R"("recorded":"2011-06-01T12:00:00Z","patient":{"mrn":"300001"},)"
                             R"("performed":{"start":"2011-06-01T10:00:00Z"},)"
                             R"("procedure":{"kind":"intrathecal-injection"},"administrations":[{"seq":1,)"
                             R"("purpose":"therapeutic","drug":"midazolam"}]})";
  std::string lines;
  for (int i = 0; i < kLimit; ++i) lines += Replaced(record, "#", std::to_string(i)) + "\n";
  ASSERT_EQ(daemon.Submit(lines, "application/x-ndjson").status, 202);
  const auto shown = [&daemon] {
    const ProcessResult result = daemon.Command({"--json", "trace", "300001"});
    EXPECT_EQ(result.exit_code, 0) << result.standard_error;
    int records = 0;
    for (std::size_t at = 0; (at = result.standard_output.find("\"recordId\":\"R-", at)) != std::string::npos;
         ++at) {
      ++records;
    }
    return std::pair(records, result.standard_error.find("only the first 1000 records") != std::string::npos);
  };
  EXPECT_EQ(shown(), std::pair(kLimit, false));
  ASSERT_EQ(daemon.Submit(Replaced(record, "#", "last")).status, 202);
  EXPECT_EQ(shown(), std::pair(kLimit, true));
}

}  // namespace
}  // namespace fhir_adapter::test
