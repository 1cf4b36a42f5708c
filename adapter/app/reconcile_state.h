// How far a `reconcile` has come, kept beside the store after each page, so that one that was killed goes on
// where it was. Holds identifiers, places and element paths, no clinical values and no patient number.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/reconciler.h"

namespace fhir_adapter::app {

struct ReconcileState {
  std::string scope;  // a hash of what was asked for: another question begins anew
  sync::ReconcileProgress progress;
  std::vector<sync::Difference> differences;
};

std::string ToJson(const sync::Difference& difference);  // as `reconcile --json` prints it
std::string ToJson(const ReconcileState& state);
Result<ReconcileState> ParseReconcileState(std::string_view json);

// Replaces the file in one step; only its owner may read it. Error kInputOutput.
Result<void> SaveReconcileState(const std::string& file, const ReconcileState& state);
// The kept state when there is one of this scope, else a new one.
ReconcileState LoadReconcileState(const std::string& file, const std::string& scope);

}  // namespace fhir_adapter::app
