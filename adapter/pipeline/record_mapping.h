// RecordMapping: one record through everything: read, constraints, map, rules, Provenance, assembly, output
// check.
//
// One per thread; it reuses its memory from record to record. Deterministic: the same record, facts and
// MappingSet give the same bytes. What is wrong with a record is in its issues, never an error of the
// operation.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"
#include "fml/mapper.h"
#include "outbox/delivery_plan.h"
#include "outbox/inbox.h"
#include "pipeline/mapping_set.h"
#include "pipeline/record_lineage.h"
#include "record/record_envelope.h"
#include "record/record_splitter.h"

namespace fhir_adapter::pipeline {

struct RecordFacts {
  bool has_store = false;      // false: rules that need a store are skipped with a note
  outbox::MappingFacts facts;  // what the store knows
};

enum class RecordForm : std::uint8_t {
  kBundle,     // one transaction Bundle
  kResources,  // a resource a line: id = uuid, references Type/{uuid}
  kIntended    // as the queue holds them
};

struct MappedRecord {
  Issues issues;                                   // any that is not a note: nothing else is filled in
  std::string bundle;                              // kBundle
  std::vector<std::string> resources;              // kResources
  std::vector<outbox::IntendedResource> intended;  // kIntended
  std::vector<std::string> firings;                // identifier values of the DetectedIssues
  record::RecordEnvelope envelope;                 // when the record could be read
  std::string fact;                                // for the rules of the patient's other records
  std::vector<fml::UnmappedCode> unmapped;         // whatever became of the record
};

class RecordMapping {
 public:
  explicit RecordMapping(std::shared_ptr<const MappingSet> set);
  ~RecordMapping();
  RecordMapping(RecordMapping&&) noexcept;

  MappedRecord Map(const record::RecordText& text, const RecordFacts& facts, RecordForm form,
                   const std::string& file = {});

  // Every map that runs from now on tells this sink, which must outlive the mapping; null: none.
  void Observe(fml::LineageSink* sink);
  fml::LineageSink* observer() const;

  // The same, and from where each leaf of the output came (not of kIntended's form, which is in parts; the
  // output is that of Map). Costs several times as much as Map.
  MappedRecord Explain(const record::RecordText& text, const RecordFacts& facts, RecordForm form,
                       const std::string& file, std::vector<ElementLineage>& lineage);

  const MappingSet& set() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fhir_adapter::pipeline
