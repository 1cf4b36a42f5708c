// The option --since of commands that look at a part of the store.
#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::app {

// The first moment of a date (FHIR dateTime) in UTC, or of a time with offset; nothing for an empty text.
// Errors: kUsage.
Result<std::optional<TimeUs>> ParseSince(const std::string& text);

}  // namespace fhir_adapter::app
