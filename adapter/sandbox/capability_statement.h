// The CapabilityStatement at /metadata. FHIR R4 CapabilityStatement; says that it is not for production.
#pragma once

#include <cstdint>
#include <string>

#include "sandbox/behaviour.h"

namespace fhir_adapter::sandbox {

std::string CapabilityStatementJson(const Behaviour& behaviour, const std::string& base_url,
                                    std::int64_t time_us);

}  // namespace fhir_adapter::sandbox
