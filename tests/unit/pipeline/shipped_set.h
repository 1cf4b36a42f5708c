// The maps that are shipped, compiled.
#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/mapping_set.h"

namespace fhir_adapter::pipeline {

inline std::shared_ptr<const MappingSet> CompileShippedSet() {
  const std::filesystem::path root = FHIR_ADAPTER_SOURCE_DIR "/mappings";
  std::vector<fml::SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string path = std::filesystem::relative(entry.path(), root).string();
    if (!entry.is_regular_file() || (!path.ends_with(".map") && !path.ends_with(".json"))) continue;
    if (path.find("tests/") != std::string::npos) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files.push_back({path, std::string(std::istreambuf_iterator<char>(stream), {})});
  }
  std::vector<fml::Finding> findings;
  auto set = MappingSet::Build(std::move(files), MappingSettings{}, findings);
  for (const fml::Finding& finding : findings) {
    if (finding.severity == fml::Severity::kError) ADD_FAILURE() << fml::ToLine(finding);
  }
  return set;
}

// shared: as the parts that use it want it
inline const std::shared_ptr<const MappingSet>& SharedShippedSet() {
  static const std::shared_ptr<const MappingSet> set = CompileShippedSet();
  return set;
}

inline const MappingSet& ShippedSet() {
  return *SharedShippedSet();
}

}  // namespace fhir_adapter::pipeline
