// How one entry of a plan is asked for, on every rung. Pure functions; thread-safe. FHIR R4 http.html#update.
#pragma once

#include <string>

#include "sync/delivery_planner.h"

namespace fhir_adapter::sync {

// "Type/id", or "Type?identifier=…" of what is not known to be there. The method is PUT.
std::string UpdateUrl(const PlannedEntry& entry);

// The body as it travels: literal references, and an id exactly where the request names one.
std::string ServerForm(const PlannedEntry& entry, const Literals& literals);

// Refers to another resource of ours that is not known to be on the server.
bool HasOpenReference(const PlannedEntry& entry, const Literals& literals);

}  // namespace fhir_adapter::sync
