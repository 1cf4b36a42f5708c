// OperationOutcome (FHIR R4) for what is wrong with a request. Texts hold no field values.
//
// Pure functions; thread-safe.
#pragma once

#include <string>

#include "core/issue.h"
#include "net/http_message.h"

namespace fhir_adapter::intake {

inline constexpr const char* kFhirJson = "application/fhir+json; charset=utf-8";

// With the code of the gravest HTTP status; that is the status too.
net::HttpResponse OperationOutcomeResponse(const Issues& issues);
net::HttpResponse OperationOutcomeResponse(const Error& error);
// What the server itself found.
net::HttpResponse OperationOutcomeResponse(const net::HttpProblem& problem);
// Nothing is wrong, for `Prefer: return=OperationOutcome`.
std::string AllOkJson();

}  // namespace fhir_adapter::intake
