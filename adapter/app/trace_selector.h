// What a person may mean by the SELECTOR of `trace`.
#pragma once

#include <string_view>
#include <vector>

#include "outbox/trace_reader.h"

namespace fhir_adapter::app {

// In the order in which they are tried: `system|value` (also after the word "identifier"), a resource URL or
// Type/id, site/recordId, and for a single word record id, patient number, receipt. Empty: none of them.
std::vector<outbox::TraceSelector> SelectorsOf(std::string_view text);

// "record id", "patient number", …
std::string_view Name(outbox::TraceSelectorKind kind);

}  // namespace fhir_adapter::app
