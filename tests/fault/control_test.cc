// The negative control of each scenario but 1 and 10 (store_test.cc): the same bad day with the one
// protection taken away, and the harm is there. A scenario that passes without its protection would show
// nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

#include "delivery_rig.h"
#include "editing_client.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkId;
using outbox::WorkState;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kHourUs = 3'600'000'000;
const std::string kProcedure = DeliveryRig::Query("Procedure", "it-procedure", "clinic.r1");
const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");

Record Scored(const std::string& id = "r1", const std::string& score = "7", std::int64_t revision = 1,
              const std::string& mrn = "100") {
  Record record;
  record.id = id;
  record.mrn = mrn;
  record.revision = revision;
  record.parts = ScoredParts(score);
  return record;
}

// What a client without conditional updates would send.
void CreateInsteadOfUpdate(sync::FhirRequest& request) {
  static const std::regex update(R"("method":"PUT","url":"([A-Za-z]+)\?identifier=[^"]*")");
  request.body = std::regex_replace(request.body, update, R"("method":"POST","url":"$1")");
}

// 2. The search before anything is sent again.
TEST(Scenario02, Control_WithoutTheSearch_IsSentTwice) {
  sandbox::Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  Without(rig, nullptr, Blind(""));
  rig.LetPass(3);
  rig.Order(ProxyFault::kDropReply);
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_EQ(rig.proxy().faults_done(), 1U);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"2")"));
}

TEST(Scenario02, Control_WithoutSearchAndConditionalUpdate_IsThereTwice) {
  DeliveryRig rig;
  rig.AddPatient("100");
  Without(rig, CreateInsteadOfUpdate, Blind(""));
  rig.LetPass(3);
  rig.Order(ProxyFault::kDropReply);
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_EQ(rig.CountOnServer(kProcedure), 2);
}

// 3. A budget in days, and that nothing is tried while /metadata is not answered.
TEST(Scenario03, Control_WithABudgetOfAnHourAndWithoutProbes_IsGivenUp) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Configure([](sync::SyncSettings& settings) { settings.retry.budget_us = kHourUs; });
  Without(rig, nullptr, [](const sync::FhirRequest& request, sync::FhirAnswer& answer) {
    if (request.kind != sync::RequestKind::kMetadata) return;
    answer.transport = sync::Transport::kAnswered;
    answer.status = 200;
    answer.body = R"({"resourceType":"CapabilityStatement","fhirVersion":"4.0.1"})";
  });
  rig.Submit(Scored("warm-up"));
  rig.RunUntilQuiet();
  rig.proxy().SetUpstream(1);
  rig.proxy().CloseConnections();
  rig.Submit(Scored());
  rig.RunFor(4 * kHourUs);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kQuarantined), 1);
}

// 4. That a refused record leaves the line.
TEST(Scenario04, Control_RefusalTakenForABusyServer_StopsThePatient) {
  DeliveryRig rig({}, {"status:422:POST /"});
  rig.AddPatient("100");
  Without(rig, nullptr, [](const sync::FhirRequest&, sync::FhirAnswer& answer) {
    if (answer.status == 422) answer.status = 503;
  });
  rig.Submit(Scored("bad"));
  rig.Submit(Scored("next"));
  rig.RunFor(kHourUs);
  EXPECT_NE(rig.StateOf(Scored("bad")), WorkState::kQuarantined);
  EXPECT_EQ(rig.AttemptsOf(rig.Submit(Scored("third"))), 0);
  EXPECT_EQ(rig.StateOf(Scored("next")), WorkState::kQueued) << "never tried";
}

// 5. Conditional updates under identifiers that two instances make alike.
void DeliverByBoth(DeliveryRig& one, DeliveryRig& other) {
  other.proxy().SetUpstream(one.server_port());
  one.AddPatient("100");
  one.Submit(Scored());
  other.Submit(Scored());
  one.RunUntil([&] {
    other.clock().Advance(1'000);
    other.loop().Wait(other.loop().idle() ? 0 : 1'000);
    other.loop().Step();
    return one.StateOf(Scored()) == WorkState::kDelivered && other.StateOf(Scored()) == WorkState::kDelivered;
  });
}

TEST(Scenario05, TwoInstancesWithTheSameRecord_MakeOneResource) {
  DeliveryRig one;
  DeliveryRig other;
  DeliverByBoth(one, other);
  EXPECT_EQ(one.CountOnServer(kProcedure), 1);
  EXPECT_EQ(one.CountOnServer(kPain), 1);
  EXPECT_EQ(one.CountOnServer("Provenance"), 1);
}

TEST(Scenario05, SameRecordSentTwice_IsKnownTheSecondTime) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Submit(Scored());
  rig.Submit(Scored());
  rig.RunUntilQuiet();
  EXPECT_EQ(rig.CountOnServer(kProcedure), 1);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), 1);
}

TEST(Scenario05, Control_TwoInstancesThatCreate_MakeTwoResources) {
  DeliveryRig one;
  DeliveryRig other;
  Without(one, CreateInsteadOfUpdate, Blind(""));
  Without(other, CreateInsteadOfUpdate, Blind(""));
  DeliverByBoth(one, other);
  EXPECT_EQ(one.CountOnServer(kProcedure), 2);
}

// 6. If-Match.
TEST(Scenario06, Control_WithoutIfMatch_OverwritesTheOthersChange) {
  DeliveryRig rig;
  rig.AddPatient("100");
  Without(rig, [](sync::FhirRequest& request) {
    static const std::regex condition(R"(,"ifMatch":"[^}]*")");
    request.body = std::regex_replace(request.body, condition, "");
  });
  rig.Submit(Scored());
  rig.RunUntilQuiet();
  ASSERT_TRUE(rig.EditOnServer(kPain, R"("valueString":"7")", R"("valueString":"9")"));
  rig.Submit(Scored("r1", "3", 2));
  rig.RunUntilState(Scored("r1", "3", 2), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), Not(HasSubstr(R"("valueString":"9")")));
}

// 7. That two patients with one number are nobody.
TEST(Scenario07, Control_TakingTheFirstOfTwoPatients_WritesIntoAChart) {
  DeliveryRig rig;
  const std::string first = rig.AddPatient("100");
  rig.AddPatient("100");
  Without(rig, nullptr, [&](const sync::FhirRequest& request, sync::FhirAnswer& answer) {
    if (request.kind != sync::RequestKind::kPatientSearch) return;
    answer.body = R"({"resourceType":"Bundle","type":"searchset","entry":[{"resource":)"
                  R"({"resourceType":"Patient","id":")" +
                  first + R"(","identifier":[{"system":")" + kMrnSystem + R"(","value":"100"}]}}]})";
  });
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr("Patient/" + first));
}

// 8. Asking the server which revisions it has seen.
TEST(Scenario08, Control_WithoutTheServersProvenance_AnOlderRevisionComesBack) {
  DeliveryRig rig;
  rig.AddPatient("100");
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  rig.Submit(Scored("r1", "3", 2));
  rig.RunUntilState(Scored("r1", "3", 2), WorkState::kDelivered);
  rig.EmptyStore();
  Without(rig, nullptr, Blind("Provenance?target="));
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("valueString":"7")"));
}

// 9. That a refused token is no refusal of the record.
TEST(Scenario09, Control_RefusedTokenTakenForARefusedRecord_GivesTheRecordUp) {
  DeliveryRig rig({}, {"status:401:1:POST /"});
  rig.AddPatient("100");
  rig.SetToken("old");
  Without(rig, nullptr, [](const sync::FhirRequest& request, sync::FhirAnswer& answer) {
    if (answer.status == 401 && request.kind == sync::RequestKind::kWrite) answer.status = 422;
  });
  const WorkId id = rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kQuarantined);
  EXPECT_EQ(rig.AttemptsOf(id), 1);
}

}  // namespace
}  // namespace fhir_adapter::test
