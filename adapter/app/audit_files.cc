#include "app/audit_files.h"

#include <algorithm>

namespace fhir_adapter::app {

std::string CheckpointsPath(const Configuration& configuration) {
  return configuration.StorePath() + ".checkpoints";
}

std::string CosignedPath(const Configuration& configuration) {
  return configuration.StorePath() + ".cosigned";
}

std::string SigningKeyPath(const Configuration& configuration) {
  return configuration.StorePath() + ".audit-key";
}

std::string VerifierKeyPath(const Configuration& configuration) {
  return configuration.StorePath() + ".vkey";
}

std::string LogOrigin(const Configuration& configuration) {
  if (!configuration.audit.origin.empty()) return configuration.audit.origin;
  std::string origin = configuration.site.canonical_base + "/audit/" + configuration.site.id;
  const std::size_t scheme = origin.find("://");
  if (scheme != std::string::npos) origin.erase(0, scheme + 3);
  // What a key name must not hold.
  std::ranges::replace_if(
      origin, [](char c) { return c == '+' || static_cast<unsigned char>(c) <= ' '; }, '-');
  return origin;
}

}  // namespace fhir_adapter::app
