// From the body of a FHIR request to what the PushReceiver takes: one Observation, or a Bundle of them.
//
// Pure; thread-safe. Errors are those of the JSON reader (with line and column), kLimit, kResourceInvalid and
// kNotSupported with a FHIRPath as pointer; what is wrong with an Observation stands in its issues. FHIR R4
// http.html#transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "pipeline/mapping_set.h"
#include "pipeline/pushed_observation.h"

namespace fhir_adapter::pipeline {

Result<PushedObservation> ReadPushBody(std::string_view body, const MappingSet& set);

struct PushBundleEntry {
  std::string method;         // as written; "POST", "PUT"
  std::string url;            // "Observation", "Observation/{id}", "Observation?identifier=…"
  std::string if_none_exist;  // empty: none
  std::string if_match;
  PushedObservation observation;
};

struct PushBundle {
  bool is_transaction = false;  // else a batch
  std::vector<PushBundleEntry> entries;
};
Result<PushBundle> ReadPushBundle(std::string_view body, const MappingSet& set);

}  // namespace fhir_adapter::pipeline
