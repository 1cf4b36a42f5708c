// Where two resources differ, as element paths: "Observation.value.value", "Procedure.note[1].text".
//
// Pure; thread-safe. Paths are FHIRPath with zero-based indices in lists of more than one; they hold no
// value.
#pragma once

#include <string>
#include <vector>

#include "fhir/node.h"

namespace fhir_adapter::sync {

// In the order of `ours`, then what only `theirs` has. An element that one side lacks is named itself, not
// its parts. Empty: the same content (digits of numbers included, members in any order).
std::vector<std::string> DifferingElements(const fhir::Node& ours, const fhir::Node& theirs);

}  // namespace fhir_adapter::sync
