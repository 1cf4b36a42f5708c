// The control socket: how commands change the store that a running daemon owns. HTTP over a Unix-domain
// socket of mode 0600 beside the store; the peer's user is the actor of the audit log.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "core/clock.h"
#include "net/router.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::app {

std::string ControlSocketPath(const Configuration& configuration);

// POST /control/queue and /control/reconcile. `changed` is called after a change, to wake who waits for work.
std::vector<net::Route> ControlRoutes(storage::Store& store, outbox::Outbox& outbox, Clock& clock,
                                      std::function<void()> changed);

}  // namespace fhir_adapter::app
