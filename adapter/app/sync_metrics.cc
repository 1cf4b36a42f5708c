#include "app/sync_metrics.h"

#include <algorithm>
#include <array>

namespace fhir_adapter::app {
namespace {

constexpr std::array<std::string_view, sync::kDeliveryOutcomes> kOutcomeNames = {
    "delivered", "retry", "deferred", "ambiguous", "quarantined", "held"};

void AddRequests(MetricsPage& page, const sync::SyncStatistics& statistics) {
  page.Family("fhir_adapter_requests", "counter", "Requests to the FHIR server by kind and class of answer.");
  for (int kind = 0; kind < sync::kRequestKinds; ++kind) {
    for (int answer = 0; answer < sync::kAnswerClasses; ++answer) {
      page.Sample(
          {{"kind", sync::Name(static_cast<sync::RequestKind>(kind))},
           {"answer", sync::Name(static_cast<sync::AnswerClass>(answer))}},
          statistics.requests[static_cast<std::size_t>(kind)].answers[static_cast<std::size_t>(answer)]);
    }
  }
  page.Family("fhir_adapter_request_time_seconds", "counter", "Time that requests to the FHIR server took.",
              "seconds");
  for (int kind = 0; kind < sync::kRequestKinds; ++kind) {
    page.SampleSeconds({{"kind", sync::Name(static_cast<sync::RequestKind>(kind))}},
                       statistics.requests[static_cast<std::size_t>(kind)].duration_sum_us);
  }
}

}  // namespace

void AddSync(MetricsPage& page, const sync::SyncStatistics& statistics) {
  AddRequests(page, statistics);
  page.Family("fhir_adapter_deliveries", "counter", "Ends of attempts to deliver by outcome.");
  for (std::size_t i = 0; i < kOutcomeNames.size(); ++i) {
    page.Sample({{"outcome", kOutcomeNames[i]}}, statistics.outcomes[i]);
  }
  page.Family("fhir_adapter_resources_written", "counter",
              "Resources that the server created or updated for us.");
  page.Sample({}, statistics.resources_written);
  page.Family("fhir_adapter_resources_adopted", "counter", "Resources found after a lost answer.");
  page.Sample({}, statistics.resources_adopted);
  page.Family("fhir_adapter_patients_released", "counter", "Held patients that were found later.");
  page.Sample({}, statistics.patients_released);
  page.Family("fhir_adapter_lacking_released", "counter",
              "Works held for what the server lacked, tried again since it may have it.");
  page.Sample({}, statistics.lacking_released);
  page.Family("fhir_adapter_concurrency_limit", "gauge",
              "Patients that may be sent at a time; less after the server said that it was too much.");
  page.Sample({}, statistics.concurrency);
  page.Family("fhir_adapter_in_flight", "gauge", "Patients that are being sent now.");
  page.Sample({}, statistics.in_flight);
  page.Family("fhir_adapter_endpoint_trouble", "gauge", "1 while the FHIR server cannot be used.");
  page.Sample({}, statistics.has_trouble ? 1 : 0);
  page.Family("fhir_adapter_endpoint_troubles", "counter",
              "Times that the FHIR server could no longer be used.");
  page.Sample({}, statistics.troubles);
  page.Family("fhir_adapter_posted_types", "gauge",
              "Types whose new resources the server names itself, by the reason why.");
  for (int i = 0; i < sync::kFormReasons; ++i) {
    const auto reason = static_cast<sync::FormReason>(i);
    page.Sample({{"reason", sync::Name(reason)}},
                std::ranges::count(statistics.posted, reason, &sync::PostedType::reason));
  }
  page.Family("fhir_adapter_rung", "gauge", "1 for the way in which records are sent now, and why.");
  for (int rung = 0; rung < sync::kRungs; ++rung) {
    for (int reason = 0; reason < sync::kRungReasons; ++reason) {
      const sync::RungChoice choice{static_cast<sync::Rung>(rung), static_cast<sync::RungReason>(reason)};
      page.Sample({{"rung", sync::Name(choice.rung)}, {"reason", sync::Name(choice.reason)}},
                  choice == statistics.rung ? 1 : 0);
    }
  }
}

}  // namespace fhir_adapter::app
