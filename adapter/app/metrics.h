// The page /metrics: OpenMetrics text (https://openmetrics.io, version 1.0), names fhir_adapter_*.
//
// Labels are states, routes and codes: bounded, and never anything of a patient. Counters are thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "outbox/queue_reader.h"

namespace fhir_adapter::app {

// Builds the text of a page, family by family.
class MetricsPage {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // Begins a family; `type` is "counter" or "gauge". A counter's samples end in _total.
  void Family(std::string_view name, std::string_view type, std::string_view help,
              std::string_view unit = {});
  void Sample(const Labels& labels, std::int64_t value);
  void SampleSeconds(const Labels& labels, std::int64_t microseconds);
  std::string Finish() &&;  // with the closing # EOF

 private:
  void Begin(const Labels& labels);
  std::string text_;
  std::string name_;
  bool is_counter_ = false;
};

struct ProcessFacts {
  std::int64_t resident_bytes = 0;
  std::int64_t open_files = 0;
};
ProcessFacts ReadProcessFacts();

void AddQueue(MetricsPage& page, const outbox::QueueStatistics& statistics, TimeUs now);
void AddProcess(MetricsPage& page, const ProcessFacts& facts);

}  // namespace fhir_adapter::app
