// Compiles the JSON of settings and rules into CompiledRules. For rule_set.cc only.
//
// Every fault names file, line and column. Not thread-safe; used once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/node.h"
#include "rules/compiled_rules.h"

namespace fhir_adapter::rules::internal {

class RuleCompiler {
 public:
  RuleCompiler(CompiledRules& compiled, std::string_view record_type)
      : compiled_(compiled), record_type_(record_type) {}

  Result<void> CompileSettings(const fhir::Node& settings, const std::string& file);
  // After the settings.
  Result<void> CompileRule(const fhir::Node& rule, const std::string& file);

 private:
  struct TargetTemplate {
    std::string name;
    std::string resource;
    std::string system;
    const fhir::Node* value = nullptr;
  };
  using Variables = std::vector<fhirpath::Variable>;

  Failure Wrong(const fhir::Node& node, std::string message) const;
  // The member of a kind, or an error that names it.
  Result<const fhir::Node*> Member(const fhir::Node& node, std::string_view name, fhir::NodeKind kind) const;
  Result<std::string> Text(const fhir::Node& node, std::string_view name) const;
  Result<void> OnlyMembers(const fhir::Node& node, std::initializer_list<std::string_view> names) const;
  Result<Expression> Compile(const fhir::Node& text, const fhirpath::StaticType& context,
                             const Variables& variables) const;
  Result<Expression> CompileMember(const fhir::Node& node, std::string_view name,
                                   const fhirpath::StaticType& context, const Variables& variables) const;
  Result<std::vector<Binding>> CompileBindings(const fhir::Node* list, const fhirpath::StaticType& context,
                                               Variables& variables) const;
  Result<void> ReadTargets(const fhir::Node& settings);
  Result<void> CompileFact(const fhir::Node& fact);
  Result<void> CompileParameters(const fhir::Node& rule, Rule& compiled, Variables& variables);
  Result<fhirpath::Collection> ParameterValue(const fhir::Node& value, fhirpath::StaticType& type);
  Result<Check> CompileCheck(const fhir::Node& check, const fhir::Node* parameters,
                             Variables variables) const;
  Result<Case> CompileCase(const fhir::Node& node, const fhir::Node* parameters,
                           const fhirpath::StaticType& context, const Variables& variables) const;
  Result<std::vector<Target>> CompileTargets(const fhir::Node* list, const fhirpath::StaticType& context,
                                             const Variables& variables) const;
  Result<std::string> FillText(const fhir::Node& text, const fhir::Node* parameters) const;

  CompiledRules& compiled_;
  std::string_view record_type_;
  std::string file_;
  fhirpath::StaticType record_context_;
  Variables shared_;  // of the settings and before
  std::vector<TargetTemplate> targets_;
};

}  // namespace fhir_adapter::rules::internal
