// `fhir-adapter queue`: what waits for the server, and changing it.
#include <filesystem>
#include <future>
#include <unistd.h>
#include <utility>

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/http_call.h"
#include "app/local_user.h"
#include "app/queue_changes.h"
#include "app/queue_text.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

storage::SqliteStoreSettings StoreSettings(const Configuration& configuration) {
  storage::SqliteStoreSettings settings;
  settings.path = configuration.StorePath();
  return settings;
}

Result<void> PrintStatistics(outbox::SqliteBackend& backend, bool json, const Streams& streams) {
  return backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(const outbox::QueueStatistics statistics, backend.queue.Statistics(snapshot));
    streams.out << (json ? StatisticsJson(statistics) : StatisticsText(statistics));
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
    done = PrintStatistics(**backend, global.json, streams);
  } else if (options.action == "list") {
    done = PrintList(**backend, options, global.json, streams);
  } else {
    done = PrintDetail(**backend, options.ids.front(), global.json, streams);
  }
  return done ? kExitDone : Report(done.error(), streams);
}

// Through the daemon that owns the store, or, when none runs, with the store's lock.
Result<std::vector<QueueChangeResult>> MakeChange(const Configuration& configuration,
                                                  const QueueChange& change) {
  HttpCall call;
  call.unix_socket_path = ControlSocketPath(configuration);
  if (std::filesystem::exists(call.unix_socket_path)) {
    call.method = "POST";
    call.url = "http://localhost/control/queue";
    call.content_type = "application/json";
    call.body = ToJson(change);
    const auto answer = Perform(call);
    if (answer) return ParseQueueChangeResults(answer->body);
    if (answer.error().code != Code::kUnreachable) return Fail(answer.error());
  }
  ADAPTER_TRY(const std::unique_ptr<outbox::SqliteBackend> backend,
              outbox::OpenSqliteBackend(StoreSettings(configuration), SystemRandom()));
  std::promise<std::vector<QueueChangeResult>> results;
  ApplyQueueChange(change, LocalUser(), SystemClock().Now(), *backend->store, backend->outbox,
                   [&results](std::vector<QueueChangeResult> done) { results.set_value(std::move(done)); });
  return results.get_future().get();
}

}  // namespace

int RunQueue(const GlobalOptions& global, const QueueOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  if (!IsQueueChange(options.action)) return Look(*configuration, global, options, streams);
  const auto results = MakeChange(*configuration, {options.action, options.ids, options.reason});
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
