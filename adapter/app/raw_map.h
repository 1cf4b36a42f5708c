// `fhir-adapter map --raw`: any map on any instance; only the target of the map's first group.
#pragma once

#include "app/commands.h"

namespace fhir_adapter::app {

int RunRawMap(const GlobalOptions& global, const MapOptions& options, const Streams& streams);

}  // namespace fhir_adapter::app
