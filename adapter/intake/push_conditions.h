// What the head of a push says: which resource, under which condition, and what is wanted back.
//
// Pure functions; thread-safe. FHIR R4 http.html#ccreate, #cond-update, #concurrency, #return.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "pipeline/push_receiver.h"

namespace fhir_adapter::intake {

struct Target {
  std::string method;         // "POST" or "PUT"
  std::string id;             // of a PUT; empty: by `query`
  std::string query;          // as sent
  std::string if_none_exist;  // a query; empty: none
  std::string if_match;       // an entity tag; empty: none
};

// Of an entry of a Bundle. Errors: kNotSupported.
Result<Target> ReadTarget(std::string_view method, std::string_view url);

// Errors: kUsage for a condition that cannot be read, kNotSupported for a search by something else than an
// identifier, kResourceInvalid when the body names another id.
Result<pipeline::PushRequest> MakePushRequest(const Target& target, pipeline::PushedObservation observation);

// `identifier=system|value`, with `\` before a bar that does not separate.
Result<outbox::IdentifierToken> ReadIdentifierSearch(std::string_view query);

enum class Preference { kRepresentation, kMinimal, kOperationOutcome };
Preference ReadPreference(std::string_view prefer);

}  // namespace fhir_adapter::intake
