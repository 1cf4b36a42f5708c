// What the adapter's files take of the disk, for `queue stats` and /metrics. Errors: input-output, and those
// of the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/metrics.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::app {

struct DiskPlaces {
  std::string store_path;
  std::vector<std::string> sources;  // paths of the directory sources
};
DiskPlaces DiskPlacesOf(const Configuration& configuration);

// In bytes.
struct DiskUse {
  std::int64_t database = 0;
  std::int64_t write_ahead_log = 0;
  std::int64_t free_pages = 0;  // of the database: used again before it grows
  std::int64_t done = 0;
  std::int64_t rejected = 0;
};
Result<DiskUse> MeasureDisk(storage::Store& store, const DiskPlaces& places);

std::string ToText(const DiskUse& use);
std::string ToJson(const DiskUse& use);
void AddDisk(MetricsPage& page, const DiskUse& use);

}  // namespace fhir_adapter::app
