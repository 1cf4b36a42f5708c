// Which elements of a source model no map reads: each is mapped, or listed with the reason why not.
//
// Internal to adapter/fml. A map whose head lists `/// notSent = 'path: reason'` promises that together with
// the other maps of the set it accounts for every element of its source model.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

void CheckSourceCoverage(const LinkedSet& set, std::vector<Finding>& findings);

}  // namespace fhir_adapter::fml::internal
