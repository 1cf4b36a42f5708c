// RuleCoverage: which rules of a set of maps, and which rows of the ConceptMaps, any record reached.
//
// Given to Mapper::Map as the lineage sink. Not thread-safe. It copies what it keeps, so that it may outlive
// mappers; places are compared by file, line and column.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "fml/lineage.h"
#include "fml/map_set.h"

namespace fhir_adapter::fml {

struct CoverageReport {
  std::size_t rules = 0;
  std::size_t rows = 0;
  std::vector<std::string> rules_missed;  // `file:line:column: group, rule`
  std::vector<std::string> rows_missed;   // `url: code`
};

class RuleCoverage : public LineageSink {
 public:
  void Made(const LineageStep& /*step*/) override {}
  void RuleRan(const RulePlace& rule) override;
  void Translated(std::span<const ConceptMapRow> rows) override;

  // Against all rules of the set, and all rows of the ConceptMaps that its maps translate with.
  CoverageReport Report(const MapSet& maps) const;

 private:
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> rules_;
  std::set<std::pair<std::string, std::string>> rows_;
};

}  // namespace fhir_adapter::fml
