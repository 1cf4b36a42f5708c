// IssueMaker: makes DetectedIssues of what the rules found, with the map `detected-issue` of the map set.
//
//   IssueMaker maker(maps);                                     // one per thread
//   const IssueEntries issues = maker.Make(outcome.findings, record_key, patient_mrn);
//   Assembly assembly = fml::AssembleBundle(mapping, issues.entries, …);   // beside the record's own entries
//
// The entries live until the next Make or the end of the maker. References to what an issue is about are
// identities, which the assembler turns into the fullUrls of the record's entries.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "core/result.h"
#include "fml/bundle_assembler.h"
#include "fml/map_set.h"
#include "fml/mapper.h"
#include "rules/rule_engine.h"

namespace fhir_adapter::rules {

struct IssueEntries {
  std::vector<fml::ExtraEntry> entries;  // in the order of the findings
  Issues issues;                         // why there are no entries: a fault of the map
};

class IssueMaker {
 public:
  static constexpr std::string_view kMapName = "DetectedIssue";

  // An error when the set has no map of that name.
  static Result<IssueMaker> Create(std::shared_ptr<const fml::MapSet> maps);

  IssueEntries Make(const std::vector<Finding>& findings, std::string_view record_key,
                    std::string_view patient_mrn);

 private:
  explicit IssueMaker(std::shared_ptr<const fml::MapSet> maps);

  fml::Mapper mapper_;
  const fml::MapInfo* map_ = nullptr;
  Arena arena_;  // of the findings' tree
};

}  // namespace fhir_adapter::rules
