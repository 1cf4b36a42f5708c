// Compiles maps from texts and runs one on a record, for the tests of the engine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"
#include "fml/map_set.h"
#include "fml/mapper.h"

namespace fhir_adapter::fml::test {

// What became of a record.
struct RunResult {
  std::string json;                 // the target; empty when there is none
  std::vector<std::string> issues;  // "code pointer"
  std::vector<std::string> messages;
  std::vector<std::string> findings;  // the errors, by ToLine; a map of one rule leaves much unsaid
  std::vector<std::string> log;
};

struct RunOptions {
  bool require_unmapped_policy = false;
  std::string_view map;  // which to run; empty: the first file
  LineageSink* lineage = nullptr;
  std::uint64_t steps_max = limits::kMapStepsMax;
  std::uint64_t elements_max = limits::kMapElementsMax;
  std::uint64_t expression_steps_max = limits::kFhirPathStepsMax;
  std::uint64_t output_bytes_max = limits::kMapOutputBytesMax;
  std::string_view seed = "seed";
};

RunResult RunMap(std::vector<SourceFile> files, std::string_view record, const RunOptions& options = {});
// One map in the file "m.map", with Patient as source `src` and target `tgt` unless the text holds `group
// Main`.
RunResult RunRules(std::string_view rules, std::string_view record, const RunOptions& options = {});

// The findings of a set of files, as lines.
std::vector<std::string> Check(std::vector<SourceFile> files, bool require_unmapped_policy = true);
std::string PatientMap(std::string_view rules);

}  // namespace fhir_adapter::fml::test
