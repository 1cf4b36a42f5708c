#include "app/resource_summary.h"

#include <vector>

#include "fhir/json_reader.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;

struct Elements {
  std::string_view type;                   // empty: every other
  std::vector<std::string_view> elements;  // below the resource; the first item of what repeats
};

const std::vector<Elements>& ElementsOfTypes() {
  static const std::vector<Elements> elements = {
      {"MedicationRequest",
       {"status", "medicationCodeableConcept", "contained/code",
        "dosageInstruction/doseAndRate/doseQuantity"}},
      {"MedicationAdministration",
       {"status", "medicationCodeableConcept", "contained/code", "dosage/dose", "dosage/route",
        "effectiveDateTime", "effectivePeriod/start", "reasonCode"}},
      {"DetectedIssue", {"status", "severity", "detail"}},
      {"AdverseEvent", {"actuality", "event", "outcome", "date"}},
      {"Observation",
       {"status", "code", "valueQuantity", "valueCodeableConcept", "valueBoolean", "effectiveDateTime"}},
      {"Condition", {"clinicalStatus", "verificationStatus", "code", "onsetDateTime"}},
      {"Encounter", {"status", "type", "class", "period/start"}},
      {"Provenance", {"activity", "agent/who", "reason", "recorded"}},
      {"", {"status", "code", "type", "performedDateTime", "performedPeriod/start"}},
  };
  return elements;
}

const Node* FirstItem(const Node* node) {
  return node != nullptr && node->is_array() ? (node->size == 0 ? nullptr : node->items()[0]) : node;
}

const Node* At(const Node& resource, std::string_view path) {
  const Node* node = &resource;
  while (node != nullptr && !path.empty()) {
    const std::size_t end = path.find('/');
    node = FirstItem(node->Find(path.substr(0, end)));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
  return node;
}

std::string TextOf(const Node& node) {
  if (node.is_string() || node.is_number()) return std::string(node.text);
  if (node.kind == fhir::NodeKind::kBoolean) return node.boolean ? "true" : "false";
  if (const Node* value = node.Find("value"); value != nullptr && value->is_number()) {
    const Node* unit = node.Find("unit");
    return std::string(value->text) + (unit == nullptr ? "" : " " + std::string(unit->text));
  }
  for (const std::string_view member : {"text", "display", "coding", "code", "value", "identifier"}) {
    const Node* below = FirstItem(node.Find(member));
    if (below == nullptr) continue;
    std::string text = TextOf(*below);
    if (!text.empty()) return text;
  }
  return {};
}

}  // namespace

std::string SummaryOf(std::string_view resource_json) {
  Arena arena;
  const auto read = fhir::ReadJson(resource_json, arena);
  if (!read || !(*read)->is_object()) return {};
  const Node* type = (*read)->Find("resourceType");
  if (type == nullptr) return {};
  for (const Elements& row : ElementsOfTypes()) {
    if (!row.type.empty() && row.type != type->text) continue;
    std::string summary;
    for (const std::string_view path : row.elements) {
      const Node* element = At(**read, path);
      const std::string text = element == nullptr ? std::string() : TextOf(*element);
      if (text.empty()) continue;
      if (!summary.empty()) summary += ", ";
      summary += text;
    }
    return summary;
  }
  return {};
}

}  // namespace fhir_adapter::app
