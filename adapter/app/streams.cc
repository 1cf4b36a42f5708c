#include "app/streams.h"

namespace fhir_adapter::app {

ExitCode Report(const Error& error, const Streams& streams) {
  streams.err << "fhir-adapter: " << ToString(error) << "\n";
  if (error.code != Code::kUsage) streams.err << "  " << Describe(error.code).help << "\n";
  return ExitCodeOf(error.code);
}

}  // namespace fhir_adapter::app
