#include "app/time_zone_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "app/configuration_keys.h"
#include "app/mapping_files.h"

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

fs::path ZoneFolder() {
  const char* folder = std::getenv("TZDIR");  // NOLINT(concurrency-mt-unsafe): before any thread starts
  return folder == nullptr ? "/usr/share/zoneinfo" : folder;
}

bool IsZoneName(std::string_view name) {
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
  return is_plain && !name.starts_with('/');
}

// The name of a zone near to `name`, with the places that the data base has at its level and one below.
std::string NearestZone(const std::string& name) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(ZoneFolder(), error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const std::string zone = entry->path().lexically_relative(ZoneFolder()).generic_string();
    if (zone.find('/') != std::string::npos && !zone.starts_with("posix") && !zone.starts_with("right"))
      names.push_back(zone);
  }
  std::ranges::sort(names);
  return Nearest(name, std::vector<std::string_view>(names.begin(), names.end()));
}

}  // namespace

Result<std::shared_ptr<const TimeZone>> LoadTimeZone(const std::string& name) {
  if (name.empty()) return std::shared_ptr<const TimeZone>();
  const fs::path file = ZoneFolder() / name;
  std::error_code error;
  if (!IsZoneName(name) || !fs::is_regular_file(file, error)) {
    const std::string nearest = NearestZone(name);
    return Fail(Code::kConfiguration, "[site] time_zone '" + name + "' is not in " + ZoneFolder().string() +
                                          (nearest.empty() ? " (is the package tzdata installed?)"
                                                           : "; did you mean '" + nearest + "'?"));
  }
  ADAPTER_TRY(const std::string bytes, ReadFile(file.string()));
  auto zone = TimeZone::Parse(bytes, name);
  if (!zone) return Fail(Code::kConfiguration, zone.error().message, Location{file.string(), 0, 0, ""});
  return std::make_shared<const TimeZone>(std::move(*zone));
}

}  // namespace fhir_adapter::app
