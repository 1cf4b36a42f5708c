// The FHIR routes by which the EHR pushes outcome observations: POST and PUT of Observation, GET of our copy,
// transaction and batch Bundles, and the CapabilityStatement.
//
// Handlers read and check on the I/O thread (bounded by the body limit) and hand the rest to the
// PushReceiver; the answer is sent after the commit. What they refer to must outlive the server. FHIR R4
// http.html.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/router.h"
#include "outbox/pushed_observations.h"
#include "pipeline/mapping_set.h"
#include "pipeline/push_receiver.h"
#include "storage/transaction.h"

namespace fhir_adapter::intake {

struct ObservationRoutesContext {
  std::shared_ptr<const pipeline::MappingSet> set;  // shared with the mapper: the set at start
  pipeline::PushReceiver& receiver;
  storage::Store& store;
  outbox::PushedObservations& pushed;
  std::string software_version;
};

std::vector<net::Route> ObservationRoutes(ObservationRoutesContext context);

}  // namespace fhir_adapter::intake
