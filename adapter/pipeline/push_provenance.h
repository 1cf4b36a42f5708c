// The Provenance of one version of an Observation that came in as such: which submission it is made from,
// when that came in, and what it does. Delivered with the Observation, as a record's is with what the record
// becomes.
//
// Pure; deterministic. Who wrote the Observation is in it itself (performer); nobody is made up. FHIR R4,
// Provenance.
#pragma once

#include <string_view>

#include "fhir/node.h"
#include "fhir/schema.h"
#include "outbox/inbox.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::pipeline {

outbox::IntendedResource MakePushProvenance(std::string_view subject_key, const fhir::Node& observation,
                                            const outbox::IntendedResource& intended,
                                            const outbox::MappingFacts& facts, const fhir::Schema& schema,
                                            const MappingSettings& settings);

}  // namespace fhir_adapter::pipeline
