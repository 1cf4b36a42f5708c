#include "pipeline/output_check.h"

#include <string>
#include <utility>

#include "fhir/checker.h"

namespace fhir_adapter::pipeline {

void CheckOutput(const fml::Assembly& assembly, std::string_view file, std::string_view pointer_prefix,
                 const fhir::Schema& schema, Issues& issues) {
  Issues found;
  for (const fml::AssembledEntry& entry : assembly.entries) {
    found.clear();
    fhir::CheckResource(*entry.resource, schema, found);
    for (Issue& issue : found) {
      issue.where = Location{std::string(file), 0, 0, std::string(pointer_prefix)};
      issue.message =
          std::string(entry.type) + " " + std::string(entry.identity.value) + ": " + issue.message;
      issues.push_back(std::move(issue));
    }
  }
}

}  // namespace fhir_adapter::pipeline
