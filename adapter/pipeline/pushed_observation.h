// One Observation that the EHR pushes: read and checked, tied to the administration that it speaks of, shown
// again.
//
// Read fills in what the store needs; Map makes of a stored one, with what of the patient is on the server,
// the resource for the server; Show is the body of GET. Pure but for the arena; deterministic; thread-safe
// when each thread has an arena of its own. Places in issues are FHIRPaths below `Observation`; messages hold
// no value. FHIR R4, Observation and http.html.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "fhir/node.h"
#include "fhir/schema.h"
#include "outbox/inbox.h"
#include "outbox/pushed_observations.h"
#include "pipeline/mapping_set.h"
#include "pipeline/record_mapper.h"

namespace fhir_adapter::pipeline {

struct PushedObservation {
  Issues issues;  // any: nothing else need be filled in
  std::string body_id;
  std::string bytes;           // without id, version and what is ours
  std::string content_sha256;  // of these bytes' content
  std::string status;
  std::vector<outbox::PushedIdentifier> identifiers;
  // The patient: by MRN, or as "Patient/x" of the endpoint.
  std::string mrn;
  std::string patient;
  std::vector<outbox::ReferenceName> about;  // of focus and partOf: procedures and administrations
};

// Writes into a resource why it must not be sent: its source could not be read whole. It is stored like any
// other, waits for a person with these reasons, and a next version takes its place.
void MarkUnread(fhir::Node& resource, const Issues& reasons, const MappingSettings& settings, Arena& arena);

// Changes `resource`: takes out of it what is not the EHR's.
PushedObservation ReadPushedObservation(fhir::Node& resource, const fhir::Schema& schema,
                                        const MappingSettings& settings);

// One that a map of ours made. What breaks FHIR R4 in it goes to `reasons`, and it is marked with all of
// them; it has issues only when it is no Observation or names no patient.
PushedObservation ReadMadeObservation(fhir::Node& resource, Issues& reasons, const fhir::Schema& schema,
                                      const MappingSettings& settings, Arena& arena);

// `subject_key` is also the value of our identifier. Not tied: an issue unresolved-link (held).
MapOutput MapPushedObservation(std::string_view subject_key, std::string_view bytes,
                               const outbox::MappingFacts& facts, const fhir::Schema& schema,
                               const MappingSettings& settings);

// The resource as GET gives it: with id, version, our identifier, and the state of its delivery as meta.tag.
std::string ShowPushedObservation(const outbox::PushedVersion& version, const fhir::Schema& schema,
                                  const MappingSettings& settings);

}  // namespace fhir_adapter::pipeline
