// The failure scenarios that a real server can be brought into, against HAPI behind a network that fails.
// Those of somebody else's edit (6) and of the order of revisions (8) are also in delivery_test.cc; 1 and 10
// have no server, and HAPI asks for no token (9).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/running_adapter.h"
#include "fhir/node.h"
#include "hapi_server.h"
#include "support/tcp_proxy.h"

namespace fhir_adapter::test {
namespace {

using fhir::MemberText;
using fhir::Node;
using testing::HasSubstr;

const std::string kSid = "https://clinic.example/fhir/sid/";

std::string Record(const std::string& id, const std::string& mrn) {
  const std::string record = Replaced(Fixture("records/bare.json"), "EDGE-BARE", id);
  return Replaced(record, "\"mrn\": \"200002\"", "\"mrn\": \"" + mrn + "\"");
}

class OnHapi : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<HapiServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  static std::uint16_t ServerPort() {
    const std::string& url = server_->url();
    const std::size_t colon = url.rfind(':');
    return static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
  }
  static std::string BehindProxy(const TcpProxy& proxy) {
    return "http://127.0.0.1:" + std::to_string(proxy.port()) + "/fhir";
  }
  static std::unique_ptr<RunningDaemon> Start(const std::string& url, const std::string& more = {}) {
    DaemonOptions options;
    options.endpoint = url;
    options.more_configuration = "request_timeout_s = 120\n" + more;
    return std::make_unique<RunningDaemon>(options);
  }
  static void Deliver(RunningDaemon& daemon, const std::string& record, const std::string& id,
                      int revision = 1) {
    ASSERT_EQ(daemon.Submit(record).status, 202);
    ASSERT_EQ(daemon.WaitForState(id, revision, {"delivered", "quarantined", "held"}), "delivered");
  }
  static std::string QueryOf(const std::string& id) {
    return "Procedure?identifier=" + kSid + "it-procedure|pain-clinic." + id;
  }
  // What the only Procedure of the record says of itself.
  static std::string ProcedureText(const std::string& id, const std::function<std::string(Node&)>& read) {
    Arena arena;
    std::vector<std::string> texts;
    server_->ForEach(QueryOf(id), arena, [&](Node& procedure) { texts.push_back(read(procedure)); });
    EXPECT_EQ(texts.size(), 1U) << id;
    return texts.empty() ? "" : texts.front();
  }
  static std::string StatusOf(const std::string& id) {
    return ProcedureText(id, [](Node& one) { return std::string(MemberText(one, "status")); });
  }
  static std::string SubjectOf(const std::string& id) {
    return ProcedureText(
        id, [](Node& one) { return std::string(MemberText(*one.Find("subject"), "reference")); });
  }
  static std::string FirstOf(RunningDaemon& daemon, const std::string& state) {
    return AtPointer(daemon.Command({"--json", "queue", "list", "--state", state}).standard_output, "/id");
  }

  static std::unique_ptr<HapiServer> server_;
};

std::unique_ptr<HapiServer> OnHapi::server_;

TEST_F(OnHapi, Scenario02_AnswerLostAfterCommit_IsFoundAndAdopted) {
  server_->RegisterPatient("s2", "", "");
  TcpProxy proxy(ServerPort());
  // /metadata, the patient and the look for the record go through.
  for (int i = 0; i < 3; ++i) proxy.Order({});
  proxy.Order({ProxyFault::kDropReply, 0, 0});
  const auto daemon = Start(BehindProxy(proxy));
  Deliver(*daemon, Record("S2", "s2"), "S2");
  EXPECT_EQ(proxy.faults_done(), 1U);
  EXPECT_EQ(server_->Count(QueryOf("S2")), 1);
  const std::string metrics = daemon->client().Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("\nfhir_adapter_resources_written_total 0\n"));
}

TEST_F(OnHapi, Scenario03_ServerAwayForAWhile_NothingIsGivenUpAndOneAlertIsTold) {
  server_->RegisterPatient("s3", "", "");
  TcpProxy proxy(ServerPort());
  const auto daemon = Start(BehindProxy(proxy));
  Deliver(*daemon, Record("S3-0", "s3"), "S3-0");
  proxy.SetUpstream(1);  // nobody listens there
  proxy.CloseConnections();
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(daemon->Submit(Record("S3-" + std::to_string(i), "s3")).status, 202);
  }
  ASSERT_TRUE(daemon->process().WaitForLine("\"event\":\"alert-started\",\"code\":\"endpoint\""));
  proxy.SetUpstream(ServerPort());
  ASSERT_TRUE(daemon->WaitUntilDelivered());
  ASSERT_TRUE(daemon->process().WaitForLine("\"event\":\"alert-ended\",\"code\":\"endpoint\""));
  EXPECT_THAT(daemon->client().Get("/metrics").body, HasSubstr("\nfhir_adapter_endpoint_troubles_total 1\n"));
  for (int i = 0; i <= 3; ++i) EXPECT_EQ(server_->Count(QueryOf("S3-" + std::to_string(i))), 1);
}

// HAPI refuses a whole transaction for a conditional reference that finds nothing.
TEST_F(OnHapi, Scenario04_RefusedRecord_IsQuarantinedWithTheOutcomeAndOthersGoOn) {
  server_->RegisterPatient("s4", "", "");
  const auto daemon = Start(server_->url(), "encounter_identifier_system = \"urn:encounters\"\n");
  const std::string bad =
      Replaced(Record("S4-BAD", "s4"), "\"patient\":", "\"encounterId\": \"E-1\", \"patient\":");
  ASSERT_EQ(daemon->Submit(bad).status, 202);
  ASSERT_EQ(daemon->WaitForState("S4-BAD", 1, {"quarantined", "held", "delivered"}), "quarantined");
  EXPECT_EQ(server_->Count(QueryOf("S4-BAD")), 0);
  Deliver(*daemon, Record("S4-NEXT", "s4"), "S4-NEXT");
  const std::string id = FirstOf(*daemon, "quarantined");
  EXPECT_THAT(daemon->Command({"queue", "show", id}).standard_output, HasSubstr("HTTP 404"));
  const HttpReply encounter = server_->client().Post(
      "/Encounter", R"({"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},)"
                    R"("identifier":[{"system":"urn:encounters","value":"E-1"}]})");
  ASSERT_EQ(encounter.status, 201) << encounter.body;
  ASSERT_EQ(daemon->Command({"queue", "retry", id, "--reason", "the encounter is there"}).exit_code, 0);
  EXPECT_EQ(daemon->WaitForState("S4-BAD", 1, {"delivered"}), "delivered");
}

TEST_F(OnHapi, Scenario05_TwoInstancesWithTheSameRecord_MakeOneResource) {
  server_->RegisterPatient("s5", "", "");
  const auto one = Start(server_->url());
  const auto other = Start(server_->url());
  ASSERT_EQ(one->Submit(Record("S5", "s5")).status, 202);
  ASSERT_EQ(other->Submit(Record("S5", "s5")).status, 202);
  for (const auto* daemon : {&one, &other}) {
    EXPECT_EQ((*daemon)->WaitForState("S5", 1, {"delivered", "quarantined", "held"}), "delivered");
  }
  EXPECT_EQ(server_->Count(QueryOf("S5")), 1);
  const std::string id =
      ProcedureText("S5", [](Node& procedure) { return std::string(MemberText(procedure, "id")); });
  EXPECT_EQ(server_->Count("Provenance?target=Procedure/" + id), 1);
}

TEST_F(OnHapi, Scenario07_UnknownOrDoublePatient_IsHeldUntilFoundOrLinked) {
  const auto daemon = Start(server_->url());
  ASSERT_EQ(daemon->Submit(Record("S7-1", "s7-1")).status, 202);
  ASSERT_EQ(daemon->WaitForState("S7-1", 1, {"held", "delivered"}), "held");
  server_->RegisterPatient("s7-1", "", "");
  EXPECT_EQ(daemon->WaitForState("S7-1", 1, {"delivered"}), "delivered");

  for (int i = 0; i < 2; ++i) server_->RegisterPatient("s7-2", "", "");
  ASSERT_EQ(daemon->Submit(Record("S7-2", "s7-2")).status, 202);
  ASSERT_EQ(daemon->WaitForState("S7-2", 1, {"held", "delivered"}), "held");
  const std::string held = FirstOf(*daemon, "held");
  EXPECT_THAT(daemon->Command({"queue", "show", held}).standard_output, HasSubstr("patient-ambiguous"));
  EXPECT_EQ(server_->Count(QueryOf("S7-2")), 0);
  Arena arena;
  std::string patient;
  server_->ForEach("Patient?identifier=" + kMrnSystem + "|s7-2", arena,
                   [&](Node& one) { patient = "Patient/" + std::string(MemberText(one, "id")); });
  ASSERT_EQ(daemon->Command({"queue", "link", held, "--patient", patient, "--reason", "asked"}).exit_code, 0);
  ASSERT_EQ(daemon->WaitForState("S7-2", 1, {"delivered"}), "delivered");
  EXPECT_EQ(SubjectOf("S7-2"), patient);
  // Later records of that number follow.
  Deliver(*daemon, Record("S7-3", "s7-2"), "S7-3");
  EXPECT_EQ(SubjectOf("S7-3"), patient);
}

TEST_F(OnHapi, Scenario08_RetractionBeforeItsRecord_StaysRetracted) {
  server_->RegisterPatient("s8", "", "");
  const std::string first = Record("S8", "s8");
  const std::string voided =
      Replaced(Replaced(first, "\"revision\": 1", "\"revision\": 2"), "\"status\": \"completed\"",
               "\"status\": \"voided\", \"correction\": {\"reason\": \"not given\"}");
  const auto daemon = Start(server_->url());
  Deliver(*daemon, voided, "S8", 2);
  ASSERT_EQ(daemon->Submit(first).status, 202);
  EXPECT_EQ(daemon->WaitForState("S8", 1, {"superseded", "delivered", "held"}), "superseded");
  EXPECT_EQ(StatusOf("S8"), "entered-in-error");
  // And when the store was lost, and the older one comes alone.
  const auto empty = Start(server_->url());
  ASSERT_EQ(empty->Submit(first).status, 202);
  EXPECT_EQ(empty->WaitForState("S8", 1, {"held", "delivered"}), "held");
  EXPECT_EQ(StatusOf("S8"), "entered-in-error");
}

}  // namespace
}  // namespace fhir_adapter::test
