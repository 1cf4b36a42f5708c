// EndpointState: how the daemon sends to the FHIR server now, for `queue stats`, which asks the daemon for it
// over the control socket.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "app/configuration.h"
#include "net/router.h"
#include "sync/sync_statistics.h"

namespace fhir_adapter::app {

struct EndpointState {
  std::string rung;         // transaction, batch, single
  std::string rung_reason;  // see sync::RungReason
  std::string route;        // see sync::RouteState
  std::string trouble;      // a code; empty: none
  std::string software;     // as the server names itself; empty: it was not asked yet
  std::string posted;       // "AdverseEvent (listed), …": types whose new resources the server names, and why
  std::string audit_events;  // see sync::AuditEventState
  std::int64_t limit = 0;    // patients that may be sent at a time now
  std::int64_t in_flight = 0;
};

EndpointState EndpointStateOf(const sync::SyncStatistics& statistics);

std::string ToJson(const EndpointState& state);
std::string ToText(const EndpointState& state);
Result<EndpointState> ParseEndpointState(std::string_view json);

// GET /control/endpoint. `statistics` gives nothing when nothing is sent.
net::Route EndpointControlRoute(std::function<std::optional<sync::SyncStatistics>()> statistics);

// Asks the daemon of this store. Errors: kUnreachable (none runs), kNotFound (it sends nothing).
Result<EndpointState> AskEndpointState(const Configuration& configuration);

}  // namespace fhir_adapter::app
