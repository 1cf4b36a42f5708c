// The types of resources that we write.
#pragma once

#include <array>
#include <string_view>

namespace fhir_adapter::sync {

struct OwnType {
  std::string_view type;
  std::string_view system;  // of the identifier that it carries, below {canonical_base}/sid/
  std::string_view patient_parameter;
};

// Those that carry an identifier, in the order of their names.
inline constexpr std::array<OwnType, 10> kOwnTypes = {{
    {"AdverseEvent", "it-adverse-event", "subject"},
    {"Condition", "it-condition", "patient"},
    {"DetectedIssue", "it-issue", "patient"},
    {"Device", "it-device", "patient"},
    {"DocumentReference", "it-consent", "patient"},
    {"Encounter", "it-encounter", "patient"},
    {"MedicationAdministration", "it-administration", "patient"},
    {"MedicationRequest", "it-order", "patient"},
    {"Observation", "it-observation", "patient"},
    {"Procedure", "it-procedure", "patient"},
}};
// Carries none: it is found by its targets. Behind all of them by name, too.
inline constexpr std::string_view kProvenance = "Provenance";

}  // namespace fhir_adapter::sync
