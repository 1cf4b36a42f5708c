// Taking the content of a record out of the store, and what stays.
#include <gmock/gmock.h>

#include "backend.h"
#include "core/limits.h"

namespace fhir_adapter::test {
namespace {

using outbox::AcceptOutcome;
using outbox::DeliveryOutcome;
using outbox::ErasedRecord;
using outbox::RecordTrace;
using outbox::WorkId;
using outbox::WorkState;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kEndpoint = "http://server.example/fhir";
constexpr const char* kSubject = "pain-clinic.R1";

class ErasureContract : public ContractTest {
 protected:
  void Deliver1() {
    Queue("R1", 1);
    ASSERT_EQ(Deliver(*ClaimOne()), WorkState::kDelivered);
  }
  Result<ErasedRecord> Erase(const std::string& subject = kSubject, const std::string& reason = "asked for") {
    return storage::WriteValue<ErasedRecord>(store(), [&](storage::Transaction& transaction) {
      return erasures().Erase(transaction, subject, Operator(reason));
    });
  }
  RecordTrace TraceOf(const std::string& subject = kSubject) {
    return Seen<RecordTrace>([&](storage::Snapshot& snapshot) { return trace().Load(snapshot, subject); });
  }
  static bool IsErased(const RecordTrace& record) {
    for (const auto& revision : record.revisions) {
      if (!revision.bytes.empty()) return false;
    }
    for (const auto& work : record.work) {
      if (!work.resources.empty() || !work.answer.empty() || !work.output_sha256.empty()) return false;
    }
    for (const auto& row : record.ledger) {
      if (!row.json.empty() || !row.merged.empty() || !row.sha256.empty()) return false;
    }
    return true;
  }
};

TEST_P(ErasureContract, DeliveredRecord_LosesItsContentAndKeepsItsHistory) {
  Deliver1();
  ASSERT_FALSE(IsErased(TraceOf()));
  const std::size_t entries = EventsOf("R1").size();
  Advance(60);
  const auto erased = Erase();
  ASSERT_TRUE(erased) << ToString(erased.error());
  EXPECT_TRUE(erased->is_first);
  EXPECT_EQ(erased->record_id, "R1");
  EXPECT_EQ(erased->submissions, 1);
  EXPECT_EQ(erased->places, 1);
  EXPECT_EQ(erased->patients_gone, 1);

  const RecordTrace record = TraceOf();
  EXPECT_TRUE(IsErased(record));
  ASSERT_TRUE(record.erasure);
  EXPECT_EQ(record.erasure->erased, now());
  EXPECT_EQ(record.erasure->reason, "asked for");
  EXPECT_FALSE(record.erasure->finished);
  EXPECT_EQ(record.revisions.front().patient.mrn, "");
  ASSERT_EQ(record.ledger.size(), 1U);
  EXPECT_EQ(record.ledger.front().server_id, "srv-pain-clinic.R1") << "where it stands on the server stays";
  EXPECT_EQ(EventsOf("R1").size(), entries + 1);
  EXPECT_EQ(EventsOf("R1").back(), "erased");
}

TEST_P(ErasureContract, IdentifiersWithKeysOfRows_AreGone) {
  const WorkId id{Accept("R1", 1).receipt};
  auto mapped = Mapped(id);
  mapped.resources = {Resource("pain-clinic.R1.co.row7", "{}"), Resource("pain-clinic.order9", "{}")};
  mapped.firings = {"pain-clinic.R1.RULE.row7"};
  CompleteMapping(mapped);
  Deliver(*ClaimOne());
  ASSERT_TRUE(Erase());
  for (const auto& row : TraceOf().ledger) EXPECT_THAT(row.key.value, HasSubstr(".erased.")) << row.key.value;
}

TEST_P(ErasureContract, WorkUnderWayOrHeld_IsRefused) {
  const auto refused = [this](const char* state) {
    const auto erased = Erase();
    ASSERT_FALSE(erased) << state;
    EXPECT_EQ(erased.error().code, Code::kNotAllowed);
    EXPECT_THAT(erased.error().message, HasSubstr(std::string("is ") + state));
    EXPECT_FALSE(IsErased(TraceOf()));
    EXPECT_FALSE(TraceOf().erasure);
  };
  const WorkId id{Accept("R1", 1).receipt};
  refused("received");
  CompleteMapping(Mapped(id));
  refused("queued");
  auto item = ClaimOne();
  refused("sending");
  Complete(Report(*item, DeliveryOutcome::kHeld, Code::kPatientNotFound));
  refused("held");
  const std::vector<std::string> before = EventsOf("R1");
  EXPECT_THAT(before, Each(testing::Ne("erased")));
}

TEST_P(ErasureContract, LowerRevisionUnderWay_IsRefusedToo) {
  Deliver1();
  Accept("R1", 2);
  EXPECT_FALSE(Erase());
  EXPECT_FALSE(IsErased(TraceOf()));
}

TEST_P(ErasureContract, QuarantinedWork_WaitsForNobodyAfterwards) {
  const WorkId id = Queue("R1", 1);
  auto report = Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused);
  report.answer = "the server's words";
  ASSERT_EQ(Complete(report), WorkState::kQuarantined);
  ASSERT_TRUE(Erase());
  EXPECT_EQ(StateOf(id), WorkState::kSuperseded);
  EXPECT_TRUE(IsErased(TraceOf()));
  const auto retried =
      Changed([&](storage::Transaction& transaction) { return outbox().Retry(transaction, id, Operator()); });
  EXPECT_FALSE(retried) << "there is nothing left to send";
}

TEST_P(ErasureContract, NoRevision_IsTakenAgain) {
  Deliver1();
  ASSERT_TRUE(Erase());
  for (const std::int64_t revision : {1, 2}) {
    const auto again = Accept("R1", revision);
    EXPECT_EQ(again.outcome, AcceptOutcome::kErased) << revision;
    EXPECT_THAT(again.message, HasSubstr("was erased on 1970-01-01T"));
  }
  outbox::RejectedRecord broken;
  broken.site = "pain-clinic";
  broken.record_id = "R1";
  broken.revision = 3;
  broken.bytes = "secret";
  broken.issues.push_back(Issue{Code::kType, {}, "no number"});
  EXPECT_EQ(Written<std::string>([&](storage::Transaction& transaction) {
              return inbox().Reject(transaction, broken, now());
            }),
            "");
  EXPECT_TRUE(IsErased(TraceOf()));
  EXPECT_THAT(TraceOf().refusals, IsEmpty()) << "nothing of it is kept";
  EXPECT_EQ(EventsOf("R1").back(), "rejected");
  EXPECT_EQ(Accept("R2", 1).outcome, AcceptOutcome::kNew) << "another record of the same patient";
}

// A sender that does not believe it sends the record for days.
TEST_P(ErasureContract, WhatComesAgain_IsRefusedEachTimeAndNotedOnceAnHour) {
  Deliver1();
  ASSERT_TRUE(Erase());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Accept("R1", 1 + i % 3).outcome, AcceptOutcome::kErased);
  }
  EXPECT_THAT(EntriesOf("R1", "rejected"), testing::SizeIs(1));
  Advance(limits::kRepeatWindowSeconds - 1);
  Accept("R1", 1);
  EXPECT_THAT(EntriesOf("R1", "rejected"), testing::SizeIs(1));
  Advance(1);
  Accept("R1", 1);
  auto entries = EntriesOf("R1", "rejected");
  ASSERT_THAT(entries, testing::SizeIs(2));
  EXPECT_THAT(entries[1], HasSubstr("\"attempt\":101,"));  // 99 and 1 and itself
  Accept("R1", 1);
  const auto note = [&] {
    ASSERT_TRUE(Changed(
        [&](storage::Transaction& transaction) { return inbox().NoteRepeats(transaction, now(), now()); }));
  };
  note();
  note();
  entries = EntriesOf("R1", "rejected");
  ASSERT_THAT(entries, testing::SizeIs(3));
  EXPECT_THAT(entries[2], HasSubstr("\"attempt\":1,"));
  EXPECT_THAT(entries[2], HasSubstr("\"outcome\":\"erased\""));
}

TEST_P(ErasureContract, RefusedSubmissions_GoToo) {
  for (const bool has_identity : {true, false}) {
    outbox::RejectedRecord broken;
    if (has_identity) {
      broken.site = "pain-clinic";
      broken.record_id = "R1";
      broken.revision = 1;
    }
    broken.bytes = R"({"recordId": "R1", "notes": ["secret")";
    broken.issues.push_back(Issue{Code::kJsonSyntax, Location{{}, 1, 1, "/secret"}, "no end"});
    Written<std::string>(
        [&](storage::Transaction& transaction) { return inbox().Reject(transaction, broken, now()); });
  }
  outbox::RejectedRecord other;
  other.bytes = R"({"recordId": "R11", "notes": ["secret")";
  other.issues.push_back(Issue{Code::kJsonSyntax, {}, "no end"});
  Written<std::string>(
      [&](storage::Transaction& transaction) { return inbox().Reject(transaction, other, now()); });
  const auto erased = Erase();
  ASSERT_TRUE(erased) << ToString(erased.error());
  EXPECT_EQ(erased->submissions, 2) << "that of R11 stays";
  ASSERT_EQ(TraceOf().refusals.size(), 1U);
  EXPECT_EQ(TraceOf().refusals.front().reasons.front().pointer, "");
}

TEST_P(ErasureContract, PatientWithAnotherRecord_Stays) {
  Deliver1();
  Queue("R2", 1);
  Deliver(*ClaimOne());
  const auto first = Erase();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->patients_gone, 0);
  EXPECT_EQ(TraceOf("pain-clinic.R2").revisions.front().patient.mrn, "100001");
  const auto second = Erase("pain-clinic.R2");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->patients_gone, 1);
  EXPECT_EQ(TraceOf("pain-clinic.R2").revisions.front().patient.mrn, "");
}

TEST_P(ErasureContract, WhatOtherRecordsWereTold_IsForgotten) {
  const WorkId first{Accept("R1", 1).receipt};
  auto mapped = Mapped(first);
  mapped.fact = R"({"rows":[{"recordKey":"pain-clinic.R1","date":"2014-05-06"}]})";
  CompleteMapping(mapped);
  Deliver(*ClaimOne());
  const WorkId told = Queue("R2", 1);
  const auto pinned = [&] {
    return Seen<outbox::PinnedMapping>(
        [&](storage::Snapshot& snapshot) { return inbox().LoadPinned(snapshot, told); });
  };
  ASSERT_THAT(pinned().facts.other_records, Contains(HasSubstr("2014-05-06")));
  const WorkId in_hand{Accept("R3", 1).receipt};
  const auto mapped_with_it = Mapped(in_hand);
  ASSERT_TRUE(Erase());
  EXPECT_THAT(pinned().facts.other_records, IsEmpty());
  EXPECT_TRUE(pinned().lacks_facts);
  EXPECT_EQ(CompleteMapping(mapped_with_it), outbox::MappingOutcome::kStale) << "it was told before";
  EXPECT_EQ(CompleteMapping(Mapped(in_hand)), outbox::MappingOutcome::kQueued);
}

TEST_P(ErasureContract, Reconciling_PassesItBy) {
  Deliver1();
  Queue("R2", 1);
  Deliver(*ClaimOne());
  ASSERT_TRUE(Erase());
  const auto subjects = Seen<std::vector<outbox::LedgerSubject>>([&](storage::Snapshot& snapshot) {
    outbox::LedgerFilter filter;
    filter.endpoint = kEndpoint;
    return queue().LedgerSubjects(snapshot, filter);
  });
  ASSERT_EQ(subjects.size(), 1U);
  EXPECT_EQ(subjects.front().subject_key, "pain-clinic.R2");
  const outbox::Repair repair{kEndpoint, kSubject, {TraceOf().ledger.front().key}, {}};
  const auto repaired = Changed([&](storage::Transaction& transaction) {
    return outbox().QueueRepair(transaction, repair, Operator());
  });
  ASSERT_FALSE(repaired);
  EXPECT_THAT(repaired.error().message, HasSubstr("was erased"));
}

TEST_P(ErasureContract, Again_ChangesNothingButWhatIsLeft) {
  Deliver1();
  ASSERT_TRUE(Erase());
  const auto events = EventsOf("R1");
  Advance(60);
  const auto again = Erase(kSubject, "another reason");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_first);
  EXPECT_EQ(again->erasure.reason, "asked for");
  EXPECT_EQ(EventsOf("R1"), events);
  ASSERT_TRUE(Changed(
      [&](storage::Transaction& transaction) { return erasures().Finish(transaction, kSubject, now()); }));
  ASSERT_TRUE(TraceOf().erasure->finished);
  EXPECT_EQ(*TraceOf().erasure->finished, now());
}

TEST_P(ErasureContract, WithoutReasonOrRecord_IsRefused) {
  Deliver1();
  EXPECT_EQ(Erase(kSubject, "").error().code, Code::kUsage);
  EXPECT_EQ(Erase("pain-clinic.R9").error().code, Code::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(Backends, ErasureContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
