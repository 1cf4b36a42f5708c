#include "sandbox/refusal.h"

#include "fhir/json_writer.h"

namespace fhir_adapter::sandbox {

std::string OutcomeJson(const std::vector<OutcomeIssue>& issues) {
  std::string out = R"({"resourceType":"OperationOutcome","issue":[)";
  bool first = true;
  for (const OutcomeIssue& issue : issues) {
    if (!first) out += ',';
    first = false;
    out += "{\"severity\":";
    fhir::WriteJsonString(issue.severity, out);
    out += ",\"code\":";
    fhir::WriteJsonString(issue.code, out);
    out += ",\"diagnostics\":";
    fhir::WriteJsonString(issue.diagnostics, out);
    if (!issue.expression.empty()) {
      out += ",\"expression\":[";
      fhir::WriteJsonString(issue.expression, out);
      out += ']';
    }
    out += '}';
  }
  return out + "]}";
}

}  // namespace fhir_adapter::sandbox
