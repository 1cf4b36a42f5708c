// FHIRPath expressions: printing what was parsed and parsing it again is the identity, and evaluating on a
// fixed resource within a small budget ends, the same way for the printed text.
#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/schema.h"
#include "fhirpath/answer.h"
#include "fhirpath/fhirpath.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

constexpr std::uint64_t kSteps = 2'000;
constexpr std::string_view kPatient = R"({
  "resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1974-12-25",
  "_birthDate": {"extension": [{"url": "http://example.org/t", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
  "name": [{"use": "official", "family": "Doe", "given": ["A", "B"]},
           {"use": "maiden", "given": [null, "C"], "_given": [{"id": "unknown"}, null]}],
  "contained": [{"resourceType": "Organization", "id": "o1", "name": "Acme"}],
  "extension": [{"url": "http://example.org/q", "valueQuantity": {"value": 72.50, "unit": "kg",
                 "system": "http://unitsofmeasure.org", "code": "kg"}}],
  "managingOrganization": {"reference": "#o1"}, "multipleBirthInteger": 2})";

// The answer as one text, "error" when there is none.
std::string Answer(fhirpath::Expression& expression, bool strict) {
  static Arena patient_arena;
  static const fhir::Node* const patient = *fhir::ReadJson(kPatient, patient_arena);
  const fhir::Schema& schema = fhir::Schema::R4();
  const fhir::Element root = fhir::RootElement(*patient, schema);
  fhirpath::Scope scope;
  scope.schema = &schema;
  scope.strict = strict;
  if (strict) scope.context = fhirpath::StaticType::Of(*root.type);
  if (!expression.Resolve(scope)) return "unresolved";
  const fhirpath::Moment moment = fhirpath::Moment::At(TimeUs{1'772'362'800'000'000}, 60);
  Arena arena;
  fhirpath::Host host;
  fhirpath::EvaluationContext context;
  context.arena = &arena;
  context.schema = &schema;
  context.moment = &moment;
  context.host = &host;
  context.steps_max = kSteps;
  const auto result = expression.Evaluate(context, fhirpath::Item(root));
  if (!result) return "error";
  return fhirpath::ToAnswer(*result, arena);
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  auto parsed = fhirpath::Expression::Parse(fuzz::TextOf(data, size));
  if (!parsed) return 0;
  const std::string printed = parsed->ToText();
  auto again = fhirpath::Expression::Parse(printed);
  fuzz::Demand(again.has_value(), "what is printed can be parsed");
  fuzz::Demand(again->Dump() == parsed->Dump(), "what is printed is parsed as the same tree");
  fuzz::Demand(again->ToText() == printed, "printing again gives the same text");
  const bool strict = size % 2 == 0;
  fuzz::Demand(fuzz::Answer(*parsed, strict) == fuzz::Answer(*again, strict),
               "what is printed gives the same answer");
  return 0;
}
