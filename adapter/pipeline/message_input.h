// What one HL7 v2 message asks the store to take: a record, or Observations about records.
//
// A value. What cannot be read of a message, what a check of the map refuses, and what would break FHIR R4 is
// kept, too, as long as it says whose it is: then it waits for a person, and the sender's correction takes
// its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/issue.h"
#include "pipeline/pushed_observation.h"
#include "pipeline/receive.h"

namespace fhir_adapter::pipeline {

struct MessageObservation {
  PushedObservation observation;                    // without issues
  std::optional<outbox::IdentifierToken> identity;  // nothing: it waits, and nobody can say which it is
};

struct MessageInput {
  // Of the message, with segment and column. When it is refused they say why, else they are notes and what
  // keeps it from being sent.
  Issues issues;
  bool is_refused = false;
  std::optional<InputRecord> record;
  std::vector<MessageObservation> observations;
};

}  // namespace fhir_adapter::pipeline
