// A TracePage laid out for people: headed sections of facts and tables, which the text and the HTML writer
// share. Values; texts are as they were recorded, each writer escapes them for its medium.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/trace_page.h"

namespace fhir_adapter::app {

struct TraceSection {
  std::string heading;
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`
  std::string verbatim;                        // several lines, as they are
  bool is_timeline = false;
};

std::vector<TraceSection> SectionsOf(const TracePage& page);

// A row for each element that differs, below the headings of its two sides.
void AddChanges(const std::vector<fhir::ElementDifference>& changes, const char* before, const char* after,
                TraceSection& section);

}  // namespace fhir_adapter::app
