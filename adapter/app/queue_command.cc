// `fhir-adapter queue`: what waits for the server, and changing it.
#include "app/change_call.h"
#include "app/commands.h"
#include "app/queue_text.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

Result<void> PrintStatistics(outbox::SqliteBackend& backend, const Configuration& configuration, bool json,
                             const Streams& streams) {
  const Result<EndpointState> endpoint = AskEndpointState(configuration);
  const Result<DiskUse> disk = MeasureDisk(*backend.store, DiskPlacesOf(configuration));
  return backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(const outbox::QueueStatistics statistics, backend.queue.Statistics(snapshot));
    streams.out << (json ? StatisticsJson(statistics, endpoint, disk)
                         : StatisticsText(statistics, endpoint, disk));
    return {};
  });
}

Result<void> PrintList(outbox::SqliteBackend& backend, const QueueOptions& options, bool json,
                       const Streams& streams) {
  outbox::QueueFilter filter;
  if (!options.state.empty()) {
    filter.state = outbox::WorkStateFromName(options.state);
    if (!filter.state)
      return Fail(Code::kUsage, "unknown state '" + options.state + "'; `queue stats` lists them");
  }
  return backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    if (!json) streams.out << EntryTableHead();
    do {
      ADAPTER_TRY(const outbox::QueuePage page, backend.queue.List(snapshot, filter));
      for (const outbox::QueueEntry& entry : page.entries)
        streams.out << (json ? EntryJson(entry) : EntryText(entry));
      filter.after = page.next;
    } while (!filter.after.empty());
    return {};
  });
}

Result<void> PrintDetail(outbox::SqliteBackend& backend, const std::string& id, bool json,
                         const Streams& streams) {
  return backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(const outbox::QueueDetail detail, backend.queue.Show(snapshot, outbox::WorkId{id}));
    streams.out << (json ? DetailJson(detail) : DetailText(detail));
    return {};
  });
}

int Look(const Configuration& configuration, const GlobalOptions& global, const QueueOptions& options,
         const Streams& streams) {
  auto backend = outbox::OpenSqliteBackendReadOnly(StoreSettings(configuration), SystemRandom());
  if (!backend) return Report(backend.error(), streams);
  Result<void> done;
  if (options.action == "stats") {
    done = PrintStatistics(**backend, configuration, global.json, streams);
  } else if (options.action == "list") {
    done = PrintList(**backend, options, global.json, streams);
  } else {
    done = PrintDetail(**backend, options.ids.front(), global.json, streams);
  }
  return done ? kExitDone : Report(done.error(), streams);
}

}  // namespace

int RunQueue(const GlobalOptions& global, const QueueOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  if (!IsQueueChange(options.action)) return Look(*configuration, global, options, streams);
  const std::string decision = options.ours ? "ours" : options.theirs ? "theirs" : "";
  const auto results = MakeChange(
      *configuration, QueueChange{options.action, options.ids, options.reason, options.patient, decision});
  if (!results) return Report(results.error(), streams);
  if (global.json) streams.out << ToJson(*results) << "\n";
  int status = kExitDone;
  for (const QueueChangeResult& result : *results) {
    if (!result.done) {
      streams.err << result.id << ": " << result.message << "\n";
      status = kExitRejected;
    } else if (!global.json) {
      streams.out << result.id << ": " << options.action << " done\n";
    }
  }
  return status;
}

}  // namespace fhir_adapter::app
