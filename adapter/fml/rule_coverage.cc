#include "fml/rule_coverage.h"

namespace fhir_adapter::fml {

void RuleCoverage::Translated(std::span<const ConceptMapRow> rows) {
  for (const ConceptMapRow& row : rows) rows_.emplace(row.url, row.source_code);
}

void RuleCoverage::RuleRan(const RulePlace& rule) {
  rules_.emplace(rule.file, rule.line, rule.column);
}

CoverageReport RuleCoverage::Report(const MapSet& maps) const {
  CoverageReport report;
  for (const RulePlace& rule : maps.Rules()) {
    ++report.rules;
    if (rules_.contains({std::string(rule.file), rule.line, rule.column})) continue;
    report.rules_missed.push_back(std::string(rule.file) + ":" + std::to_string(rule.line) + ":" +
                                  std::to_string(rule.column) + ": group " + std::string(rule.group) +
                                  ", rule " + std::string(rule.rule));
  }
  for (const auto& [url, code] : maps.TranslatedCodes()) {
    ++report.rows;
    if (rows_.contains({url, code})) continue;
    report.rows_missed.push_back(url + ": " + code);
  }
  return report;
}

}  // namespace fhir_adapter::fml
