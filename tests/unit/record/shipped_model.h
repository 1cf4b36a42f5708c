// The record model that is shipped, read once for a test program.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

inline std::string SourcePath(const std::string& path) {
  return std::string(FHIR_ADAPTER_SOURCE_DIR) + "/" + path;
}

inline std::string ReadFileBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Every JSON file of mappings/models, in the arena.
inline std::vector<const fhir::Node*> ShippedModelFiles(Arena& arena) {
  std::vector<const fhir::Node*> files;
  for (const auto& entry : std::filesystem::directory_iterator(SourcePath("mappings/models"))) {
    if (entry.path().extension() != ".json") continue;
    auto node = fhir::ReadJson(ReadFileBytes(entry.path()), arena);
    EXPECT_TRUE(node.has_value()) << entry.path();
    if (node) files.push_back(*node);
  }
  return files;
}

inline const fhir::Node* FindByUrlEnd(const std::vector<const fhir::Node*>& files, std::string_view end) {
  for (const fhir::Node* file : files) {
    const fhir::Node* url = file->Find("url");
    if (url != nullptr && url->text.ends_with(end)) return file;
  }
  return nullptr;
}

inline const RecordModel& ShippedModel() {
  static const RecordModel model = [] {
    Arena arena;
    const auto files = ShippedModelFiles(arena);
    const fhir::Node* structure = FindByUrlEnd(files, "/StructureDefinition/ProcedureRecord");
    if (structure == nullptr) std::abort();
    auto built = RecordModel::Build(*structure, files);
    if (!built) {
      ADD_FAILURE() << ToString(built.error());
      std::abort();
    }
    return std::move(built).value();
  }();
  return model;
}

}  // namespace fhir_adapter::record
