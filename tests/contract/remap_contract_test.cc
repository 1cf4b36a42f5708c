// Stored records that are mapped again.
#include <gmock/gmock.h>

#include "backend.h"
#include "core/limits.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::StoredRecord;
using outbox::StoredRecordFilter;
using outbox::WorkId;
using outbox::WorkItem;
using outbox::WorkState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RemapContract : public ContractTest {
 protected:
  Result<void> Remap(const std::string& record_id, std::int64_t revision) {
    return Changed([&](storage::Transaction& t) {
      return records().Remap(t, "pain-clinic." + record_id, revision, Operator("table corrected"));
    });
  }
  Code Refusal(const std::string& record_id, std::int64_t revision) {
    const auto refused = Remap(record_id, revision);
    EXPECT_FALSE(refused);
    return refused ? Code::kInternal : refused.error().code;
  }
  // Maps what waits to something that says by which maps.
  void MapAllTo(const std::string& maps) {
    for (const outbox::PendingMapping& item : Seen<std::vector<outbox::PendingMapping>>(
             [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 100); })) {
      auto result = Mapped(item.id);
      result.resources = {Resource(result.resources.at(0).key.value, Json(maps))};
      CompleteMapping(result);
    }
  }
  static std::string Json(const std::string& maps) { return "{\"by\":\"" + maps + "\"}"; }
  static std::string JsonOf(const WorkItem& item) { return item.resources.at(0).json; }
  outbox::StoredRecordPage List(const StoredRecordFilter& filter) {
    return Seen<outbox::StoredRecordPage>(
        [&](storage::Snapshot& snapshot) { return records().List(snapshot, filter); });
  }
  outbox::QueueDetail Show(const WorkId& id) {
    return Seen<outbox::QueueDetail>([&](storage::Snapshot& snapshot) { return queue().Show(snapshot, id); });
  }
  StoredRecord One(const std::string& record_id) {
    StoredRecordFilter filter;
    filter.record_id = record_id;
    auto page = List(filter);
    EXPECT_EQ(page.records.size(), 1U);
    return page.records.empty() ? StoredRecord{} : std::move(page.records.front());
  }
  std::vector<std::string> Listed(const StoredRecordFilter& filter) {
    std::vector<std::string> ids;
    for (const StoredRecord& record : List(filter).records) ids.push_back(record.record_id);
    return ids;
  }
};

TEST_P(RemapContract, RetryOfWhatTheServerRefused_SendsWhatItIsMappedToNow) {
  const WorkId id = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator()); }));
  EXPECT_EQ(StateOf(id), WorkState::kReceived);
  EXPECT_FALSE(ClaimOne()) << "what it was mapped to before is not sent";
  auto result = Mapped(id);
  result.resources = {Resource("pain-clinic.R1", "{\"by\":\"other maps\"}")};
  CompleteMapping(result);
  EXPECT_EQ(ClaimOne()->resources.at(0).json, "{\"by\":\"other maps\"}");
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued", "attempt", "quarantined", "retried",
                                          "mapped", "queued", "attempt"));
}

TEST_P(RemapContract, RetryOfWorkThatCannotBeMappedNow_ForgetsWhatItWasMappedTo) {
  const WorkId id = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator()); }));
  auto result = Mapped(id);
  result.reasons = {outbox::Reason{Code::kMapCheck, "/dose", ""}};
  EXPECT_EQ(CompleteMapping(result), outbox::MappingOutcome::kQuarantined);
  EXPECT_TRUE(Show(id).resources.empty());
  EXPECT_EQ(Show(id).map_set_sha256, "");
}

TEST_P(RemapContract, DeliveredRecord_IsMappedAgainAndSentBehindWhatWaits) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  const WorkId other = Queue("R2", 1);
  ASSERT_TRUE(Remap("R1", 1));
  MapAllTo("new");
  const auto first = ClaimOne();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, other);
  Deliver(*first);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->record_id, "R1");
  EXPECT_EQ(item->kind, outbox::WorkKind::kRepair);
  EXPECT_EQ(JsonOf(*item), Json("new"));
  EXPECT_EQ(item->write_number, 2);
  EXPECT_EQ(item->ledger.size(), 1U);
  Deliver(*item);
  EXPECT_THAT(EventsOf("R1"),
              ElementsAre("received", "mapped", "queued", "attempt", "written", "delivered", "repair-queued",
                          "mapped", "queued", "attempt", "written", "delivered"));
  EXPECT_THAT(Show(item->id).remarks, ElementsAre("table corrected"));
}

TEST_P(RemapContract, RecordThatWaitsToBeSent_GoesBeforeItsRemap) {
  Queue("R1", 1);
  ASSERT_TRUE(Remap("R1", 1));
  MapAllTo("new");
  const auto first = ClaimOne();
  ASSERT_TRUE(first);
  EXPECT_EQ(JsonOf(*first), "{\"revision\":1}");
  EXPECT_FALSE(ClaimOne());
  Deliver(*first);
  EXPECT_EQ(JsonOf(*ClaimOne()), Json("new"));
}

TEST_P(RemapContract, RecordThatDoesNotGetThrough_KeepsItsRemapWaiting) {
  const WorkId id = Queue("R1", 1);
  const auto sending = ClaimOne();
  ASSERT_TRUE(Remap("R1", 1));
  MapAllTo("new");
  Complete(Report(*sending, DeliveryOutcome::kQuarantined, Code::kServerRefused));
  EXPECT_FALSE(ClaimOne());
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator()); }));
  MapAllTo("newer");
  const auto again = ClaimOne();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, id);
  Deliver(*again);
  EXPECT_EQ(JsonOf(*ClaimOne()), Json("new"));
}

TEST_P(RemapContract, HeldRecord_IsMappedAgainInItsPlace) {
  const WorkId id = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kPatientNotFound));
  ASSERT_TRUE(Remap("R1", 1));
  EXPECT_EQ(StateOf(id), WorkState::kReceived);
  MapAllTo("new");
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, id);
  EXPECT_EQ(item->attempt, 1);
  EXPECT_EQ(JsonOf(*item), Json("new"));
}

TEST_P(RemapContract, RevisionThatIsNotTheNewest_IsRefused) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  Accept("R1", 2);
  EXPECT_EQ(Refusal("R1", 1), Code::kNotAllowed);
  EXPECT_EQ(Refusal("R1", 2), Code::kNotAllowed) << "is to be mapped anyway";
  EXPECT_EQ(Refusal("R1", 3), Code::kNotAllowed);
}

TEST_P(RemapContract, HigherRevisionThatComesMeanwhile_TakesThePlaceOfTheRemap) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  ASSERT_TRUE(Remap("R1", 1));
  MapAllTo("new");
  const WorkId remap = One("R1").id;
  const WorkId second = Queue("R1", 2);
  EXPECT_EQ(StateOf(remap), WorkState::kSuperseded);
  EXPECT_EQ(ClaimOne()->id, second);
}

TEST_P(RemapContract, WhatWaitsForAPerson_IsLeftAlone) {
  Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  Queue("R2", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kConflict));
  for (const char* record : {"R1", "R2"}) {
    EXPECT_FALSE(One(record).can_be_remapped) << record;
    EXPECT_NE(One(record).obstacle, "") << record;
    EXPECT_EQ(Refusal(record, 1), Code::kNotAllowed) << record;
  }
  EXPECT_EQ(Refusal("R9", 1), Code::kNotFound);
}

TEST_P(RemapContract, ChangeWithoutAReason_IsRefused) {
  Queue("R1", 1);
  const auto refused =
      Changed([&](storage::Transaction& t) { return records().Remap(t, "pain-clinic.R1", 1, Operator("")); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUsage);
}

TEST_P(RemapContract, Record_IsListedWithWhatItIsMappedFromAndTo) {
  Queue("R1", 1);
  Queue("R1", 2);
  const StoredRecord record = One("R1");
  EXPECT_EQ(record.subject_key, "pain-clinic.R1");
  EXPECT_EQ(record.site, "pain-clinic");
  EXPECT_EQ(record.revision, 2);
  EXPECT_TRUE(record.can_be_remapped);
  EXPECT_EQ(record.task.bytes, Record("R1", 2).bytes);
  ASSERT_EQ(record.resources.size(), 1U);
  EXPECT_EQ(record.resources[0].json, "{\"revision\":2}");
  EXPECT_NE(record.map_set_sha256, "");
}

TEST_P(RemapContract, Remap_IsWhatTheNextOneIsComparedWith) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  ASSERT_TRUE(Remap("R1", 1));
  MapAllTo("new");
  EXPECT_EQ(One("R1").resources.at(0).json, Json("new"));
}

TEST_P(RemapContract, Filter_NarrowsBySiteTimeAndRecord) {
  Accept("R1", 1);
  auto elsewhere = Record("R1", 1, "100009");
  elsewhere.site = "other-clinic";
  Accept(elsewhere);
  Advance(60);
  const TimeUs later = now();
  Accept("R2", 1);
  StoredRecordFilter filter;
  EXPECT_THAT(Listed(filter), ElementsAre("R1", "R1", "R2"));
  filter.site = "other-clinic";
  EXPECT_THAT(Listed(filter), ElementsAre("R1"));
  filter.record_id = "R2";
  EXPECT_THAT(Listed(filter), IsEmpty());
  filter = {};
  filter.since = later;
  EXPECT_THAT(Listed(filter), ElementsAre("R2"));
  Accept("R1", 2);
  EXPECT_THAT(Listed(filter), ElementsAre("R1", "R2"));
}

TEST_P(RemapContract, PushedObservation_IsNoRecord) {
  auto pushed = Record("ehr.1", 1);
  pushed.kind = outbox::WorkKind::kObservation;
  Accept(pushed);
  Accept("R1", 1);
  EXPECT_THAT(Listed({}), ElementsAre("R1"));
}

TEST_P(RemapContract, Listing_GoesOnWhereThePageEnded) {
  constexpr std::size_t kMax = limits::kStoredRecordsPageMax;
  ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
    for (std::size_t i = 0; i < kMax + 1; ++i) {
      ADAPTER_CHECK(inbox().Accept(transaction, Record("R" + std::to_string(1'000 + i), 1), now()));
    }
    return {};
  }));
  StoredRecordFilter filter;
  filter.records_max = kMax + 1;
  const auto page = List(filter);
  EXPECT_EQ(page.records.size(), kMax);
  filter.after = page.next;
  const auto rest = List(filter);
  ASSERT_EQ(rest.records.size(), 1U);
  EXPECT_EQ(rest.records[0].record_id, "R" + std::to_string(1'000 + kMax));
  filter.after = rest.next;
  EXPECT_EQ(List(filter).next, "");
}

INSTANTIATE_TEST_SUITE_P(Backends, RemapContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
