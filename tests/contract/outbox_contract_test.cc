#include <gmock/gmock.h>

#include "backend.h"
#include "core/limits.h"
#include "outbox/sqlite/restore.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::WorkId;
using outbox::WorkItem;
using outbox::WorkState;
using ::testing::ElementsAre;

constexpr const char* kEndpoint = "http://server.example/fhir";

class OutboxContract : public ContractTest {
 protected:
  static std::vector<std::string> Records(const std::vector<WorkItem>& items) {
    std::vector<std::string> records;
    for (const WorkItem& item : items) records.push_back(item.record_id);
    return records;
  }
  // Each of a patient of its own, in few commits.
  void QueueMany(std::size_t count) {
    std::vector<WorkId> ids;
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      for (std::size_t i = 0; i < count; ++i) {
        ADAPTER_TRY(
            const auto accepted,
            inbox().Accept(transaction, Record("R" + std::to_string(i), 1, std::to_string(i)), now()));
        ids.push_back(WorkId{accepted.receipt});
      }
      return {};
    }));
    std::vector<outbox::MappingResult> results;
    for (const WorkId& id : ids) results.push_back(Mapped(id));
    CompleteMapping(results.at(0));
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      for (const outbox::MappingResult& result : results) {
        ADAPTER_CHECK(inbox().CompleteMapping(transaction, result, now()));
      }
      return {};
    }));
  }
  outbox::QueueDetail Show(const WorkId& id) {
    return Seen<outbox::QueueDetail>([&](storage::Snapshot& snapshot) { return queue().Show(snapshot, id); });
  }
  std::optional<TimeUs> NextDue() {
    return Seen<std::optional<TimeUs>>(
        [&](storage::Snapshot& snapshot) { return queue().NextDue(snapshot); });
  }
  TimeUs In(std::int64_t seconds) { return TimeUs{now().us + seconds * 1'000'000}; }
};

TEST_P(OutboxContract, QueuedRecord_IsClaimedWithEverythingItNeeds) {
  const WorkId id = Queue("R1", 1);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, id);
  EXPECT_EQ(item->kind, outbox::WorkKind::kRecord);
  EXPECT_EQ(item->subject_key, "pain-clinic.R1");
  EXPECT_EQ(item->site, "pain-clinic");
  EXPECT_EQ(item->record_id, "R1");
  EXPECT_EQ(item->revision, 1);
  EXPECT_EQ(item->record_status, "completed");
  EXPECT_EQ(item->patient.mrn, "100001");
  EXPECT_EQ(item->attempt, 1);
  EXPECT_EQ(item->first_attempt, now());
  EXPECT_EQ(item->write_number, 1);
  EXPECT_FALSE(item->is_ambiguous);
  ASSERT_EQ(item->resources.size(), 1U);
  EXPECT_EQ(item->resources[0].key.value, "pain-clinic.R1");
  EXPECT_EQ(item->resources[0].json, "{\"revision\":1}");
  EXPECT_TRUE(item->ledger.empty());
  EXPECT_EQ(StateOf(id), WorkState::kSending);
}

TEST_P(OutboxContract, ClaimedWork_IsNotGivenOutAgain) {
  Queue("R1", 1);
  ASSERT_TRUE(ClaimOne());
  EXPECT_FALSE(ClaimOne());
}

TEST_P(OutboxContract, OnePatientsWork_GoesInOrderOfArrival) {
  Queue("R1", 1);
  Queue("R2", 1);
  Queue("R3", 1);
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) {
    const auto items = Claim();
    ASSERT_EQ(items.size(), 1U) << "one at a time";
    order.push_back(items[0].record_id);
    Reopen();  // the order is in the store
    Deliver(items[0]);
  }
  EXPECT_THAT(order, ElementsAre("R1", "R2", "R3"));
}

TEST_P(OutboxContract, SeveralPatients_GoInParallel) {
  Queue("R1", 1, "100001");
  Queue("R2", 1, "100001");
  Queue("S1", 1, "100002");
  Queue("T1", 1, "100003");
  EXPECT_THAT(Records(Claim()), ::testing::UnorderedElementsAre("R1", "S1", "T1"));
}

TEST_P(OutboxContract, TwoSenders_ShareNoPatient) {
  Queue("R1", 1, "100001");
  Queue("R2", 1, "100001");
  Advance(1);
  Queue("S1", 1, "100002");
  EXPECT_THAT(Records(Claim(1, "one")), ElementsAre("R1"));
  EXPECT_THAT(Records(Claim(5, "two")), ElementsAre("S1"));
}

TEST_P(OutboxContract, PatientWithALongLine_DoesNotKeepOthersWaiting) {
  for (int i = 0; i < 20; ++i) Queue("R" + std::to_string(i), 1, "100001");
  Advance(1);
  Queue("S1", 1, "100002");
  Advance(1);
  auto first = Claim(1);
  ASSERT_EQ(Records(first), std::vector<std::string>{"R0"});
  Deliver(first[0]);
  EXPECT_THAT(Records(Claim(1)), ElementsAre("S1")) << "whose turn ended goes to the back";
}

TEST_P(OutboxContract, RecordThatIsNotMappedYet_KeepsThePatientsLaterWorkWaiting) {
  const WorkId first{Accept("R1", 1).receipt};
  Queue("R2", 1);
  EXPECT_FALSE(ClaimOne());
  CompleteMapping(Mapped(first));
  EXPECT_EQ(ClaimOne()->record_id, "R1");
}

TEST_P(OutboxContract, DeliveredWork_LeavesItsTraceInLedgerAndLog) {
  const WorkId id = Queue("R1", 1);
  EXPECT_EQ(Deliver(*ClaimOne()), WorkState::kDelivered);
  const auto rows = Seen<std::vector<outbox::LedgerRow>>([&](storage::Snapshot& snapshot) {
    return queue().LedgerOfSubject(snapshot, "http://server.example/fhir", "pain-clinic.R1");
  });
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].key.value, "pain-clinic.R1");
  EXPECT_EQ(rows[0].server_id, "srv-pain-clinic.R1");
  EXPECT_EQ(rows[0].version_id, "1");
  EXPECT_EQ(rows[0].json, "{\"revision\":1}");
  EXPECT_EQ(rows[0].revision, 1);
  EXPECT_FALSE(rows[0].nullified);
  const auto row = Seen<std::optional<outbox::LedgerRow>>([&](storage::Snapshot& snapshot) {
    return queue().LedgerRowOf(snapshot, "http://server.example/fhir", rows[0].key);
  });
  ASSERT_TRUE(row);
  EXPECT_EQ(row->etag, "W/\"1\"");
  EXPECT_FALSE(Seen<std::optional<outbox::LedgerRow>>([&](storage::Snapshot& snapshot) {
    return queue().LedgerRowOf(snapshot, "http://other.example/fhir", rows[0].key);
  }));
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued", "attempt", "written", "delivered"));
  EXPECT_EQ(StateOf(id), WorkState::kDelivered);
  EXPECT_FALSE(ClaimOne());
}

TEST_P(OutboxContract, NextRevision_SeesTheLedgerOfTheOneBefore) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  Queue("R1", 2);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  ASSERT_EQ(item->ledger.size(), 1U);
  EXPECT_EQ(item->ledger[0].json, "{\"revision\":1}");
  Deliver(*item);
  const auto revisions = Seen<std::vector<outbox::RevisionState>>(
      [&](storage::Snapshot& snapshot) { return queue().Revisions(snapshot, "pain-clinic", "R1"); });
  ASSERT_EQ(revisions.size(), 2U);
  EXPECT_EQ(revisions[1].state, WorkState::kDelivered);
  ASSERT_EQ(revisions[1].resources.size(), 1U);
  EXPECT_EQ(revisions[1].resources[0].version_id, "2");
}

TEST_P(OutboxContract, RetryWork_WaitsForItsTimeAndKeepsTheLineWaiting) {
  const WorkId id = Queue("R1", 1);
  Queue("R2", 1);
  const TimeUs first = now();
  auto report = Report(*ClaimOne(), DeliveryOutcome::kRetry, Code::kServerBusy);
  report.next_attempt = In(30);
  EXPECT_EQ(Complete(report), WorkState::kRetry);
  EXPECT_EQ(NextDue(), In(30));
  Advance(29);
  EXPECT_FALSE(ClaimOne());
  EXPECT_EQ(Show(id).entry.reasons.at(0).code, Code::kServerBusy);
  Advance(1);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, id);
  EXPECT_EQ(item->attempt, 2);
  EXPECT_EQ(item->first_attempt, first) << "the budget goes on";
}

TEST_P(OutboxContract, DeferredWork_BurnsNoAttempt) {
  const WorkId id = Queue("R1", 1);
  auto report = Report(*ClaimOne(), DeliveryOutcome::kDeferred, Code::kUnauthorized);
  report.operation.clear();
  report.next_attempt = In(60);
  EXPECT_EQ(Complete(report), WorkState::kQueued);
  Advance(60);
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->id, id);
  EXPECT_EQ(item->attempt, 1);
  EXPECT_EQ(item->first_attempt, now()) << "the budget has not begun";
}

TEST_P(OutboxContract, AmbiguousWork_ComesBackToBeSearched) {
  Queue("R1", 1);
  auto report = Report(*ClaimOne(), DeliveryOutcome::kAmbiguous, Code::kTimeout);
  report.next_attempt = In(1);
  EXPECT_EQ(Complete(report), WorkState::kAmbiguous);
  Advance(1);
  auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_TRUE(item->is_ambiguous);
  // A search that fails, or a pause, leaves it ambiguous.
  report = Report(*item, DeliveryOutcome::kRetry, Code::kServerBusy);
  report.next_attempt = In(1);
  Complete(report);
  Advance(1);
  item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_TRUE(item->is_ambiguous);
  report = Report(*item, DeliveryOutcome::kDeferred, Code::kUnauthorized);
  report.next_attempt = In(1);
  EXPECT_EQ(Complete(report), WorkState::kAmbiguous);
  Advance(1);
  item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_TRUE(item->is_ambiguous);
  EXPECT_EQ(Deliver(*item), WorkState::kDelivered);
  EXPECT_THAT(EventsOf("R1"),
              ElementsAre("received", "mapped", "queued", "attempt", "ambiguous", "attempt", "retry",
                          "attempt", "deferred", "attempt", "written", "resolved", "delivered"));
}

TEST_P(OutboxContract, QuarantinedWork_LetsThePatientsOtherRecordsGo) {
  const WorkId id = Queue("R1", 1);
  Queue("R2", 1);
  auto report = Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused);
  report.http_status = 422;
  report.answer = "{\"resourceType\":\"OperationOutcome\"}";
  EXPECT_EQ(Complete(report), WorkState::kQuarantined);
  EXPECT_EQ(ClaimOne()->record_id, "R2");
  const auto detail = Show(id);
  EXPECT_EQ(detail.answer, "{\"resourceType\":\"OperationOutcome\"}");
  ASSERT_EQ(detail.entry.reasons.size(), 1U);
  EXPECT_EQ(detail.entry.reasons[0].pointer, "/entry/0");
}

TEST_P(OutboxContract, PartlyWrittenWork_KeepsWhatIsKnownToBeThere) {
  const WorkId id = Queue("R1", 1);
  auto report = Delivered(*ClaimOne());
  report.outcome = DeliveryOutcome::kQuarantined;
  report.reasons = {outbox::Reason{Code::kServerRefused, "/entry/1", ""}};
  Complete(report);
  EXPECT_EQ(Show(id).ledger.size(), 1U);
}

TEST_P(OutboxContract, RetryByAnOperator_StartsTheBudgetAnew) {
  const WorkId id = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  Advance(3'600);
  ASSERT_TRUE(
      Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator("server fixed")); }));
  MapAll();
  const auto item = ClaimOne();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->attempt, 1);
  EXPECT_EQ(item->first_attempt, now());
  EXPECT_THAT(Show(id).remarks, ElementsAre("server fixed"));
  EXPECT_TRUE(Show(id).entry.reasons.empty());
}

TEST_P(OutboxContract, RetryOfWaitingWork_MakesItDueAtOnce) {
  const WorkId id = Queue("R1", 1);
  auto report = Report(*ClaimOne(), DeliveryOutcome::kRetry, Code::kServerBusy);
  report.next_attempt = In(300);
  Complete(report);
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, id, Operator()); }));
  EXPECT_TRUE(ClaimOne());
}

TEST_P(OutboxContract, ChangeWithoutAReason_IsRefused) {
  const WorkId id = Queue("R1", 1);
  auto refused = Changed([&](storage::Transaction& t) { return outbox().Quarantine(t, id, Operator("")); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUsage);
  EXPECT_EQ(StateOf(id), WorkState::kQueued);
}

TEST_P(OutboxContract, QuarantineByAnOperator_TakesWorkOutOfTheLine) {
  const WorkId id = Queue("R1", 1);
  Queue("R2", 1);
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Quarantine(t, id, Operator()); }));
  EXPECT_EQ(ClaimOne()->record_id, "R2");
}

struct Refusal {
  const char* name;
  Result<void> (*change)(outbox::Outbox&, storage::Transaction&, const WorkId&, const outbox::Change&);
};

TEST_P(OutboxContract, ChangesThatTheStateForbids_AreRefused) {
  const WorkId id = Queue("R1", 1);
  Deliver(*ClaimOne());
  const Refusal refusals[] = {
      {"retry", [](outbox::Outbox& o, storage::Transaction& t, const WorkId& w,
                   const outbox::Change& c) { return o.Retry(t, w, c); }},
      {"release", [](outbox::Outbox& o, storage::Transaction& t, const WorkId& w,
                     const outbox::Change& c) { return o.Release(t, w, c); }},
      {"quarantine", [](outbox::Outbox& o, storage::Transaction& t, const WorkId& w,
                        const outbox::Change& c) { return o.Quarantine(t, w, c); }},
  };
  for (const Refusal& refusal : refusals) {
    auto refused =
        Changed([&](storage::Transaction& t) { return refusal.change(outbox(), t, id, Operator()); });
    ASSERT_FALSE(refused) << refusal.name;
    EXPECT_EQ(refused.error().code, Code::kNotAllowed) << refusal.name;
    refused = Changed(
        [&](storage::Transaction& t) { return refusal.change(outbox(), t, WorkId{"nothing"}, Operator()); });
    ASSERT_FALSE(refused) << refusal.name;
    EXPECT_EQ(refused.error().code, Code::kNotFound) << refusal.name;
  }
  EXPECT_EQ(StateOf(id), WorkState::kDelivered);
}

TEST_P(OutboxContract, HeldPatient_IsListedAndReleasedWithAllItsWork) {
  Queue("R1", 1);
  Queue("R2", 1);
  Queue("S1", 1, "100002");
  for (const WorkItem& item : Claim()) {
    Complete(Report(item,
                    item.patient.mrn == "100001" ? DeliveryOutcome::kHeld : DeliveryOutcome::kQuarantined,
                    item.patient.mrn == "100001" ? Code::kPatientNotFound : Code::kServerRefused));
  }
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kPatientNotFound));
  const auto held = Seen<std::vector<outbox::HeldPatient>>(
      [&](storage::Snapshot& snapshot) { return queue().HeldPatients(snapshot, {}, 10); });
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].patient.mrn, "100001");
  EXPECT_EQ(held[0].reason, Code::kPatientNotFound);
  EXPECT_EQ(held[0].items, 2);
  EXPECT_FALSE(ClaimOne());
  EXPECT_EQ(Written<std::int64_t>([&](storage::Transaction& transaction) {
              return outbox().ReleasePatient(transaction, held[0].patient.key,
                                             outbox::Change{SystemPrincipal(), {}, now()});
            }),
            2);
  EXPECT_EQ(ClaimOne()->record_id, "R1") << "in the order they came";
}

TEST_P(OutboxContract, HeldForAConflict_IsReleasedByAnOperatorOnly) {
  const WorkId id = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kConflict));
  EXPECT_TRUE(Seen<std::vector<outbox::HeldPatient>>([&](storage::Snapshot& snapshot) {
                return queue().HeldPatients(snapshot, {}, 10);
              }).empty());
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Release(t, id, Operator()); }));
  EXPECT_EQ(ClaimOne()->id, id);
  EXPECT_THAT(EventsOf("R1"),
              ElementsAre("received", "mapped", "queued", "attempt", "held", "released", "attempt"));
}

TEST_P(OutboxContract, LinkedPatient_IsTakenForAllItsWorkUntilUnlinked) {
  const WorkId first = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kPatientAmbiguous));
  EXPECT_EQ(Written<std::int64_t>([&](storage::Transaction& transaction) {
              return outbox().LinkPatient(transaction, first, "Patient/x.1-A", Operator());
            }),
            1);
  const WorkItem linked = *ClaimOne();
  EXPECT_EQ(linked.id, first);
  EXPECT_EQ(linked.patient.linked_id, "Patient/x.1-A");
  Deliver(linked);
  EXPECT_THAT(EventsOf("R1"), ElementsAre("received", "mapped", "queued", "attempt", "held", "linked",
                                          "released", "attempt", "written", "delivered"));
  Queue("R2", 1);
  Queue("S1", 1, "100002");
  for (const WorkItem& item : Claim()) {
    EXPECT_EQ(item.patient.linked_id, item.patient.mrn == "100001" ? "Patient/x.1-A" : "") << item.record_id;
    Deliver(item);
  }
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().UnlinkPatient(t, first, Operator()); }));
  Queue("R3", 1);
  EXPECT_EQ(ClaimOne()->patient.linked_id, "");
  EXPECT_EQ(EventsOf("R1").back(), "unlinked");
  const auto again =
      Changed([&](storage::Transaction& t) { return outbox().UnlinkPatient(t, first, Operator()); });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kNotAllowed);
}

TEST_P(OutboxContract, LinkOfWhatCannotBeLinked_IsRefused) {
  const WorkId id = Queue("R1", 1);
  const auto link = [&](const std::string& patient, const std::string& reason) {
    const auto linked = Changed([&](storage::Transaction& t) -> Result<void> {
      ADAPTER_CHECK(outbox().LinkPatient(t, id, patient, Operator(reason)));
      return {};
    });
    return linked ? Code::kInternal : linked.error().code;
  };
  EXPECT_EQ(link("Patient/1", "why"), Code::kNotAllowed) << "it waits for nobody";
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kConflict));
  EXPECT_EQ(link("Patient/1", "why"), Code::kNotAllowed) << "held for another reason";
  ASSERT_TRUE(Changed([&](storage::Transaction& t) { return outbox().Release(t, id, Operator()); }));
  Complete(Report(*ClaimOne(), DeliveryOutcome::kHeld, Code::kPatientNotFound));
  for (const char* patient :
       {"", "1", "Patient/", "Practitioner/1", "Patient/a/b", "Patient/a?b", "patient/1"}) {
    EXPECT_EQ(link(patient, "why"), Code::kUsage) << patient;
  }
  EXPECT_EQ(link("Patient/" + std::string(65, 'a'), "why"), Code::kUsage);
  EXPECT_EQ(link("Patient/1", ""), Code::kUsage) << "without a reason";
  EXPECT_EQ(link("Patient/" + std::string(64, 'a'), "why"), Code::kInternal) << "done";
}

// Reconciling.

TEST_P(OutboxContract, MissingResource_IsQueuedToBeSentAgainWithoutVersionAndHash) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  const auto subject = [&] {
    return Seen<outbox::LedgerSubject>([&](storage::Snapshot& snapshot) {
      return queue().LedgerSubjectOf(snapshot, kEndpoint, "pain-clinic.R1");
    });
  };
  const outbox::LedgerSubject before = subject();
  ASSERT_EQ(before.rows.size(), 1U);
  ASSERT_EQ(before.patients.size(), 1U);
  EXPECT_EQ(before.patients[0].mrn, "100001");
  const outbox::Repair repair{kEndpoint, "pain-clinic.R1", {before.rows[0].key}, {}};
  const auto queue_repair = [&](const outbox::Change& change) {
    return Changed([&](storage::Transaction& t) { return outbox().QueueRepair(t, repair, change); });
  };
  EXPECT_EQ(queue_repair(Operator("")).error().code, Code::kUsage);
  ASSERT_TRUE(queue_repair(Operator()));
  EXPECT_EQ(queue_repair(Operator()).error().code, Code::kNotAllowed) << "it waits to be sent";
  const WorkItem item = *ClaimOne();
  EXPECT_EQ(item.kind, outbox::WorkKind::kRepair);
  EXPECT_EQ(item.revision, 1);
  ASSERT_EQ(item.resources.size(), 1U);
  EXPECT_EQ(item.resources[0].json, "{\"revision\":1}");
  ASSERT_EQ(item.ledger.size(), 1U);
  EXPECT_EQ(item.ledger[0].server_id, before.rows[0].server_id) << "where it was";
  EXPECT_EQ(item.ledger[0].version_id, "");
  EXPECT_EQ(item.ledger[0].sha256, "");
  EXPECT_EQ(item.ledger[0].json, before.rows[0].json);
  Deliver(item);
  EXPECT_EQ(subject().rows[0].sha256, before.rows[0].sha256);
  EXPECT_THAT(EventsOf("R1"),
              ElementsAre("received", "mapped", "queued", "attempt", "written", "delivered", "found-missing",
                          "repair-queued", "mapped", "queued", "attempt", "written", "delivered"));
}

TEST_P(OutboxContract, DuplicateOnTheServer_IsHeldOnceForAPerson) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  const outbox::ResourceKey key = Resource("pain-clinic.R1", "x").key;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Changed([&](storage::Transaction& t) {
      return outbox().QueueRepair(t, outbox::Repair{kEndpoint, "pain-clinic.R1", {}, {key}}, Operator());
    }));
  }
  EXPECT_FALSE(ClaimOne());
  const auto page = Seen<outbox::QueuePage>(
      [&](storage::Snapshot& snapshot) { return queue().List(snapshot, {WorkState::kHeld, "", 10}); });
  ASSERT_EQ(page.entries.size(), 1U);
  ASSERT_EQ(page.entries[0].reasons.size(), 1U);
  EXPECT_EQ(page.entries[0].reasons[0].code, Code::kConflict);
  ASSERT_TRUE(
      Changed([&](storage::Transaction& t) { return outbox().Release(t, page.entries[0].id, Operator()); }));
  EXPECT_EQ(ClaimOne()->id, page.entries[0].id);
}

TEST_P(OutboxContract, RepairOfWhatWasNotDelivered_IsRefused) {
  Queue("R1", 1);
  const auto repaired = Changed([&](storage::Transaction& t) {
    return outbox().QueueRepair(t, outbox::Repair{kEndpoint, "pain-clinic.R1", {}, {}}, Operator());
  });
  ASSERT_FALSE(repaired);
  EXPECT_EQ(repaired.error().code, Code::kNotAllowed);
}

TEST_P(OutboxContract, NewerVersions_AreAdoptedWhileSendingIsStoppedOnly) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  const outbox::ResourceKey key = Resource("pain-clinic.R1", "x").key;
  const outbox::Adoption adoption{
      kEndpoint, "pain-clinic.R1", 4, {{key, "p-1", "7", "{\"revision\":4}", false}}};
  const auto adopt = [&](const outbox::Change& change) {
    return Changed([&](storage::Transaction& t) { return outbox().Adopt(t, adoption, change); });
  };
  ASSERT_FALSE(adopt(Operator()));
  EXPECT_EQ(adopt(Operator()).error().code, Code::kNotAllowed) << "this store was not restored";
  ASSERT_TRUE(Changed(
      [&](storage::Transaction& t) { return outbox::RecordRestore(t, log(), Operator("backup of March")); }));
  EXPECT_EQ(adopt(Operator("")).error().code, Code::kUsage);
  ASSERT_TRUE(adopt(Operator()));
  const auto row = Seen<std::optional<outbox::LedgerRow>>(
      [&](storage::Snapshot& snapshot) { return queue().LedgerRowOf(snapshot, kEndpoint, key); });
  ASSERT_TRUE(row);
  EXPECT_EQ(row->version_id, "7");
  EXPECT_EQ(row->etag, "W/\"7\"");
  EXPECT_EQ(row->json, "{\"revision\":4}");
  EXPECT_EQ(row->revision, 4) << "a lower one will not be sent over it";
  EXPECT_EQ(EventsOf("R1").back(), "adopted");
}

TEST_P(OutboxContract, LedgerSubjects_ComeInPagesOfOnePatientOrSinceATime) {
  Queue("R1", 1);
  Deliver(*ClaimOne());
  Advance(100);
  const TimeUs later = now();
  Queue("R2", 1, "100002");
  Deliver(*ClaimOne());
  Queue("R3", 1, "100001");
  Deliver(*ClaimOne());
  const auto subjects = [&](outbox::LedgerFilter filter) {
    filter.endpoint = kEndpoint;
    std::vector<std::string> keys;
    for (const auto& subject : Seen<std::vector<outbox::LedgerSubject>>(
             [&](storage::Snapshot& snapshot) { return queue().LedgerSubjects(snapshot, filter); })) {
      keys.push_back(subject.subject_key);
    }
    return keys;
  };
  outbox::LedgerFilter filter;
  filter.subjects_max = 2;
  EXPECT_THAT(subjects(filter), ElementsAre("pain-clinic.R1", "pain-clinic.R2"));
  filter.after = "pain-clinic.R2";
  EXPECT_THAT(subjects(filter), ElementsAre("pain-clinic.R3"));
  outbox::LedgerFilter of_patient;
  of_patient.mrn = "100001";
  EXPECT_THAT(subjects(of_patient), ElementsAre("pain-clinic.R1", "pain-clinic.R3"));
  outbox::LedgerFilter since;
  since.since = later;
  EXPECT_THAT(subjects(since), ElementsAre("pain-clinic.R2", "pain-clinic.R3"));
  const auto key = Seen<std::optional<outbox::ResourceKey>>([&](storage::Snapshot& snapshot) {
    return queue().LedgerKeyOf(snapshot, kEndpoint, "Procedure", "nothing");
  });
  EXPECT_FALSE(key);
}

// Leases.

TEST_P(OutboxContract, LeaseThatRanOut_MakesTheWorkAmbiguous) {
  Queue("R1", 1);
  ASSERT_EQ(Claim(1, "one", 60).size(), 1U);
  Advance(59);
  EXPECT_TRUE(Claim(1, "two", 60).empty());
  Advance(1);
  const auto items = Claim(1, "two", 60);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_TRUE(items[0].is_ambiguous);
  EXPECT_EQ(items[0].attempt, 2);
}

TEST_P(OutboxContract, AnswerUnderALostLease_IsRefused) {
  Queue("R1", 1);
  const auto lost = Claim(1, "one", 60).at(0);
  Advance(60);
  const auto mine = Claim(1, "two", 60).at(0);
  auto refused = Changed([&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(outbox().Complete(transaction, Delivered(lost), now()));
    return {};
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotAllowed);
  auto foreign = Delivered(mine);
  foreign.lease.owner = "somebody else";
  EXPECT_FALSE(Changed([&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(outbox().Complete(transaction, foreign, now()));
    return {};
  }));
  EXPECT_EQ(Deliver(mine), WorkState::kDelivered);
}

TEST_P(OutboxContract, ExtendedLease_LastsLonger) {
  Queue("R1", 1);
  auto item = Claim(1, "one", 60).at(0);
  const TimeUs until = In(120);
  item.lease = Written<outbox::Lease>([&](storage::Transaction& transaction) {
    return outbox().Extend(transaction, item.id, item.lease, until);
  });
  Advance(100);
  EXPECT_TRUE(Claim(1, "two", 60).empty());
  EXPECT_EQ(Deliver(item), WorkState::kDelivered);
  auto refused = Changed([&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(outbox().Extend(transaction, item.id, item.lease, until));
    return {};
  });
  EXPECT_FALSE(refused);
}

TEST_P(OutboxContract, RestartAfterSending_SearchesFirst) {
  Queue("R1", 1);
  Queue("S1", 1, "100002");
  ASSERT_EQ(Claim(10).size(), 2U);
  Reopen();
  EXPECT_EQ(Written<std::int64_t>(
                [&](storage::Transaction& transaction) { return outbox().EndLeases(transaction, now()); }),
            2);
  const auto items = Claim(10);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_TRUE(items[0].is_ambiguous);
  EXPECT_TRUE(items[1].is_ambiguous);
}

// Revisions.

TEST_P(OutboxContract, HigherRevision_WaitsOnlyWhileTheLowerOneIsInFlight) {
  const WorkId first = Queue("R1", 1);
  const auto sending = ClaimOne();
  const WorkId second = Queue("R1", 2);
  EXPECT_EQ(StateOf(first), WorkState::kSending) << "what was sent is not forgotten";
  EXPECT_FALSE(ClaimOne());
  Deliver(*sending);
  EXPECT_EQ(ClaimOne()->id, second);
}

struct Ending {
  DeliveryOutcome outcome;
  Code reason;
};

TEST_P(OutboxContract, LowerRevisionThatFailsWhileAHigherOneWaits_IsSuperseded) {
  for (const Ending& ending : {Ending{DeliveryOutcome::kQuarantined, Code::kServerRefused},
                               Ending{DeliveryOutcome::kHeld, Code::kConflict},
                               Ending{DeliveryOutcome::kDeferred, Code::kUnauthorized}}) {
    const std::string record = "R" + std::to_string(static_cast<int>(ending.outcome));
    const WorkId first = Queue(record, 1, record);
    const auto sending = ClaimOne();
    ASSERT_TRUE(sending);
    const WorkId second = Queue(record, 2, record);
    EXPECT_EQ(Complete(Report(*sending, ending.outcome, ending.reason)), WorkState::kSuperseded);
    const auto next = ClaimOne();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->id, second);
    Deliver(*next);
  }
}

TEST_P(OutboxContract, QuarantinedLowerRevision_CannotComeBack) {
  const WorkId first = Queue("R1", 1);
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  Queue("R1", 2);
  EXPECT_EQ(StateOf(first), WorkState::kSuperseded);
  EXPECT_FALSE(Changed([&](storage::Transaction& t) { return outbox().Retry(t, first, Operator()); }));
}

// Another patient (both charts are locked while the resources change sides).

TEST_P(OutboxContract, RecordThatMoved_HoldsBothPatients) {
  Queue("R1", 1, "100001");
  const auto first = ClaimOne();
  Deliver(*first);
  Queue("R1", 2, "100002");
  Advance(1);
  Queue("A1", 1, "100001");
  Queue("B1", 1, "100002");
  auto items = Claim();
  ASSERT_EQ(Records(items), (std::vector<std::string>{"R1"})) << "and neither patient's other work";
  const WorkItem moved = items[0];
  EXPECT_EQ(moved.patient.mrn, "100002");
  EXPECT_EQ(moved.patient_generation, 2);
  ASSERT_EQ(moved.former_patients.size(), 1U);
  EXPECT_EQ(moved.former_patients[0].mrn, "100001");
  ASSERT_EQ(moved.ledger.size(), 1U);
  EXPECT_EQ(moved.ledger[0].patient_key, moved.former_patients[0].key);
  auto report = Delivered(moved);
  auto old = report.writes[0];
  old.key = moved.ledger[0].key;
  old.json = "{\"status\":\"entered-in-error\"}";
  old.nullified = true;
  report.writes.push_back(old);
  Complete(report);
  EXPECT_THAT(Records(Claim()), ::testing::UnorderedElementsAre("A1", "B1"));
  const auto rows = Seen<std::vector<outbox::LedgerRow>>([&](storage::Snapshot& snapshot) {
    return queue().LedgerOfSubject(snapshot, "http://server.example/fhir", "pain-clinic.R1");
  });
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key.value, "pain-clinic.R1");
  EXPECT_TRUE(rows[0].nullified);
  EXPECT_EQ(rows[0].patient_key, moved.former_patients[0].key) << "it still stands in that chart";
  EXPECT_EQ(rows[1].key.value, "pain-clinic.R1.p2");
  EXPECT_FALSE(rows[1].nullified);
}

TEST_P(OutboxContract, RecordThatMoved_WaitsForTheFormerPatientsWorkInFlight) {
  Queue("R1", 1, "100001");
  Deliver(*ClaimOne());
  Queue("A1", 1, "100001");
  const auto busy = ClaimOne();
  ASSERT_EQ(busy->record_id, "A1");
  Queue("R1", 2, "100002");
  EXPECT_FALSE(ClaimOne());
  Deliver(*busy);
  Advance(1);
  EXPECT_EQ(ClaimOne()->record_id, "R1");
}

TEST_P(OutboxContract, RecordThatMovedWhileTheRevisionBeforeIsInFlight_Waits) {
  Queue("R1", 1, "100001");
  const auto sending = ClaimOne();
  Queue("R1", 2, "100002");
  EXPECT_FALSE(ClaimOne());
  Deliver(*sending);
  Advance(1);
  const auto moved = ClaimOne();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->former_patients.size(), 1U);
}

TEST_P(OutboxContract, RecordThatMovedBeforeItWasDelivered_LeavesNobodyBehind) {
  Queue("R1", 1, "100001");
  Queue("R1", 2, "100002");
  const auto moved = ClaimOne();
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->revision, 2);
  EXPECT_EQ(moved->patient_generation, 2) << "whether or not revision 1 was delivered";
  EXPECT_TRUE(moved->former_patients.empty());
}

// Lists and counts.

TEST_P(OutboxContract, Statistics_CountEveryState) {
  Queue("R1", 1, "1");
  Advance(1);
  Queue("R2", 1, "2");
  Advance(1);
  Queue("R3", 1, "3");
  Advance(5);
  Accept("R4", 1, "4");
  Deliver(*ClaimOne());
  Complete(Report(*ClaimOne(), DeliveryOutcome::kQuarantined, Code::kServerRefused));
  const auto statistics = Seen<outbox::QueueStatistics>(
      [&](storage::Snapshot& snapshot) { return queue().Statistics(snapshot); });
  EXPECT_EQ(statistics.Count(WorkState::kReceived), 1);
  EXPECT_EQ(statistics.Count(WorkState::kQueued), 1);
  EXPECT_EQ(statistics.Count(WorkState::kDelivered), 1);
  EXPECT_EQ(statistics.Count(WorkState::kQuarantined), 1);
  EXPECT_EQ(statistics.Count(WorkState::kSending), 0);
  EXPECT_EQ(statistics.undelivered(), 3);
  EXPECT_EQ(statistics.oldest_waiting, In(-5)) << "R3";
  EXPECT_FALSE(statistics.sending_stopped);
}

TEST_P(OutboxContract, List_GivesPagesOfAStateInOrder) {
  for (int i = 0; i < 5; ++i) {
    Queue("R" + std::to_string(i), 1, std::to_string(i));
    Advance(1);
  }
  Deliver(*ClaimOne());
  outbox::QueueFilter filter;
  filter.state = WorkState::kQueued;
  filter.entries_max = 3;
  std::vector<std::string> records;
  do {
    const auto page =
        Seen<outbox::QueuePage>([&](storage::Snapshot& snapshot) { return queue().List(snapshot, filter); });
    for (const outbox::QueueEntry& entry : page.entries) records.push_back(entry.record_id);
    filter.after = page.next;
  } while (!filter.after.empty());
  EXPECT_THAT(records, ElementsAre("R1", "R2", "R3", "R4"));
  filter = {};
  EXPECT_EQ(Seen<outbox::QueuePage>([&](storage::Snapshot& snapshot) {
              return queue().List(snapshot, filter);
            }).entries.size(),
            5U);
}

TEST_P(OutboxContract, PageBeyondTheLimit_IsCutToIt) {
  QueueMany(limits::kQueuePageEntriesMax + 1);
  outbox::QueueFilter filter;
  for (const std::size_t wanted : {limits::kQueuePageEntriesMax, limits::kQueuePageEntriesMax + 1}) {
    filter.entries_max = wanted;
    const auto page =
        Seen<outbox::QueuePage>([&](storage::Snapshot& snapshot) { return queue().List(snapshot, filter); });
    EXPECT_EQ(page.entries.size(), limits::kQueuePageEntriesMax);
    EXPECT_FALSE(page.next.empty());
  }
}

TEST_P(OutboxContract, ClaimBeyondTheLimit_LeavesTheRestForTheNextOne) {
  QueueMany(limits::kClaimPatientsMax + 1);
  EXPECT_EQ(Claim(limits::kClaimPatientsMax + 1).size(), limits::kClaimPatientsMax);
  EXPECT_EQ(Claim(limits::kClaimPatientsMax).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Backends, OutboxContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
