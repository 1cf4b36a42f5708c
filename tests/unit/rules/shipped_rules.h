// The models and rules that are shipped, compiled once for a test program.
#pragma once

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "fhir/schema.h"
#include "rules/constraint_checker.h"
#include "rules/rule_set.h"
#include "unit/record/shipped_model.h"

namespace fhir_adapter::rules {

inline const fhir::Schema& ShippedSchema() {
  static const std::unique_ptr<fhir::Schema> schema = [] {
    auto extended = fhir::Schema::ExtendR4();
    Arena arena;
    for (const fhir::Node* file : record::ShippedModelFiles(arena)) {
      const bool is_value_set = file->Find("resourceType")->text == "ValueSet";
      const auto added =
          is_value_set ? extended->AddValueSet(*file) : extended->AddStructureDefinition(*file);
      EXPECT_TRUE(added.has_value()) << (added ? "" : ToString(added.error()));
    }
    return extended;
  }();
  return *schema;
}

inline const ConstraintChecker& ShippedConstraints() {
  static const ConstraintChecker checker = [] {
    auto built = ConstraintChecker::Build(record::ShippedModel(), ShippedSchema());
    if (!built) {
      ADD_FAILURE() << ToString(built.error());
      std::abort();
    }
    return std::move(built).value();
  }();
  return checker;
}

struct OwnedRuleFile {
  std::string path;
  std::string bytes;
};

inline std::vector<OwnedRuleFile> ShippedRuleFiles() {
  std::vector<OwnedRuleFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(record::SourcePath("mappings/rules"))) {
    if (entry.path().extension() != ".json") continue;
    files.push_back({entry.path().filename(), record::ReadFileBytes(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

inline Result<RuleSet> BuildRules(const std::vector<OwnedRuleFile>& files) {
  std::vector<RuleFile> views;
  for (const OwnedRuleFile& file : files) views.push_back({file.path, file.bytes});
  return RuleSet::Build(views, ShippedSchema(), "ProcedureRecord");
}

inline const RuleSet& ShippedRules() {
  static const RuleSet rules = [] {
    auto built = BuildRules(ShippedRuleFiles());
    if (!built) {
      ADD_FAILURE() << ToString(built.error());
      std::abort();
    }
    return std::move(built).value();
  }();
  return rules;
}

}  // namespace fhir_adapter::rules
