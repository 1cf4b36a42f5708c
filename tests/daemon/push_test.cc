// The EHR pushes outcome observations: into the daemon, tied to the administration, and on to the server.
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr std::chrono::seconds kDeadline(30);
constexpr const char* kAdministrationSystem = "https://clinic.example/fhir/sid/it-administration";
constexpr const char* kObservationSystem = "https://clinic.example/fhir/sid/it-observation";

// A pain score in the week after the injection of mg-1.json (2013-09-10), of the patient with this MRN.
// `more` is further members.
std::string PainScore(const std::string& more = {}, const std::string& mrn = "100001",
                      const std::string& status = "final", const std::string& value = "4") {
  return R"({"resourceType":"Observation","status":")" + status +
         R"(","code":{"coding":[{"system":"http://loinc.org","code":"72514-3"}]},)"
         R"("subject":{"identifier":{"system":"https://hospital.example/fhir/sid/mrn","value":")" +
         mrn + R"("}},"effectiveDateTime":"2013-09-12T09:00:00+09:00","valueQuantity":{"value":)" + value +
         R"(,"unit":"{score}","system":"http://unitsofmeasure.org","code":"{score}"})" +
         (more.empty() ? "" : "," + more) + "}";
}

std::string FocusOn(const std::string& administration) {
  return std::string(R"("focus":[{"identifier":{"system":")") + kAdministrationSystem + R"(","value":")" +
         administration + R"("}}])";
}

class Push : public testing::Test {
 protected:
  explicit Push(const std::string& more_configuration = {}, Variables environment = {}) {
    sandbox_.RegisterPatient("100001", "female");
    sandbox_.RegisterPatient("100002");
    DaemonOptions options;
    options.endpoint = sandbox_.url();
    options.more_configuration = more_configuration;
    options.environment = std::move(environment);
    daemon_ = std::make_unique<RunningDaemon>(options);
  }

  HttpReply PostTo(const std::string& path, const std::string& body, const HeaderList& headers = {}) {
    daemon_->client().set_content_type("application/fhir+json");
    return daemon_->client().Post(path, body, headers);
  }
  HttpReply Post(const std::string& body, const HeaderList& headers = {}) {
    return PostTo("/fhir/Observation", body, headers);
  }
  HttpReply Put(const std::string& path, const std::string& body, const HeaderList& headers = {}) {
    daemon_->client().set_content_type("application/fhir+json");
    return daemon_->client().Put(path, body, headers);
  }
  // With the id in the body, as an update by id needs it.
  HttpReply PutById(const std::string& id, const std::string& body, const HeaderList& headers = {}) {
    return Put("/fhir/Observation/" + id,
               Replaced(body, "\"resourceType\":\"Observation\"",
                        "\"resourceType\":\"Observation\",\"id\":\"" + id + "\""),
               headers);
  }

  void DeliverRecord() {
    ASSERT_EQ(daemon_->Submit(Fixture("records/mg-1.json")).status, 202);
    ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"delivered"}), "delivered");
  }

  // Waits until our copy is in this state, at this version.
  ::testing::AssertionResult Reaches(const std::string& id, const std::string& state,
                                     const std::string& version = "1") {
    const auto begin = std::chrono::steady_clock::now();
    std::string body;
    while (std::chrono::steady_clock::now() - begin < kDeadline) {
      body = daemon_->client().Get("/fhir/Observation/" + id).body;
      const bool is_there = AtPointer(body, "/meta/tag/0/code") == state;
      if (is_there && AtPointer(body, "/meta/versionId") == version) return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "still " << body << daemon_->process().StandardError();
  }

  std::string OnServer(const std::string& id) {
    return sandbox_.One("Observation?identifier=" + std::string(kObservationSystem) + "|pain-clinic.ehr." +
                        id);
  }
  std::string Administration(const std::string& record_id = "MG-1") {
    return sandbox_.One("MedicationAdministration?identifier=" + std::string(kAdministrationSystem) +
                        "|pain-clinic." + record_id + ".1");
  }

  RunningSandbox sandbox_;
  std::unique_ptr<RunningDaemon> daemon_;
};

std::string IdIn(const HttpReply& reply) {
  return AtPointer(reply.body, "/id");
}

TEST_F(Push, PainScoreOfAnAdministration_IsDeliveredAndTiedToIt) {
  DeliverRecord();
  const HttpReply reply =
      Post(PainScore(FocusOn("pain-clinic.MG-1.1") +
                     R"(,"identifier":[{"system":"https://ehr.example/obs","value":"17"}])"));
  ASSERT_EQ(reply.status, 201) << reply.body;
  const std::string id = IdIn(reply);
  EXPECT_EQ(reply.Header("ETag"), "W/\"1\"");
  EXPECT_EQ(reply.Header("Location"), daemon_->url() + "/fhir/Observation/" + id + "/_history/1");
  ASSERT_TRUE(Reaches(id, "delivered"));
  const std::string delivered = OnServer(id);
  EXPECT_EQ(AtPointer(delivered, "/valueQuantity/value"), "4");
  EXPECT_EQ(AtPointer(delivered, "/focus/0/reference"),
            "MedicationAdministration/" + AtPointer(Administration(), "/id"));
  EXPECT_EQ(AtPointer(delivered, "/subject/reference"), AtPointer(Administration(), "/subject/reference"));
  EXPECT_EQ(AtPointer(delivered, "/identifier/0/value"), "17");
  EXPECT_EQ(AtPointer(delivered, "/identifier/1/system"), kObservationSystem);
  EXPECT_EQ(AtPointer(delivered, "/meta/tag"), "");
  const std::string provenance = sandbox_.One("Provenance?target=Observation/" + AtPointer(delivered, "/id"));
  EXPECT_EQ(AtPointer(provenance, "/entity/0/what/identifier/value"), "pain-clinic.ehr." + id + ".1");
  EXPECT_EQ(AtPointer(provenance, "/activity/coding/0/code"), "CREATE");
}

// As an EHR refers that has read the administration on the server.
TEST_F(Push, LiteralReferencesOfTheServer_AreUnderstood) {
  DeliverRecord();
  const std::string id = AtPointer(Administration(), "/id");
  const std::string patient = AtPointer(Administration(), "/subject/reference");
  std::string observation =
      PainScore(R"("focus":[{"reference":")" + sandbox_.url() + "/MedicationAdministration/" + id + "\"}]");
  observation = Replaced(
      observation, R"({"identifier":{"system":"https://hospital.example/fhir/sid/mrn","value":"100001"}})",
      R"({"reference":")" + patient + "\"}");
  const HttpReply reply = Post(observation);
  ASSERT_EQ(reply.status, 201) << reply.body;
  ASSERT_TRUE(Reaches(IdIn(reply), "delivered"));
  EXPECT_EQ(AtPointer(OnServer(IdIn(reply)), "/subject/reference"), patient);
}

TEST_F(Push, UnknownAdministration_IsHeldShownAndGoesOnWhenItComes) {
  const HttpReply reply = Post(PainScore(FocusOn("pain-clinic.MG-1.1")));
  ASSERT_EQ(reply.status, 201) << reply.body;
  ASSERT_TRUE(Reaches(IdIn(reply), "held"));
  const std::string shown = daemon_->client().Get("/fhir/Observation/" + IdIn(reply)).body;
  EXPECT_EQ(AtPointer(shown, "/meta/tag/1/code"), "unresolved-link");
  const std::string listed = daemon_->Command({"--json", "queue", "list", "--state", "held"}).standard_output;
  EXPECT_EQ(AtPointer(listed, "/reason"), "unresolved-link");
  EXPECT_EQ(AtPointer(listed, "/recordId"), "ehr." + IdIn(reply));
  const std::string work = AtPointer(listed, "/id");
  EXPECT_EQ(daemon_->Command({"queue", "show", work}).exit_code, 0);
  // A person can have it looked for again, and cannot send it without.
  EXPECT_EQ(daemon_->Command({"queue", "release", work, "--reason", "send it"}).exit_code, 1);
  EXPECT_EQ(daemon_->Command({"queue", "retry", work, "--reason", "look again"}).exit_code, 0);
  ASSERT_TRUE(Reaches(IdIn(reply), "held"));
  EXPECT_EQ(OnServer(IdIn(reply)), "");
  DeliverRecord();
  ASSERT_TRUE(Reaches(IdIn(reply), "delivered"));
  EXPECT_NE(OnServer(IdIn(reply)), "");
}

// Scenario 4: what is about a record that waits for a person waits with it, is listed, and goes on with the
// revision that takes the record's place.
TEST_F(Push, RecordThatIsQuarantined_ParksWhatIsAboutItUntilARevisionTakesItsPlace) {
  const std::string good = Fixture("records/mg-1.json");
  ASSERT_EQ(daemon_->Submit(Replaced(good, "\"value\": 7, \"comparator\": \">\"", "\"value\": 11")).status,
            202);
  ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"quarantined"}), "quarantined");
  const HttpReply reply = Post(PainScore(FocusOn("pain-clinic.MG-1.1")));
  ASSERT_EQ(reply.status, 201) << reply.body;
  ASSERT_TRUE(Reaches(IdIn(reply), "held"));
  const std::string listed = daemon_->Command({"--json", "queue", "list", "--state", "held"}).standard_output;
  EXPECT_EQ(AtPointer(listed, "/recordId"), "ehr." + IdIn(reply));
  EXPECT_EQ(AtPointer(listed, "/reason"), "unresolved-link");
  EXPECT_EQ(OnServer(IdIn(reply)), "");
  const std::string corrected = Replaced(good, "\"revision\": 1", "\"revision\": 2");
  ASSERT_EQ(daemon_->Submit(corrected).status, 202);
  ASSERT_EQ(daemon_->WaitForState("MG-1", 2, {"delivered"}), "delivered");
  EXPECT_EQ(daemon_->StateOf("MG-1", 1), "superseded");
  ASSERT_TRUE(Reaches(IdIn(reply), "delivered"));
  EXPECT_EQ(AtPointer(OnServer(IdIn(reply)), "/focus/0/reference"),
            "MedicationAdministration/" + AtPointer(Administration(), "/id"));
}

TEST_F(Push, AdministrationOfAnotherPatient_IsRefusedAndNothingStored) {
  DeliverRecord();
  const HttpReply reply = Post(PainScore(FocusOn("pain-clinic.MG-1.1"), "100002"));
  EXPECT_EQ(reply.status, 422) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/resourceType"), "OperationOutcome");
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/details/text"), "other-patient");
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Observation.focus");
  EXPECT_EQ(daemon_->Command({"--json", "queue", "list"}).standard_output.find("observation"),
            std::string::npos);
}

// Without a window nothing is found by time, however near.
TEST_F(Push, NoReferenceAndNoWindow_IsHeld) {
  DeliverRecord();
  const HttpReply reply = Post(PainScore());
  ASSERT_EQ(reply.status, 201);
  EXPECT_TRUE(Reaches(IdIn(reply), "held"));
}

class PushWithWindow : public Push {
 protected:
  PushWithWindow() : Push("[push]\nlink_window_h = 72\n") {}
};

TEST_F(PushWithWindow, OneAdministrationInTheWindow_IsTheOne) {
  DeliverRecord();
  const HttpReply reply = Post(PainScore());
  ASSERT_TRUE(Reaches(IdIn(reply), "delivered")) << reply.body;
  EXPECT_EQ(AtPointer(OnServer(IdIn(reply)), "/focus/0/reference"),
            "MedicationAdministration/" + AtPointer(Administration(), "/id"));
}

TEST_F(PushWithWindow, TwoAdministrationsInTheWindow_AreNeverChosenFrom) {
  DeliverRecord();
  // A day later, so much nearer to the score.
  std::string second = Replaced(Fixture("records/mg-1.json"), "\"MG-1\"", "\"MG-1b\"");
  second = Replaced(second, "\"start\": \"2013-09-10T10", "\"start\": \"2013-09-11T10");
  second = Replaced(second, "\"at\": \"2013-09-10T10", "\"at\": \"2013-09-11T10");
  ASSERT_EQ(daemon_->Submit(second).status, 202);
  ASSERT_EQ(daemon_->WaitForState("MG-1b", 1, {"delivered"}), "delivered");
  const HttpReply reply = Post(PainScore());
  ASSERT_TRUE(Reaches(IdIn(reply), "held")) << reply.body;
  EXPECT_EQ(OnServer(IdIn(reply)), "");
  // A version that names one goes on.
  ASSERT_EQ(PutById(IdIn(reply), PainScore(FocusOn("pain-clinic.MG-1b.1"))).status, 200);
  ASSERT_TRUE(Reaches(IdIn(reply), "delivered", "2"));
  EXPECT_EQ(AtPointer(OnServer(IdIn(reply)), "/focus/0/reference"),
            "MedicationAdministration/" + AtPointer(Administration("MG-1b"), "/id"));
}

TEST_F(PushWithWindow, ScoreBeforeOrLongAfter_IsHeld) {
  DeliverRecord();
  for (const char* moment : {"2013-09-10T09:59:59+09:00", "2013-09-13T10:00:01+09:00"}) {
    const HttpReply reply = Post(Replaced(PainScore(), "2013-09-12T09:00:00+09:00", moment));
    EXPECT_TRUE(Reaches(IdIn(reply), "held")) << moment;
  }
  for (const char* moment : {"2013-09-10T10:00:00+09:00", "2013-09-13T10:00:00+09:00"}) {
    const HttpReply reply = Post(Replaced(PainScore(), "2013-09-12T09:00:00+09:00", moment));
    EXPECT_TRUE(Reaches(IdIn(reply), "delivered")) << moment;
  }
}

TEST_F(Push, LaterVersions_UpdateWhatWasDelivered) {
  DeliverRecord();
  const std::string focus = FocusOn("pain-clinic.MG-1.1");
  const std::string id = IdIn(Post(PainScore(focus)));
  ASSERT_TRUE(Reaches(id, "delivered"));
  const HttpReply amended =
      PutById(id, PainScore(focus, "100001", "amended", "5"), {{"If-Match", "W/\"1\""}});
  ASSERT_EQ(amended.status, 200) << amended.body;
  EXPECT_EQ(amended.Header("ETag"), "W/\"2\"");
  ASSERT_TRUE(Reaches(id, "delivered", "2"));
  EXPECT_EQ(AtPointer(OnServer(id), "/status"), "amended");
  EXPECT_EQ(AtPointer(OnServer(id), "/valueQuantity/value"), "5");
  // Only the status is another: that too is the EHR's word.
  ASSERT_EQ(PutById(id, PainScore(focus, "100001", "corrected", "5")).status, 200);
  ASSERT_TRUE(Reaches(id, "delivered", "3"));
  EXPECT_EQ(AtPointer(OnServer(id), "/status"), "corrected");
  ASSERT_EQ(PutById(id, PainScore({}, "100001", "entered-in-error", "5")).status, 200);
  ASSERT_TRUE(Reaches(id, "delivered", "4"));
  EXPECT_EQ(AtPointer(OnServer(id), "/status"), "entered-in-error");
  EXPECT_EQ(AtPointer(OnServer(id), "/meta/versionId"), "4");
  const std::string target = "Provenance?target=Observation/" + AtPointer(OnServer(id), "/id");
  EXPECT_EQ(AtPointer(sandbox_.client().Get("/" + target).body, "/total"), "4");
  EXPECT_EQ(AtPointer(daemon_->client().Get("/fhir/Observation/" + id + "/_history/2").body, "/status"),
            "amended");
  EXPECT_EQ(daemon_->client().Get("/fhir/Observation/" + id + "/_history/5").status, 404);
}

TEST_F(Push, StaleOrUnreadableIfMatch_ChangesNothing) {
  const std::string id = IdIn(Post(PainScore()));
  EXPECT_EQ(PutById(id, PainScore({}, "100001", "amended"), {{"If-Match", "W/\"2\""}}).status, 412);
  EXPECT_EQ(PutById(id, PainScore({}, "100001", "amended"), {{"If-Match", "newest"}}).status, 400);
  EXPECT_EQ(AtPointer(daemon_->client().Get("/fhir/Observation/" + id).body, "/meta/versionId"), "1");
  EXPECT_EQ(PutById("nowhere", PainScore()).status, 405);
  EXPECT_EQ(Put("/fhir/Observation/" + id, PainScore()).status, 400);  // the body has no id
  // Another patient's chart: never moved.
  EXPECT_EQ(PutById(id, PainScore({}, "100002")).status, 422);
  // The same again is no new version.
  EXPECT_EQ(PutById(id, PainScore()).Header("ETag"), "W/\"1\"");
  // And what GET gave can be sent back.
  const std::string ours = daemon_->client().Get("/fhir/Observation/" + id).body;
  EXPECT_EQ(Put("/fhir/Observation/" + id, ours).Header("ETag"), "W/\"1\"");
}

TEST_F(Push, ConditionalRequests_FindByTheEhrsIdentifier) {
  const std::string identified =
      PainScore(R"("identifier":[{"system":"https://ehr.example/obs","value":"a|b"}])");
  const HeaderList condition = {{"If-None-Exist", "identifier=https://ehr.example/obs%7Ca%5C%7Cb"}};
  const HttpReply first = Post(identified, condition);
  ASSERT_EQ(first.status, 201) << first.body;
  const HttpReply again = Post(identified, condition);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(IdIn(again), IdIn(first));
  const std::string search = "/fhir/Observation?identifier=https://ehr.example/obs%7Ca%5C%7Cb";
  const std::string amended = Replaced(identified, "\"final\"", "\"amended\"");
  const HttpReply updated = Put(search, amended);
  EXPECT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(updated.Header("ETag"), "W/\"2\"");
  const std::string other = Replaced(identified, "a|b", "other");
  EXPECT_EQ(Put("/fhir/Observation?identifier=https://ehr.example/obs%7Cother", other).status, 201);
  EXPECT_EQ(Put("/fhir/Observation?identifier=https://ehr.example/obs%7Cother", other).status, 200);
  // One that would not be found by it the next time.
  EXPECT_EQ(Put("/fhir/Observation?identifier=https://ehr.example/obs%7Cthird", other).status, 400);
  // Without the condition each is a new one; then the search finds two.
  EXPECT_EQ(Post(identified).status, 201);
  EXPECT_EQ(Post(identified, condition).status, 412);
  EXPECT_EQ(Put(search, amended).status, 412);
  EXPECT_EQ(Post(identified, {{"If-None-Exist", "code=72514-3"}}).status, 422);
  EXPECT_EQ(Put("/fhir/Observation", PainScore()).status, 400);
}

TEST_F(Push, InvalidInput_GetsAnOutcomeWithThePlace) {
  HttpReply reply = Post(PainScore({}, "100001", "finished"));
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Observation.status") << reply.body;
  EXPECT_EQ(Post("{\"resourceType\":\"Observation\",").status, 400);
  EXPECT_EQ(Post(R"({"resourceType":"Patient"})").status, 422);
  EXPECT_EQ(Post("[]").status, 422);
  EXPECT_EQ(Post("null").status, 422);
  reply = Post(Replaced(PainScore(), "https://hospital.example/fhir/sid/mrn", "https://other.example"));
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Observation.subject") << reply.body;
  reply = Post(PainScore(
      R"("performer":[{"reference":"Patient?identifier=https://hospital.example/fhir/sid/mrn|1"}])"));
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Observation.performer") << reply.body;
  daemon_->client().set_content_type("application/fhir+xml");
  EXPECT_EQ(daemon_->client().Post("/fhir/Observation", "<Observation/>").status, 415);
  EXPECT_EQ(daemon_->client().Get("/fhir/Observation/none").status, 404);
  reply = daemon_->client().Get("/fhir/Encounter/1");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(AtPointer(reply.body, "/resourceType"), "OperationOutcome") << reply.body;
  std::string deep = "{\"resourceType\":\"Observation\",\"extension\":";
  for (int i = 0; i < 100; ++i) deep += "[";
  EXPECT_EQ(Post(deep).status, 422);  // deeper than any resource
  EXPECT_EQ(daemon_->client().Get("/metrics").body.find("fhir_adapter_undelivered 1"), std::string::npos);
}

TEST_F(Push, MetadataSaysWhatIsTaken) {
  const HttpReply reply = daemon_->client().Get("/fhir/metadata");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(AtPointer(reply.body, "/fhirVersion"), "4.0.1");
  EXPECT_EQ(AtPointer(reply.body, "/rest/0/resource/0/type"), "Observation");
}

std::string BundleOf(const std::string& type, const std::vector<std::string>& observations) {
  std::string bundle = R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)";
  for (std::size_t i = 0; i < observations.size(); ++i) {
    bundle += (i == 0 ? "" : ",") + std::string(R"({"resource":)") + observations[i] +
              R"(,"request":{"method":"POST","url":"Observation"}})";
  }
  return bundle + "]}";
}

TEST_F(Push, TransactionIsAllOrNothing) {
  DeliverRecord();
  const std::string good = PainScore(FocusOn("pain-clinic.MG-1.1"));
  const std::string of_other = PainScore(FocusOn("pain-clinic.MG-1.1"), "100002");
  HttpReply reply = PostTo("/fhir", BundleOf("transaction", {good, of_other}));
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Bundle.entry[1].resource.focus") << reply.body;
  reply = PostTo("/fhir", BundleOf("transaction", {good, PainScore({}, "100001", "finished")}));
  EXPECT_EQ(AtPointer(reply.body, "/issue/0/expression/0"), "Bundle.entry[1].resource.status") << reply.body;
  EXPECT_EQ(AtPointer(daemon_->Command({"--json", "queue", "list"}).standard_output, "/recordId"), "MG-1");

  reply = PostTo("/fhir", BundleOf("transaction", {good, good}));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/type"), "transaction-response");
  for (const char* entry : {"/entry/0", "/entry/1"}) {
    EXPECT_EQ(AtPointer(reply.body, std::string(entry) + "/response/status"), "201 Created");
    EXPECT_TRUE(Reaches(AtPointer(reply.body, std::string(entry) + "/resource/id"), "delivered"));
  }
}

TEST_F(Push, BatchTakesWhatIsGood) {
  const HttpReply reply =
      PostTo("/fhir", BundleOf("batch", {PainScore({}, "100001", "finished"), PainScore(), "{}"}));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(AtPointer(reply.body, "/entry/0/response/status"), "422 Unprocessable Content");
  EXPECT_EQ(AtPointer(reply.body, "/entry/0/response/outcome/issue/0/expression/0"),
            "Bundle.entry[0].resource.status");
  EXPECT_EQ(AtPointer(reply.body, "/entry/1/response/status"), "201 Created");
  EXPECT_EQ(AtPointer(reply.body, "/entry/2/response/status"), "422 Unprocessable Content");
  EXPECT_EQ(PostTo("/fhir", BundleOf("searchset", {})).status, 422);
}

// The daemon dies at a point of the Observation's way; the client, which may have got no answer, sends it
// again.
class KilledPush : public testing::TestWithParam<const char*> {};

TEST_P(KilledPush, SentAgain_IsDeliveredOnce) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100001", "female");
  TemporaryDirectory folder;
  DaemonOptions options;
  options.endpoint = sandbox.url();
  options.state_directory = folder.path().string();
  {
    RunningDaemon first(options);
    ASSERT_EQ(first.Submit(Fixture("records/mg-1.json")).status, 202);
    ASSERT_EQ(first.WaitForState("MG-1", 1, {"delivered"}), "delivered");
    EXPECT_EQ(first.Stop(), 0);
  }
  const std::string observation = PainScore(
      FocusOn("pain-clinic.MG-1.1") + R"(,"identifier":[{"system":"https://ehr.example/obs","value":"17"}])");
  const HeaderList condition = {{"If-None-Exist", "identifier=https://ehr.example/obs|17"}};
  options.environment = {{"FHIR_ADAPTER_FAULT", GetParam()}};
  {
    RunningDaemon dying(options);
    dying.client().Post("/fhir/Observation", observation, condition);
    ASSERT_EQ(dying.process().Wait(), 128 + 9) << GetParam() << " was not reached";
  }
  options.environment.clear();
  RunningDaemon daemon(options);
  const HttpReply reply = daemon.client().Post("/fhir/Observation", observation, condition);
  ASSERT_TRUE(reply.status == 200 || reply.status == 201) << reply.body;
  ASSERT_TRUE(daemon.WaitUntilDelivered());
  const std::string delivered = sandbox.One("Observation?identifier=https://ehr.example/obs|17");
  EXPECT_EQ(AtPointer(delivered, "/meta/versionId"), "1");
  EXPECT_EQ(daemon.Command({"audit", "verify"}).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(Points, KilledPush,
                         testing::Values("raw-inserted", "before-acknowledgement", "mapped",
                                         "request-handed-over", "answer-received", "delivery-completed"));

TEST_F(Push, Trace_FindsItFromEachEnd) {
  DeliverRecord();
  const HttpReply reply = Post(PainScore(FocusOn("pain-clinic.MG-1.1")));
  const std::string id = IdIn(reply);
  ASSERT_TRUE(Reaches(id, "delivered"));
  for (const std::string& selector : {"ehr." + id, "pain-clinic/ehr." + id, reply.Header("X-Request-Id"),
                                      std::string(kObservationSystem) + "|pain-clinic.ehr." + id}) {
    const ProcessResult traced = daemon_->Command({"--json", "trace", selector});
    EXPECT_EQ(traced.exit_code, 0) << selector << ": " << traced.standard_error;
    EXPECT_EQ(AtPointer(traced.standard_output, "/recordId"), "ehr." + id) << selector;
  }
}

TEST_F(Push, TheLogAndTheRepairKnowIt) {
  DeliverRecord();
  const std::string id = IdIn(Post(PainScore(FocusOn("pain-clinic.MG-1.1"))));
  ASSERT_TRUE(Reaches(id, "delivered"));
  EXPECT_EQ(daemon_->Command({"reconcile"}).exit_code, 0);
  const std::string place = "Observation/" + AtPointer(OnServer(id), "/id");
  const std::string provenance = AtPointer(sandbox_.One("Provenance?target=" + place), "/id");
  ASSERT_EQ(sandbox_.client().Delete("/Provenance/" + provenance).status, 200);
  ASSERT_EQ(sandbox_.client().Delete("/" + place).status, 200);
  EXPECT_EQ(daemon_->Command({"reconcile", "--repair", "--reason", "deleted by mistake"}).exit_code, 1);
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_EQ(AtPointer(OnServer(id), "/valueQuantity/value"), "4");
  const std::string copy = daemon_->folder().File("copy.db");
  ASSERT_EQ(daemon_->Command({"backup", copy}).exit_code, 0);
  EXPECT_EQ(daemon_->Stop(), 0);
  const ProcessResult verified = daemon_->Command({"audit", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.standard_output << verified.standard_error;
  ASSERT_EQ(daemon_->Command({"restore", copy}).exit_code, 0);
  daemon_->Start();
  EXPECT_TRUE(Reaches(id, "delivered"));
}

}  // namespace
}  // namespace fhir_adapter::test
