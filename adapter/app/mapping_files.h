// Finds and reads the folder of maps, models, code tables and rules.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "fml/map_set.h"

namespace fhir_adapter::app {

// The maps that came with the program: beside an installed binary (../share/fhir-adapter/mappings), or the
// source tree's mappings/ for a binary in its build folder.
Result<std::string> ShippedMappingsDirectory();

// Every .map, .fml and .json file below `directory`, sorted, paths relative to it. Folders named `tests` hold
// cases, not maps, and are left out.
Result<std::vector<fml::SourceFile>> ReadMappingFiles(const std::string& directory);

// The nearest folder at or above `directory` that holds maps with their rules: the one that a set is read
// from.
Result<std::string> MapFolderAbove(const std::string& directory);

Result<std::string> ReadFile(const std::string& path);

}  // namespace fhir_adapter::app
