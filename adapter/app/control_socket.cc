#include "app/control_socket.h"

#include <filesystem>
#include <utility>

#include "app/queue_changes.h"
#include "app/reconcile_changes.h"
#include "core/limits.h"

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kBodyBytesMax = 1'000'000;
constexpr std::size_t kReconcileBodyBytesMax = limits::kResourceBytesMax;

QueueChangeDone Answer(const std::function<void()>& changed, const net::Responder& responder) {
  return [changed, responder](const std::vector<QueueChangeResult>& results) {
    changed();
    responder.Send(net::HttpResponse::WithBody(200, "application/json", ToJson(results)));
  };
}

}  // namespace

std::string ControlSocketPath(const Configuration& configuration) {
  return (std::filesystem::path(configuration.StorePath()).parent_path() / "control.sock").string();
}

std::vector<net::Route> ControlRoutes(storage::Store& store, outbox::Outbox& outbox, Clock& clock,
                                      std::function<void()> changed) {
  std::function<void()> after = changed;
  net::Route change{"POST", "/control/queue", {Role::kOperator}, false, {}, kBodyBytesMax};
  change.handler = [&store, &outbox, &clock, changed = std::move(changed)](const net::HttpRequest& request,
                                                                           const net::Responder& responder) {
    auto parsed = ParseQueueChange(request.body);
    if (!parsed) {
      responder.Send(parsed.error());
      return;
    }
    ApplyQueueChange(*parsed, request.principal, clock.Now(), store, outbox, Answer(changed, responder));
  };
  net::Route reconcile{"POST", "/control/reconcile", {Role::kOperator}, false, {}, kReconcileBodyBytesMax};
  reconcile.handler = [&store, &outbox, &clock, after = std::move(after)](const net::HttpRequest& request,
                                                                          const net::Responder& responder) {
    auto parsed = ParseReconcileChange(request.body);
    if (!parsed) {
      responder.Send(parsed.error());
      return;
    }
    ApplyReconcileChange(std::move(*parsed), request.principal, clock.Now(), store, outbox,
                         Answer(after, responder));
  };
  return {change, reconcile};
}

}  // namespace fhir_adapter::app
