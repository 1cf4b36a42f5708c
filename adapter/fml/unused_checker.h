// Variables, constants and groups that nothing uses: a name that was mistyped elsewhere often shows so.
//
// Internal to adapter/fml. Warnings only, at the place of the declaration.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

void CheckUnused(const LinkedSet& set, std::vector<Finding>& findings);

}  // namespace fhir_adapter::fml::internal
