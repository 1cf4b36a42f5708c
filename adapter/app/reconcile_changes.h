// What `reconcile` has changed: repairs, and versions adopted after a restore. One implementation for the
// daemon's control socket and for the command that finds no daemon.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/queue_changes.h"
#include "sync/reconciler.h"

namespace fhir_adapter::app {

struct ReconcileChange {
  std::string reason;
  std::vector<outbox::Repair> repairs;
  std::vector<outbox::Adoption> adoptions;
};

// A work for each record; results are named by its key. As ApplyQueueChange.
void ApplyReconcileChange(ReconcileChange change, const Principal& actor, TimeUs now, storage::Store& store,
                          outbox::Outbox& outbox, QueueChangeDone done);

std::string ToJson(const ReconcileChange& change);
Result<ReconcileChange> ParseReconcileChange(std::string_view json);

// A repair for each record of which something is missing or doubled.
std::vector<outbox::Repair> RepairsOf(const std::string& endpoint,
                                      const std::vector<sync::Difference>& differences);

}  // namespace fhir_adapter::app
