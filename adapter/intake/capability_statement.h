// What the intake can do, as GET /fhir/metadata says it. FHIR R4, CapabilityStatement.
#pragma once

#include <string>

namespace fhir_adapter::intake {

std::string CapabilityStatementJson(const std::string& software_version);

}  // namespace fhir_adapter::intake
