// What a RuleSet holds: the resolved expressions of each rule. For rule_set.cc and rule_engine.cc only.
//
// Variables have slots. All rules share the first ones (record, recordKey, patientSuffix, others, then those
// of the settings); after them come the parameters of a rule, and after those the `let` names of one check.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhirpath/fhirpath.h"
#include "rules/rule_set.h"

namespace fhir_adapter::rules::internal {

using fhirpath::Expression;

// Slots that every rule has.
enum Slot : std::size_t { kRecord, kRecordKey, kPatientSuffix, kOthers, kFirstSetting };

struct Binding {
  std::string name;
  Expression value;
};

// A resource that an issue speaks of: one for each item of `of` (the check's own item when that is absent).
struct Target {
  std::string resource;
  std::string system;
  std::optional<Expression> of;
  Expression value;
};

struct Skip {
  Expression when;
  std::string reason;
  Expression at;  // where the note points
};

struct Case {
  Expression when;
  std::string system;  // empty: a local code
  std::string code;
  std::string severity;
  std::string text;
};

struct Check {
  std::optional<Expression> each;  // `for`; absent: the record itself
  std::vector<Binding> lets;
  std::optional<Expression> when;
  std::vector<Skip> skips;
  std::vector<Case> cases;
  std::optional<Expression> suffix;
  std::vector<Target> implicated;
  std::vector<Target> evidence;
};

struct Rule {
  RuleInfo info;
  std::vector<fhirpath::Collection> parameters;
  // Whether the rule needs what the store knows of the patient, in a record it is asked about.
  std::optional<Expression> needs_others;
  std::vector<Check> checks;
};

struct Fact {
  Expression when;
  Expression rows;
  std::vector<Binding> members;
  const fhir::TypeInfo* type = nullptr;
};

struct CompiledRules {
  const fhir::Schema* schema = nullptr;
  const fhir::TypeInfo* record_type = nullptr;
  Arena arena;  // of the parameters' values and texts
  Expression runs_when;
  std::vector<Binding> settings;
  Fact fact;
  std::vector<Rule> rules;
  std::vector<RuleInfo> infos;
};

}  // namespace fhir_adapter::rules::internal
