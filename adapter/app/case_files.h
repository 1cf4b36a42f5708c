// The cases beside the maps: folders `tests/<case>/` with input.json, expected.json, expected-issues,
// expected-patient, config.toml.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/map_case.h"

namespace fhir_adapter::app {

struct CaseFolder {
  std::string path;
  std::string map;            // the name of the folder that holds `tests`
  std::string configuration;  // config.toml of the case; empty: as for all
  pipeline::MapCase test;
};

// All cases at or below `directory`, sorted by path.
Result<std::vector<CaseFolder>> ReadCases(const std::string& directory);

// Writes what a case gave as what it shall give: a file that would be empty is removed.
Result<void> WriteCase(const CaseFolder& folder, const pipeline::CaseResult& result);

}  // namespace fhir_adapter::app
