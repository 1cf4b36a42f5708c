// Required elements of what a map makes, which none of its rules assigns.
//
// Internal to adapter/fml. Each value that a rule makes is followed through the plan: later targets, nested
// rules, groups that it is given to. Where the way is lost (no type, default groups) nothing is said.
// What something outside the map adds is named in its head: `/// addedLater = 'Provenance.target: reason'`.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

void CheckTargetCoverage(const LinkedSet& set, std::vector<Finding>& findings);

}  // namespace fhir_adapter::fml::internal
