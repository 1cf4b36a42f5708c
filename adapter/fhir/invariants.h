// The invariants of FHIR R4 that the checker holds, written by hand: FHIRPath stands above this layer.
//
// Those of severity error on the data types and on the resources that a clinic's procedure needs; ele-1,
// ext-1, ref-1 and dom-2 to dom-5 need the surroundings and stand in the checker. con-3 and dom-6 are
// warnings in R4 and not held. Constant table; thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "fhir/node.h"

namespace fhir_adapter::fhir {

struct Invariant {
  std::string_view type;  // "Observation", "Observation.referenceRange"
  std::string_view key;   // "obs-3"
  std::string_view rule;  // for a person
  bool (*holds)(const Node& object);
};

// Those declared on exactly this type.
std::span<const Invariant> InvariantsOf(std::string_view type);

}  // namespace fhir_adapter::fhir
