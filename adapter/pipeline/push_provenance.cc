#include "pipeline/push_provenance.h"

#include <string>

#include "core/arena.h"
#include "core/digest.h"
#include "core/uuid.h"
#include "fhir/json_writer.h"
#include "fhir/temporal.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::Node;

constexpr std::string_view kOperationSystem = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";
constexpr std::string_view kParticipantSystem =
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

Node* Identifier(std::string_view system, std::string_view value, Arena& arena) {
  Node* identifier = Node::Object(arena);
  identifier->Set(arena, "system", Node::String(arena, system));
  identifier->Set(arena, "value", Node::String(arena, value));
  return identifier;
}

Node* Concept(std::string_view system, std::string_view code, std::string_view display, Arena& arena) {
  Node* coding = Node::Object(arena);
  coding->Set(arena, "system", Node::String(arena, system));
  coding->Set(arena, "code", Node::String(arena, code));
  coding->Set(arena, "display", Node::String(arena, display));
  Node* codings = Node::Array(arena);
  codings->Append(arena, coding);
  Node* concept_node = Node::Object(arena);
  concept_node->Set(arena, "coding", codings);
  return concept_node;
}

void AddEntity(Node& entities, std::string_view role, const MappingSettings& settings,
               std::string_view revision, Arena& arena) {
  Node* what = Node::Object(arena);
  what->Set(arena, "identifier", Identifier(settings.canonical_base + "/sid/it-record", revision, arena));
  Node* entity = Node::Object(arena);
  entity->Set(arena, "role", Node::String(arena, role));
  entity->Set(arena, "what", what);
  entities.Append(arena, entity);
}

Node* Assembler(const MappingSettings& settings, Arena& arena) {
  constexpr std::string_view kName = "fhir-adapter";
  Node* who = Node::Object(arena);
  who->Set(arena, "type", Node::String(arena, "Device"));
  who->Set(arena, "identifier", Identifier(settings.canonical_base + "/sid/it-device", kName, arena));
  who->Set(arena, "display", Node::String(arena, kName));
  Node* agent = Node::Object(arena);
  agent->Set(arena, "type", Concept(kParticipantSystem, "assembler", "Assembler", arena));
  agent->Set(arena, "who", who);
  return agent;
}

}  // namespace

outbox::IntendedResource MakePushProvenance(std::string_view subject_key, const Node& observation,
                                            const outbox::IntendedResource& intended,
                                            const outbox::MappingFacts& facts, const fhir::Schema& schema,
                                            const MappingSettings& settings) {
  outbox::IntendedResource made;
  const std::string prefix = std::string(subject_key) + ".";
  made.key = {"Provenance", settings.canonical_base + "/sid/it-provenance",
              prefix + std::to_string(facts.revision)};
  made.uuid = UuidOfUrl(made.key.system + "|" + made.key.value);
  made.has_identifier_search = false;
  const std::string_view status = MemberText(observation, "status");
  const bool is_error = status == "entered-in-error";
  const bool is_change = is_error || status == "amended" || status == "corrected" || facts.revision > 1;
  Arena arena;
  Node* target = Node::Object(arena);
  target->Set(arena, "reference", Node::String(arena, arena.Join({"urn:uuid:", intended.uuid})));
  Node* targets = Node::Array(arena);
  targets->Append(arena, target);
  Node* agents = Node::Array(arena);
  agents->Append(arena, Assembler(settings, arena));
  Node* entities = Node::Array(arena);
  AddEntity(*entities, "source", settings, made.key.value, arena);
  if (is_change && facts.revision > 1) {
    AddEntity(*entities, "revision", settings, prefix + std::to_string(facts.revision - 1), arena);
  }
  Node* provenance = Node::Object(arena);
  provenance->Set(arena, "resourceType", Node::String(arena, "Provenance"));
  provenance->Set(arena, "id", Node::String(arena, made.uuid));
  provenance->Set(arena, "target", targets);
  const std::string received = fhir::Temporal::FromUtcMicroseconds(facts.received.us).ToString();
  provenance->Set(arena, "recorded", Node::String(arena, received));
  provenance->Set(arena, "activity",
                  is_error    ? Concept(kOperationSystem, "NULLIFY", "nullify", arena)
                  : is_change ? Concept(kOperationSystem, "UPDATE", "revise", arena)
                              : Concept(kOperationSystem, "CREATE", "create", arena));
  provenance->Set(arena, "agent", agents);
  provenance->Set(arena, "entity", entities);
  fhir::WriteResource(*provenance, schema, made.json);
  made.sha256 = Sha256Hex(made.json);
  return made;
}

}  // namespace fhir_adapter::pipeline
