// Where an element of the output came from, as `map explain` and `trace` show it.
#pragma once

#include <string>

#include "pipeline/record_lineage.h"

namespace fhir_adapter::app {

// `wanted` begins with the resource's type or below it; without an index it means every item, and what stands
// below it is meant too. Empty: every element.
bool IsElementWanted(const pipeline::ElementLineage& element, const std::string& wanted);

// Lines for a person; `file` names the record.
std::string LineageText(const pipeline::ElementLineage& element, const std::string& file);

// An object, without a line end.
std::string LineageJson(const pipeline::ElementLineage& element, const std::string& file);

}  // namespace fhir_adapter::app
