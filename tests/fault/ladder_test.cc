// The ways of sending, against servers that lack the better ones, refuse them, or lie about them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using sandbox::Behaviour;
using sync::Rung;
using sync::RungChoice;
using sync::RungReason;
using testing::HasSubstr;
using testing::Not;

const std::string kProcedure = DeliveryRig::Query("Procedure", "it-procedure", "clinic.r1");
const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");

Part Pain(const std::string& row, const std::string& score) {
  return {"Observation", "pain." + row,
          R"("status":"final","code":{"text":"pain"},"valueString":")" + score +
              R"(","partOf":[{"reference":"$$"}])"};
}

Record Injection(std::int64_t revision = 1) {
  Record record;
  record.revision = revision;
  record.parts = {{"Procedure", "", R"("status":"completed")"},
                  Pain("1", revision == 1 ? "7" : "3"),
                  {"AdverseEvent", "e1", R"("actuality":"actual","event":{"text":"x"})"}};
  return record;
}

Behaviour Without(bool transactions, bool batches) {
  Behaviour behaviour;
  behaviour.transactions = transactions;
  behaviour.batches = batches;
  behaviour.same_content_keeps_version = false;  // a second sending would show
  return behaviour;
}

Behaviour TakingApart(bool checks) {
  Behaviour behaviour;
  behaviour.transaction_becomes_batch = true;
  behaviour.refuses_unresolved_urn = checks;
  behaviour.checks_references = checks;
  behaviour.validates = checks;
  return behaviour;
}

struct Server {
  const char* name;
  Behaviour behaviour;
  const char* fault;  // none: empty
  RungChoice rung;
};

class ServerLadder : public testing::TestWithParam<Server> {};

TEST_P(ServerLadder, RecordAndCorrection_StandOnceWithResolvedReferences) {
  const Server& server = GetParam();
  DeliveryRig rig(server.behaviour, *server.fault == '\0' ? std::vector<std::string>{}
                                                          : std::vector<std::string>{server.fault});
  rig.AddPatient("100");
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_EQ(Name(rig.statistics().rung.rung), Name(server.rung.rung));
  EXPECT_EQ(Name(rig.statistics().rung.reason), Name(server.rung.reason));
  Record second = Injection(2);
  second.parts.push_back(Pain("2", "4"));
  rig.Submit(second);
  rig.RunUntilState(second, WorkState::kDelivered);
  EXPECT_EQ(rig.CountOnServer("Procedure"), 1);
  EXPECT_EQ(rig.CountOnServer("AdverseEvent"), 1);
  EXPECT_EQ(rig.CountOnServer("Provenance"), 2);
  EXPECT_EQ(rig.CountOnServer("Observation"), 2);
  const std::string pain = rig.OneOnServer(kPain);
  EXPECT_THAT(pain, HasSubstr(R"("valueString":"3")"));
  EXPECT_THAT(pain, HasSubstr(R"("status":"corrected")"));
  for (const char* type : {"Observation", "Provenance"}) {
    EXPECT_THAT(rig.server().Get("/" + std::string(type)).body, Not(HasSubstr("urn:uuid:"))) << type;
  }
  EXPECT_EQ(rig.Statistics().undelivered(), 0);
}

// Says nothing of Bundles and does not know them; answers with the status to anything that it does not know.
Behaviour Silent(int status) {
  Behaviour behaviour = *sandbox::BehaviourLike("silent");
  behaviour.bundle_refusal_status = status;
  return behaviour;
}

Behaviour SaysNothing() {
  Behaviour behaviour;
  behaviour.interactions_announced = false;
  return behaviour;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ServerLadder,
    testing::Values(
        Server{"KnowsNoBundlesAndSaysNotFound", Silent(404), "", {Rung::kSingle, RungReason::kRefused}},
        Server{"KnowsNoBundlesAndSaysBadRequest", Silent(400), "", {Rung::kSingle, RungReason::kRefused}},
        Server{"TakesTransactionsAndDoesNotSaySo",
               SaysNothing(),
               "",
               {Rung::kTransaction, RungReason::kNotSaid}},
        Server{"BatchOnlyProfile",
               *sandbox::BehaviourLike("batch-only"),
               "",
               {Rung::kBatch, RungReason::kListed}},
        Server{"LyingProfile", *sandbox::BehaviourLike("lying"), "", {Rung::kBatch, RungReason::kTakenApart}},
        Server{"Transactions", Without(true, true), "", {Rung::kTransaction, RungReason::kListed}},
        Server{"BatchesOnly", Without(false, true), "", {Rung::kBatch, RungReason::kListed}},
        Server{"SingleOnly", Without(false, false), "", {Rung::kSingle, RungReason::kListed}},
        Server{"RefusesTransactions",
               Without(true, true),
               "status:501:1:POST /",
               {Rung::kBatch, RungReason::kRefused}},
        Server{"RefusesBundles",
               Without(true, true),
               "status:405:2:POST /",
               {Rung::kSingle, RungReason::kRefused}},
        Server{"TakesTransactionsApart", TakingApart(true), "", {Rung::kBatch, RungReason::kTakenApart}},
        Server{"TakesTransactionsApartAndChecksNothing",
               TakingApart(false),
               "",
               {Rung::kBatch, RungReason::kTakenApart}}),
    [](const auto& one) { return one.param.name; });

// Each request of a delivery by batches and by single requests: /metadata, the patient and the look for the
// record come before the first of them. Behind the proxy a single update says its place in vain, so that each
// new resource is looked for.
struct LostRow {
  const char* name;
  bool batches;
  int requests_before;
};

class LostAnswerOnRung : public testing::TestWithParam<LostRow> {};

TEST_P(LostAnswerOnRung, IsLookedForAndTheRestIsSentOnce) {
  DeliveryRig rig(Without(false, GetParam().batches));
  rig.AddPatient("100");
  rig.LetPass(GetParam().requests_before);
  rig.Order(ProxyFault::kDropReply);
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kAmbiguous);
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_EQ(rig.proxy().faults_done(), 1U);
  for (const char* type : {"Procedure", "Observation", "AdverseEvent", "Provenance"}) {
    EXPECT_THAT(rig.OneOnServer(type), HasSubstr(R"("versionId":"1")")) << type;
  }
  const std::string provenance = rig.OneOnServer("Provenance");
  for (const char* type : {"Procedure/", "Observation/", "AdverseEvent/"}) {
    EXPECT_THAT(provenance, HasSubstr("\"reference\":\"" + std::string(type))) << type;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, LostAnswerOnRung,
                         testing::Values(LostRow{"FirstBatch", true, 3}, LostRow{"SecondBatch", true, 4},
                                         LostRow{"LastBatch", true, 5}, LostRow{"FirstSingle", false, 3},
                                         LostRow{"SecondSingle", false, 5}, LostRow{"ThirdSingle", false, 7},
                                         LostRow{"LastSingle", false, 8}),
                         [](const auto& one) { return one.param.name; });

TEST(Ladder, PlaceThatCannotBeLookedFor_LeavesTheWorkAmbiguous) {
  DeliveryRig rig(Without(false, false), {"status:503:every=2:GET /Procedure"});
  rig.AddPatient("100");
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kAmbiguous);
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_EQ(rig.statistics().resources_adopted, 2) << "the Procedure and the Observation";
  EXPECT_THAT(rig.OneOnServer("Provenance"), HasSubstr("\"reference\":\"Procedure/"));
}

TEST(Ladder, ProcessEndsBetweenTwoSingleRequests_TheNextOneGoesOnWhereItStood) {
  DeliveryRig rig(Without(false, false));
  rig.AddPatient("100");
  rig.LetPass(5);
  rig.Order(ProxyFault::kStall);
  rig.Submit(Injection());
  rig.RunUntil([&] { return rig.CountOnServer("Observation") == 1; });
  rig.Restart();
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  for (const char* type : {"Procedure", "Observation", "AdverseEvent", "Provenance"}) {
    EXPECT_THAT(rig.OneOnServer(type), HasSubstr(R"("versionId":"1")")) << type;
  }
}

TEST(Ladder, ServerBusyMidway_IsTriedAgainFromThere) {
  DeliveryRig rig(Without(false, false), {"status:503:1:PUT /AdverseEvent"});
  rig.AddPatient("100");
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kRetry);
  EXPECT_EQ(rig.CountOnServer("Procedure"), 1);
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_THAT(rig.OneOnServer(kProcedure), HasSubstr(R"("versionId":"1")"));
  EXPECT_THAT(rig.OneOnServer("Provenance"), HasSubstr("\"reference\":\"Procedure/"));
}

TEST(Ladder, TypeThatTheServerDoesNotTake_HoldsItsRecordOnly) {
  DeliveryRig rig(Without(false, false), {"status:405:PUT /AdverseEvent", "status:405:POST /AdverseEvent"});
  rig.AddPatient("100");
  const outbox::WorkId id = rig.Submit(Injection());
  Record other = Injection();
  other.id = "r2";
  other.parts.pop_back();
  rig.Submit(other);
  rig.RunUntilState(other, WorkState::kDelivered);
  EXPECT_EQ(outbox::Name(rig.StateOf(Injection())), "held");
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kServerLacks);
}

// Its AdverseEvent and Provenance can neither be put under ids of ours nor be posted.
TEST(Ladder, EntriesOfABatchThatTheServerDoesNotTake_HoldTheWorkAndPauseNothing) {
  DeliveryRig rig(DeliveryRig::Direct{Without(false, true)});
  rig.AddPatient("100");
  rig.direct().behaviour().update_create = false;
  rig.direct().behaviour().creates = false;
  const outbox::WorkId id = rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kServerLacks);
  EXPECT_FALSE(rig.statistics().has_trouble);
  // What it takes has arrived; once it takes the rest too, that follows.
  EXPECT_EQ(rig.direct().All("Procedure").size(), 1U);
  rig.direct().behaviour().update_create = true;
  rig.loop().Rematch();
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_EQ(rig.direct().All("AdverseEvent").size(), 1U);
  EXPECT_EQ(rig.direct().All("Provenance").size(), 1U);
}

TEST(Ladder, ChangedBySomeoneElse_IsHeldOnSingleRequestsToo) {
  DeliveryRig rig(Without(false, false));
  rig.AddPatient("100");
  rig.Submit(Injection());
  rig.RunUntilQuiet();
  std::string theirs = rig.OneOnServer(kPain);
  const std::size_t at = theirs.find(R"("valueString":"7")");
  ASSERT_NE(at, std::string::npos);
  theirs.replace(at, 17, R"("valueString":"9")");
  const std::size_t id_at = theirs.find("\"id\":\"") + 6;
  const std::string id = theirs.substr(id_at, theirs.find('"', id_at) - id_at);
  ASSERT_EQ(rig.server().Put("/Observation/" + id, theirs).status, 200);
  const outbox::WorkId work = rig.Submit(Injection(2));
  rig.RunUntilState(Injection(2), WorkState::kHeld);
  EXPECT_EQ(rig.ReasonsOf(work).at(0).code, Code::kConflict);
  EXPECT_THAT(rig.OneOnServer(kPain), HasSubstr(R"("valueString":"9")"));
}

TEST(Ladder, RungOfTheConfigurationThatTheServerRefuses_PausesTheRouteAndBlamesNoRecord) {
  DeliveryRig rig(Without(false, true));
  rig.FixRung(Rung::kTransaction);
  rig.AddPatient("100");
  const outbox::WorkId id = rig.Submit(Injection());
  rig.RunUntil([&] { return rig.statistics().has_trouble && rig.loop().idle(); });
  EXPECT_EQ(rig.statistics().trouble, Code::kServerLacks);
  EXPECT_EQ(outbox::Name(rig.StateOf(Injection())), "queued");
  EXPECT_EQ(rig.AttemptsOf(id), 0);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kServerLacks);
  EXPECT_EQ(rig.CountOnServer("Procedure"), 0);
}

// A reference to nothing: 400 by a server that takes transactions and does not say so.
TEST(Ladder, RefusedForItsContent_LeavesTheRungAsItIs) {
  DeliveryRig rig(SaysNothing(), {"status:400:1:POST /"});
  rig.AddPatient("100");
  const outbox::WorkId id = rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kQuarantined);
  EXPECT_EQ(rig.ReasonsOf(id).at(0).code, Code::kServerRefused);
  EXPECT_EQ(rig.statistics().rung, (RungChoice{Rung::kTransaction, RungReason::kNotSaid}));
  Record other = Injection();
  other.id = "r2";
  rig.Submit(other);
  rig.RunUntilState(other, WorkState::kDelivered);
  EXPECT_EQ(rig.statistics().rung, (RungChoice{Rung::kTransaction, RungReason::kNotSaid}));
}

TEST(Ladder, ServerBusyWhenItIsTriedWithAnEmptyBundle_IsTriedAgainLater) {
  DeliveryRig rig(Silent(404), {"status:503:1:POST /"});
  rig.AddPatient("100");
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kDelivered);
  EXPECT_EQ(rig.statistics().rung, (RungChoice{Rung::kSingle, RungReason::kRefused}));
}

// AdverseEvents are not taken while `lacks` holds.
void LackAdverseEvents(DeliveryRig& rig, const bool& lacks) {
  class Lacking final : public sync::FhirClient {
   public:
    Lacking(sync::FhirClient& client, const bool& lacks) : client_(client), lacks_(lacks) {}
    void Send(sync::FhirRequest request, Done done) override {
      if (!lacks_ || !request.path.starts_with("AdverseEvent") || request.kind != sync::RequestKind::kWrite) {
        return client_.Send(std::move(request), std::move(done));
      }
      sync::FhirAnswer answer;
      answer.transport = sync::Transport::kAnswered;
      answer.status = 405;
      done(std::move(answer));
    }
    bool RefreshCredentials(std::int64_t used) override { return client_.RefreshCredentials(used); }
    void CancelAll() override { client_.CancelAll(); }
    const std::string& base_url() const override { return client_.base_url(); }

   private:
    sync::FhirClient& client_;
    const bool& lacks_;
  };
  rig.WrapClient([&lacks](sync::FhirClient& client) { return std::make_unique<Lacking>(client, lacks); });
}

TEST(Ladder, WhatTheServerLacked_IsTriedAgainWhenItSaysSomethingElseOfItself) {
  DeliveryRig rig(DeliveryRig::Direct{Without(false, false)});
  rig.AddPatient("100");
  bool lacks = true;
  LackAdverseEvents(rig, lacks);
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kHeld);
  lacks = false;
  rig.RunFor(7'200'000'000);
  EXPECT_EQ(outbox::Name(rig.StateOf(Injection())), "held") << "it says what it said before";
  rig.direct().behaviour().update_create_announced = false;
  rig.RunFor(3'600'000'000);
  EXPECT_EQ(outbox::Name(rig.StateOf(Injection())), "delivered");
  EXPECT_EQ(rig.direct().All("AdverseEvent").size(), 1U);
  EXPECT_EQ(rig.statistics().lacking_released, 1);
}

TEST(Ladder, WhatTheServerLacked_IsTriedAgainWhenAPersonAsks) {
  DeliveryRig rig(DeliveryRig::Direct{Without(false, false)});
  rig.AddPatient("100");
  bool lacks = true;
  LackAdverseEvents(rig, lacks);
  rig.Submit(Injection());
  rig.RunUntilState(Injection(), WorkState::kHeld);
  lacks = false;
  rig.loop().Rematch();
  rig.RunUntilState(Injection(), WorkState::kDelivered);
}

TEST(Concurrency, TooMuchForTheServer_IsHalvedAndComesBackWithGoodAnswers) {
  DeliveryRig rig(DeliveryRig::Direct{{}});
  for (int i = 0; i < 40; ++i) rig.AddPatient(std::to_string(100 + i));
  int refused = 0;
  rig.direct().fate = [&refused](const sync::FhirRequest& request) {
    return request.kind == sync::RequestKind::kWrite && ++refused <= 3 ? Fate::kBusy : Fate::kGood;
  };
  const auto submit = [&rig](int from, int to) {
    for (int i = from; i < to; ++i) {
      Record record = Injection();
      record.id = "c" + std::to_string(i);
      record.mrn = std::to_string(100 + i);
      rig.Submit(record);
    }
  };
  submit(0, 10);
  std::int64_t least = 8;
  rig.RunUntil([&] {
    if (rig.statistics().concurrency > 0) least = std::min(least, rig.statistics().concurrency);
    return rig.Statistics().Count(WorkState::kDelivered) == 10;
  });
  EXPECT_LT(least, 8);
  submit(10, 40);
  rig.RunUntilQuiet();
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), 40);
  EXPECT_EQ(rig.statistics().concurrency, 8);
}

}  // namespace
}  // namespace fhir_adapter::test
