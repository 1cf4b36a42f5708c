#include <gmock/gmock.h>

#include "backend.h"
#include "core/limits.h"

namespace fhir_adapter::test {
namespace {

using outbox::AcceptOutcome;
using outbox::MappingOutcome;
using outbox::WorkId;
using outbox::WorkState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class InboxContract : public ContractTest {
 protected:
  std::vector<outbox::PendingMapping> Pending(const std::string& after = {}, std::size_t items_max = 10) {
    return Seen<std::vector<outbox::PendingMapping>>(
        [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, after, items_max); });
  }
};

TEST_P(InboxContract, NewRecord_IsReceived) {
  const auto accepted = Accept("R1", 1);
  EXPECT_EQ(accepted.outcome, AcceptOutcome::kNew);
  EXPECT_EQ(accepted.state, WorkState::kReceived);
  EXPECT_FALSE(accepted.receipt.empty());
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received"));
}

TEST_P(InboxContract, MapOfTheSource_IsRememberedForEveryMapping) {
  outbox::NewRecord record = Record("R1", 1);
  record.map = "other-clinic";
  const WorkId id{Accept(record).receipt};
  Reopen();
  const auto task = [&](const WorkId& of) {
    return Seen<outbox::MappingTask>(
        [&](storage::Snapshot& snapshot) { return inbox().LoadMapping(snapshot, of); });
  };
  EXPECT_EQ(task(id).map, "other-clinic");
  outbox::MappingResult failed = Mapped(id);
  failed.reasons.push_back({Code::kMapCheck, "/status", "a check failed"});
  ASSERT_EQ(CompleteMapping(failed), MappingOutcome::kQuarantined);
  Written<bool>([&](storage::Transaction& transaction) -> Result<bool> {
    const outbox::Change change{SystemPrincipal(), {}, now()};
    ADAPTER_CHECK(outbox().Retry(transaction, id, change));
    return true;
  });
  EXPECT_EQ(task(id).map, "other-clinic");
  EXPECT_EQ(task(WorkId{Accept("R2", 1).receipt}).map, "") << "that of the set";
}

TEST_P(InboxContract, SameRecordAgain_GetsTheFirstReceipt) {
  const auto first = Accept("R1", 1);
  Reopen();
  const auto second = Accept("R1", 1);
  EXPECT_EQ(second.outcome, AcceptOutcome::kKnown);
  EXPECT_EQ(second.receipt, first.receipt);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "duplicate"));
  const auto statistics = Seen<outbox::QueueStatistics>(
      [&](storage::Snapshot& snapshot) { return queue().Statistics(snapshot); });
  EXPECT_EQ(statistics.Count(WorkState::kReceived), 1);
}

TEST_P(InboxContract, SameRevisionWithOtherContent_IsAConflict) {
  const auto first = Accept("R1", 1);
  auto other = Record("R1", 1);
  other.content_sha256.back() = other.content_sha256.back() == '0' ? '1' : '0';
  const auto second = Accept(other);
  EXPECT_EQ(second.outcome, AcceptOutcome::kConflict);
  EXPECT_EQ(second.receipt, first.receipt);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "revision-conflict"));
}

// A sender that gets no answer sends for days.
TEST_P(InboxContract, SameRecordManyTimes_HasOneEntryAWindowThatCountsTheRest) {
  Accept("R1", 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Accept("R1", 1).outcome, AcceptOutcome::kKnown);
  EXPECT_THAT(EntriesOf("R1", "duplicate"), SizeIs(1));
  Advance(limits::kRepeatWindowSeconds - 1);
  Reopen();
  Accept("R1", 1);
  EXPECT_THAT(EntriesOf("R1", "duplicate"), SizeIs(1));
  Advance(1);
  Accept("R1", 1);
  const auto entries = EntriesOf("R1", "duplicate");
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_THAT(entries[0], Not(HasSubstr("\"attempt\"")));
  EXPECT_THAT(entries[1], HasSubstr("\"attempt\":101,"));  // 99 and 1 and itself
}

TEST_P(InboxContract, ConflictAndDuplicate_AreCountedApart) {
  Accept("R1", 1);
  auto other = Record("R1", 1);
  other.content_sha256.back() = other.content_sha256.back() == '0' ? '1' : '0';
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Accept("R1", 1).outcome, AcceptOutcome::kKnown);
    EXPECT_EQ(Accept(other).outcome, AcceptOutcome::kConflict);
  }
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "duplicate", "revision-conflict"));
}

TEST_P(InboxContract, CountedRepeats_AreNotedOnceTheirLastEntryIsOld) {
  Accept("R1", 1);
  for (int i = 0; i < 3; ++i) Accept("R1", 1);
  const auto note = [&](TimeUs before) {
    ASSERT_TRUE(Changed(
        [&](storage::Transaction& transaction) { return inbox().NoteRepeats(transaction, before, now()); }));
  };
  note(TimeUs{now().us - 1});
  EXPECT_THAT(EntriesOf("R1", "duplicate"), SizeIs(1));
  note(now());
  note(now());
  const auto entries = EntriesOf("R1", "duplicate");
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_THAT(entries[1], HasSubstr("\"attempt\":2,"));
  EXPECT_THAT(entries[1], HasSubstr("\"kind\":\"system\""));
  EXPECT_THAT(entries[1], HasSubstr("\"record\":\"R1\",\"revision\":1"));
}

TEST_P(InboxContract, SameIdAtAnotherSite_IsAnotherRecord) {
  Accept("R1", 1);
  auto other = Record("R1", 1);
  other.site = "other-clinic";
  EXPECT_EQ(Accept(other).outcome, AcceptOutcome::kNew);
}

TEST_P(InboxContract, RejectedRecord_IsKeptWithItsReasonsOutsideTheQueue) {
  outbox::RejectedRecord rejected;
  rejected.source = "http";
  rejected.site = "pain-clinic";
  rejected.record_id = "R1";
  rejected.revision = 3;
  rejected.bytes = "{}";
  rejected.issues.push_back(Issue{Code::kMissing, Location{{}, 1, 1, "/status"}, "status is missing"});
  const auto receipt = Written<std::string>(
      [&](storage::Transaction& transaction) { return inbox().Reject(transaction, rejected, now()); });
  const auto revisions = Seen<std::vector<outbox::RevisionState>>(
      [&](storage::Snapshot& snapshot) { return queue().Revisions(snapshot, "pain-clinic", "R1"); });
  ASSERT_EQ(revisions.size(), 1U);
  EXPECT_EQ(revisions[0].state, WorkState::kRejected);
  EXPECT_EQ(revisions[0].revision, 3);
  EXPECT_EQ(revisions[0].receipt, receipt);
  ASSERT_EQ(revisions[0].reasons.size(), 1U);
  EXPECT_EQ(revisions[0].reasons[0].code, Code::kMissing);
  EXPECT_EQ(revisions[0].reasons[0].pointer, "/status");
  EXPECT_THAT(EventsOf("R1"), ElementsAre("rejected"));
  EXPECT_TRUE(Pending().empty());
}

TEST_P(InboxContract, RejectedRevisionThatComesAgainUsable_CountsAsThatRevision) {
  outbox::RejectedRecord rejected;
  rejected.source = "http";
  rejected.site = "pain-clinic";
  rejected.record_id = "R1";
  rejected.revision = 1;
  Written<std::string>(
      [&](storage::Transaction& transaction) { return inbox().Reject(transaction, rejected, now()); });
  EXPECT_EQ(Accept("R1", 1).outcome, AcceptOutcome::kNew);
  EXPECT_EQ(StateOf("R1", 1), WorkState::kReceived);
}

TEST_P(InboxContract, Pending_GivesWhatWaitsInOrderOfArrival) {
  const auto first = Accept("R1", 1);
  const auto second = Accept("R2", 1);
  const auto third = Accept("R3", 1);
  CompleteMapping(Mapped(WorkId{second.receipt}));
  Reopen();
  auto pending = Seen<std::vector<outbox::PendingMapping>>(
      [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 1); });
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_EQ(pending[0].id.value, first.receipt);
  const std::string cursor = pending[0].cursor;
  pending = Seen<std::vector<outbox::PendingMapping>>(
      [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, cursor, 10); });
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_EQ(pending[0].id.value, third.receipt);
}

TEST_P(InboxContract, MappedRecord_IsQueuedWithItsOutputPinned) {
  const WorkId id{Accept("R1", 1).receipt};
  const auto result = Mapped(id);
  EXPECT_EQ(CompleteMapping(result), MappingOutcome::kQueued);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued"));
  const auto pinned = Seen<outbox::PinnedMapping>(
      [&](storage::Snapshot& snapshot) { return inbox().LoadPinned(snapshot, id); });
  EXPECT_EQ(pinned.bytes, "R1/1/100001");
  EXPECT_EQ(pinned.engine, "test");
  EXPECT_EQ(pinned.map_set_sha256, result.map_set_sha256);
  EXPECT_EQ(pinned.output_sha256, outbox::OutputHash(result.resources));
  const auto maps = Seen<std::string>(
      [&](storage::Snapshot& snapshot) { return inbox().LoadMapSet(snapshot, result.map_set_sha256); });
  EXPECT_EQ(maps, "maps");
}

TEST_P(InboxContract, MappedTwice_TheSecondIsGone) {
  const auto result = Mapped(WorkId{Accept("R1", 1).receipt});
  EXPECT_EQ(CompleteMapping(result), MappingOutcome::kQueued);
  EXPECT_EQ(CompleteMapping(result), MappingOutcome::kGone);
}

TEST_P(InboxContract, RecordThatCannotBeMapped_IsQuarantinedWithItsReasons) {
  const WorkId id{Accept("R1", 1).receipt};
  auto result = Mapped(id);
  result.resources.clear();
  result.reasons = {outbox::Reason{Code::kUnmappedCode, "/procedure/kind", "no entry"},
                    outbox::Reason{Code::kReasonMissing, "/correction/reason", "missing"}};
  result.notes = {outbox::Reason{Code::kUnknownField, "/extra", "kept"}};
  EXPECT_EQ(CompleteMapping(result), MappingOutcome::kQuarantined);
  const auto detail =
      Seen<outbox::QueueDetail>([&](storage::Snapshot& snapshot) { return queue().Show(snapshot, id); });
  EXPECT_EQ(detail.entry.state, WorkState::kQuarantined);
  EXPECT_EQ(detail.entry.reasons, result.reasons);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "quarantined"));
}

TEST_P(InboxContract, QuarantinedBeforeMapping_IsMappedAgainOnRetry) {
  const WorkId id{Accept("R1", 1).receipt};
  auto result = Mapped(id);
  result.reasons = {outbox::Reason{Code::kUnmappedCode, "/procedure/kind", "no entry"}};
  CompleteMapping(result);
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator()); }));
  EXPECT_EQ(StateOf(id), WorkState::kReceived);
  EXPECT_EQ(CompleteMapping(Mapped(id)), MappingOutcome::kQueued);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "quarantined", "retried", "mapped", "queued"));
}

TEST_P(InboxContract, LowerRevisionThatComesLater_IsSuperseded) {
  Accept("R1", 2);
  const auto late = Accept("R1", 1);
  EXPECT_EQ(late.outcome, AcceptOutcome::kNew);
  EXPECT_EQ(late.state, WorkState::kSuperseded);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "received", "superseded"));
}

TEST_P(InboxContract, HigherRevisionThatIsQueued_TakesThePlaceOfALowerOne) {
  const WorkId first = Queue("R1", 1);
  const WorkId second{Accept("R1", 2).receipt};
  EXPECT_EQ(StateOf(first), WorkState::kQueued) << "not before it can be delivered";
  CompleteMapping(Mapped(second));
  EXPECT_EQ(StateOf(first), WorkState::kSuperseded);
  EXPECT_EQ(StateOf(second), WorkState::kQueued);
}

TEST_P(InboxContract, HigherRevisionThatIsQuarantined_LeavesTheLowerOneInLine) {
  const WorkId first = Queue("R1", 1);
  auto result = Mapped(WorkId{Accept("R1", 2).receipt});
  result.reasons = {outbox::Reason{Code::kReasonMissing, "/correction/reason", "missing"}};
  CompleteMapping(result);
  EXPECT_EQ(StateOf(first), WorkState::kQueued);
}

TEST_P(InboxContract, LowerRevisionMappedAfterTheHigherOne_IsSuperseded) {
  const WorkId first{Accept("R1", 1).receipt};
  const auto slow = Mapped(first);
  const WorkId second{Accept("R1", 2).receipt};
  CompleteMapping(Mapped(second));
  EXPECT_EQ(CompleteMapping(slow), MappingOutcome::kGone) << "superseded with the higher one";
  EXPECT_EQ(StateOf(first), WorkState::kSuperseded);
}

TEST_P(InboxContract, QuarantinedLowerRevision_IsSupersededByADeliverableOne) {
  const WorkId first{Accept("R1", 1).receipt};
  auto result = Mapped(first);
  result.reasons = {outbox::Reason{Code::kReasonMissing, "", "missing"}};
  CompleteMapping(result);
  Queue("R1", 2);
  EXPECT_EQ(StateOf(first), WorkState::kSuperseded);
}

TEST_P(InboxContract, OtherPatient_IsANewGeneration) {
  Queue("R1", 1, "100001");
  const WorkId second{Accept("R1", 2, "100002").receipt};
  const WorkId third{Accept("R1", 3, "100001").receipt};
  const auto generation = [&](const WorkId& id) {
    return Seen<outbox::MappingTask>(
               [&](storage::Snapshot& snapshot) { return inbox().LoadMapping(snapshot, id); })
        .facts.patient_generation;
  };
  EXPECT_EQ(generation(second), 2);
  EXPECT_EQ(generation(third), 3) << "also when it is the first patient again";
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued", "received", "moved-to-patient",
                                          "received", "moved-to-patient"));
}

// Rules that count over the store.
class FactContract : public ContractTest {
 protected:
  outbox::MappingResult MappedWithFact(const WorkId& id, const std::string& fact) {
    auto result = Mapped(id);
    result.fact = fact;
    return result;
  }
  std::vector<std::string> FactsFor(const WorkId& id) {
    return Seen<outbox::MappingTask>(
               [&](storage::Snapshot& snapshot) { return inbox().LoadMapping(snapshot, id); })
        .facts.other_records;
  }
  std::vector<outbox::PendingMapping> Pending() {
    return Seen<std::vector<outbox::PendingMapping>>(
        [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 10); });
  }
};

TEST_P(FactContract, Record_SeesTheFactsOfThePatientsOtherRecords) {
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1).receipt}, "one"));
  CompleteMapping(MappedWithFact(WorkId{Accept("S1", 1, "100002").receipt}, "stranger"));
  const WorkId id{Accept("R2", 1).receipt};
  EXPECT_THAT(FactsFor(id), ElementsAre("one"));
}

TEST_P(FactContract, FactsThatChangedMeanwhile_MakeTheMappingStale) {
  const WorkId first{Accept("R1", 1).receipt};
  const WorkId second{Accept("R2", 1).receipt};
  const auto slow = MappedWithFact(second, "two");
  CompleteMapping(MappedWithFact(first, "one"));
  EXPECT_EQ(CompleteMapping(slow), MappingOutcome::kStale);
  EXPECT_EQ(StateOf(second), WorkState::kReceived);
  EXPECT_EQ(CompleteMapping(MappedWithFact(second, "two")), MappingOutcome::kQueued);
}

TEST_P(FactContract, NewFact_ReevaluatesThePatientsOtherRecordsOnce) {
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1).receipt}, "one"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R2", 1).receipt}, "two"));
  auto pending = Pending();
  ASSERT_EQ(pending.size(), 1U) << "R1's rules";
  CompleteMapping(MappedWithFact(WorkId{Accept("R3", 1).receipt}, "three"));
  pending = Pending();
  EXPECT_EQ(pending.size(), 2U) << "R1 already waits; R2 joins it";
  const auto task = Seen<outbox::MappingTask>(
      [&](storage::Snapshot& snapshot) { return inbox().LoadMapping(snapshot, pending[0].id); });
  EXPECT_EQ(task.kind, outbox::WorkKind::kIssueUpdate);
  EXPECT_EQ(task.bytes, "R1/1/100001");
  EXPECT_THAT(task.facts.other_records, ElementsAre("two", "three"));
}

TEST_P(FactContract, ReevaluationThatChangesNothing_IsNotSent) {
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1).receipt}, "one"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R2", 1).receipt}, "two"));
  const WorkId again = Pending().at(0).id;
  EXPECT_EQ(CompleteMapping(MappedWithFact(again, "one")), MappingOutcome::kUnchanged);
  EXPECT_EQ(StateOf(again), WorkState::kDelivered);
  EXPECT_TRUE(Pending().empty()) << "and sets off nothing more";
}

TEST_P(FactContract, ReevaluationThatFiresARule_IsQueuedAfterItsRecord) {
  const WorkId record{Accept("R1", 1).receipt};
  CompleteMapping(MappedWithFact(record, "one"));
  const WorkId other{Accept("R2", 1).receipt};
  CompleteMapping(MappedWithFact(other, "two"));
  const WorkId again = Pending().at(0).id;
  auto result = MappedWithFact(again, "one");
  result.resources.push_back(Resource("pain-clinic.R1.RULE", "{\"issue\":1}"));
  result.firings = {"pain-clinic.R1.RULE"};
  EXPECT_EQ(CompleteMapping(result), MappingOutcome::kQueued);
  auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, record);
  Deliver(*item);
  Deliver(*ClaimOne());
  item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, again);
  EXPECT_EQ(item->kind, outbox::WorkKind::kIssueUpdate);
  EXPECT_EQ(item->write_number, 2) << "the record's own was the first";
}

TEST_P(FactContract, ReevaluationOfAParkedRecord_WaitsForIt) {
  const WorkId record{Accept("R1", 1).receipt};
  CompleteMapping(MappedWithFact(record, "one"));
  Complete(Report(*ClaimOne(), outbox::DeliveryOutcome::kHeld, Code::kConflict));
  CompleteMapping(MappedWithFact(WorkId{Accept("R2", 1).receipt}, "two"));
  const WorkId again = Pending().at(0).id;
  auto result = MappedWithFact(again, "one");
  result.resources.push_back(Resource("pain-clinic.R1.RULE", "{\"issue\":1}"));
  CompleteMapping(result);
  Deliver(*ClaimOne());
  EXPECT_FALSE(ClaimOne()) << "what it is about is not on the server";
  EXPECT_EQ(StateOf(again), WorkState::kHeld);
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Release(t, record, Operator()); }));
  Deliver(*ClaimOne());
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, again);
}

TEST_P(FactContract, RuleThatFires_KeepsTheTimeOfItsFirstFiring) {
  const WorkId first{Accept("R1", 1).receipt};
  auto result = Mapped(first);
  result.firings = {"pain-clinic.R1.RULE"};
  result.recorded = "2014-05-06T10:00:00+09:00";
  CompleteMapping(result);
  const WorkId second{Accept("R1", 2).receipt};
  result = Mapped(second);
  result.firings = {"pain-clinic.R1.RULE"};
  result.recorded = "2014-05-07T10:00:00+09:00";
  CompleteMapping(result);
  const auto task = Seen<outbox::MappingTask>([&](storage::Snapshot& snapshot) {
    return inbox().LoadMapping(snapshot, WorkId{Accept("R1", 3).receipt});
  });
  ASSERT_EQ(task.facts.firings.size(), 1U);
  EXPECT_EQ(task.facts.firings[0].issue, "pain-clinic.R1.RULE");
  EXPECT_EQ(task.facts.firings[0].recorded, "2014-05-06T10:00:00+09:00");
}

TEST_P(FactContract, VoidedRecord_TakesItsFactAway) {
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1).receipt}, "one"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R2", 1).receipt}, "two"));
  CompleteMapping(MappedWithFact(Pending().at(0).id, "one"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 2).receipt}, ""));
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_THAT(FactsFor(pending[0].id), ElementsAre());
}

TEST_P(FactContract, RecordThatMoves_ReevaluatesBothPatients) {
  CompleteMapping(MappedWithFact(WorkId{Accept("A1", 1, "100001").receipt}, "a"));
  CompleteMapping(MappedWithFact(WorkId{Accept("B1", 1, "100002").receipt}, "b"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1, "100001").receipt}, "moving"));
  CompleteMapping(MappedWithFact(Pending().at(0).id, "a"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 2, "100002").receipt}, "moving"));
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_THAT(FactsFor(pending[0].id), ::testing::AnyOf(ElementsAre(), ElementsAre("moving")));
  EXPECT_NE(FactsFor(pending[0].id), FactsFor(pending[1].id));
}

TEST_P(FactContract, PinnedFacts_AreThoseTheMapRead) {
  CompleteMapping(MappedWithFact(WorkId{Accept("R1", 1).receipt}, "one"));
  const WorkId second{Accept("R2", 1).receipt};
  CompleteMapping(MappedWithFact(second, "two"));
  CompleteMapping(MappedWithFact(WorkId{Accept("R3", 1).receipt}, "three"));
  const auto pinned = Seen<outbox::PinnedMapping>(
      [&](storage::Snapshot& snapshot) { return inbox().LoadPinned(snapshot, second); });
  EXPECT_THAT(pinned.facts.other_records, ElementsAre("one"));
}

INSTANTIATE_TEST_SUITE_P(Backends, InboxContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);
INSTANTIATE_TEST_SUITE_P(Backends, FactContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
