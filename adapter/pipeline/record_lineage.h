// Lineage of a mapped record: for each leaf of the output the elements of the record that it came from, the
// rules that made it and the rows of the ConceptMaps that were used.
//
// RecordMapping::Explain fills it by mapping the record with a LineageCollector listening; ordinary mapping
// does not know of it. Pure; one collector a record, used by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/node.h"
#include "fml/bundle_assembler.h"
#include "fml/lineage.h"
#include "rules/rule_engine.h"

namespace fhir_adapter::pipeline {

// An element of the record.
struct SourcePlace {
  std::string pointer;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const SourcePlace&) const = default;
};

struct RuleUse {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string group;
  std::string rule;
};

struct RowUse {
  std::string concept_map;  // url, or #name of one that stands in a map
  std::string file;
  std::uint32_t line = 0;  // 0: no row
  std::string source_system;
  std::string source_code;
  std::string target_system;
  std::string target_code;
  std::string policy;  // not empty: no row was there, and this policy of the ConceptMap gave the value
};

// One leaf of the output.
struct ElementLineage {
  std::string entry;     // "entry[3]"
  std::string resource;  // its type; empty for what stands beside the resource
  std::string identity;  // value of its identity
  std::string element;   // FHIRPath below the resource: "dosage.dose.value"; else below the entry: "fullUrl"
  // Who made it when no rule of a map did, or changed what a rule made: "assembler: identity", "rule MG-TOX".
  std::string added_by;
  std::vector<SourcePlace> sources;  // what its value was made of; else what the innermost rule ran for
  std::vector<RuleUse> rules;        // from the entry group down
  std::vector<RowUse> rows;
};

class LineageCollector final : public fml::LineageSink {
 public:
  void Made(const fml::LineageStep& step) override;
  void RuleRan(const fml::RulePlace&) override {}

  // Nodes below `tree` are no part of the record: they speak of `findings`, in their order.
  void Derive(const fhir::Node& tree, const std::vector<rules::Finding>& findings);
  // What the pipeline itself put into a resource.
  void Added(const fhir::Node& node, std::string_view by);

  // In the order of the output. Call while the trees live.
  std::vector<ElementLineage> Explain(const fml::Assembly& assembly, const fhir::Node& record,
                                      std::string_view pointer_prefix) const;

 private:
  friend class LineageWalk;
  struct Step {
    const fhir::Node* made = nullptr;
    const fhir::Node* parent = nullptr;
    std::string_view member;
    std::vector<const fhir::Node*> inputs;
    std::vector<const fhir::Node*> sources;  // innermost first
    std::vector<fml::RulePlace> rules;       // innermost first
    std::vector<fml::ConceptMapRow> rows;
  };
  struct Origin {
    std::string rule;
    std::vector<const fhir::Node*> places;
  };

  // A member of an object, or (with `made`) one value of it.
  struct Spot {
    const fhir::Node* parent = nullptr;
    std::string_view member;
    const fhir::Node* made = nullptr;

    bool operator==(const Spot&) const = default;
  };
  struct SpotHash {
    std::size_t operator()(const Spot& spot) const;
  };

  const Step* Find(const fhir::Node& node, const fhir::Node* holder, std::string_view member,
                   bool is_item) const;

  std::vector<Step> steps_;
  std::unordered_map<Spot, std::size_t, SpotHash> by_spot_;  // the last step there
  std::unordered_map<const fhir::Node*, std::size_t> by_made_;
  std::unordered_map<const fhir::Node*, std::size_t> loose_;
  std::unordered_map<const fhir::Node*, Origin> derived_;
  std::unordered_map<const fhir::Node*, std::string> added_;
};

}  // namespace fhir_adapter::pipeline
