#include "app/change_call.h"

#include <filesystem>
#include <future>
#include <utility>

#include "app/control_socket.h"
#include "app/http_call.h"
#include "app/local_user.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kAnswerTimeoutMs = 300'000;

}  // namespace

storage::SqliteStoreSettings StoreSettings(const Configuration& configuration) {
  storage::SqliteStoreSettings settings;
  settings.path = configuration.StorePath();
  return settings;
}

Result<std::vector<QueueChangeResult>> MakeChange(const Configuration& configuration, const std::string& path,
                                                  const std::string& body, const ApplyChange& apply) {
  HttpCall call;
  call.unix_socket_path = ControlSocketPath(configuration);
  if (std::filesystem::exists(call.unix_socket_path)) {
    call.method = "POST";
    call.url = "http://localhost" + path;
    call.content_type = "application/json";
    call.body = body;
    call.timeout_ms = kAnswerTimeoutMs;
    const auto answer = Perform(call);
    if (answer) return ParseQueueChangeResults(answer->body);
    if (answer.error().code != Code::kUnreachable) return Fail(answer.error());
  }
  ADAPTER_TRY(const std::unique_ptr<outbox::SqliteBackend> backend,
              outbox::OpenSqliteBackend(StoreSettings(configuration), SystemRandom()));
  std::promise<std::vector<QueueChangeResult>> results;
  apply(*backend, [&results](std::vector<QueueChangeResult> done) { results.set_value(std::move(done)); });
  return results.get_future().get();
}

Result<std::vector<QueueChangeResult>> MakeChange(const Configuration& configuration,
                                                  const QueueChange& change) {
  return MakeChange(configuration, "/control/queue", ToJson(change),
                    [&change](outbox::SqliteBackend& backend, QueueChangeDone done) {
                      ApplyQueueChange(change, LocalUser(), SystemClock().Now(), *backend.store,
                                       backend.outbox, std::move(done));
                    });
}

bool ReportFailed(const std::vector<QueueChangeResult>& results, const Streams& streams) {
  bool all = true;
  for (const QueueChangeResult& result : results) {
    if (result.done) continue;
    streams.err << result.id << ": " << result.message << "\n";
    all = false;
  }
  return all;
}

}  // namespace fhir_adapter::app
