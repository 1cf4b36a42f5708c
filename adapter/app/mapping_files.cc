#include "app/mapping_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

bool IsMappingFile(const fs::path& path) {
  const std::string ending = path.extension().string();
  return ending == ".map" || ending == ".fml" || ending == ".json" || ending == ".csv";
}

bool IsBelowTests(const fs::path& relative) {
  return std::ranges::any_of(relative.parent_path(), [](const fs::path& part) { return part == "tests"; });
}

}  // namespace

Result<std::string> ShippedMappingsDirectory() {
  std::error_code error;
  const fs::path binary = fs::read_symlink("/proc/self/exe", error);
  const fs::path folder = binary.parent_path();
  const fs::path candidates[] = {folder / "../share/fhir-adapter/mappings", folder / "../../../mappings"};
  for (const fs::path& candidate : candidates) {
    if (fs::is_directory(candidate, error)) return candidate.lexically_normal().string();
  }
  return Fail(
      Code::kFileNotFound,
      "the shipped maps are not beside the program; name a folder with --map-dir or [maps] directory");
}

Result<std::string> MapFolderAbove(const std::string& directory) {
  std::error_code error;
  for (fs::path folder = fs::canonical(directory, error); !error && !folder.empty();
       folder = folder.parent_path()) {
    if (fs::exists(folder / "rules" / "detected-issue.map")) return folder.string();
    if (folder == folder.parent_path()) break;
  }
  return Fail(Code::kFileNotFound, "no folder of maps is here or above; name it with --map-dir",
              Location{directory, 0, 0, ""});
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream || fs::is_directory(path)) {
    return Fail(Code::kFileNotFound,
                std::string("cannot be read: ") + (stream ? "is a directory" : std::strerror(errno)),
                Location{path, 0, 0, ""});
  }
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) return Fail(Code::kInputOutput, "reading failed", Location{path, 0, 0, ""});
  return bytes;
}

Result<std::vector<fml::SourceFile>> ReadMappingFiles(const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return Fail(Code::kFileNotFound, "no such folder of maps", Location{directory, 0, 0, ""});
  }
  std::vector<fml::SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (error) return Fail(Code::kInputOutput, error.message(), Location{directory, 0, 0, ""});
    const fs::path relative = entry->path().lexically_relative(directory);
    if (!entry->is_regular_file() || !IsMappingFile(relative) || IsBelowTests(relative)) continue;
    ADAPTER_TRY(std::string bytes, ReadFile(entry->path().string()));
    files.push_back({relative.generic_string(), std::move(bytes)});
  }
  std::ranges::sort(files, {}, &fml::SourceFile::path);
  return files;
}

}  // namespace fhir_adapter::app
