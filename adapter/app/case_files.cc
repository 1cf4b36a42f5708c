#include "app/case_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/mapping_files.h"
#include "pipeline/mapping_set.h"
#include "pipeline/message_mapping.h"
#include "record/hl7v2_reader.h"

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

Result<std::string> ReadIfThere(const fs::path& path) {
  if (!fs::exists(path)) return std::string();
  return ReadFile(path.string());
}

Result<CaseFolder> ReadCase(const fs::path& input) {
  const fs::path folder = input.parent_path();
  CaseFolder found;
  found.path = folder.string();
  found.map = folder.parent_path().parent_path().filename().string();
  if (fs::exists(folder / "config.toml")) found.configuration = (folder / "config.toml").string();
  found.test.name = found.map + "/" + folder.filename().string();
  found.test.is_message = input.extension() == ".hl7";
  found.test.format =
      input.extension() == ".ndjson" ? record::RecordFormat::kNdjson : record::RecordFormat::kJson;
  ADAPTER_TRY(found.test.input, ReadFile(input.string()));
  if (found.test.is_message) {
    // Mapped with the set that its record is mapped with, or in a folder without one by itself.
    const std::string records = pipeline::MappingSettings().map;
    const bool has_records = fs::exists(folder.parent_path().parent_path().parent_path() / records);
    const auto messages = record::SplitHl7Messages(found.test.input);
    found.map = has_records || messages.empty() ? records : pipeline::MessageMapPath(messages.front().bytes);
  }
  ADAPTER_TRY(found.test.expected, ReadIfThere(folder / "expected.json"));
  ADAPTER_TRY(found.test.expected_issues, ReadIfThere(folder / "expected-issues"));
  ADAPTER_TRY(found.test.expected_patient, ReadIfThere(folder / "expected-patient"));
  return found;
}

Result<void> WriteFile(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (text.empty()) {
    fs::remove(path, error);
    return {};
  }
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.flush();
  if (!stream) return Fail(Code::kInputOutput, "cannot be written", Location{path.string(), 0, 0, ""});
  return {};
}

}  // namespace

Result<std::vector<CaseFolder>> ReadCases(const std::string& directory) {
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error || !fs::is_directory(root)) {
    return Fail(Code::kFileNotFound, "no such folder", Location{directory, 0, 0, ""});
  }
  std::vector<fs::path> inputs;
  for (auto entry = fs::recursive_directory_iterator(root, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) return Fail(Code::kInputOutput, error.message(), Location{directory, 0, 0, ""});
    const fs::path& path = entry->path();
    const bool is_case = path.parent_path().parent_path().filename() == "tests" && path.stem() == "input";
    const fs::path ending = path.extension();
    if (is_case && (ending == ".json" || ending == ".ndjson" || ending == ".hl7")) inputs.push_back(path);
  }
  std::ranges::sort(inputs);
  std::vector<CaseFolder> cases;
  for (const fs::path& input : inputs) {
    ADAPTER_TRY(CaseFolder found, ReadCase(input));
    cases.push_back(std::move(found));
  }
  return cases;
}

Result<void> WriteCase(const CaseFolder& folder, const pipeline::CaseResult& result) {
  ADAPTER_CHECK(WriteFile(fs::path(folder.path) / "expected.json", result.bundle));
  if (!folder.test.expected_patient.empty()) {
    ADAPTER_CHECK(WriteFile(fs::path(folder.path) / "expected-patient", result.patient));
  }
  return WriteFile(fs::path(folder.path) / "expected-issues", result.issues);
}

}  // namespace fhir_adapter::app
