// RequestTrace: how a request to the server can be found again in its logs and in ours: X-Request-Id, and
// traceparent (W3C Trace Context).
//
// Values; thread-safe when the random numbers are.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"

namespace fhir_adapter::sync {

struct RequestTrace {
  std::string request_id;
  std::string traceparent;
};

// `trace_id`: 32 hex digits; empty: a new one.
RequestTrace NewRequestTrace(Random& random, std::string_view trace_id = {});

}  // namespace fhir_adapter::sync
