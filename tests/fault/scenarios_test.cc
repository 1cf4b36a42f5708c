// The failure scenarios of delivery, by number, against a real FHIR server behind a real network that fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kHourUs = 3'600'000'000;

Part Injection(const std::string& status = "completed") {
  return {"Procedure", "", R"("status":")" + status + "\""};
}

Part Pain(const std::string& row, const std::string& score, const std::string& status = "final") {
  return {"Observation", "pain." + row,
          R"("status":")" + status + R"(","code":{"text":"pain"},"valueString":")" + score +
              R"(","partOf":[{"reference":"$$"}])"};
}

Record Simple(const std::string& id = "r1", const std::string& mrn = "100") {
  Record record;
  record.id = id;
  record.mrn = mrn;
  record.parts = {Injection(), Pain("1", "7")};
  return record;
}

const std::string kProcedure = DeliveryRig::Query("Procedure", "it-procedure", "clinic.r1");
const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");

TEST(Delivery, NewRecord_StandsOnTheServerOnceWithItsProvenance) {
  DeliveryRig rig;
  const std::string patient = rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr("Patient/" + patient));
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr("Procedure/"));
  EXPECT_EQ(rig.CountOnServer("Provenance"), 1);
}

// What may go wrong with the answer after the server has acted.
class Scenario02 : public testing::TestWithParam<ProxyFault> {};

TEST_P(Scenario02, AnswerLostAfterCommit_IsFoundAndAdoptedNotSentAgain) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;  // a second sending would show
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  rig.LetPass(3);
  rig.proxy().Order({GetParam(), 0, 60});
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kAmbiguous);
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_EQ(rig.proxy().faults_done(), 1U);
  EXPECT_EQ(rig.CountOnServer(kProcedure), 1);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
  EXPECT_EQ(rig.CountOnServer("Provenance"), 1);
  EXPECT_EQ(rig.statistics().resources_adopted, 3);
  EXPECT_EQ(rig.statistics().resources_written, 0);
}

INSTANTIATE_TEST_SUITE_P(Faults, Scenario02,
                         testing::Values(ProxyFault::kDropReply, ProxyFault::kResetReply,
                                         ProxyFault::kTruncateReply, ProxyFault::kHalfClose));

class SlowNetwork : public testing::TestWithParam<ProxyPlan> {};

TEST_P(SlowNetwork, IsNoTroubleAndNothingIsSentTwice) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  rig.proxy().OrderEvery(GetParam(), 1);
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_GE(rig.proxy().faults_done(), 4U);
  EXPECT_EQ(rig.AttemptsOf(id), 1);
  EXPECT_EQ(rig.statistics().troubles, 0);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
}

INSTANTIATE_TEST_SUITE_P(Faults, SlowNetwork,
                         testing::Values(ProxyPlan{ProxyFault::kDelayReply, 20, 0},
                                         ProxyPlan{ProxyFault::kThrottle, 1, 64}));

TEST(Scenario02, RequestThatNeverArrived_IsSentAfterTheSearch) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.LetPass(3);
  rig.Order(ProxyFault::kResetRequest);
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_EQ(rig.CountOnServer(kProcedure), 1);
  EXPECT_EQ(rig.statistics().resources_written, 3);
}

TEST(Scenario02, UpdateWhoseAnswerWasLost_IsAdoptedUnderItsNewVersion) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  Record second = Simple();
  second.revision = 2;
  second.status = "corrected";
  second.parts = {Injection(), Pain("1", "3"), Pain("2", "5")};
  rig.Order(
      ProxyFault::kDropReply);  // the patient is remembered, and the record is known: the write comes first
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  EXPECT_EQ(rig.proxy().faults_done(), 1U);
  const std::string pain = rig.OneOnServer(kPain);
  EXPECT_THAT(pain, HasSubstr(R"("versionId":"2")"));
  EXPECT_THAT(pain, HasSubstr(R"("status":"corrected")"));
  EXPECT_THAT(rig.OneOnServer(DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.2")),
              HasSubstr(R"("versionId":"1")"));
  Record third = second;
  third.revision = 3;
  third.parts = {Injection(), Pain("1", "4"), Pain("2", "5")};
  rig.Submit(third);
  rig.RunUntilState(third, WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("versionId":"3")"));
}

TEST(Scenario02, ProcessEndsWhileSending_TheNextOneLooksBeforeItSends) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  rig.LetPass(3);
  rig.Order(ProxyFault::kStall);
  rig.Submit(Simple());
  rig.RunUntil([&] { return rig.CountOnServer(kProcedure) == 1; });
  rig.Restart();
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
  EXPECT_EQ(rig.statistics().resources_adopted, 3);
}

TEST(Scenario03, ServerAwayForTwoDays_NothingIsGivenUpAndOrderIsKept) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.AddPatient("200");
  rig.Submit(Simple("first"));
  rig.RunUntilQuiet();
  rig.proxy().SetUpstream(1);  // nobody listens there
  rig.proxy().CloseConnections();
  for (int i = 0; i < 10; ++i) {
    rig.Submit(Simple("a" + std::to_string(i)));
    rig.Submit(Simple("b" + std::to_string(i), "200"));
  }
  rig.RunFor(48 * kHourUs);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kQuarantined), 0);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), 1);
  EXPECT_TRUE(rig.statistics().has_trouble);
  EXPECT_EQ(rig.statistics().troubles, 1) << "one alert, however often it is tried";
  rig.proxy().SetUpstream(rig.server_port());
  rig.RunUntilQuiet();
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), 21);
  EXPECT_FALSE(rig.statistics().has_trouble);
  EXPECT_EQ(rig.statistics().troubles, 1);
  // The patient's own order: each record's resource is newer than that of the one before.
  std::string before;
  for (int i = 0; i < 10; ++i) {
    const std::string one =
        rig.OneOnServer(DeliveryRig::Query("Procedure", "it-procedure", "clinic.a" + std::to_string(i)));
    const std::size_t at = one.find("\"lastUpdated\":\"") + 15;
    const std::string updated = one.substr(at, one.find('"', at) - at);
    EXPECT_LE(before, updated);
    before = updated;
  }
}

TEST(Scenario03, ServerBusy_IsTriedAgainNotBefore) {
  DeliveryRig rig({}, {"status:503:1:retry-after=120:POST /"});
  rig.AddPatient("100");
  const TimeUs begun = rig.clock().Now();
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_GE(rig.clock().Now().us - begun.us, 120'000'000);
  EXPECT_EQ(rig.CountOnServer(kProcedure), 1);
}

TEST(Scenario03, ServerBusyWhenItIsAskedWhatItCanDo_IsAskedAgainNotBefore) {
  DeliveryRig rig({}, {"status:503:1:retry-after=120:GET /metadata"});
  rig.AddPatient("100");
  const TimeUs begun = rig.clock().Now();
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_GE(rig.clock().Now().us - begun.us, 120'000'000);
  EXPECT_LT(rig.clock().Now().us - begun.us, 180'000'000);
  EXPECT_FALSE(rig.statistics().has_trouble);
}

TEST(Scenario04, RefusedRecord_IsQuarantinedAndOthersGoOn) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.AddPatient("200");
  Record bad = Simple("bad");
  bad.parts.push_back({"Observation", "broken", R"("status":"no-such-status","code":{"text":"x"})"});
  const outbox::WorkId id = rig.Submit(bad);
  rig.Submit(Simple("next"));
  rig.Submit(Simple("other", "200"));
  rig.RunUntilQuiet();
  EXPECT_EQ(outbox::Name(rig.StateOf(bad)), "quarantined");
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple("next"))), "delivered");
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple("other", "200"))), "delivered");
  EXPECT_EQ(rig.CountOnServer(DeliveryRig::Query("Procedure", "it-procedure", "clinic.bad")), 0);
  const auto reasons = rig.ReasonsOf(id);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].code, Code::kServerRefused);
  // A higher revision takes its place.
  Record better = Simple("bad");
  better.revision = 2;
  rig.Submit(better);
  rig.RunUntilState(better, WorkState::kDelivered);
  EXPECT_EQ(outbox::Name(rig.StateOf(bad)), "superseded");
}

TEST(Scenario06, ChangedOnTheServerBySomeoneElse_IsHeldAndTheChangeIsKept) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  std::string theirs = rig.OneOnServer(kPain);
  const std::size_t at = theirs.find("\"valueString\":\"7\"");
  ASSERT_NE(at, std::string::npos);
  theirs.replace(at, 17, "\"valueString\":\"9\"");
  const std::size_t id_at = theirs.find("\"id\":\"") + 6;
  const std::string id = theirs.substr(id_at, theirs.find('"', id_at) - id_at);
  ASSERT_EQ(rig.server().Put("/Observation/" + id, theirs).status, 200);
  Record second = Simple();
  second.revision = 2;
  second.parts = {Injection(), Pain("1", "3")};
  const outbox::WorkId work = rig.Submit(second);
  rig.RunUntilState(second, WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(work).at(0).code, Code::kConflict);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("valueString":"9")"));
}

TEST(Scenario06, TouchedButNotChanged_IsUpdatedOnTheNewVersion) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  std::string theirs = rig.OneOnServer(kPain);
  const std::size_t id_at = theirs.find("\"id\":\"") + 6;
  const std::string id = theirs.substr(id_at, theirs.find('"', id_at) - id_at);
  theirs.insert(
      theirs.find("\"identifier\""),
      R"("text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},)");
  ASSERT_EQ(rig.server().Put("/Observation/" + id, theirs).status, 200);
  Record second = Simple();
  second.revision = 2;
  second.parts = {Injection(), Pain("1", "3")};
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("versionId":"3")"));
}

TEST(Scenario07, UnknownPatient_IsHeldUntilRegistered) {
  DeliveryRig rig;
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kPatientNotFound);
  rig.AddPatient("100");
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_EQ(rig.statistics().patients_released, 1);
}

TEST(Scenario07, NumberOfTwoPatients_IsHeld) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.AddPatient("100");
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kPatientAmbiguous);
  rig.RunFor(300'000'000);
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple())), "held");
}

TEST(Scenario07, AnotherBirthDate_IsHeldUntilItAgrees) {
  DeliveryRig rig;
  const std::string patient = rig.AddPatient("100", R"("birthDate":"1961-04-05")");
  Record record = Simple();
  record.birth_date = "1960";
  const outbox::WorkId id = rig.Submit(record);
  rig.RunUntilState(record, WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kPatientMismatch);
  const std::string corrected = R"({"resourceType":"Patient","id":")" + patient +
                                R"(","identifier":[{"system":")" + kMrnSystem +
                                R"(","value":"100"}],"birthDate":"1960-04-05"})";
  ASSERT_EQ(rig.server().Put("/Patient/" + patient, corrected).status, 200);
  rig.RunUntilState(record, WorkState::kDelivered);
}

TEST(Scenario07, PatientGoneSinceItWasMatched_IsMatchedAgain) {
  DeliveryRig rig;
  const std::string old_patient = rig.AddPatient("100");
  rig.Submit(Simple("warm-up"));
  rig.RunUntilQuiet();
  const std::string moved = R"({"resourceType":"Patient","id":")" + old_patient +
                            R"(","identifier":[{"system":"urn:old","value":"x"}]})";
  ASSERT_EQ(rig.server().Put("/Patient/" + old_patient, moved).status, 200);
  for (const char* type : {"Provenance", "Observation", "Procedure"}) {
    while (rig.CountOnServer(type) > 0) {
      const std::string page = rig.server().Get("/" + std::string(type) + "?_count=1").body;
      const std::size_t at = page.find("\"id\":\"", page.find("\"resourceType\":\"" + std::string(type))) + 6;
      const std::string path = "/" + std::string(type) + "/" + page.substr(at, page.find('"', at) - at);
      ASSERT_LT(rig.server().Delete(path).status, 300) << path;
    }
  }
  ASSERT_LT(rig.server().Delete("/Patient/" + old_patient).status, 300);
  const std::string patient = rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr("Patient/" + patient));
}

TEST(Scenario08, OlderRevisionArrivesLater_IsNeverSent) {
  DeliveryRig rig;
  rig.AddPatient("100");
  Record second = Simple();
  second.revision = 2;
  second.status = "voided";
  second.parts = {Injection("entered-in-error"), Pain("1", "7", "entered-in-error")};
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple())), "superseded");
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr("entered-in-error"));
}

TEST(Scenario08, OlderRevisionInAnEmptyStore_IsHeldSinceTheServerKnowsAHigherOne) {
  DeliveryRig rig;
  rig.AddPatient("100");
  Record second = Simple();
  second.revision = 2;
  second.parts = {Injection(), Pain("1", "3")};
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  const std::string before = rig.OneOnServer(kPain);
  rig.EmptyStore();
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kConflict);
  EXPECT_EQ(rig.OneOnServer(kPain), before);
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple())), "superseded");
  EXPECT_EQ(rig.OneOnServer(kPain), before);
  EXPECT_EQ(rig.CountOnServer("Provenance"), 2);
}

TEST(Scenario08, RowThatVanished_IsEnteredInErrorNotForgotten) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  Record second = Simple();
  second.revision = 2;
  second.parts = {Injection()};
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("status":"entered-in-error")"));
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
}

TEST(Scenario09, TokenExpires_IsReadAgainOnceAndTheWorkGoesOn) {
  DeliveryRig rig({}, {"status:401:1:POST /"});
  rig.AddPatient("100");
  rig.SetToken("old");
  const TimeUs begun = rig.clock().Now();
  rig.Submit(Simple());
  rig.SetToken("new");
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_LT(rig.clock().Now().us - begun.us, 30'000'000);
  EXPECT_EQ(rig.statistics().outcomes[static_cast<std::size_t>(outbox::DeliveryOutcome::kDeferred)], 0);
}

TEST(Scenario09, TokenRefusedForGood_PausesTheRouteAndBurnsNoAttempt) {
  DeliveryRig rig({}, {"status:401:2:POST /"});
  rig.AddPatient("100");
  rig.SetToken("old");
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunUntil([&] { return rig.statistics().has_trouble && rig.loop().idle(); });
  EXPECT_EQ(rig.statistics().trouble, Code::kUnauthorized);
  EXPECT_EQ(rig.AttemptsOf(id), 0);
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_FALSE(rig.statistics().has_trouble);
}

// No connection is made with a certificate that has ended, or to one that has; what is sent before stays.
class Untrusted final : public sync::FhirClient {
 public:
  Untrusted(sync::FhirClient& client, const bool& has_ended) : client_(client), has_ended_(has_ended) {}
  void Send(sync::FhirRequest request, Done done) override {
    if (!has_ended_) return client_.Send(std::move(request), std::move(done));
    sync::FhirAnswer answer;
    answer.failure = Code::kTls;
    done(std::move(answer));
  }
  bool RefreshCredentials(std::int64_t used) override { return client_.RefreshCredentials(used); }
  void CancelAll() override { client_.CancelAll(); }
  const std::string& base_url() const override { return client_.base_url(); }

 private:
  sync::FhirClient& client_;
  const bool& has_ended_;
};

TEST(Scenario09, CertificateThatEndsMeanwhile_PausesTheRouteAndBurnsNoAttempt) {
  DeliveryRig rig;
  rig.AddPatient("100");
  bool has_ended = false;
  rig.WrapClient(
      [&has_ended](sync::FhirClient& client) { return std::make_unique<Untrusted>(client, has_ended); });
  rig.Submit(Simple("before"));
  rig.RunUntilState(Simple("before"), WorkState::kDelivered);
  has_ended = true;
  const outbox::WorkId id = rig.Submit(Simple());
  rig.RunFor(48 * kHourUs);
  EXPECT_EQ(rig.statistics().trouble, Code::kTls);
  EXPECT_EQ(rig.statistics().troubles, 1);
  EXPECT_EQ(outbox::Name(rig.StateOf(Simple())), "queued");
  EXPECT_EQ(rig.AttemptsOf(id), 0);
  has_ended = false;
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  EXPECT_FALSE(rig.statistics().has_trouble);
}

TEST(Delivery, RecordOfAnotherPatient_IsRetractedThereAndNewHere) {
  DeliveryRig rig;
  const std::string wrong = rig.AddPatient("100");
  const std::string right = rig.AddPatient("200");
  rig.Submit(Simple());
  rig.RunUntilQuiet();
  Record second = Simple("r1", "200");
  second.revision = 2;
  second.status = "corrected";
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  const std::string before = rig.OneOnServer(kProcedure);
  EXPECT_THAT(before, HasSubstr("entered-in-error"));
  EXPECT_THAT(before, HasSubstr("Patient/" + wrong));
  const std::string after = rig.OneOnServer(DeliveryRig::Query("Procedure", "it-procedure", "clinic.r1.p2"));
  EXPECT_THAT(after, HasSubstr("Patient/" + right));
  EXPECT_THAT(after, HasSubstr(R"("status":"completed")"));
}

TEST(Delivery, EmptyStoreBesideAFullServer_ChangesNothingThere) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  Record record = Simple();
  record.parts.push_back({"AdverseEvent", "e1", R"("actuality":"actual","event":{"text":"x"})"});
  rig.Submit(record);
  rig.RunUntilQuiet();
  rig.EmptyStore();
  rig.Submit(record);
  rig.RunUntilState(record, WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("versionId":"1")"));
  EXPECT_THAT(rig.OneOnServer("AdverseEvent"), HasSubstr(R"("versionId":"1")"));
  EXPECT_THAT(rig.OneOnServer("Provenance"), HasSubstr(R"("versionId":"1")"));
  EXPECT_EQ(rig.statistics().resources_written, 0);
  EXPECT_EQ(rig.statistics().resources_adopted, 4);
}

// Servers that leave out of their answers what a client would like to read.
struct ServerRow {
  const char* name;
  sandbox::Behaviour behaviour;
};

class Servers : public testing::TestWithParam<ServerRow> {};

TEST_P(Servers, FirstDeliveryAndCorrection_EndInTheCorrectedState) {
  DeliveryRig rig(GetParam().behaviour);
  rig.AddPatient("100");
  rig.Submit(Simple());
  rig.RunUntilState(Simple(), WorkState::kDelivered);
  Record second = Simple();
  second.revision = 2;
  second.parts = {Injection(), Pain("1", "3"), Pain("2", "4")};
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  const std::string pain = rig.OneOnServer(kPain);
  EXPECT_THAT(pain, HasSubstr(R"("status":"corrected")"));
  EXPECT_THAT(pain, HasSubstr(R"("valueString":"3")"));
  EXPECT_EQ(rig.CountOnServer("Observation"), 2);
  EXPECT_EQ(rig.CountOnServer("Procedure"), 1);
}

ServerRow Row(const char* name, const std::function<void(sandbox::Behaviour&)>& change) {
  ServerRow row{name, {}};
  change(row.behaviour);
  return row;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Servers,
    testing::Values(Row("Hapi", [](sandbox::Behaviour& b) { b = *sandbox::BehaviourLike("hapi"); }),
                    Row("Helios", [](sandbox::Behaviour& b) { b = *sandbox::BehaviourLike("helios"); }),
                    Row("LocationWithoutVersion",
                        [](sandbox::Behaviour& b) {
                          b.location = sandbox::Behaviour::LocationStyle::kOnCreateUnversioned;
                        }),
                    Row("LocationOnPostOnly",
                        [](sandbox::Behaviour& b) {
                          b.location = sandbox::Behaviour::LocationStyle::kOnPost;
                        }),
                    Row("BareEtag", [](sandbox::Behaviour& b) { b.weak_etag_in_entries = false; })),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace fhir_adapter::test
