#include "sync/audit_event.h"

#include "fhir/json_writer.h"
#include "sync/own_types.h"
#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

constexpr std::string_view kTerminology = "http://terminology.hl7.org/CodeSystem/";
constexpr std::string_view kDicom = "http://dicom.nema.org/resources/ontology/DCM";
constexpr std::string_view kBalpEntityType =
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
constexpr std::string_view kNetworkMachine = "1";
constexpr std::string_view kNetworkUri = "5";

std::string Quoted(std::string_view text) {
  std::string quoted;
  fhir::WriteJsonString(text, quoted);
  return quoted;
}

std::string Coding(std::string_view system, std::string_view code, std::string_view display) {
  return "{\"system\":" + Quoted(system) + ",\"code\":" + Quoted(code) + ",\"display\":" + Quoted(display) +
         "}";
}

std::string Terminology(std::string_view name, std::string_view code, std::string_view display) {
  return Coding(std::string(kTerminology) + std::string(name), code, display);
}

std::string Adapter(const Participants& participants) {
  return "{\"type\":\"Device\",\"identifier\":{\"system\":" +
         Quoted(participants.canonical_base + "/sid/it-device") +
         ",\"value\":\"fhir-adapter\"},\"display\":\"fhir-adapter\"}";
}

// `type` is a Coding, `who` a Reference; `network` may be empty.
std::string Agent(const std::string& type, const std::string& who, bool is_requestor,
                  const std::string& network) {
  return "{\"type\":{\"coding\":[" + type + "]},\"who\":" + who +
         ",\"requestor\":" + (is_requestor ? "true" : "false") +
         (network.empty() ? "" : ",\"network\":" + network) + "}";
}

std::string Network(std::string_view address, std::string_view type) {
  return "{\"address\":" + Quoted(address) + ",\"type\":" + Quoted(type) + "}";
}

std::string Agents(const Participants& participants) {
  const std::string& user = participants.user;
  std::string agents = Agent(Coding(std::string(kDicom), "110153", "Source Role ID"), Adapter(participants),
                             user.empty(), Network(participants.client, kNetworkMachine));
  agents += "," + Agent(Coding(std::string(kDicom), "110152", "Destination Role ID"),
                        "{\"display\":" + Quoted(participants.server_url) + "}", false,
                        Network(participants.server_url, kNetworkUri));
  if (!user.empty()) {
    agents += "," + Agent(Terminology("extra-security-role-type", "humanuser", "human user"), user, true, {});
  }
  return agents;
}

std::string Entity(const std::string& what, const std::string& type, const std::string& role) {
  return "{\"what\":" + what + ",\"type\":" + type + ",\"role\":" + role + "}";
}

std::string Reference(std::string_view reference) {
  return "{\"reference\":" + Quoted(reference) + "}";
}

std::string Entities(const Interaction& interaction) {
  std::string written = interaction.type + "/" + interaction.server_id;
  if (!interaction.version_id.empty()) written += "/_history/" + interaction.version_id;
  std::string entities = Entity(Reference(written), Terminology("audit-entity-type", "2", "System Object"),
                                Terminology("object-role", "4", "Domain Resource"));
  if (!interaction.patient.empty()) {
    entities += "," + Entity(Reference(interaction.patient), Terminology("audit-entity-type", "1", "Person"),
                             Terminology("object-role", "1", "Patient"));
  }
  if (!interaction.request_id.empty()) {
    entities += ",{\"what\":{\"identifier\":{\"value\":" + Quoted(interaction.request_id) +
                "}},\"type\":{\"system\":" + Quoted(kBalpEntityType) + ",\"code\":\"XrequestId\"}}";
  }
  return entities;
}

}  // namespace

std::string AuditEventSystem(std::string_view canonical_base) {
  return std::string(canonical_base) + "/sid/it-audit";
}

std::string AuthorOf(const outbox::WorkItem& item) {
  for (const outbox::IntendedResource& resource : item.resources) {
    if (resource.key.type != kProvenance) continue;
    Arena arena;
    const auto provenance = ReadResource(resource.json, arena);
    const Node* agents = provenance ? (*provenance)->Find("agent") : nullptr;
    for (const Node* agent : agents == nullptr ? std::span<Node*>() : agents->items()) {
      const Node* type = agent->Find("type");
      const Node* codings = type == nullptr ? nullptr : type->Find("coding");
      Node* who = agent->Find("who");
      const bool is_author = codings != nullptr && !codings->items().empty() &&
                             MemberText(*codings->items()[0], "code") == "author";
      if (!is_author || who == nullptr) continue;
      who->Remove("reference");  // conditional: only a transaction could resolve it
      return who->members().empty() ? std::string() : fhir::ToJson(*who);
    }
  }
  return {};
}

std::string AuditedPlace(std::string_view json) {
  Arena arena;
  const auto event = ReadResource(json, arena);
  const Node* entities = event ? (*event)->Find("entity") : nullptr;
  if (entities == nullptr || entities->items().empty()) return {};
  const Node* what = entities->items()[0]->Find("what");
  const std::string_view reference = MemberText(what, "reference");
  return std::string(reference.substr(0, reference.find("/_history/")));
}

std::string MakeAuditEvent(const Interaction& interaction, const Participants& participants) {
  const std::string_view code = interaction.is_create ? "create" : "update";
  std::string json = "{\"resourceType\":\"AuditEvent\",\"type\":" +
                     Terminology("audit-event-type", "rest", "RESTful Operation");
  json += ",\"subtype\":[" + Coding("http://hl7.org/fhir/restful-interaction", code, code) + "]";
  json += ",\"action\":" + Quoted(interaction.is_create ? "C" : "U");
  json += ",\"recorded\":" + Quoted(ToString(interaction.recorded));
  json += ",\"outcome\":\"0\",\"agent\":[" + Agents(participants) + "]";
  json += ",\"source\":{\"observer\":" + Adapter(participants) + ",\"type\":[" +
          Terminology("security-source-type", "4", "Application Server") + "]}";
  return json + ",\"entity\":[" + Entities(interaction) + "]}";
}

}  // namespace fhir_adapter::sync
