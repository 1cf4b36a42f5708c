#include "sandbox/capability_statement.h"

#include <string_view>

#include "fhir/json_writer.h"
#include "sandbox/interaction.h"
#include "sandbox/search_parameter.h"

namespace fhir_adapter::sandbox {

namespace {

// Every type is stored; those named have search parameters of their own.
constexpr std::string_view kTypes[] = {"AdverseEvent",      "AuditEvent",   "Condition",
                                       "DetectedIssue",     "Device",       "DocumentReference",
                                       "Encounter",         "Medication",   "MedicationAdministration",
                                       "MedicationRequest", "Observation",  "Organization",
                                       "Patient",           "Practitioner", "Procedure",
                                       "Provenance"};

std::string Quoted(std::string_view text) {
  std::string out;
  fhir::WriteJsonString(text, out);
  return out;
}

std::string Parameter(std::string_view name, std::string_view kind) {
  return "{\"name\":" + Quoted(name) + ",\"type\":" + Quoted(kind) + "}";
}

std::string ResourceJson(const Behaviour& behaviour, std::string_view type) {
  std::string out = "{\"type\":" + Quoted(type) + ",\"interaction\":[";
  bool is_first = true;
  for (const std::string_view code :
       {"read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type"}) {
    if (!is_first) out += ',';
    is_first = false;
    out += "{\"code\":" + Quoted(code) + "}";
  }
  out += R"(],"versioning":"versioned-update","readHistory":true)";
  if (behaviour.update_create_announced) {
    out += behaviour.update_create ? R"(,"updateCreate":true)" : R"(,"updateCreate":false)";
  }
  if (behaviour.conditional_updates_announced) {
    out += behaviour.conditional_updates ? R"(,"conditionalUpdate":true)" : R"(,"conditionalUpdate":false)";
  }
  out += R"(,"conditionalCreate":true,"conditionalRead":"not-match","conditionalDelete":"single")"
         R"(,"searchParam":[)";
  out += Parameter("_id", "token") + "," + Parameter("_lastUpdated", "date");
  for (const SearchParameter* parameter : SearchParametersOf(type)) {
    out += "," + Parameter(parameter->name, Name(parameter->kind));
  }
  return out + "]}";
}

}  // namespace

std::string CapabilityStatementJson(const Behaviour& behaviour, const std::string& base_url,
                                    std::int64_t time_us) {
  std::string out =
      R"({"resourceType":"CapabilityStatement","status":"active","experimental":true,"date":)" +
      Quoted(InstantText(time_us)) +
      R"(,"description":"A sandbox for trying things out and for tests. Not for production: it has no )"
      R"(authentication, and nobody guarantees its data.","kind":"instance","software":)"
      R"({"name":"fhir-adapter sandbox, not for production"},"implementation":)"
      R"({"description":"sandbox, not for production","url":)" +
      Quoted(base_url) +
      R"(},"fhirVersion":"4.0.1","format":["application/fhir+json","json"],"rest":[{"mode":"server",)"
      R"("resource":[)";
  bool is_first = true;
  for (const std::string_view type : kTypes) {
    if (type == "AuditEvent" && !behaviour.stores_audit_events) continue;
    if (!is_first) out += ',';
    is_first = false;
    out += ResourceJson(behaviour, type);
  }
  if (!behaviour.interactions_announced) return out + "]}]}";
  out += R"(],"interaction":[{"code":"history-system"})";
  if (behaviour.transactions) out += R"(,{"code":"transaction"})";
  if (behaviour.batches && behaviour.batches_announced) out += R"(,{"code":"batch"})";
  return out + "]}]}";
}

}  // namespace fhir_adapter::sandbox
