// What `trace` prints: for a terminal, for a browser or printer, for scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/trace_sections.h"

namespace fhir_adapter::app {

// Control characters are shown as \uXXXX, so that no recorded text can speak to the terminal.
std::string TraceText(const std::vector<TraceSection>& sections);

// One page that stands for itself: it loads nothing, runs nothing, and each recorded text is inert.
std::string TraceHtml(const std::vector<std::vector<TraceSection>>& records);

// One line a record.
std::string TraceJson(const TracePage& page);

}  // namespace fhir_adapter::app
