// Reads the files of a MapSet: maps, models, ConceptMaps, and which map imports which.
//
// Internal to adapter/fml. What cannot be read becomes a Finding; the rest goes on, so that one run reports
// as much as can be known.
#pragma once

#include <vector>

#include "fml/linked_set.h"

namespace fhir_adapter::fml::internal {

// Fills schema, maps (with their scopes) and concept_maps from set.files.
void LoadFiles(LinkedSet& set, std::vector<Finding>& findings);

// The paths of the maps that are linked: the roots of the options, or all.
bool IsRoot(const LoadedMap& map, const MapSetOptions& options);

}  // namespace fhir_adapter::fml::internal
