#include "app/exit_code.h"

namespace fhir_adapter::app {

ExitCode ExitCodeOf(Code code) {
  switch (code) {
    case Code::kUsage:
    case Code::kConfiguration:
    case Code::kSyntax:
    case Code::kSemantic:
      return kExitUsage;
    case Code::kFileNotFound:
    case Code::kInputOutput:
    case Code::kDiskFull:
    case Code::kStoreFailed:
    case Code::kStoreDamaged:
    case Code::kStoreNewer:
    case Code::kStoreLocked:
      return kExitInputOutput;
    case Code::kUnreachable:
    case Code::kTimeout:
    case Code::kTls:
    case Code::kUnauthorized:
    case Code::kServerBusy:
    case Code::kServerAnswer:
    case Code::kNotReady:
    case Code::kHighWater:
      return kExitUnreachable;
    case Code::kIntegrity:
      return kExitIntegrity;
    case Code::kInternal:
      return kExitInternal;
    default:
      return kExitRejected;
  }
}

}  // namespace fhir_adapter::app
