// Which elements of a source model no map reads: each is mapped, or listed with the reason why not.
//
// Internal to adapter/fml. A map whose head lists `/// notSent = 'path: reason'` promises that together with
// the other maps of the set it accounts for every element of its source model. Where no map lists anything
// for a logical model, the first map that begins with it is asked.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

// `is_faulty`: the maps hold errors, so that what they read is not fully known; only lists are checked then.
void CheckSourceCoverage(const LinkedSet& set, bool is_faulty, std::vector<Finding>& findings);

}  // namespace fhir_adapter::fml::internal
