#include "app/metrics.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace fhir_adapter::app {

void MetricsPage::Family(std::string_view name, std::string_view type, std::string_view help,
                         std::string_view unit) {
  name_ = name;
  is_counter_ = type == "counter";
  text_ += "# TYPE " + name_ + " " + std::string(type) + "\n";
  if (!unit.empty()) text_ += "# UNIT " + name_ + " " + std::string(unit) + "\n";
  text_ += "# HELP " + name_ + " " + std::string(help) + "\n";
}

void MetricsPage::Begin(const Labels& labels) {
  text_ += name_;
  if (is_counter_) text_ += "_total";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text_ += i == 0 ? "{" : ",";
    text_ += std::string(labels[i].first) + "=\"" + std::string(labels[i].second) + "\"";
  }
  text_ += labels.empty() ? " " : "} ";
}

void MetricsPage::Sample(const Labels& labels, std::int64_t value) {
  Begin(labels);
  text_ += std::to_string(value) + "\n";
}

void MetricsPage::SampleSeconds(const Labels& labels, std::int64_t microseconds) {
  Begin(labels);
  char number[40];
  std::snprintf(number, sizeof number, "%lld.%06lld", static_cast<long long>(microseconds / 1'000'000),
                static_cast<long long>(microseconds % 1'000'000));
  text_ += std::string(number) + "\n";
}

std::string MetricsPage::Finish() && {
  return std::move(text_) + "# EOF\n";
}

ProcessFacts ReadProcessFacts() {
  ProcessFacts facts;
  std::ifstream statm("/proc/self/statm");
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (statm >> total_pages >> resident_pages) facts.resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    ++facts.open_files;
  }
  return facts;
}

void AddQueue(MetricsPage& page, const outbox::QueueStatistics& statistics, TimeUs now) {
  page.Family("fhir_adapter_work_items", "gauge", "Revisions of records and other work by state.");
  for (int i = 0; i < outbox::kWorkStates; ++i) {
    const auto state = static_cast<outbox::WorkState>(i);
    page.Sample({{"state", outbox::Name(state)}}, statistics.Count(state));
  }
  page.Family("fhir_adapter_undelivered", "gauge", "Work that the server does not have yet.");
  page.Sample({}, statistics.undelivered());
  page.Family("fhir_adapter_oldest_undelivered_seconds", "gauge", "Age of the oldest work under way.",
              "seconds");
  page.SampleSeconds({}, statistics.oldest_waiting ? now.us - statistics.oldest_waiting->us : 0);
}

void AddProcess(MetricsPage& page, const ProcessFacts& facts) {
  page.Family("fhir_adapter_resident_memory_bytes", "gauge", "Resident memory of the daemon.", "bytes");
  page.Sample({}, facts.resident_bytes);
  page.Family("fhir_adapter_open_files", "gauge", "Open file descriptors of the daemon.");
  page.Sample({}, facts.open_files);
}

}  // namespace fhir_adapter::app
