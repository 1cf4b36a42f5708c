#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <vector>

#include "pipeline/mapping_set.h"
#include "pipeline/record_mapping.h"
#include "support/allocation_count.h"

namespace fhir_adapter::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAllocationsMax = 50;  // of a record, all that the daemon does with it

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::shared_ptr<const MappingSet> ShippedMaps() {
  const fs::path folder = fs::path(FHIR_ADAPTER_SOURCE_DIR) / "mappings";
  std::vector<fml::SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    const bool is_case = name.find("/tests/") != std::string::npos;
    if ((ending != ".map" && ending != ".json") || is_case) continue;
    files.push_back({name, ReadFile(entry.path())});
  }
  std::vector<fml::Finding> findings;
  return MappingSet::Build(std::move(files), {}, findings);
}

// Trees, texts and tables of a record lie in arenas that keep their memory for the next one.
TEST(RecordMapping, RecordInSteadyState_AllocatesRarely) {
  const auto set = ShippedMaps();
  ASSERT_NE(set, nullptr);
  RecordMapping mapping(set);
  const std::string bytes = ReadFile(fs::path(FHIR_ADAPTER_SOURCE_DIR) / "fixtures/records/mg-1.json");
  record::RecordText text;
  text.bytes = bytes;
  // The first records make the arenas as large as they will be.
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(mapping.Map(text, {}, RecordForm::kBundle).bundle.empty());
  }
  const std::uint64_t before = test::AllocationCount();
  const MappedRecord mapped = mapping.Map(text, {}, RecordForm::kBundle);
  const std::uint64_t allocations = test::AllocationCount() - before;
  EXPECT_FALSE(mapped.bundle.empty());
  EXPECT_GT(allocations, 0U);  // the answer is a string
  EXPECT_LT(allocations, kAllocationsMax);
}

}  // namespace
}  // namespace fhir_adapter::pipeline
