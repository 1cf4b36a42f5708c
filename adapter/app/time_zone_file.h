// The time zone of the site, from the data base of the system (/usr/share/zoneinfo, or $TZDIR).
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/time_zone.h"

namespace fhir_adapter::app {

// Null for an empty name. kConfiguration: no zone is called so, with the nearest that is.
Result<std::shared_ptr<const TimeZone>> LoadTimeZone(const std::string& name);

}  // namespace fhir_adapter::app
