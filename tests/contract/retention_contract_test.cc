// What of delivered records is no longer kept after a time, and what always is.
#include <gmock/gmock.h>

#include "backend.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::ExpiryBatch;
using outbox::RecordTrace;
using outbox::WorkId;
using outbox::WorkState;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kDay = 86'400;

class RetentionContract : public ContractTest {
 protected:
  void DeliverRecord(const std::string& record_id, std::int64_t revision, const std::string& mrn = "100001") {
    Queue(record_id, revision, mrn);
    ASSERT_EQ(Deliver(*ClaimOne()), WorkState::kDelivered);
  }
  ExpiryBatch Expire(std::int64_t days, const std::string& after = {}, std::size_t submissions_max = 100) {
    return Written<ExpiryBatch>([&](storage::Transaction& transaction) {
      return retention().Expire(transaction,
                                {TimeUs{now().us - days * kDay * 1'000'000}, after, submissions_max, now()});
    });
  }
  RecordTrace TraceOf(const std::string& record_id) {
    return Seen<RecordTrace>(
        [&](storage::Snapshot& snapshot) { return trace().Load(snapshot, "pain-clinic." + record_id); });
  }
  bool IsKept(const std::string& record_id) {
    const RecordTrace record = TraceOf(record_id);
    return !record.revisions.front().bytes.empty() && !record.expired;
  }
};

TEST_P(RetentionContract, OldDeliveredRecord_LosesBytesAndMappedResourcesOnly) {
  DeliverRecord("R1", 1);
  Advance(10 * kDay);
  EXPECT_EQ(Expire(10).records, 0) << "it came in ten days ago, not before";
  Advance(1);
  EXPECT_EQ(Expire(10).records, 1);
  const RecordTrace record = TraceOf("R1");
  EXPECT_EQ(record.revisions.front().bytes, "");
  EXPECT_THAT(record.work.front().resources, IsEmpty());
  EXPECT_THAT(record.ledger.front().json, Not(IsEmpty())) << "what was sent is what corrections build on";
  EXPECT_EQ(record.revisions.front().patient.mrn, "100001");
  ASSERT_TRUE(record.expired);
  EXPECT_EQ(*record.expired, now());
  EXPECT_EQ(EventsOf("R1").back(), "expired");
  EXPECT_EQ(Expire(10).records, 0) << "once is enough";
}

TEST_P(RetentionContract, RecordThatComesAgain_IsKnownAndACorrectionIsTaken) {
  DeliverRecord("R1", 1);
  Advance(2 * kDay);
  ASSERT_EQ(Expire(1).records, 1);
  EXPECT_EQ(Accept("R1", 1).outcome, outbox::AcceptOutcome::kKnown);
  DeliverRecord("R1", 2);
  EXPECT_EQ(Expire(1).records, 0) << "something of it is young";
  Advance(2 * kDay);
  EXPECT_EQ(Expire(1).records, 1);
  EXPECT_EQ(TraceOf("R1").revisions.back().bytes, "");
}

TEST_P(RetentionContract, WhatIsNotDelivered_IsKept) {
  Accept("Received", 1, "1");
  Queue("Queued", 1, "2");
  Queue("Held", 1, "3");
  Queue("Quarantined", 1, "4");
  for (const outbox::WorkItem& item : Claim()) {
    if (item.subject_key == "pain-clinic.Held") {
      Complete(Report(item, DeliveryOutcome::kHeld, Code::kPatientNotFound));
    } else if (item.subject_key == "pain-clinic.Quarantined") {
      Complete(Report(item, DeliveryOutcome::kQuarantined, Code::kServerRefused));
    }
  }
  DeliverRecord("Corrected", 1, "5");
  Accept("Corrected", 2, "5");
  Advance(100 * kDay);
  EXPECT_EQ(Expire(1).records, 0);
  for (const char* record : {"Received", "Queued", "Held", "Quarantined", "Corrected"}) {
    EXPECT_TRUE(IsKept(record)) << record;
  }
}

TEST_P(RetentionContract, PushedObservationAndRefusedSubmission_AreKept) {
  auto pushed = Record(std::string(outbox::kPushedRecordPrefix) + "1", 1);
  pushed.kind = outbox::WorkKind::kObservation;
  Accept(pushed);
  MapAll();
  ASSERT_EQ(Deliver(*ClaimOne()), WorkState::kDelivered);
  outbox::RejectedRecord broken;
  broken.bytes = "{";
  broken.issues.push_back(Issue{Code::kJsonSyntax, {}, "no end"});
  Written<std::string>(
      [&](storage::Transaction& transaction) { return inbox().Reject(transaction, broken, now()); });
  Advance(100 * kDay);
  EXPECT_EQ(Expire(1).records, 0);
}

TEST_P(RetentionContract, Batches_GoOnWhereTheLastOneEnded) {
  for (int i = 0; i < 5; ++i) DeliverRecord("R" + std::to_string(i), 1, std::to_string(i));
  Advance(10 * kDay);
  DeliverRecord("Young", 1, "9");
  std::int64_t records = 0;
  int batches = 0;
  std::string after;
  do {
    const ExpiryBatch batch = Expire(5, after, 2);
    EXPECT_LE(batch.records, 2);
    records += batch.records;
    after = batch.next;
    ++batches;
  } while (!after.empty());
  EXPECT_EQ(records, 5);
  EXPECT_EQ(batches, 3);
  EXPECT_TRUE(IsKept("Young"));
}

TEST_P(RetentionContract, RulesAndRepair_PassARecordByWhoseBytesAreGone) {
  const auto with_fact = [this](const std::string& record_id) {
    const WorkId id{Accept(record_id, 1).receipt};
    auto mapped = Mapped(id);
    mapped.fact = R"({"rows":[{"recordKey":"pain-clinic.)" + record_id + "\"}]}";
    CompleteMapping(mapped);
    Deliver(*ClaimOne());
  };
  with_fact("R1");
  Advance(2 * kDay);
  ASSERT_EQ(Expire(1).records, 1);
  with_fact("R2");
  const auto pending = Seen<std::vector<outbox::PendingMapping>>(
      [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 100); });
  EXPECT_THAT(pending, IsEmpty()) << "what cannot be mapped again is not asked for";
  const outbox::Repair repair{
      "http://server.example/fhir", "pain-clinic.R1", {TraceOf("R1").ledger.front().key}, {}};
  const auto repaired = Changed([&](storage::Transaction& transaction) {
    return outbox().QueueRepair(transaction, repair, Operator());
  });
  ASSERT_FALSE(repaired);
  EXPECT_EQ(repaired.error().code, Code::kNotAllowed);
  // The control: a record that is kept is asked again.
  with_fact("R3");
  const auto again = Seen<std::vector<outbox::PendingMapping>>(
      [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 100); });
  EXPECT_EQ(again.size(), 1U) << "R2";
}

INSTANTIATE_TEST_SUITE_P(Backends, RetentionContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
