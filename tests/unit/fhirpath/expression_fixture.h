// Evaluates an expression in one call: over a JSON text, with the answer as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/schema.h"
#include "fhirpath/answer.h"
#include "fhirpath/fhirpath.h"

namespace fhir_adapter::fhirpath {

inline constexpr std::string_view kPatient = R"({
  "resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1974-12-25",
  "_birthDate": {"extension": [{"url": "http://example.org/time", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
  "name": [
    {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
    {"use": "usual", "given": ["Jim"]},
    {"use": "maiden", "given": [null, "Ann"], "_given": [{"id": "unknown"}, null], "family": "Windsor"}],
  "contained": [{"resourceType": "Organization", "id": "o1", "name": "Acme"}],
  "managingOrganization": {"reference": "#o1"},
  "multipleBirthInteger": 2
})";

inline constexpr std::string_view kObservation = R"({
  "resourceType": "Observation", "status": "final",
  "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}, {"system": "http://example.org", "code": "bw"}]},
  "valueQuantity": {"value": 72.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
  "effectiveDateTime": "2014-05-06T10:00:00+09:00"
})";

// 2026-03-01T11:00:00Z, said with the offset +01:00.
inline Moment FixedMoment() {
  return Moment::At(TimeUs{1'772'362'800'000'000}, 60);
}

// The texts of the result joined by " | ", or "error: KIND".
inline std::string Evaluated(std::string_view expression_text, std::string_view json = "",
                             bool strict = true) {
  Arena arena;
  const fhir::Schema& schema = fhir::Schema::R4();
  auto parsed = Expression::Parse(expression_text);
  if (!parsed) return "error: " + std::string(KindOfError(parsed.error()));
  Scope scope;
  scope.schema = &schema;
  scope.strict = strict;
  Collection input;
  if (!json.empty()) {
    auto node = fhir::ReadJson(json, arena);
    if (!node) return "error: the input is not JSON";
    const fhir::Element root = fhir::RootElement(**node, schema);
    input = Item(root);
    if (root.type != nullptr) scope.context = StaticType::Of(*root.type);
  }
  if (auto resolved = parsed->Resolve(scope); !resolved)
    return "error: " + std::string(KindOfError(resolved.error()));
  const Moment moment = FixedMoment();
  EvaluationContext context;
  context.arena = &arena;
  context.schema = &schema;
  context.moment = &moment;
  const auto result = parsed->Evaluate(context, input);
  if (!result) return "error: " + std::string(KindOfError(result.error()));
  std::string text;
  for (const Item& item : *result) {
    if (!text.empty()) text += " | ";
    const Item value = ToSystem(item, arena);
    if (value.kind() == ItemKind::kQuantity) {
      text += std::string(value.text()) + " '" + std::string(value.unit()) + "'";
    } else {
      text += TextOf(item, arena).value_or("(complex)");
    }
  }
  return text;
}

}  // namespace fhir_adapter::fhirpath
