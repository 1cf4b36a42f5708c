// Records in, resources on a server: the daemon and the sandbox as they are installed.
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr const char* kAdministration =
    "MedicationAdministration?identifier=https://clinic.example/fhir/sid/it-administration|";

DaemonOptions SendingTo(const std::string& endpoint) {
  DaemonOptions options;
  options.endpoint = endpoint;
  return options;
}

class Delivery : public testing::Test {
 protected:
  Delivery() : daemon_(SendingTo(sandbox_.url())) {}

  void Deliver(const std::string& record, const std::string& record_id, int revision) {
    const HttpReply reply = daemon_.Submit(record);
    ASSERT_EQ(reply.status, 202) << reply.body;
    ASSERT_EQ(daemon_.WaitForState(record_id, revision, {"delivered"}), "delivered");
  }

  RunningSandbox sandbox_;
  RunningDaemon daemon_;
};

// The tenfold overdose of the magnesium paper: 50 mg ordered and first recorded, 500 mg given.
TEST_F(Delivery, CorrectedDose_BecomesVersionTwoOfTheSameAdministration) {
  sandbox_.RegisterPatient("100003", "male");
  Deliver(Fixture("records/mg-3-revision-1.json"), "MG-3", 1);
  const std::string first = sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-3.1");
  EXPECT_EQ(AtPointer(first, "/dosage/dose/value"), "50");
  EXPECT_EQ(AtPointer(first, "/meta/versionId"), "1");

  Deliver(Fixture("records/mg-3-revision-2.json"), "MG-3", 2);
  const std::string second = sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-3.1");
  EXPECT_EQ(AtPointer(second, "/dosage/dose/value"), "500");
  EXPECT_EQ(AtPointer(second, "/dosage/dose/unit"), "mg");
  EXPECT_EQ(AtPointer(second, "/meta/versionId"), "2");
  EXPECT_EQ(AtPointer(second, "/id"), AtPointer(first, "/id"));
  EXPECT_EQ(sandbox_.Count("AdverseEvent"), 1);
  EXPECT_EQ(sandbox_.Count("Provenance"), 2);
  EXPECT_EQ(sandbox_.Count("MedicationRequest"), 1);
  // Two rescue doses of calcium and the overdose; the fluids are a Procedure.
  EXPECT_EQ(sandbox_.Count("MedicationAdministration"), 3);
}

// Somebody edited the dose on the server while the correction was on its way.
TEST_F(Delivery, DoseChangedOnTheServer_IsShownWithBothSidesAndDecidedByAPerson) {
  sandbox_.RegisterPatient("100003", "male");
  Deliver(Fixture("records/mg-3-revision-1.json"), "MG-3", 1);
  const std::string query = std::string(kAdministration) + "pain-clinic.MG-3.1";
  const std::string theirs =
      Replaced(sandbox_.One(query), "\"value\":50,\"unit\":\"mg\"", "\"value\":55,\"unit\":\"mg\"");
  const std::string place = "/MedicationAdministration/" + AtPointer(theirs, "/id");
  ASSERT_EQ(sandbox_.client().Put(place, theirs).status, 200);
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-3-revision-2.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-3", 2, {"held"}), "held");
  EXPECT_EQ(AtPointer(sandbox_.One(query), "/dosage/dose/value"), "55");

  const std::string listed = daemon_.Command({"--json", "queue", "list", "--state", "held"}).standard_output;
  const std::string id = AtPointer(listed, "/id");
  EXPECT_EQ(AtPointer(listed, "/reason"), "conflict");
  const std::string shown = daemon_.Command({"queue", "show", id}).standard_output;
  EXPECT_NE(shown.find("conflict  " + place.substr(1) + "/_history/2 is someone else's\n"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("  dosage.dose.value\n    ours       500\n    theirs     55\n    delivered  50\n"),
            std::string::npos)
      << shown;
  const std::string json = daemon_.Command({"--json", "queue", "show", id}).standard_output;
  EXPECT_EQ(AtPointer(json, "/conflicts/0/theirVersion"), "2");
  EXPECT_EQ(daemon_.Command({"queue", "release", id, "--reason", "x"}).exit_code, 1) << "undecided";
  ASSERT_EQ(daemon_.Command({"queue", "release", id, "--ours", "--theirs", "--reason", "x"}).exit_code, 2);

  ASSERT_EQ(daemon_.Command({"queue", "release", id, "--ours", "--reason", "the record is right"}).exit_code,
            0);
  ASSERT_EQ(daemon_.WaitForState("MG-3", 2, {"delivered"}), "delivered");
  EXPECT_EQ(AtPointer(sandbox_.One(query), "/dosage/dose/value"), "500");
  const std::string trace = daemon_.Command({"trace", "MG-3"}).standard_output;
  for (const char* event : {"conflict-found", "conflict-decided", "the record is right"}) {
    EXPECT_NE(trace.find(event), std::string::npos) << event;
  }
  EXPECT_NE(trace.find(place.substr(1) + "/_history/2"), std::string::npos)
      << "the version that was not ours";
  EXPECT_NE(daemon_.Command({"audit", "verify"}).exit_code, 5);
}

TEST_F(Delivery, QueueStatistics_SayHowRecordsAreSentAndWhy) {
  sandbox_.RegisterPatient("100001", "female");
  Deliver(Fixture("records/mg-1.json"), "MG-1", 1);
  const std::string json = daemon_.Command({"--json", "queue", "stats"}).standard_output;
  EXPECT_EQ(AtPointer(json, "/endpoint/rung"), "transaction");
  EXPECT_EQ(AtPointer(json, "/endpoint/rungReason"), "listed");
  EXPECT_EQ(AtPointer(json, "/endpoint/route"), "closed");
  const std::string metrics = daemon_.client().Get("/metrics").body;
  EXPECT_NE(metrics.find("\nfhir_adapter_concurrency_limit 8\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nfhir_adapter_rung{rung=\"transaction\",reason=\"listed\"} 1\n"),
            std::string::npos);
  ASSERT_EQ(daemon_.Stop(), 0);
  EXPECT_NE(daemon_.Command({"queue", "stats"}).standard_output.find("server       no daemon runs\n"),
            std::string::npos);
}

// The real maps to a server that gives every resource its id itself.
TEST(DeliveryToServerIds, CorrectionOfTheDose_StandsOnceAndIsSaidToBeNamedThere) {
  RunningSandbox sandbox({"--like", "server-ids"});
  RunningDaemon daemon(SendingTo(sandbox.url()));
  sandbox.RegisterPatient("100003", "male");
  const std::string connect = daemon.Command({"check", "--connect"}).standard_output;
  EXPECT_NE(connect.find("new resources: ok: named by the server"), std::string::npos) << connect;
  for (const int revision : {1, 2}) {
    const std::string record = "records/mg-3-revision-" + std::to_string(revision) + ".json";
    ASSERT_EQ(daemon.Submit(Fixture(record)).status, 202);
    ASSERT_EQ(daemon.WaitForState("MG-3", revision, {"delivered"}), "delivered");
  }
  const std::string dose = sandbox.One(std::string(kAdministration) + "pain-clinic.MG-3.1");
  EXPECT_EQ(AtPointer(dose, "/dosage/dose/value"), "500");
  EXPECT_EQ(AtPointer(dose, "/meta/versionId"), "2");
  EXPECT_EQ(sandbox.Count("AdverseEvent"), 1);
  EXPECT_EQ(sandbox.Count("Provenance"), 2);
  EXPECT_EQ(sandbox.Count("MedicationRequest"), 1);
  EXPECT_EQ(sandbox.Count("MedicationAdministration"), 3);
  const std::string json = daemon.Command({"--json", "queue", "stats"}).standard_output;
  EXPECT_NE(AtPointer(json, "/endpoint/posted").find("Provenance (listed)"), std::string::npos) << json;
  EXPECT_NE(daemon.client().Get("/metrics").body.find("fhir_adapter_posted_types{reason=\"listed\"} "),
            std::string::npos);
  const ProcessResult reconciled = daemon.Command({"reconcile"});
  EXPECT_EQ(reconciled.exit_code, 0) << reconciled.standard_output;
}

TEST_F(Delivery, SameRecordAgain_SendsNothing) {
  sandbox_.RegisterPatient("100001", "female");
  Deliver(Fixture("records/mg-1.json"), "MG-1", 1);
  const int observations = sandbox_.Count("Observation");
  const HttpReply again = daemon_.Submit(Fixture("records/mg-1.json"));
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(sandbox_.Count("Observation"), observations);
  EXPECT_EQ(AtPointer(sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-1.1"), "/meta/versionId"),
            "1");
}

TEST_F(Delivery, OtherContentUnderTheSameRevision_IsAConflict) {
  sandbox_.RegisterPatient("100001", "female");
  Deliver(Fixture("records/mg-1.json"), "MG-1", 1);
  const std::string changed = Replaced(Fixture("records/mg-1.json"), "\"L5-S1\"", "\"L3-L4\"");
  EXPECT_EQ(daemon_.Submit(changed).status, 409);
  EXPECT_EQ(AtPointer(sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-1.1"), "/meta/versionId"),
            "1");
}

TEST_F(Delivery, PatientNotOnTheServer_IsHeldAndGoesOnWhenRegistered) {
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"held"}), "held");
  EXPECT_EQ(sandbox_.Count("Procedure"), 0);
  sandbox_.RegisterPatient("100001", "female");
  EXPECT_EQ(daemon_.WaitForState("MG-1", 1, {"delivered"}), "delivered");
  EXPECT_EQ(sandbox_.Count("Patient"), 1);  // searched for, never created
}

TEST_F(Delivery, PatientOfAnotherSex_IsHeldAsMismatch) {
  sandbox_.RegisterPatient("100001", "male");
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"held"}), "held");
  const ProcessResult list = daemon_.Command({"--json", "queue", "list"});
  EXPECT_NE(list.standard_output.find("\"reason\":\"patient-mismatch\""), std::string::npos)
      << list.standard_output;
}

TEST_F(Delivery, PatientTwiceOnTheServer_IsHeldAsAmbiguous) {
  sandbox_.RegisterPatient("100001", "female");
  sandbox_.RegisterPatient("100001", "female");
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon_.WaitForState("MG-1", 1, {"held"}), "held");
  const ProcessResult list = daemon_.Command({"--json", "queue", "list"});
  EXPECT_NE(list.standard_output.find("\"reason\":\"patient-ambiguous\""), std::string::npos)
      << list.standard_output;
}

TEST_F(Delivery, OlderRevisionThatComesLater_IsNeverSent) {
  sandbox_.RegisterPatient("100003", "male");
  Deliver(Fixture("records/mg-3-revision-2.json"), "MG-3", 2);
  ASSERT_EQ(daemon_.Submit(Fixture("records/mg-3-revision-1.json")).status, 202);
  EXPECT_EQ(daemon_.WaitForState("MG-3", 1, {"superseded"}), "superseded");
  const std::string administration = sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-3.1");
  EXPECT_EQ(AtPointer(administration, "/dosage/dose/value"), "500");
  EXPECT_EQ(AtPointer(administration, "/meta/versionId"), "1");
}

TEST_F(Delivery, VoidedRecord_IsEnteredInErrorEverywhere) {
  sandbox_.RegisterPatient("100001", "female");
  Deliver(Fixture("records/mg-1.json"), "MG-1", 1);
  std::string voided = Replaced(Fixture("records/mg-1.json"), "\"revision\": 1", "\"revision\": 2");
  voided = Replaced(voided, "\"status\": \"completed\"", "\"status\": \"voided\"");
  voided = Replaced(voided, "\"patient\":", "\"correction\": {\"reason\": \"wrong patient\"}, \"patient\":");
  Deliver(voided, "MG-1", 2);
  EXPECT_EQ(AtPointer(sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-1.1"), "/status"),
            "entered-in-error");
  const std::string procedure =
      sandbox_.One("Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|pain-clinic.MG-1");
  EXPECT_EQ(AtPointer(procedure, "/status"), "entered-in-error");
}

TEST_F(Delivery, RecordMovedToAnotherPatient_LeavesNothingValidBehind) {
  sandbox_.RegisterPatient("100001", "female");
  sandbox_.RegisterPatient("200001", "female");
  Deliver(Fixture("records/mg-1.json"), "MG-1", 1);
  std::string moved = Replaced(Fixture("records/mg-1.json"), "\"revision\": 1", "\"revision\": 2");
  moved = Replaced(moved, "\"status\": \"completed\"", "\"status\": \"corrected\"");
  moved = Replaced(
      moved, "\"patient\": {\"mrn\": \"100001\"",
      "\"correction\": {\"reason\": \"recorded for another patient\"}, \"patient\": {\"mrn\": \"200001\"");
  Deliver(moved, "MG-1", 2);
  const std::string old = sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-1.1");
  EXPECT_EQ(AtPointer(old, "/status"), "entered-in-error");
  const std::string now = sandbox_.One(std::string(kAdministration) + "pain-clinic.MG-1.p2.1");
  EXPECT_EQ(AtPointer(now, "/status"), "completed");
  EXPECT_NE(AtPointer(now, "/subject/reference"), AtPointer(old, "/subject/reference"));
  for (const char* patient : {"100001", "200001"}) {
    const std::string trace = daemon_.Command({"trace", patient}).standard_output;
    EXPECT_NE(trace.find("moved-to-patient"), std::string::npos) << patient;
    const std::string place = "MedicationAdministration/" + AtPointer(old, "/id");
    EXPECT_NE(trace.find(place + "/_history/2 ETag W/\"2\" (entered in error)"), std::string::npos)
        << patient;
    EXPECT_NE(trace.find("MedicationAdministration/" + AtPointer(now, "/id")), std::string::npos) << patient;
  }
}

TEST(FaultyServer, Refusal_IsQuarantinedAndSentAfterRetry) {
  RunningSandbox refusing({"--fault", "status:422:1:POST /"});
  DaemonOptions options;
  options.endpoint = refusing.url();
  RunningDaemon daemon(options);
  const HttpReply registered = refusing.client().Put("/Patient/p1", R"({"resourceType":"Patient","id":"p1",
      "identifier":[{"system":"https://hospital.example/fhir/sid/mrn","value":"100001"}]})");
  ASSERT_EQ(registered.status, 201);
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon.WaitForState("MG-1", 1, {"quarantined", "delivered"}), "quarantined");
  const ProcessResult list = daemon.Command({"--json", "queue", "list", "--state", "quarantined"});
  const std::string id = AtPointer(list.standard_output, "/id");
  const ProcessResult retry = daemon.Command({"queue", "retry", id, "--reason", "profile corrected"});
  EXPECT_EQ(retry.exit_code, 0) << retry.standard_error;
  EXPECT_EQ(daemon.WaitForState("MG-1", 1, {"delivered"}), "delivered");
}

TEST(FaultyServer, LostAnswer_GetsNothingTwice) {
  RunningSandbox losing({"--fault", "drop:1:POST /"});
  DaemonOptions options;
  options.endpoint = losing.url();
  const HttpReply registered = losing.client().Put("/Patient/p1", R"({"resourceType":"Patient","id":"p1",
      "identifier":[{"system":"https://hospital.example/fhir/sid/mrn","value":"100001"}]})");
  ASSERT_EQ(registered.status, 201);
  RunningDaemon daemon(options);
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  EXPECT_EQ(daemon.WaitForState("MG-1", 1, {"delivered"}), "delivered");
  EXPECT_EQ(losing.Count("MedicationAdministration"), 1);
  EXPECT_EQ(losing.Count("Provenance"), 1);
  EXPECT_EQ(AtPointer(losing.One(std::string(kAdministration) + "pain-clinic.MG-1.1"), "/meta/versionId"),
            "1");
}

}  // namespace
}  // namespace fhir_adapter::test
