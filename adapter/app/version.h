// What `--version` and the CapabilityStatement say.
#pragma once

#include <string>

namespace fhir_adapter::app {

std::string ProgramVersion();  // "0.1.0"
std::string VersionText();     // version, commit, FHIR version, libraries

}  // namespace fhir_adapter::app
