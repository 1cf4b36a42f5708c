#include "sync/audit_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fhir/checker.h"
#include "fhir/json_reader.h"
#include "sync/audit_event_support.h"

namespace fhir_adapter::sync {
namespace {

using testing::HasSubstr;
using testing::Not;

const Participants kParticipants{"https://clinic.example/fhir", "host", "https://hospital.example/fhir", ""};

Interaction Written() {
  Interaction interaction;
  interaction.is_create = true;
  interaction.type = "MedicationAdministration";
  interaction.server_id = "17";
  interaction.version_id = "1";
  interaction.patient = "Patient/4";
  interaction.request_id = "abc-1";
  interaction.recorded = TimeUs{1'772'366'400'000'000};
  return interaction;
}

std::string IssuesOf(const std::string& json) {
  Arena arena;
  const auto resource = fhir::ReadJson(json, arena, fhir::kResourceLimits);
  EXPECT_TRUE(resource) << json;
  Issues issues;
  fhir::CheckResource(**resource, fhir::Schema::R4(), issues);
  std::string lines;
  for (const Issue& issue : issues) lines += issue.where.pointer + " " + issue.message + "\n";
  return lines;
}

// IHE BALP, PatientCreate.
TEST(AuditEvent, OfACreate_HasThePartsOfThePattern) {
  EXPECT_EQ(
      MakeAuditEvent(Written(), kParticipants),
      R"({"resourceType":"AuditEvent","type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type",)"
      R"("code":"rest","display":"RESTful Operation"},"subtype":[{"system":"http://hl7.org/fhir/restful-interaction",)"
      R"("code":"create","display":"create"}],"action":"C","recorded":"2026-03-01T12:00:00.000000Z","outcome":"0",)"
      R"("agent":[{"type":{"coding":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110153",)"
      R"("display":"Source Role ID"}]},"who":{"type":"Device","identifier":{"system":)"
      R"("https://clinic.example/fhir/sid/it-device","value":"fhir-adapter"},"display":"fhir-adapter"},)"
      R"("requestor":true,"network":{"address":"host","type":"1"}},{"type":{"coding":[{"system":)"
      R"("http://dicom.nema.org/resources/ontology/DCM","code":"110152","display":"Destination Role ID"}]},)"
      R"("who":{"display":"https://hospital.example/fhir"},"requestor":false,"network":{"address":)"
      R"("https://hospital.example/fhir","type":"5"}}],"source":{"observer":{"type":"Device","identifier":{"system":)"
      R"("https://clinic.example/fhir/sid/it-device","value":"fhir-adapter"},"display":"fhir-adapter"},"type":[)"
      R"({"system":"http://terminology.hl7.org/CodeSystem/security-source-type","code":"4",)"
      R"("display":"Application Server"}]},"entity":[{"what":{"reference":"MedicationAdministration/17/_history/1"},)"
      R"("type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"2",)"
      R"("display":"System Object"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"4",)"
      R"("display":"Domain Resource"}},{"what":{"reference":"Patient/4"},"type":{"system":)"
      R"("http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1","display":"Person"},"role":{"system":)"
      R"("http://terminology.hl7.org/CodeSystem/object-role","code":"1","display":"Patient"}},{"what":{"identifier":{)"
      R"("value":"abc-1"}},"type":{"system":"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",)"
      R"("code":"XrequestId"}}]})");
}

TEST(AuditEvent, OfAnyInteraction_HasNoIssueForTheChecker) {
  Participants with_user = kParticipants;
  with_user.user = R"({"identifier":{"system":"urn:x","value":"dr-1"},"display":"Dr 1"})";
  Interaction looked_up = Written();
  looked_up.is_create = false;
  looked_up.request_id.clear();
  looked_up.version_id.clear();
  for (const Interaction& interaction : {Written(), looked_up}) {
    for (const Participants& participants : {kParticipants, with_user}) {
      EXPECT_EQ(IssuesOf(MakeAuditEvent(interaction, participants)), "");
    }
  }
}

TEST(AuditEvent, WithAnAuthor_NamesOneRequestor) {
  outbox::WorkItem item;
  outbox::IntendedResource provenance;
  provenance.key.type = "Provenance";
  provenance.json = R"({"resourceType":"Provenance","agent":[{"type":{"coding":[{"code":"author"}]},"who":)"
                    R"({"reference":"Practitioner?identifier=a|b","identifier":{"value":"dr-1"}}}]})";
  item.resources.push_back(provenance);
  Participants participants = kParticipants;
  participants.user = AuthorOf(item);
  EXPECT_EQ(participants.user, R"({"identifier":{"value":"dr-1"}})") << "no server could resolve the rest";
  const std::string event = MakeAuditEvent(Written(), participants);
  EXPECT_THAT(event, HasSubstr(R"("code":"humanuser")"));
  EXPECT_EQ(event.find(R"("requestor":true)"), event.rfind(R"("requestor":true)"));
}

TEST(AuditEvent, Place_IsWithoutTheVersion) {
  EXPECT_EQ(AuditedPlace(MakeAuditEvent(Written(), kParticipants)), "MedicationAdministration/17");
  EXPECT_EQ(AuditedPlace("{}"), "");
}

ServerCapabilities Listing(const std::string& type, std::optional<bool> writes = {}) {
  ServerCapabilities capabilities;
  capabilities.types[type].writes = writes;
  return capabilities;
}

TEST(AuditEventSupport, IsWhatIsConfiguredAndSaidAndDone) {
  AuditEventSupport off;
  off.Learn(Listing("AuditEvent", true));
  EXPECT_EQ(off.state(), AuditEventState::kOff);
  AuditEventSupport on(true);
  EXPECT_EQ(on.state(), AuditEventState::kNotSaid);
  EXPECT_TRUE(on.is_sent());
  on.Learn({});
  EXPECT_EQ(on.state(), AuditEventState::kNotSaid) << "lists no types at all";
  on.Learn(Listing("Patient"));
  EXPECT_EQ(on.state(), AuditEventState::kNotListed);
  EXPECT_FALSE(on.is_sent());
  on.Learn(Listing("AuditEvent", false));
  EXPECT_EQ(on.state(), AuditEventState::kNotListed) << "can be read only";
  on.Learn(Listing("AuditEvent", true));
  EXPECT_EQ(on.state(), AuditEventState::kListed);
  on.Refuse();
  on.Learn(Listing("AuditEvent", true));
  EXPECT_EQ(on.state(), AuditEventState::kRefused) << "nothing new was said";
  on.Forget();
  EXPECT_EQ(on.state(), AuditEventState::kListed);
}

}  // namespace
}  // namespace fhir_adapter::sync
