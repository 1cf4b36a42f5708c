// RunRules: the plausibility rules on one record. They never stop a record: what they find becomes a
// DetectedIssue, what they cannot judge becomes a note.
//
// Pure; a RuleSet may be used from several threads, each with an arena of its own. The same record and facts
// give the same outcome.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "core/limits.h"
#include "fhir/node.h"
#include "rules/rule_set.h"

namespace fhir_adapter::rules {

// An issue that fired on an earlier revision of the record.
struct PastFiring {
  std::string identifier;  // value of the DetectedIssue's identifier
  std::string recorded;    // of the revision on which it first fired
};

// What the store knows of the patient.
struct PatientFacts {
  bool known = false;                      // false: there is no store; rules that need one are skipped
  std::vector<std::string> other_records;  // RuleOutcome::fact of the patient's other records
  std::vector<PastFiring> firings;         // of this record
};

struct RuleRequest {
  const fhir::Node* record = nullptr;  // without issues that reject or quarantine
  std::string_view record_key;         // {site}.{recordId}, escaped; `.p2` and so on included
  std::string_view patient_suffix;     // ".p2", … or empty
  const PatientFacts* facts = nullptr;
  std::string_view pointer_prefix;  // of the record in its array
  std::string_view file;
  std::uint64_t steps_max = limits::kRuleStepsMax;  // of all rules together; beyond it they are skipped
};

// A resource named by its identity.
struct NamedResource {
  std::string resource;  // "MedicationAdministration"
  std::string system;    // "it-administration": last part of the identifier system
  std::string value;

  bool operator==(const NamedResource&) const = default;
};

struct Finding {
  std::string identifier;  // {record_key}.{ruleId}[.{suffix}]
  std::string rule_id;
  std::string rule_version;
  std::string status = "final";
  std::string system;  // of the code; empty: the local code system
  std::string code;
  std::string severity;
  std::string text;
  std::string identified;  // instant
  std::vector<NamedResource> implicated;
  std::vector<NamedResource> evidence;
  std::vector<const fhir::Node*> places;  // the elements of the record that it fired on
};

struct RuleOutcome {
  std::vector<Finding> findings;  // by rule id, then in the order of the record
  // rule-skipped, one for each cause. The one about a missing store is the same for every record and has no
  // pointer; a run over many records shows it once.
  Issues notes;
  std::string fact;  // JSON for the patient's other records; empty: nothing they could use
};

RuleOutcome RunRules(const RuleSet& rules, const RuleRequest& request, Arena& arena);

// The findings as an instance of the logical model RuleFindings, for the map that makes DetectedIssues.
fhir::Node* FindingsTree(const std::vector<Finding>& findings, std::string_view record_key,
                         std::string_view patient_mrn, Arena& arena);

}  // namespace fhir_adapter::rules
