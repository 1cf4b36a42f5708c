// Servers that give every resource its id themselves: no update-as-create, and some no conditional update
// either. On every rung a record, its correction and its retraction stand there once, through lost answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "delivery_rig.h"
#include "editing_client.h"
#include "sync/resource_content.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using sandbox::Behaviour;
using sync::FormReason;
using sync::PostedType;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kTypes[] = {"Procedure", "Observation", "AdverseEvent", "Provenance"};

Record Injection(std::int64_t revision = 1, const std::string& status = "completed") {
  const bool is_voided = status == "voided";
  const std::string score = std::to_string(revision);
  Record record;
  record.revision = revision;
  record.status = status;
  record.parts = {
      {"Procedure", "", is_voided ? R"("status":"entered-in-error")" : R"("status":"completed")"},
      {"Observation", "pain.1",
       std::string(R"("status":")") + (is_voided ? "entered-in-error" : "final") +
           R"(","code":{"text":"pain"},"valueString":")" + score + R"(","partOf":[{"reference":"$$"}])"},
      {"AdverseEvent", "e1", R"("actuality":"actual","event":{"text":"event )" + score + "\"}"}};
  return record;
}

struct Server {
  std::string name;
  Behaviour behaviour;
  std::set<std::string> posted;  // of kTypes, once the record is there
  FormReason reason = FormReason::kListed;
};

Behaviour OnRung(Behaviour behaviour, const std::string& rung) {
  behaviour.transactions = rung == "Transaction";
  behaviour.batches = rung != "Single";
  behaviour.same_content_keeps_version = false;  // a second sending shows
  return behaviour;
}

Behaviour NamesOnly(bool announced, int status, bool conditional_updates) {
  Behaviour behaviour;
  behaviour.update_create = false;
  behaviour.update_create_announced = announced;
  behaviour.update_create_refusal_status = status;
  behaviour.conditional_updates = conditional_updates;
  behaviour.conditional_updates_announced = announced;
  return behaviour;
}

std::vector<Server> Servers() {
  const std::set<std::string> without_identifier = {"AdverseEvent", "Provenance"};
  const std::set<std::string> all(std::begin(kTypes), std::end(kTypes));
  std::vector<Server> servers;
  for (const char* rung : {"Transaction", "Batch", "Single"}) {
    const auto add = [&](const std::string& name, Behaviour behaviour, const std::set<std::string>& posted,
                         FormReason reason) {
      servers.push_back({rung + name, OnRung(behaviour, rung), posted, reason});
    };
    add("Profile", *sandbox::BehaviourLike("server-ids"), all, FormReason::kListed);
    add("SaysSo", NamesOnly(true, 405, true), without_identifier, FormReason::kListed);
    add("Refuses404", NamesOnly(false, 404, true), without_identifier, FormReason::kRefused);
    add("Refuses405", NamesOnly(false, 405, true), without_identifier, FormReason::kRefused);
    add("Refuses400", NamesOnly(false, 400, true), without_identifier, FormReason::kRefused);
    add("RefusesBoth", NamesOnly(false, 404, false), all, FormReason::kRefused);
  }
  return servers;
}

class ServerIds : public testing::TestWithParam<Server> {
 protected:
  ServerIds() : rig_(DeliveryRig::Direct{GetParam().behaviour}) { rig_.AddPatient("100"); }

  void Deliver(const Record& record) {
    rig_.Submit(record);
    rig_.RunUntilState(record, WorkState::kDelivered);
  }
  std::string One(const std::string& type) {
    const std::vector<std::string> all = rig_.direct().All(type);
    EXPECT_THAT(all, SizeIs(1)) << type;
    return all.empty() ? std::string() : all.front();
  }
  // Each in its first version, and what refers to it finds it.
  void ExpectOnce() {
    for (const char* type : kTypes) EXPECT_THAT(One(type), HasSubstr(R"("versionId":"1")")) << type;
    const std::string provenance = One("Provenance");
    EXPECT_THAT(provenance, Not(HasSubstr("urn:uuid:")));
    for (const char* type : {"Procedure", "Observation", "AdverseEvent"}) {
      const std::string id = DeliveryRig::IdIn(One(type));
      EXPECT_THAT(provenance, HasSubstr("\"reference\":\"" + std::string(type) + "/" + id + "\""));
    }
  }

  DeliveryRig rig_;
};

INSTANTIATE_TEST_SUITE_P(Table, ServerIds, testing::ValuesIn(Servers()),
                         [](const auto& one) { return one.param.name; });

TEST_P(ServerIds, RecordCorrectionAndRetraction_StandOnce) {
  Deliver(Injection());
  ExpectOnce();
  std::vector<std::string> posted;
  for (const PostedType& one : rig_.statistics().posted) {
    if (std::ranges::count(kTypes, one.type) == 0) continue;  // not sent in this test
    posted.push_back(one.type);
    EXPECT_EQ(Name(one.reason), Name(GetParam().reason)) << one.type;
  }
  EXPECT_EQ(std::set<std::string>(posted.begin(), posted.end()), GetParam().posted);
  const std::string event = DeliveryRig::IdIn(One("AdverseEvent"));

  Deliver(Injection(2));
  EXPECT_THAT(One("Observation"),
              testing::AllOf(HasSubstr(R"("valueString":"2")"), HasSubstr(R"("status":"corrected")")));
  EXPECT_THAT(One("AdverseEvent"), testing::AllOf(HasSubstr("event 2"), HasSubstr("\"id\":\"" + event)));
  EXPECT_THAT(rig_.direct().All("Provenance"), SizeIs(2));

  Record omits = Injection(3, "voided");
  omits.parts.pop_back();  // the store knows it
  Deliver(omits);
  EXPECT_THAT(One("Observation"), HasSubstr(R"("status":"entered-in-error")"));
  EXPECT_THAT(One("AdverseEvent"),
              testing::AllOf(HasSubstr(R"("code":"entered-in-error")"), HasSubstr("\"id\":\"" + event)));
  EXPECT_THAT(rig_.direct().All("Provenance"), SizeIs(3));
  EXPECT_EQ(rig_.Statistics().undelivered(), 0);
}

// The n-th request that writes is carried out, and its answer is lost, or a gateway says something else.
TEST_P(ServerIds, EachAnswerLostAfterTheCommit_MakesNothingTwice) {
  for (const Fate fate : {Fate::kAnswerLost, Fate::kGatewayTimeout}) {
    for (int lost = 1;; ++lost) {
      DeliveryRig rig(DeliveryRig::Direct{GetParam().behaviour});
      rig.AddPatient("100");
      int writes = 0;
      rig.direct().fate = [&](const sync::FhirRequest& request) {
        return request.kind == sync::RequestKind::kWrite && ++writes == lost ? fate : Fate::kGood;
      };
      rig.Submit(Injection());
      rig.RunUntilState(Injection(), WorkState::kDelivered);
      rig.Submit(Injection(2));
      rig.RunUntilState(Injection(2), WorkState::kDelivered);
      for (const char* type : {"Procedure", "Observation", "AdverseEvent"}) {
        EXPECT_THAT(rig.direct().All(type), SizeIs(1)) << type << ", lost write " << lost;
      }
      EXPECT_THAT(rig.direct().All("Provenance"), SizeIs(2)) << "lost write " << lost;
      EXPECT_THAT(rig.direct().All("AdverseEvent").at(0), HasSubstr("event 2"));
      if (writes < lost || HasFailure()) break;
    }
  }
}

TEST_P(ServerIds, RestartWithoutStore_FindsWhatIsThere) {
  Deliver(Injection());
  rig_.EmptyStore();
  Deliver(Injection());
  ExpectOnce();
  Deliver(Injection(2));
  EXPECT_THAT(One("AdverseEvent"), HasSubstr("event 2"));
}

TEST_P(ServerIds, OlderRevisionThanTheServers_IsNotSent) {
  Deliver(Injection(2));
  rig_.EmptyStore();
  rig_.Submit(Injection());
  rig_.RunUntilState(Injection(), WorkState::kHeld);
  EXPECT_THAT(One("AdverseEvent"), HasSubstr("event 2"));
}

TEST(ServerIdsControl, WithoutTheLookBeforeCreating_IsThereTwice) {
  DeliveryRig rig(DeliveryRig::Direct{*sandbox::BehaviourLike("server-ids")});
  rig.AddPatient("100");
  Without(rig, nullptr, Blind("AdverseEvent?subject="));
  int writes = 0;
  rig.direct().fate = [&](const sync::FhirRequest& request) {
    return request.kind == sync::RequestKind::kWrite && ++writes == 1 ? Fate::kAnswerLost : Fate::kGood;
  };
  rig.Submit(Injection());
  rig.RunUntilQuiet();
  EXPECT_THAT(rig.direct().All("AdverseEvent"), SizeIs(2));
}

// If-None-Exist found somebody's resource under our identifier in the moment between the look and the POST.
TEST(ServerIdsRace, ResourceMadeByAnotherInstanceMeanwhile_BecomesOurs) {
  for (const char* rung : {"Transaction", "Batch", "Single"}) {
    DeliveryRig rig(DeliveryRig::Direct{OnRung(*sandbox::BehaviourLike("server-ids"), rung)});
    rig.AddPatient("100");
    bool is_done = false;
    Without(rig, [&rig, &is_done](sync::FhirRequest& request) {
      if (request.kind != sync::RequestKind::kWrite || is_done) return;
      is_done = true;
      rig.direct().Post("Observation",
                        R"({"resourceType":"Observation","status":"final","code":{"text":"pain"},)"
                        R"("identifier":[{"system":"https://clinic.example/fhir/sid/it-observation",)"
                        R"("value":"clinic.r1.pain.1"}],"valueString":"other"})");
    });
    rig.Submit(Injection());
    rig.RunUntilState(Injection(), WorkState::kDelivered);
    const std::vector<std::string> pain = rig.direct().All("Observation");
    ASSERT_THAT(pain, SizeIs(1)) << rung;
    EXPECT_THAT(pain[0], HasSubstr(R"("valueString":"1")")) << rung;
  }
}

// It says that it takes our ids, and does not: found out by the entry that it refuses.
TEST(ServerIdsLie, EntryRefusedAgainstWhatTheServerSays_IsPosted) {
  DeliveryRig rig(DeliveryRig::Direct{OnRung({}, "Single")});
  rig.AddPatient("100");
  rig.direct().fate = [](const sync::FhirRequest& request) {
    const bool is_refused = request.method == sync::Method::kPut && request.path.starts_with("AdverseEvent/");
    return is_refused ? Fate::kNeverArrived : Fate::kGood;
  };
  Without(rig, nullptr, [](const sync::FhirRequest& request, sync::FhirAnswer& answer) {
    if (answer.transport == sync::Transport::kAnswered || request.method != sync::Method::kPut) return;
    answer.transport = sync::Transport::kAnswered;
    answer.status = 405;
  });
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_THAT(rig.direct().All("AdverseEvent"), SizeIs(1));
  EXPECT_THAT(rig.statistics().posted, ElementsAre(PostedType{"AdverseEvent", FormReason::kRefused}));
}

// Refused for what they say, not for how: nothing is learned from it.
TEST(ServerIdsContent, RefusedInBothForms_IsQuarantinedAndTheFormStays) {
  Behaviour behaviour;
  behaviour.update_create_announced = false;
  DeliveryRig rig(DeliveryRig::Direct{behaviour});
  rig.AddPatient("100");
  Record bad = Injection();
  bad.id = "bad";
  bad.parts[1].members = R"("status":"no such status","code":{"text":"pain"})";
  rig.Submit(bad);
  rig.RunUntilState(bad, WorkState::kQuarantined);
  EXPECT_THAT(rig.direct().All("Procedure"), IsEmpty());
  EXPECT_THAT(rig.statistics().posted, IsEmpty());
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_THAT(rig.statistics().posted, IsEmpty());
}

}  // namespace
}  // namespace fhir_adapter::test
