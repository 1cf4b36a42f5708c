#include "sandbox/resource_check.h"

#include <string>

#include "core/issue.h"
#include "fhir/checker.h"
#include "fhir/schema.h"

namespace fhir_adapter::sandbox {

MaybeRefusal CheckContent(const Interaction& interaction) {
  Issues issues;
  fhir::CheckResource(*interaction.resource, fhir::Schema::R4(), issues);
  if (issues.empty()) return std::nullopt;
  Refusal refusal;
  refusal.status = 422;
  for (const Issue& issue : issues) {
    // A message begins with the path of its element: "Observation.status: …".
    const std::string path = issue.message.substr(0, issue.message.find_first_of(": "));
    std::string expression = path;
    if (!interaction.expression.empty()) {
      const std::size_t dot = path.find('.');
      expression = interaction.expression + ".resource" + (dot == std::string::npos ? "" : path.substr(dot));
    }
    refusal.issues.push_back({"invariant", issue.message, std::move(expression), "error"});
  }
  return refusal;
}

}  // namespace fhir_adapter::sandbox
