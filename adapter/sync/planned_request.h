// How one entry of a plan is asked for, on every rung. Pure functions; thread-safe. FHIR R4 http.html#update,
// #create.
#pragma once

#include <string>

#include "sync/delivery_planner.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

// PUT, or POST of what the server is to name.
Method MethodOf(const PlannedEntry& entry);

// "Type/id", or of what is not known to be there "Type?identifier=…" or "Type".
std::string RequestUrl(const PlannedEntry& entry);

// The query of If-None-Exist; empty: none.
std::string IfNoneExist(const PlannedEntry& entry);

// The body as it travels: literal references, and an id exactly where the request names one.
std::string ServerForm(const PlannedEntry& entry, const Literals& literals);

// Refers to another resource of ours that is not known to be on the server.
bool HasOpenReference(const PlannedEntry& entry, const Literals& literals);

}  // namespace fhir_adapter::sync
