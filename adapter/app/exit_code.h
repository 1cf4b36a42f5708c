// Exit codes of every command; a contract with scripts.
#pragma once

#include "core/error.h"

namespace fhir_adapter::app {

enum ExitCode : int {
  kExitDone = 0,
  kExitRejected = 1,     // done, but some input was rejected or some check failed; each is listed
  kExitUsage = 2,        // wrong usage, configuration or map
  kExitInputOutput = 3,  // a file, the disk or the store
  kExitUnreachable = 4,  // a remote system
  kExitIntegrity = 5,    // the audit log does not verify
  kExitInternal = 70
};

ExitCode ExitCodeOf(Code code);

}  // namespace fhir_adapter::app
