#include "sync/delivery_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planned_work.h"

namespace fhir_adapter::sync {
namespace {

using outbox::ResourceKey;
using outbox::WorkItem;
using testing::HasSubstr;
using testing::Not;

const ResourceKey kPain = Key("Observation", "it-observation", "clinic.r1.pain.1");
const ResourceKey kProcedure = Key("Procedure", "it-procedure", "clinic.r1");

DeliveryPlan PlanOf(const WorkItem& item) {
  auto plan = PlanDelivery(item, Context());
  EXPECT_TRUE(plan.has_value()) << (plan ? "" : plan.error().message);
  return plan ? *plan : DeliveryPlan{};
}

TEST(PlanDelivery, NothingDeliveredYet_UpdatesByIdentifierAndNamesAllInTheProvenance) {
  WorkItem item = Work();
  item.resources = {Intended(kProcedure, R"("status":"completed")"), Intended(kPain, R"("status":"final")"),
                    ProvenanceOf(1)};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 3U);
  EXPECT_EQ(plan.entries[0].server_id, "");
  EXPECT_EQ(plan.entries[0].if_match, "");
  EXPECT_EQ(plan.entries[0].patient, "Patient/7");
  EXPECT_EQ(plan.entries[1].json, R"({"resourceType":"Observation","status":"final"})");
  EXPECT_EQ(plan.entries[2].server_id, item.resources[2].uuid);
  EXPECT_THAT(plan.entries[2].json,
              HasSubstr(R"("target":[{"reference":"urn:uuid:)" + item.resources[0].uuid +
                        R"("},{"reference":"urn:uuid:)" + item.resources[1].uuid + R"("}])"));
}

TEST(PlanDelivery, UnchangedResource_IsLeftOutAndSoIsAProvenanceOfNothing) {
  WorkItem item = Work(2);
  item.resources = {Intended(kProcedure, R"("status":"completed")"), ProvenanceOf(2)};
  item.ledger = {Row(kProcedure, "p1", "1", R"("status":"completed")")};
  EXPECT_TRUE(PlanOf(item).entries.empty());
}

TEST(PlanDelivery, ResourceFoundMissing_IsSentAgainToItsPlaceWithoutVersion) {
  WorkItem item = Work();
  item.resources = {Intended(kProcedure, R"("status":"completed")"), Intended(kPain, R"("status":"final")"),
                    ProvenanceOf(1)};
  item.ledger = {Row(kProcedure, "p1", "3", R"("status":"completed")"),
                 Row(kPain, "o1", "2", R"("status":"final")"),
                 Row(item.resources[2].key, item.resources[2].uuid, "1", R"("recorded":"2026")")};
  for (outbox::LedgerRow* row : {&item.ledger[1], &item.ledger[2]}) {
    row->version_id.clear();
    row->etag.clear();
    row->sha256.clear();
  }
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 3U) << "what is missing, and a Provenance of the new write";
  EXPECT_EQ(plan.entries[0].key, kPain);
  EXPECT_EQ(plan.entries[0].server_id, "o1");
  EXPECT_EQ(plan.entries[0].if_match, "");
  EXPECT_EQ(plan.entries[0].json, item.resources[1].json) << "as it was, not as a correction of itself";
  EXPECT_EQ(plan.entries[1].key.value, "clinic.r1.1.2");
  EXPECT_EQ(plan.entries[2].key, item.resources[2].key);
  EXPECT_EQ(plan.entries[2].json, item.ledger[2].json) << "as it was sent";
}

TEST(PlanDelivery, ChangedResource_IsUpdatedByIdUnderItsVersion) {
  WorkItem item = Work(2);
  item.resources = {Intended(kProcedure, R"("status":"not-done")"), ProvenanceOf(2)};
  item.ledger = {Row(kProcedure, "p1", "3", R"("status":"completed")")};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 2U);
  EXPECT_EQ(plan.entries[0].server_id, "p1");
  EXPECT_EQ(plan.entries[0].if_match, "W/\"3\"");
  EXPECT_TRUE(plan.entries[0].exists);
  EXPECT_EQ(plan.literals.at(item.resources[0].uuid), "Procedure/p1");
}

// Which status an Observation gets, by the one delivered and the one intended.
struct StatusRow {
  const char* name;
  const char* delivered;
  const char* delivered_value;
  const char* intended;
  const char* intended_value;
  const char* sent;  // empty: nothing is sent
};

class ObservationStatus : public testing::TestWithParam<StatusRow> {};

TEST_P(ObservationStatus, DeliveredAndIntended_GiveTheStatusOfTheTable) {
  const StatusRow& row = GetParam();
  const auto members = [](const char* status, const char* value) {
    return R"("status":")" + std::string(status) + R"(","valueString":")" + value + "\"";
  };
  WorkItem item = Work(2);
  item.resources = {Intended(kPain, members(row.intended, row.intended_value))};
  item.ledger = {Row(kPain, "o1", "1", members(row.delivered, row.delivered_value))};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), *row.sent == '\0' ? 0U : 1U);
  if (*row.sent != '\0') {
    EXPECT_THAT(plan.entries[0].json, HasSubstr(R"("status":")" + std::string(row.sent) + "\""));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ObservationStatus,
    testing::Values(StatusRow{"FinalSame", "final", "a", "final", "a", ""},
                    StatusRow{"FinalOther", "final", "a", "final", "b", "corrected"},
                    StatusRow{"AmendedOther", "amended", "a", "final", "b", "corrected"},
                    StatusRow{"CorrectedOther", "corrected", "a", "final", "b", "corrected"},
                    StatusRow{"CorrectedSame", "corrected", "a", "final", "a", ""},
                    StatusRow{"PreliminarySame", "preliminary", "a", "final", "a", "final"},
                    StatusRow{"PreliminaryOther", "preliminary", "a", "final", "b", "final"},
                    StatusRow{"FinalRetracted", "final", "a", "entered-in-error", "a", "entered-in-error"}),
    [](const auto& one) { return one.param.name; });

// What the EHR pushed stands as the EHR put it: neither is `corrected` made of it, nor is a change of the
// status alone left out.
TEST(PlanDelivery, PushedObservation_KeepsTheStatusOfTheEhr) {
  WorkItem item = Work(2);
  item.kind = outbox::WorkKind::kObservation;
  item.ledger = {Row(kPain, "o1", "1", R"("status":"final","note":[{"text":"a"}])")};
  for (const char* members :
       {R"("status":"final","note":[{"text":"b"}])", R"("status":"corrected","note":[{"text":"a"}])"}) {
    item.resources = {Intended(kPain, members)};
    const DeliveryPlan plan = PlanOf(item);
    ASSERT_EQ(plan.entries.size(), 1U) << members;
    EXPECT_EQ(plan.entries[0].json, item.resources[0].json);
    EXPECT_EQ(plan.entries[0].server_id, "o1");
  }
  item.resources = {Intended(kPain, R"("status":"final","note":[{"text":"a"}])")};
  EXPECT_TRUE(PlanOf(item).entries.empty());
}

TEST(PlanDelivery, StatusCorrected_IsForObservationsOnly) {
  WorkItem item = Work(2);
  const ResourceKey document = Key("DocumentReference", "it-consent", "clinic.r1.consent");
  item.resources = {Intended(document, R"("status":"current","description":"b")")};
  item.ledger = {Row(document, "d1", "1", R"("status":"current","description":"a")")};
  EXPECT_THAT(PlanOf(item).entries.at(0).json, HasSubstr(R"("status":"current")"));
}

// How a row that is no longer intended says so, for each type that the maps make.
struct VanishedRow {
  const char* name;
  const char* type;
  const char* delivered;
  const char* expected;  // members
};

class VanishedResource : public testing::TestWithParam<VanishedRow> {};

TEST_P(VanishedResource, NoLongerIntended_IsMarkedAsR4WantsIt) {
  const VanishedRow& row = GetParam();
  WorkItem item = Work(2);
  const ResourceKey key = Key(row.type, "it-x", "clinic.r1.x");
  item.resources = {ProvenanceOf(2)};
  item.ledger = {Row(key, "x1", "2", row.delivered)};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 2U);
  EXPECT_EQ(plan.entries[0].json, Json(row.type, row.expected));
  EXPECT_TRUE(plan.entries[0].nullified);
  EXPECT_EQ(plan.entries[0].if_match, "W/\"2\"");
}

INSTANTIATE_TEST_SUITE_P(
    Table, VanishedResource,
    testing::Values(
        VanishedRow{"Observation", "Observation", R"("status":"final","valueString":"a")",
                    R"("status":"entered-in-error","valueString":"a")"},
        VanishedRow{"Procedure", "Procedure", R"("status":"completed")", R"("status":"entered-in-error")"},
        VanishedRow{"Administration", "MedicationAdministration", R"("status":"completed")",
                    R"("status":"entered-in-error")"},
        VanishedRow{"Request", "MedicationRequest", R"("status":"active")", R"("status":"entered-in-error")"},
        VanishedRow{"Device", "Device", R"("status":"active")", R"("status":"entered-in-error")"},
        VanishedRow{"DeviceWithoutStatus", "Device", "", R"("status":"entered-in-error")"},
        VanishedRow{"Encounter", "Encounter", R"("status":"finished")", R"("status":"entered-in-error")"},
        VanishedRow{"Document", "DocumentReference", R"("status":"current")",
                    R"("status":"entered-in-error")"},
        VanishedRow{"Issue", "DetectedIssue", R"("status":"final")", R"("status":"cancelled")"},
        VanishedRow{
            "Condition", "Condition",
            R"("clinicalStatus":{"text":"x"},"verificationStatus":{"text":"y"},"abatementDateTime":"2026-01-01")",
            R"("verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]})"},
        VanishedRow{
            "AdverseEvent", "AdverseEvent", R"("actuality":"actual","event":{"text":"overdose"})",
            R"("meta":{"tag":[{"system":"https://clinic.example/fhir/CodeSystem/it-local","code":"entered-in-error","display":"Entered in error"}]},"actuality":"actual","event":{"text":"Entered in error: overdose"})"}),
    [](const auto& one) { return one.param.name; });

TEST(PlanDelivery, FindingOfAVoidedRecord_IsEnteredInErrorEvenAfterItWasCancelled) {
  WorkItem item = Work(2);
  item.record_status = "voided";
  const ResourceKey issue = Key("DetectedIssue", "it-issue", "clinic.r1.VOL.1");
  item.ledger = {Row(issue, "i1", "2", R"("status":"cancelled")")};
  item.ledger[0].nullified = true;
  EXPECT_THAT(PlanOf(item).entries.at(0).json, HasSubstr("entered-in-error"));
}

TEST(PlanDelivery, NullifiedRowAndProvenance_AreNeverVanishedRows) {
  WorkItem item = Work(2);
  item.ledger = {Row(kPain, "o1", "2", R"("status":"entered-in-error")"),
                 Row(Key("Provenance", "it-provenance", "clinic.r1.1"), "v1", "1", "")};
  item.ledger[0].nullified = true;
  EXPECT_TRUE(PlanOf(item).entries.empty());
}

TEST(PlanDelivery, IssueUpdate_NullifiesFindingsOnly) {
  WorkItem item = Work(1);
  item.kind = outbox::WorkKind::kIssueUpdate;
  item.ledger = {Row(kPain, "o1", "2", R"("status":"final")"),
                 Row(Key("DetectedIssue", "it-issue", "clinic.r1.VOL.1"), "i1", "1", R"("status":"final")")};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 1U);
  EXPECT_EQ(plan.entries[0].key.type, "DetectedIssue");
}

TEST(PlanDelivery, AnotherPatient_NullifiesTheFormerChartByIdAndLinksBoth) {
  WorkItem item = Work(2);
  item.former_patients = {outbox::PatientReference{"former", "200", "", "", ""}};
  item.patient_generation = 2;
  const ResourceKey moved = Key("Procedure", "it-procedure", "clinic.r1.p2");
  item.resources = {
      Intended(moved, R"("status":"completed","subject":{"reference":"Patient?identifier=s|100"})"),
      ProvenanceOf(2)};
  item.ledger = {Row(kProcedure, "p1", "4",
                     R"("status":"completed","subject":{"reference":"Patient?identifier=s|200"})", "former")};
  const DeliveryPlan plan = PlanOf(item);
  ASSERT_EQ(plan.entries.size(), 3U);
  EXPECT_EQ(plan.entries[0].patient, "Patient/7");
  EXPECT_EQ(plan.entries[0].server_id, "");
  EXPECT_EQ(plan.entries[1].server_id, "p1");
  EXPECT_EQ(plan.entries[1].patient, "Patient/8");
  EXPECT_THAT(plan.entries[1].json, HasSubstr("entered-in-error"));
  EXPECT_THAT(plan.entries[2].json, HasSubstr(plan.entries[0].uuid));
  EXPECT_THAT(plan.entries[2].json, HasSubstr(plan.entries[1].uuid));
}

TEST(PlanDelivery, FindingInTheFormerChart_IsEnteredInErrorNotCancelled) {
  WorkItem item = Work(2);
  item.former_patients = {outbox::PatientReference{"former", "200", "", "", ""}};
  item.ledger = {
      Row(Key("DetectedIssue", "it-issue", "clinic.r1.VOL.1"), "i1", "1", R"("status":"final")", "former")};
  EXPECT_THAT(PlanOf(item).entries.at(0).json, HasSubstr("entered-in-error"));
}

TEST(PlanDelivery, LaterWriteOfARevision_HasAProvenanceOfItsOwn) {
  WorkItem item = Work(1);
  item.write_number = 2;
  item.resources = {Intended(kPain, R"("status":"final")"), ProvenanceOf(1)};
  const DeliveryPlan plan = PlanOf(item);
  EXPECT_EQ(plan.entries.at(1).key.value, "clinic.r1.1.2");
  const std::string uuid = UuidOf(kBase + "/sid/it-provenance", "clinic.r1.1.2");
  EXPECT_EQ(plan.entries.at(1).uuid, uuid);
  EXPECT_THAT(plan.entries.at(1).json, HasSubstr("\"id\":\"" + uuid + "\""));
}

TEST(PlanDelivery, WrittenByAnEarlierRequestOfThisRevision_IsNamedByItsProvenance) {
  WorkItem item = Work(1);
  item.write_number = 2;
  item.resources = {Intended(kProcedure, R"("status":"completed")"), Intended(kPain, R"("status":"final")"),
                    ProvenanceOf(1)};
  item.ledger = {Row(kProcedure, "p1", "1", R"("status":"completed")")};
  const DeliveryPlan some = PlanOf(item);
  ASSERT_EQ(some.entries.size(), 2U);
  EXPECT_EQ(some.entries[0].key, kPain);
  EXPECT_EQ(some.entries[1].key, ProvenanceOf(1).key);
  const std::string both = R"("target":[{"reference":"urn:uuid:)" + item.resources[0].uuid +
                           R"("},{"reference":"urn:uuid:)" + item.resources[1].uuid + R"("}])";
  EXPECT_THAT(some.entries[1].json, HasSubstr(both));
  // Nothing but the Provenance is left.
  item.ledger.push_back(Row(kPain, "o1", "1", R"("status":"final")"));
  const DeliveryPlan last = PlanOf(item);
  ASSERT_EQ(last.entries.size(), 1U);
  EXPECT_EQ(last.entries[0].json, some.entries[1].json);
  // And then nothing.
  item.ledger.push_back(Row(ProvenanceOf(1).key, item.resources[2].uuid, "1", ""));
  EXPECT_TRUE(PlanOf(item).entries.empty());
}

TEST(PlanDelivery, ProvenanceOfThatNumberIsThere_TakesTheNextNumber) {
  WorkItem item = Work(1);
  item.resources = {Intended(kPain, R"("status":"final")"), ProvenanceOf(1)};
  item.ledger = {Row(ProvenanceOf(1).key, "v1", "1", ""),
                 Row(Key("Provenance", "it-provenance", "clinic.r1.1.2"), "v2", "1", "")};
  EXPECT_EQ(PlanOf(item).entries.at(1).key.value, "clinic.r1.1.3");
}

TEST(PlanDelivery, ReferenceToNothing_IsAnError) {
  WorkItem item = Work(1);
  item.resources = {Intended(
      kPain, R"("status":"final","focus":[{"reference":"urn:uuid:00000000-0000-5000-8000-000000000000"}])")};
  const auto plan = PlanDelivery(item, Context());
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, Code::kOutputInvalid);
}

TEST(PlanDelivery, SameWorkTwice_GivesTheSameBytes) {
  WorkItem item = Work(2);
  item.resources = {Intended(kPain, R"("valueString":"b","status":"final")"), ProvenanceOf(2)};
  item.ledger = {Row(kPain, "o1", "1", R"("status":"final","valueString":"a")"),
                 Row(kProcedure, "p1", "1", R"("status":"completed")")};
  const DeliveryPlan first = PlanOf(item);
  const DeliveryPlan second = PlanOf(item);
  ASSERT_EQ(first.entries.size(), second.entries.size());
  for (std::size_t i = 0; i < first.entries.size(); ++i)
    EXPECT_EQ(first.entries[i].json, second.entries[i].json);
}

TEST(IsOlderThanLedger, HigherRevisionDelivered_IsOlder) {
  WorkItem item = Work(2);
  item.ledger = {Row(kPain, "o1", "1", "")};
  item.ledger[0].revision = 2;
  EXPECT_FALSE(IsOlderThanLedger(item));
  item.ledger[0].revision = 3;
  EXPECT_TRUE(IsOlderThanLedger(item));
}

}  // namespace
}  // namespace fhir_adapter::sync
