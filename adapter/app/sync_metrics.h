// The metric families of delivery.
#pragma once

#include "app/metrics.h"
#include "sync/sync_statistics.h"

namespace fhir_adapter::app {

void AddSync(MetricsPage& page, const sync::SyncStatistics& statistics);

}  // namespace fhir_adapter::app
