// MappingSet: everything that a record is read, checked and mapped with: the maps and code tables, the
// record's model with its constraints, and the plausibility rules. Compiled together, named by one hash,
// exchanged together.
//
// Immutable after Build and free to be shared by threads (shared_ptr: a reload replaces the current set while
// records still run through the old one). It reads no file: the caller gives paths and bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "fml/map_set.h"
#include "record/record_model.h"
#include "rules/constraint_checker.h"
#include "rules/rule_set.h"

namespace fhir_adapter::pipeline {

struct MappingSettings {
  std::string map = "procedure-record";  // name, url or path of the record's map
  std::string canonical_base = "https://clinic.example/fhir";
  std::string site;
  // Empty: not configured. The maps see an empty collection.
  std::string patient_identifier_system;
  std::string practitioner_identifier_system;
  std::string encounter_identifier_system;
  // For pushed Observations: the server on which what they speak of stands, and how long after an
  // administration one that does not name it may still speak of it. 0: it has to name it.
  std::string endpoint;
  std::int64_t link_window_h = 0;
};

// What maps are compiled with: the values of the configuration and the variables of a record that they may
// name.
fml::MapSetOptions MapSetOptionsOf(const MappingSettings& settings);

class MappingSet {
 public:
  // Null when a finding is an error. Findings are those of the maps, then of model, constraints and rules.
  static std::shared_ptr<const MappingSet> Build(std::vector<fml::SourceFile> files,
                                                 const MappingSettings& settings,
                                                 std::vector<fml::Finding>& findings);

  // The set that Bytes() gave, under the name that it had: for a replay. kIntegrity: these are other bytes.
  static Result<std::shared_ptr<const MappingSet>> FromBytes(std::string_view bytes, std::string_view name,
                                                             const std::string& map);

  // The same maps and configuration under the same name, for the records of another map; nothing is compiled
  // twice but what belongs to that map's record model. Null when a finding is an error.
  std::shared_ptr<const MappingSet> ForMap(const std::string& map, std::vector<fml::Finding>& findings) const;

  const MappingSettings& settings() const { return settings_; }
  const std::shared_ptr<const fml::MapSet>& maps() const { return maps_; }
  const fml::MapInfo& record_map() const { return *record_map_; }
  const fml::MapInfo* provenance_map() const { return provenance_map_; }  // null: the set has none
  const fml::MapInfo& issue_map() const { return *issue_map_; }  // findings of the rules to DetectedIssues
  const record::RecordModel& model() const { return *model_; }
  // Whether the model has what the store has to know of a record. Without, documents are mapped and no more:
  // no rules, no Provenance, no store.
  bool has_envelope() const { return has_envelope_; }
  const rules::ConstraintChecker& constraints() const { return *constraints_; }
  const rules::RuleSet& rules() const { return *rules_; }
  // SHA-256 over files and configuration.
  const std::string& name() const { return maps_->name(); }
  // The files and the configuration in one text, to be stored under the name and read again for a replay.
  std::string Bytes() const;

 private:
  MappingSet() = default;
  // False, with the finding: there is no such map, or its model or rules have errors.
  bool Select(std::vector<fml::Finding>& findings);
  Result<void> BuildModel();
  Result<void> BuildRules();

  MappingSettings settings_;
  std::shared_ptr<const fml::MapSet> maps_;  // shared with the Mappers of threads
  const fml::MapInfo* record_map_ = nullptr;
  const fml::MapInfo* provenance_map_ = nullptr;
  const fml::MapInfo* issue_map_ = nullptr;
  std::unique_ptr<record::RecordModel> model_;
  bool has_envelope_ = false;
  std::unique_ptr<rules::ConstraintChecker> constraints_;
  std::unique_ptr<rules::RuleSet> rules_;
};

}  // namespace fhir_adapter::pipeline
