#include "intake/capability_statement.h"

#include "net/http_message.h"

namespace fhir_adapter::intake {
namespace {

constexpr const char* kAfterVersion = R"(},
"implementation":{"description":"Takes outcome observations of the EHR and delivers them to the FHIR server, tied to the administrations they speak of."},
"fhirVersion":"4.0.1","format":["application/fhir+json","json"],
"rest":[{"mode":"server","resource":[{"type":"Observation",
"interaction":[{"code":"create"},{"code":"read"},{"code":"vread"},{"code":"update"}],
"versioning":"versioned-update","readHistory":true,"updateCreate":false,
"conditionalCreate":true,"conditionalUpdate":true,"conditionalRead":"not-supported",
"referencePolicy":["literal","logical"],
"documentation":"If-None-Exist and conditional PUT search by identifier only. meta.tag tells the state of the delivery."}],
"interaction":[{"code":"transaction"},{"code":"batch"}]}]})";

}  // namespace

std::string CapabilityStatementJson(const std::string& software_version) {
  return std::string(R"({"resourceType":"CapabilityStatement","status":"active","date":"2026-11-26",)") +
         R"("kind":"instance","software":{"name":"fhir-adapter","version":)" +
         net::JsonString(software_version) + kAfterVersion;
}

}  // namespace fhir_adapter::intake
