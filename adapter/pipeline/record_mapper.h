// RecordMapper: turns the bytes of a record into the resources intended for the server. The port between the
// pipeline and the maps with their rules.
//
// Map is called from several threads at once. It reads nothing but its arguments: the same bytes and facts
// give the same result.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"
#include "outbox/delivery_plan.h"
#include "outbox/inbox.h"

namespace fhir_adapter::pipeline {

struct MapOutput {
  Issues issues;  // any that is not a note quarantines the record
  std::string map_id;
  std::string map_version;
  std::string sex;         // as recorded; for the patient check
  std::string birth_date;  // likewise
  std::string recorded;
  std::vector<outbox::IntendedResource> resources;
  std::vector<std::string> firings;  // identifier values of the DetectedIssues that fire
  std::string fact;  // JSON that the rules of the patient's other records read; empty: nothing (voided)
};

class RecordMapper {
 public:
  virtual ~RecordMapper() = default;

  // `map`: that of the record's source, by name, url or path; empty: the set's own.
  virtual MapOutput Map(const std::string& map, std::string_view record,
                        const outbox::MappingFacts& facts) const = 0;
  // An Observation that the EHR pushed: checked and tied to the administration that it speaks of.
  virtual MapOutput MapObservation(std::string_view subject_key, std::string_view bytes,
                                   const outbox::MappingFacts& facts) const = 0;

  // SHA-256 of the map set and its bytes: maps, models, ConceptMaps, rules and the configuration they read.
  virtual std::string map_set_sha256() const = 0;
  virtual std::string map_set_bytes() const = 0;
  // Name and version of the engine's semantics, as it stands in the audit log.
  virtual std::string engine() const = 0;
};

}  // namespace fhir_adapter::pipeline
