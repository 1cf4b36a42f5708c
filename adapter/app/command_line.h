// The command line: `fhir-adapter [--config FILE] [--log-level L] COMMAND …`.
#pragma once

#include "app/streams.h"

namespace fhir_adapter::app {

// Parses and runs. Gives the exit code.
int RunCommandLine(int argc, const char* const* argv, const Streams& streams);

}  // namespace fhir_adapter::app
