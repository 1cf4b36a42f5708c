// Work that is held since somebody else changed a resource on the server.
#include <gmock/gmock.h>

#include "backend.h"
#include "core/digest.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::WorkId;
using outbox::WorkState;
using ::testing::ElementsAre;

constexpr const char* kEndpoint = "http://server.example/fhir";

// Held because somebody else changed what the second revision was to change.
class ConflictContract : public ContractTest {
 protected:
  void SetUp() override {
    Queue("R1", 1);
    Deliver(*ClaimOne());
    id_ = Queue("R1", 2);
    auto report = Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kConflict);
    outbox::ResourceConflict conflict;
    conflict.endpoint = kEndpoint;
    conflict.key = {"Procedure", "https://clinic.example/fhir/sid/it-procedure", "pain-clinic.R1"};
    conflict.server_id = "srv-pain-clinic.R1";
    conflict.version_id = "7";
    conflict.delivered = "{\"revision\":1}";
    conflict.ours = "{\"revision\":2}";
    conflict.theirs = "{\"revision\":9,\"note\":1}";
    conflict.kept = "{\"revision\":1,\"note\":1}";
    conflict.json = "{\"revision\":2}";
    report.conflicts = {conflict};
    ASSERT_EQ(Complete(report), WorkState::kHeld);
  }
  Result<void> Decide(outbox::ConflictDecision decision, const outbox::Change& change) {
    return Changed([&](storage::Transaction& t) { return outbox().Decide(t, id_, decision, change); });
  }
  outbox::LedgerRow LedgerRow() {
    const auto rows = Seen<std::vector<outbox::LedgerRow>>([&](storage::Snapshot& snapshot) {
      return queue().LedgerOfSubject(snapshot, kEndpoint, "pain-clinic.R1");
    });
    return rows.empty() ? outbox::LedgerRow{} : rows.front();
  }
  outbox::QueueDetail Show(const WorkId& id) {
    return Seen<outbox::QueueDetail>([&](storage::Snapshot& snapshot) { return queue().Show(snapshot, id); });
  }
  WorkId id_;
};

TEST_P(ConflictContract, HeldWork_ShowsBothSidesAlsoAfterARestart) {
  Reopen();
  const outbox::QueueDetail detail = Show(id_);
  ASSERT_EQ(detail.conflicts.size(), 1U);
  EXPECT_EQ(detail.conflicts[0].theirs, "{\"revision\":9,\"note\":1}");
  EXPECT_EQ(detail.conflicts[0].delivered, "{\"revision\":1}");
  EXPECT_EQ(detail.conflicts[0].version_id, "7");
  EXPECT_EQ(LedgerRow().version_id, "1") << "nothing is decided";
}

TEST_P(ConflictContract, ReleaseWithoutDecision_IsRefused) {
  const auto released =
      Changed([&](storage::Transaction& t) { return outbox().Release(t, id_, Operator()); });
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().code, Code::kNotAllowed);
  EXPECT_EQ(StateOf(id_), WorkState::kHeld);
}

TEST_P(ConflictContract, DecisionForOurs_PutsTheLedgerOnTheirVersionAndKeepsTheirAdditions) {
  ASSERT_TRUE(Decide(outbox::ConflictDecision::kOurs, Operator("the clinic is right")));
  Reopen();
  const outbox::LedgerRow row = LedgerRow();
  EXPECT_EQ(row.version_id, "7");
  EXPECT_EQ(row.json, "{\"revision\":1}") << "what was sent";
  EXPECT_EQ(row.merged, "{\"revision\":1,\"note\":1}");
  EXPECT_TRUE(Show(id_).conflicts.empty());
  EXPECT_THAT(Show(id_).remarks, ElementsAre("the clinic is right"));
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued", "attempt", "written", "delivered",
                                          "received", "mapped", "queued", "attempt", "conflict-found", "held",
                                          "conflict-decided", "released"));
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->ledger.at(0).merged, row.merged);
  Deliver(*item);
  EXPECT_EQ(LedgerRow().merged, "") << "all that stands there is what was sent";
}

TEST_P(ConflictContract, DecisionForTheirs_MakesTheLedgerSayWhatStandsThere) {
  ASSERT_TRUE(Decide(outbox::ConflictDecision::kTheirs, Operator()));
  const outbox::LedgerRow row = LedgerRow();
  EXPECT_EQ(row.version_id, "7");
  EXPECT_EQ(row.json, "{\"revision\":2}");
  EXPECT_EQ(row.sha256, Sha256Hex("{\"revision\":2}")) << "so that it is not sent";
  EXPECT_EQ(row.merged, "{\"revision\":9,\"note\":1}");
  EXPECT_EQ(StateOf(id_), WorkState::kQueued);
}

TEST_P(ConflictContract, DecisionWithoutReasonOrConflict_IsRefused) {
  outbox::Change without = Operator();
  without.reason.clear();
  EXPECT_EQ(Decide(outbox::ConflictDecision::kOurs, without).error().code, Code::kUsage);
  ASSERT_TRUE(Decide(outbox::ConflictDecision::kOurs, Operator()));
  const auto again = Decide(outbox::ConflictDecision::kOurs, Operator());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kNotAllowed);
}

using HeldContract = ContractTest;

TEST_P(HeldContract, WorkHeldForOneReason_GoesOnTogetherAndTheRestStays) {
  const WorkId lacking = Queue("R1", 1, "100001");
  const WorkId unknown = Queue("S1", 1, "100002");
  for (const outbox::WorkItem& item : Claim()) {
    const bool is_lacking = item.id == lacking;
    Complete(Report(item, DeliveryOutcome::kHeld, is_lacking ? Code::kServerLacks : Code::kPatientNotFound));
  }
  const auto released = Written<std::int64_t>([&](storage::Transaction& t) {
    return outbox().ReleaseHeldFor(t, Code::kServerLacks, outbox::Change{SystemPrincipal(), {}, now()});
  });
  EXPECT_EQ(released, 1);
  EXPECT_EQ(StateOf(lacking), WorkState::kQueued);
  EXPECT_EQ(StateOf(unknown), WorkState::kHeld);
}

INSTANTIATE_TEST_SUITE_P(Backends, ConflictContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);
INSTANTIATE_TEST_SUITE_P(Backends, HeldContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
