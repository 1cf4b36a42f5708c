// LineageSink: learns from which source elements, by which rules and by which ConceptMap rows each element of
// the target was made. Used by `map explain` and `trace`, which map the stored record again; ordinary mapping
// runs an executor that has no observer compiled in.
//
// Called synchronously from Mapper::Map, in the order of creation. Views are valid until the next call.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fhir/node.h"

namespace fhir_adapter::fml {

struct RulePlace {
  std::string_view file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string_view group;
  std::string_view rule;  // its name, given or made
};

struct ConceptMapRow {
  std::string_view url;
  std::string_view file;   // of the row
  std::uint32_t line = 0;  // of the row; 0: no row was there
  std::string_view source_system;
  std::string_view source_code;
  std::string_view target_system;
  std::string_view target_code;
  std::string_view policy;  // not empty: no row was there, and this policy gave the value
  // No policy and no target code: the row says that there is no target.

  bool operator==(const ConceptMapRow&) const = default;
};

// One element of the target.
struct LineageStep {
  // The value; find its place in the finished tree by identity. Null: a primitive that has no value, only
  // extensions.
  const fhir::Node* made = nullptr;
  const fhir::Node* parent = nullptr;  // the object it was put into; null for a free-standing value
  std::string_view member;             // JSON name in the parent
  // Elements of the source that the transform was given or gave, up to limits::kLineageInputsMax.
  std::span<const fhir::Node* const> inputs;
  std::span<const fhir::Node* const> sources;  // of the rule and those around it, innermost first
  std::span<const RulePlace> rules;            // innermost first
  std::span<const ConceptMapRow> rows;         // of a translate
};

class LineageSink {
 public:
  virtual ~LineageSink() = default;
  virtual void Made(const LineageStep& step) = 0;
  // A rule ran (its sources matched); for coverage.
  virtual void RuleRan(const RulePlace& rule) = 0;
  // A translate asked these rows, whatever became of its answer; for coverage.
  virtual void Translated(std::span<const ConceptMapRow> rows) { (void)rows; }
};

}  // namespace fhir_adapter::fml
