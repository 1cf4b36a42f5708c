// /health/live, /health/ready and /metrics.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "app/metrics.h"
#include "core/clock.h"
#include "net/router.h"
#include "outbox/queue_reader.h"
#include "storage/transaction.h"

namespace fhir_adapter::app {

struct ServiceRoutesContext {
  storage::Store& store;
  outbox::QueueReader& queue;
  Clock& clock;
  std::int64_t high_water = 0;
  const std::atomic<bool>& draining;
  std::function<void(MetricsPage&)> add_metrics;  // further families; may be empty
};

// Why nothing is accepted now; empty when ready.
std::string NotReadyReason(const ServiceRoutesContext& context);

std::vector<net::Route> ServiceRoutes(const ServiceRoutesContext& context);

}  // namespace fhir_adapter::app
