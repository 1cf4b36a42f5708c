#include "suite_files.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace fhir_adapter::conformance {

std::string CacheDirectory() {
  if (const char* cache = std::getenv("FHIR_ADAPTER_CACHE")) return cache;
  if (const char* cache = std::getenv("XDG_CACHE_HOME")) return std::string(cache) + "/fhir-adapter";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.cache/fhir-adapter";
}

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::map<std::string, std::string> ReadExceptions(const std::string& path) {
  std::map<std::string, std::string> exceptions;
  std::istringstream lines(ReadFile(path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t blank = line.find(' ');
    exceptions[line.substr(0, blank)] = blank == std::string::npos ? "" : line.substr(blank + 1);
  }
  return exceptions;
}

}  // namespace fhir_adapter::conformance
