// MapsInForce: the map set that the daemon maps with, and its exchange while the daemon runs. It is one set
// for the maps of all sources; as an object it is that of the default map.
//
// When the folder of maps changes, and when asked (SIGHUP), a thread of its own reads it again. A set that
// differs is compiled, the cases that stand beside the maps are run with it, the exchange is written to the
// audit log, and only then the set is used: from the next record on, while records in hand are finished with
// the set that they began with. With any failure the old set stays; log, audit log and metrics say so.
//
// Cases run with the configuration that stands beside them, else with the defaults, as `map test` runs them.
// `current` and `statistics` may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/configuration.h"
#include "app/folder_watch.h"
#include "app/metrics.h"
#include "audit/audit_entry.h"
#include "core/result.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::app {

// An entry about the program itself, without a change of state beside it. `entry` states what happened to
// what; time and actor are filled in.
Result<audit::Sequence> AppendProgramEvent(outbox::SqliteBackend& backend, audit::Entry entry);

struct MapStatistics {
  std::int64_t changed = 0;
  std::int64_t kept = 0;
  bool is_refused = false;  // the folder now holds maps that were refused
};
void AddMaps(MetricsPage& page, const MapStatistics& statistics);

class MapsInForce {
 public:
  using Use = std::function<void(std::shared_ptr<const pipeline::MappingSet>)>;

  // Compiles the folder of maps of the configuration. Errors: what is wrong with it, line by line.
  static Result<std::unique_ptr<MapsInForce>> Load(const Configuration& configuration);
  ~MapsInForce();
  MapsInForce(const MapsInForce&) = delete;
  MapsInForce& operator=(const MapsInForce&) = delete;

  // From now on changes are taken, also those since Load. `began` is the entry of the log that names the set
  // that is in force now; `use` is called with each set that takes its place, on the thread of this object.
  // `backend` must outlive it.
  void Start(outbox::SqliteBackend& backend, audit::Sequence began, Use use);
  void Ask() { watch_.Ask(); }
  void Stop();

  // shared: records in hand keep the set that they began with
  std::shared_ptr<const pipeline::MappingSet> current() const;
  MapStatistics statistics() const;

 private:
  explicit MapsInForce(const Configuration& configuration) : configuration_(configuration) {}
  Result<std::shared_ptr<const pipeline::MappingSet>> Build() const;
  Result<std::size_t> RunCases(const pipeline::MappingSet& set) const;
  void Run();
  void ReadAgain();
  Result<void> Exchange(std::shared_ptr<const pipeline::MappingSet> set, std::size_t cases);
  void Keep(const Error& error);

  const Configuration configuration_;
  std::string directory_;
  FolderWatch watch_;
  outbox::SqliteBackend* backend_ = nullptr;
  audit::Sequence began_ = 0;
  Use use_;

  mutable std::mutex mutex_;  // guards the next two
  std::shared_ptr<const pipeline::MappingSet> set_;
  MapStatistics statistics_;
  std::thread thread_;
};

}  // namespace fhir_adapter::app
