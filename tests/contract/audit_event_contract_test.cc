// AuditEvents in the queue: apart from the records, delivered once, gone with the record.
#include <gmock/gmock.h>

#include "backend.h"
#include "core/uuid.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::DeliveryReport;
using outbox::ErasedRecord;
using outbox::WorkId;
using outbox::WorkItem;
using outbox::WorkKind;
using outbox::WorkState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kSubject = "pain-clinic.R1";
constexpr const char* kSystem = "https://clinic.example/fhir/sid/it-audit";

class AuditEventContract : public ContractTest {
 protected:
  // Delivered, with an AuditEvent of each write.
  DeliveryReport Told(const WorkItem& item) {
    DeliveryReport report = Delivered(item);
    report.audit_event_system = kSystem;
    for (auto& write : report.writes) write.audit_event = R"({"resourceType":"AuditEvent"})";
    return report;
  }
  void DeliverAndTell(const std::string& record_id, std::int64_t revision) {
    Queue(record_id, revision);
    auto item = ClaimOne();
    ASSERT_TRUE(item);
    ASSERT_EQ(Complete(Told(*item)), WorkState::kDelivered);
  }
  Result<ErasedRecord> Erase() {
    return storage::WriteValue<ErasedRecord>(store(), [&](storage::Transaction& transaction) {
      return erasures().Erase(transaction, kSubject, Operator("asked for"));
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, AuditEventContract, testing::ValuesIn(AllBackends()), NameOfBackend);

TEST_P(AuditEventContract, OfAWrite_IsWorkOfItsOwnWithTheRecordsName) {
  DeliverAndTell("R1", 1);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->kind, WorkKind::kAuditEvent);
  EXPECT_EQ(item->site, "pain-clinic");
  EXPECT_EQ(item->record_id, "R1");
  EXPECT_EQ(item->revision, 1);
  ASSERT_THAT(item->resources, SizeIs(1));
  const auto& event = item->resources.front();
  EXPECT_EQ(event.key.type, "AuditEvent");
  EXPECT_THAT(event.key.value, testing::StartsWith("pain-clinic."));
  EXPECT_EQ(event.uuid, UuidOfUrl(std::string(kSystem) + "|" + event.key.value));
  EXPECT_FALSE(event.has_identifier_search);
  EXPECT_EQ(Complete(Delivered(*item)), WorkState::kDelivered);
  EXPECT_FALSE(ClaimOne()) << "telling makes nothing to tell";
}

TEST_P(AuditEventContract, ThatWaits_KeepsNoWorkOfThePatientWaiting) {
  DeliverAndTell("R1", 1);
  auto event = ClaimOne();
  ASSERT_EQ(event->kind, WorkKind::kAuditEvent);
  Queue("R1", 2);
  const auto record = ClaimOne();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->kind, WorkKind::kRecord);
  EXPECT_EQ(Complete(Delivered(*record)), WorkState::kDelivered);
  EXPECT_EQ(Complete(Report(*event, DeliveryOutcome::kHeld, Code::kServerLacks)), WorkState::kHeld)
      << "a higher revision does not take its place";
  const auto released = Written<std::int64_t>([&](storage::Transaction& transaction) {
    return outbox().ReleaseHeldFor(transaction, Code::kServerLacks, Operator());
  });
  EXPECT_EQ(released, 1);
  EXPECT_EQ(ClaimOne()->id, event->id);
}

TEST_P(AuditEventContract, Quarantined_IsTriedAgainWithoutBeingMapped) {
  DeliverAndTell("R1", 1);
  const auto event = ClaimOne();
  ASSERT_EQ(Complete(Report(*event, DeliveryOutcome::kQuarantined, Code::kServerRefused)),
            WorkState::kQuarantined);
  ASSERT_TRUE(Changed(
      [&](storage::Transaction& transaction) { return outbox().Retry(transaction, event->id, Operator()); }));
  const auto again = ClaimOne();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, event->id);
  EXPECT_THAT(again->resources, SizeIs(1));
}

TEST_P(AuditEventContract, OfAnErasedRecord_GoWithIt) {
  DeliverAndTell("R1", 1);
  const auto sending = ClaimOne();
  const auto refused = Erase();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is sending"));
  Complete(Report(*sending, DeliveryOutcome::kHeld, Code::kServerLacks));
  ASSERT_TRUE(Erase());
  EXPECT_EQ(StateOf(sending->id), WorkState::kSuperseded) << "it is not told any more";
}

TEST_P(AuditEventContract, Delivered_AreNotComparedByReconcile) {
  DeliverAndTell("R1", 1);
  Complete(Delivered(*ClaimOne()));
  outbox::LedgerFilter filter;
  filter.endpoint = "http://server.example/fhir";
  const auto subjects = Seen<std::vector<outbox::LedgerSubject>>(
      [&](storage::Snapshot& snapshot) { return queue().LedgerSubjects(snapshot, filter); });
  ASSERT_THAT(subjects, SizeIs(1));
  EXPECT_EQ(subjects.front().subject_key, kSubject);
}

}  // namespace
}  // namespace fhir_adapter::test
