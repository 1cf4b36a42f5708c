// DifferenceReport: shows what other maps would change, record by record, and counts it at the end. One for
// `map diff` and `remap`. What it shows is clinical.
//
//   mg-1.json: pain-clinic/MG-1 revision 1
//     Condition pain-clinic.MG-1.indication.CRPS-1: code.text: "CRPS" → "complex regional pain syndrome"
//   1 of 2 records changed
//        1  Condition.code.text
//
// With `json`: one object a changed record, {file, site, recordId, revision, resources: [{type, system,
// value, elements: [{path, before, after}]}], issues: [{path, before, after}]}, and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "pipeline/output_difference.h"

namespace fhir_adapter::app {

struct RecordDifference {
  std::string file;  // empty: the record stands in the store
  std::string site;
  std::string record_id;  // empty: could not be read
  std::int64_t revision = 0;
  std::vector<pipeline::ResourceDifference> resources;
  std::vector<fhir::ElementDifference> issues;

  bool is_empty() const { return resources.empty() && issues.empty(); }
};

class DifferenceReport {
 public:
  DifferenceReport(std::ostream& out, bool json) : out_(out), json_(json) {}

  void Add(const RecordDifference& record);
  // The counts: of records, then of elements, the most frequent first.
  void Finish() const;
  std::size_t changed() const { return changed_; }

 private:
  std::ostream& out_;
  bool json_;
  std::size_t records_ = 0;
  std::size_t changed_ = 0;
  std::map<std::string, std::size_t> counts_;  // by Type.path without indexes
};

}  // namespace fhir_adapter::app
