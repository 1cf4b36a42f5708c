// Codes of the set's own code systems that these do not declare.
//
// Internal to adapter/fml. A code system is the set's own when a complete CodeSystem of the set declares it,
// or when its url stands below {canonicalBase}/CodeSystem/; then it must be in the set. A site may publish
// the code systems under another base: the last part of the url then finds them.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

// The targets of the set's ConceptMaps; errors stand at the row.
void CheckLocalTargets(const LinkedSet& set, const MapSetOptions& options, std::vector<Finding>& findings);

// The codes that a map's rules write themselves: c(), cc() and `x.system = …, x.code = …`.
void CheckLocalCodes(const LinkedSet& set, const LinkedMap& linked, const MapSetOptions& options,
                     std::vector<Finding>& findings);

}  // namespace fhir_adapter::fml::internal
