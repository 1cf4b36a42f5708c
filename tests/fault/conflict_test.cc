// Scenario 6: somebody else edited the resource on the server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::ConflictDecision;
using outbox::WorkId;
using outbox::WorkState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");
const std::string kProcedure = DeliveryRig::Query("Procedure", "it-procedure", "clinic.r1");

// A revision that says this pain score.
Record Scored(std::int64_t revision, const std::string& score) {
  Record record;
  record.revision = revision;
  record.status = revision == 1 ? "completed" : "corrected";
  record.parts = ScoredParts(score);
  return record;
}

// The way that the plan travels must make no difference to a conflict.
class Scenario06 : public testing::TestWithParam<const char*> {
 protected:
  Scenario06() : rig_(BehaviourOf(GetParam())) {
    rig_.AddPatient("100");
    rig_.Submit(Scored(1, "7"));
    rig_.RunUntilState(Scored(1, "7"), WorkState::kDelivered);
  }
  static sandbox::Behaviour BehaviourOf(const std::string& name) {
    if (name == "transaction") return {};
    if (name == "batch") {
      sandbox::Behaviour behaviour;
      behaviour.transactions = false;
      return behaviour;
    }
    return *sandbox::BehaviourLike(name);
  }
  WorkId SubmitHeld(std::int64_t revision, const std::string& score) {
    const WorkId id = rig_.Submit(Scored(revision, score));
    rig_.RunUntilState(Scored(revision, score), WorkState::kHeld);
    return id;
  }
  void Deliver(std::int64_t revision, const std::string& score) {
    rig_.Submit(Scored(revision, score));
    rig_.RunUntilState(Scored(revision, score), WorkState::kDelivered);
  }
  // Somebody else's word on the score.
  void TheySay(const std::string& before, const std::string& after) {
    ASSERT_TRUE(
        rig_.EditOnServer(kPain, R"("valueString":")" + before + "\"", R"("valueString":")" + after + "\""));
  }
  void TheyAddNote() {
    ASSERT_TRUE(rig_.EditOnServer(
        kPain, R"("partOf")", R"("note":[{"text":"seen by the ward"}],"bodySite":{"text":"back"},"partOf")"));
  }
  std::string Pain() { return rig_.OneOnServer(kPain); }
  static std::string Score(const std::string& score) { return R"("valueString":")" + score + "\""; }
  std::string VersionOfPain() {
    const std::string pain = Pain();
    const std::size_t at = pain.find(R"("versionId":")") + 13;
    return pain.substr(at, pain.find('"', at) - at);
  }

  DeliveryRig rig_;
};

INSTANTIATE_TEST_SUITE_P(Servers, Scenario06,
                         testing::Values("transaction", "batch", "hapi", "helios", "single-only"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(Scenario06, AdditionBesideWhatIsOurs_StaysWithEachUpdate) {
  TheyAddNote();
  const std::string theirs = VersionOfPain();
  Deliver(2, "3");
  EXPECT_THAT(Pain(), HasSubstr(Score("3")));
  EXPECT_THAT(Pain(), HasSubstr("seen by the ward"));
  EXPECT_THAT(Pain(), HasSubstr(R"("bodySite":{"text":"back"})"));
  EXPECT_THAT(rig_.LogOf("r1", "built-on"), ElementsAre(HasSubstr(R"("version":")" + theirs + "\"")));
  // And with one that comes after a restart, without another look.
  rig_.Restart();
  Deliver(3, "2");
  EXPECT_THAT(Pain(), HasSubstr(Score("2")));
  EXPECT_THAT(Pain(), HasSubstr("seen by the ward"));
  EXPECT_THAT(rig_.LogOf("r1", "built-on"), SizeIs(1));
}

TEST_P(Scenario06, WhatIsOursChangedByThem_IsHeldWithBothSides) {
  TheySay("7", "9");
  const std::string theirs = VersionOfPain();
  const WorkId id = SubmitHeld(2, "3");
  EXPECT_THAT(Pain(), HasSubstr(Score("9")));
  const outbox::QueueDetail detail = rig_.Show(id);
  ASSERT_THAT(detail.conflicts, SizeIs(1));
  EXPECT_EQ(detail.conflicts[0].version_id, theirs);
  EXPECT_THAT(detail.conflicts[0].ours, HasSubstr(Score("3")));
  EXPECT_THAT(detail.conflicts[0].theirs, HasSubstr(Score("9")));
  EXPECT_THAT(detail.conflicts[0].delivered, HasSubstr(Score("7")));
  ASSERT_THAT(detail.entry.reasons, SizeIs(1));
  EXPECT_EQ(detail.entry.reasons[0].code, Code::kConflict);
  EXPECT_EQ(detail.entry.reasons[0].pointer, "Observation.valueString");
  EXPECT_THAT(rig_.LogOf("r1", "conflict-found"), ElementsAre(HasSubstr(R"("version":")" + theirs + "\"")));
  // Somebody has to say which.
  const auto released = rig_.Release(id, std::nullopt);
  ASSERT_FALSE(released.has_value());
  EXPECT_EQ(released.error().code, Code::kNotAllowed);
}

TEST_P(Scenario06, DecidedForOurs_GoesOverTheirsAndKeepsWhatTheyAdded) {
  TheySay("7", "9");
  TheyAddNote();
  const std::string theirs = VersionOfPain();
  const WorkId id = SubmitHeld(2, "3");
  ASSERT_TRUE(rig_.Release(id, ConflictDecision::kOurs).has_value());
  rig_.RunUntilState(Scored(2, "3"), WorkState::kDelivered);
  EXPECT_THAT(Pain(), HasSubstr(Score("3")));
  EXPECT_THAT(Pain(), HasSubstr("seen by the ward"));
  EXPECT_THAT(rig_.LogOf("r1", "conflict-decided"),
              ElementsAre(testing::AllOf(HasSubstr(R"("version":")" + theirs + "\""),
                                         HasSubstr(R"("outcome":"ours")"), HasSubstr("nurse"))));
  EXPECT_THAT(rig_.Show(id).conflicts, IsEmpty());
  // The server's history still has it.
  const std::string history = "/Observation/" + DeliveryRig::IdIn(Pain()) + "/_history/" + theirs;
  EXPECT_THAT(rig_.server().Get(history).body, HasSubstr(Score("9")));
}

TEST_P(Scenario06, DecidedForOurs_KeepsWhatTheyAddedToAnEarlierRevisionToo) {
  TheyAddNote();
  Deliver(2, "3");
  TheySay("3", "9");
  const WorkId id = SubmitHeld(3, "4");
  ASSERT_TRUE(rig_.Release(id, ConflictDecision::kOurs).has_value());
  rig_.RunUntilState(Scored(3, "4"), WorkState::kDelivered);
  EXPECT_THAT(Pain(), HasSubstr(Score("4")));
  EXPECT_THAT(Pain(), HasSubstr("seen by the ward"));
}

TEST_P(Scenario06, DecidedForTheirs_StaysUntilTheRecordSaysSomethingElse) {
  TheySay("7", "9");
  const std::string theirs = VersionOfPain();
  const WorkId id = SubmitHeld(2, "3");
  ASSERT_TRUE(rig_.Release(id, ConflictDecision::kTheirs).has_value());
  rig_.RunUntilState(Scored(2, "3"), WorkState::kDelivered);
  EXPECT_THAT(Pain(), HasSubstr(Score("9")));
  EXPECT_EQ(VersionOfPain(), theirs);
  EXPECT_THAT(rig_.LogOf("r1", "conflict-decided"), ElementsAre(HasSubstr(R"("outcome":"theirs")")));
  // The same again: nothing to decide.
  Deliver(3, "3");
  EXPECT_EQ(VersionOfPain(), theirs);
  // Another score: a person has to decide once more.
  const WorkId next = SubmitHeld(4, "5");
  EXPECT_THAT(Pain(), HasSubstr(Score("9")));
  ASSERT_THAT(rig_.Show(next).conflicts, SizeIs(1));
  ASSERT_TRUE(rig_.Release(next, ConflictDecision::kOurs).has_value());
  rig_.RunUntilState(Scored(4, "5"), WorkState::kDelivered);
  EXPECT_THAT(Pain(), HasSubstr(Score("5")));
}

TEST_P(Scenario06, ChangedAgainWhileAPersonDecided_IsHeldWithTheNewVersion) {
  TheySay("7", "9");
  const WorkId id = SubmitHeld(2, "3");
  TheySay("9", "10");
  const std::string newest = VersionOfPain();
  ASSERT_TRUE(rig_.Release(id, ConflictDecision::kOurs).has_value());
  rig_.RunUntil([&] {
    const auto conflicts = rig_.Show(id).conflicts;
    return conflicts.size() == 1 && conflicts[0].version_id == newest;
  });
  EXPECT_THAT(Pain(), HasSubstr(Score("10")));
  EXPECT_THAT(rig_.LogOf("r1", "conflict-found"), SizeIs(2));
}

TEST_P(Scenario06, RemovedByThem_ComesBackOnlyWhenDecidedForOurs) {
  const std::string pain = Pain();
  for (const char* type : {"Provenance", "Observation"}) {
    const std::string path = "/" + std::string(type) + "/" + DeliveryRig::IdIn(rig_.OneOnServer(type));
    ASSERT_LT(rig_.server().Delete(path).status, 300);
  }
  if (std::string(GetParam()) == "hapi") {  // takes an update of what was removed, whatever its If-Match says
    Deliver(2, "3");
    EXPECT_THAT(Pain(), HasSubstr(Score("3")));
    // Version 1 was ours, the removal made 2, and 3 is ours again.
    EXPECT_THAT(VersionOfPain(), testing::StrEq("3"));
    EXPECT_THAT(rig_.LogOf("r1", "built-on"), ElementsAre(HasSubstr(R"("version":"2")")));
    return;
  }
  const WorkId id = SubmitHeld(2, "3");
  ASSERT_THAT(rig_.Show(id).conflicts, SizeIs(1));
  EXPECT_THAT(rig_.Show(id).conflicts[0].theirs, IsEmpty());
  EXPECT_EQ(rig_.CountOnServer(kPain), 0);
  ASSERT_TRUE(rig_.Release(id, ConflictDecision::kOurs).has_value());
  rig_.RunUntilState(Scored(2, "3"), WorkState::kDelivered);
  EXPECT_THAT(Pain(), HasSubstr(Score("3")));
  EXPECT_EQ(DeliveryRig::IdIn(Pain()), DeliveryRig::IdIn(pain));
}

TEST_P(Scenario06, SameChangeByThem_IsNoConflict) {
  TheySay("7", "3");
  Deliver(2, "3");
  EXPECT_THAT(Pain(), HasSubstr(Score("3")));
}

TEST_P(Scenario06, HigherRevisionWhileHeld_TakesItsPlaceAndIsHeldItself) {
  TheySay("7", "9");
  SubmitHeld(2, "3");
  SubmitHeld(3, "4");
  EXPECT_EQ(outbox::Name(rig_.StateOf(Scored(2, "3"))), "superseded");
  EXPECT_THAT(Pain(), HasSubstr(Score("9")));
}

}  // namespace
}  // namespace fhir_adapter::test
