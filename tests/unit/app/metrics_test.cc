#include "app/metrics.h"

#include <gtest/gtest.h>

namespace fhir_adapter::app {
namespace {

// The form of OpenMetrics 1.0: TYPE, UNIT and HELP before the samples, counters end in _total, # EOF at the
// end.
TEST(MetricsPage, CounterAndGauge_HaveTheFormOfOpenMetrics) {
  MetricsPage page;
  page.Family("fhir_adapter_records", "counter", "Records received.");
  page.Sample({{"outcome", "accepted"}, {"source", "http"}}, 3);
  page.Family("fhir_adapter_age_seconds", "gauge", "Age.", "seconds");
  page.SampleSeconds({}, 1'500'000);
  EXPECT_EQ(std::move(page).Finish(),
            "# TYPE fhir_adapter_records counter\n# HELP fhir_adapter_records Records received.\n"
            "fhir_adapter_records_total{outcome=\"accepted\",source=\"http\"} 3\n"
            "# TYPE fhir_adapter_age_seconds gauge\n# UNIT fhir_adapter_age_seconds seconds\n"
            "# HELP fhir_adapter_age_seconds Age.\nfhir_adapter_age_seconds 1.500000\n# EOF\n");
}

TEST(MetricsPage, Queue_HasASampleForEachState) {
  outbox::QueueStatistics statistics;
  statistics.by_state[static_cast<std::size_t>(outbox::WorkState::kHeld)] = 4;
  MetricsPage page;
  AddQueue(page, statistics, TimeUs{0});
  const std::string text = std::move(page).Finish();
  EXPECT_NE(text.find("fhir_adapter_work_items{state=\"held\"} 4\n"), std::string::npos);
  EXPECT_NE(text.find("fhir_adapter_work_items{state=\"delivered\"} 0\n"), std::string::npos);
}

TEST(ProcessFacts, OfThisProcess_ArePositive) {
  const ProcessFacts facts = ReadProcessFacts();
  EXPECT_GT(facts.resident_bytes, 0);
  EXPECT_GT(facts.open_files, 0);
}

}  // namespace
}  // namespace fhir_adapter::app
