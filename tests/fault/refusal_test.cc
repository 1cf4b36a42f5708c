// Refusals that speak of other resources or other people's versions, to requests without a version: the work
// waits as a conflict, with what the server said, and nothing else waits for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "delivery_rig.h"
#include "editing_client.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkId;
using outbox::WorkState;
using testing::HasSubstr;

const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");

Record Scored(std::int64_t revision = 1, const std::string& id = "r1") {
  Record record;
  record.id = id;
  record.revision = revision;
  record.parts = ScoredParts(std::to_string(revision));
  return record;
}

// Somebody else's resource under an identifier of ours.
std::string PlantPain(DeliveryRig& rig) {
  const HttpReply reply = rig.server().Post(
      "/Observation", R"({"resourceType":"Observation","status":"final","code":{"text":"copied"},)"
                      R"("identifier":[{"system":"https://clinic.example/fhir/sid/it-observation",)"
                      R"("value":"clinic.r1.pain.1"}]})");
  EXPECT_EQ(reply.status, 201) << reply.body;
  return DeliveryRig::IdIn(reply.body);
}

class SeveralMatches : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Servers, SeveralMatches,
                         testing::Values("transaction", "batch-only", "hapi", "helios", "single-only"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(SeveralMatches, OfWhatIsNotKnownYet_WaitForAPersonWithBothNames) {
  const std::string server = GetParam();
  DeliveryRig rig(server == "transaction" ? sandbox::Behaviour() : *sandbox::BehaviourLike(server));
  rig.AddPatient("100");
  const std::string first = PlantPain(rig);
  const std::string second = PlantPain(rig);
  const WorkId id = rig.Submit(Scored());
  rig.Submit(Scored(1, "r2"));
  rig.RunUntilQuiet();
  ASSERT_EQ(outbox::Name(rig.StateOf(Scored())), "held");
  EXPECT_EQ(outbox::Name(rig.StateOf(Scored(1, "r2"))), "delivered");
  const outbox::Reason reason = rig.ReasonsOf(id).at(0);
  EXPECT_EQ(reason.code, Code::kConflict);
  EXPECT_THAT(reason.message, HasSubstr("Observation/" + first));
  EXPECT_THAT(reason.message, HasSubstr("Observation/" + second));
  EXPECT_EQ(rig.CountOnServer(kPain), 2) << "none was made or overwritten";
  // The person removes one.
  ASSERT_LT(rig.server().Delete("/Observation/" + second).status, 300);
  ASSERT_TRUE(rig.Release(id, std::nullopt).has_value());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("valueString":"1")"));
}

struct Refusal {
  const char* name;
  const char* server;
  const char* fault;
};

class RuleOfTheServer : public testing::TestWithParam<Refusal> {};

INSTANTIATE_TEST_SUITE_P(Rungs, RuleOfTheServer,
                         testing::Values(Refusal{"Transaction", "hapi", "status:412:POST /"},
                                         Refusal{"Single", "single-only", "status:412:PUT /Observation"}),
                         [](const auto& one) { return one.param.name; });

TEST_P(RuleOfTheServer, PreconditionThatWasNotOurs_IsHeldWithTheServersReason) {
  DeliveryRig rig(*sandbox::BehaviourLike(GetParam().server), {GetParam().fault});
  rig.AddPatient("100");
  const WorkId id = rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kHeld);
  const outbox::Reason reason = rig.ReasonsOf(id).at(0);
  EXPECT_EQ(reason.code, Code::kConflict);
  EXPECT_THAT(reason.message, HasSubstr("HTTP 412"));
  EXPECT_EQ(rig.AttemptsOf(id), 1);
  EXPECT_FALSE(rig.statistics().has_trouble);
}

// An entry of a batch that cannot be: what the server says of it is what is shown.
TEST(RuleOfTheServerInABatch, RefusedEntry_IsShownWithItsOwnStatus) {
  sandbox::Behaviour behaviour = *sandbox::BehaviourLike("batch-only");
  DeliveryRig rig(behaviour);
  rig.AddPatient("100");
  Record record = Scored();
  record.parts[1].members = R"("status":"no such status","code":{"text":"pain"})";
  const WorkId id = rig.Submit(record);
  rig.RunUntilState(record, WorkState::kQuarantined);
  EXPECT_THAT(rig.ReasonsOf(id).at(0).message, testing::AllOf(HasSubstr("HTTP 4"), HasSubstr("issue ")));
}

TEST(Conflict409, AsOftenAsMayPass_IsDeliveredByTheLastAttempt) {
  const int passing = limits::kDuplicateAttemptsMax - 1;
  DeliveryRig rig({}, {"status:409:" + std::to_string(passing) + ":POST /"});
  rig.AddPatient("100");
  const WorkId id = rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  EXPECT_EQ(rig.AttemptsOf(id), limits::kDuplicateAttemptsMax);
}

TEST(Conflict409, OnceMoreThanMayPass_IsHeldAsAConflict) {
  DeliveryRig rig({}, {"status:409:" + std::to_string(limits::kDuplicateAttemptsMax) + ":POST /"});
  rig.AddPatient("100");
  const WorkId id = rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kHeld);
  EXPECT_EQ(rig.AttemptsOf(id), limits::kDuplicateAttemptsMax);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kConflict);
  EXPECT_THAT(rig.ReasonsOf(id).at(0).message, HasSubstr("HTTP 409"));
}

// Delivered, then corrected while somebody else adds a word `edits` times, each just before ours arrives.
WorkId CorrectAgainst(DeliveryRig& rig, int edits) {
  rig.AddPatient("100");
  rig.Submit(Scored());
  rig.RunUntilState(Scored(), WorkState::kDelivered);
  const std::string path = "Observation/" + DeliveryRig::IdIn(rig.direct().All("Observation").at(0));
  // Kept by the closure, which the client keeps.
  Without(rig, [&rig, path, edits, done = 0](sync::FhirRequest& request) mutable {
    if (request.kind != sync::RequestKind::kWrite || done == edits) return;
    ++done;
    std::string theirs = rig.direct().Get(path);
    const std::string note = R"({"text":"word )" + std::to_string(done) + "\"}";
    const std::size_t notes = theirs.find(R"("note":[)");
    if (notes != std::string::npos) {
      theirs.insert(notes + 8, note + ",");
    } else {
      theirs.insert(theirs.find(R"("status":)"), R"("note":[)" + note + "],");
    }
    rig.direct().Put(path, theirs);
  });
  return rig.Submit(Scored(2));
}

TEST(ConflictRereads, AsManyAsTheLimit_AreOneAttempt) {
  DeliveryRig rig(DeliveryRig::Direct{{}});
  const WorkId id = CorrectAgainst(rig, limits::kConflictRereadsMax);
  rig.RunUntilState(Scored(2), WorkState::kDelivered);
  EXPECT_EQ(rig.AttemptsOf(id), 1);
  EXPECT_THAT(rig.direct().All("Observation").at(0),
              testing::AllOf(HasSubstr(R"("valueString":"2")"), HasSubstr("word 1"), HasSubstr("word 3")));
}

TEST(ConflictRereads, OneMoreThanTheLimit_IsAnotherAttempt) {
  DeliveryRig rig(DeliveryRig::Direct{{}});
  const WorkId id = CorrectAgainst(rig, limits::kConflictRereadsMax + 1);
  rig.RunUntilState(Scored(2), WorkState::kRetry);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kServerBusy);
  rig.RunUntilState(Scored(2), WorkState::kDelivered);
  EXPECT_EQ(rig.AttemptsOf(id), 2);
  EXPECT_THAT(rig.direct().All("Observation").at(0),
              testing::AllOf(HasSubstr(R"("valueString":"2")"), HasSubstr("word 1"), HasSubstr("word 4")));
}

}  // namespace
}  // namespace fhir_adapter::test
