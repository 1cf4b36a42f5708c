// Linker: turns one map and what it imports into a plan, and says what is wrong with it.
//
// Internal to adapter/fml. Used by MapSet::Compile, once for each map. A group without types is planned once
// for each set of types it is called with, so that its plan is as fast as that of a typed one.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fml/linked_set.h"
#include "fml/transforms.h"

namespace fhir_adapter::fml::internal {

// What is known of a value before the map runs.
struct ValueType {
  const fhir::TypeInfo* type = nullptr;  // when there is exactly one
  fhirpath::StaticType path_type;        // for expressions

  static ValueType Unknown() { return {}; }
  static ValueType Of(const fhir::TypeInfo& type) { return {&type, fhirpath::StaticType::Of(type)}; }
};

class Linker {
 public:
  Linker(LinkedSet& set, LinkedMap& linked, const MapSetOptions& options, std::vector<Finding>& findings)
      : set_(set), linked_(linked), options_(options), findings_(findings) {}

  void Link();

 private:
  struct Variable {
    std::string name;
    ValueType type;
    bool is_target = false;
    std::uint32_t slot = 0;
  };

  // A group that is being planned. Variables are in order of declaration; a later one hides an earlier.
  struct Scope {
    const LoadedMap* map = nullptr;
    const ast::Group* group = nullptr;
    plan::GroupPlan* plan = nullptr;
    std::vector<Variable> variables;
    std::vector<std::string> share_ids;
    ValueType focus;  // $this of the targets
  };

  struct Instance {
    const LoadedMap* map = nullptr;
    const ast::Group* group = nullptr;
    std::vector<ValueType> types;
    std::vector<const fhir::TypeInfo*> key;
    plan::GroupPlan* plan = nullptr;
    bool is_planned = false;
  };

  // linker.cc: the map, its globals, its groups.
  void CheckUses();
  void CollectGlobals();
  void CollectDefaultGroups();
  void PlanGroup(Instance& instance);
  void PlanBase(Scope& scope, const Instance& instance);
  void PlanEntry();
  plan::GroupPlan* InstanceOf(const LoadedMap& map, const ast::Group& group,
                              const std::vector<ValueType>& types);
  struct FoundGroup {
    const LoadedMap* map = nullptr;
    const ast::Group* group = nullptr;
  };
  FoundGroup FindGroup(const LoadedMap& from, std::string_view name) const;
  std::vector<std::string_view> GroupNames(const LoadedMap& from) const;
  const fhir::TypeInfo* FindType(const LoadedMap& map, std::string_view name) const;
  const fhir::TypeInfo* ResolveType(const LoadedMap& map, std::string_view name, ast::Position at);

  // rule_linker.cc: rules, sources, calls.
  void PlanRules(const std::vector<ast::Rule>& rules, Scope& scope, std::vector<plan::Rule>& out);
  void PlanRule(const ast::Rule& rule, Scope& scope, std::vector<plan::Rule>& out);
  void PlanIdentityFields(const ast::Rule& rule, Scope& scope, std::vector<plan::Rule>& out);
  void PlanCopy(const ast::Rule& rule, Scope& scope, plan::Rule& plan);
  void WarnOfListMode(const ast::Source& source, const plan::Source& plan, const Scope& scope);
  void WarnOfCondition(const ast::Expression& condition, Scope& scope);
  bool PlanSource(const ast::Source& source, Scope& scope, plan::Source& plan);
  // `read` takes the elements on the way; null: the path is written.
  bool PlanPath(const std::vector<std::string>& path, ast::Position at, const ValueType& from, Scope& scope,
                std::vector<plan::Step>& steps, ValueType& to,
                std::unordered_set<const fhir::ElementInfo*>* read);
  void PlanSourceType(const ast::Source& source, Scope& scope, plan::Source& plan, ValueType& type);
  bool PlanCall(const std::string& group, const std::vector<ast::Parameter>& parameters, ast::Position at,
                Scope& scope, plan::Call& call);
  RulePlace PlaceOf(const ast::Rule& rule, const Scope& scope);

  // target_linker.cc: targets and transforms.
  bool PlanTarget(const ast::Target& target, Scope& scope, bool is_used, plan::Target& plan);
  bool PlanTargetPlace(const ast::Target& target, Scope& scope, plan::Target& plan, ValueType& element);
  bool PlanMadeElement(const ast::Target& target, Scope& scope, bool is_used, const ValueType& element,
                       plan::Target& plan);
  bool PlanTransform(const ast::Transform& transform, Scope& scope, const plan::Target& target,
                     plan::Transform& plan, ValueType& result);
  bool PlanEvaluate(const ast::Transform& transform, Scope& scope, plan::Transform& plan, ValueType& result);
  // The variables that the targets of the ConceptMap depend on, as further arguments.
  void PlanDependencies(const ast::Transform& transform, Scope& scope, plan::Transform& plan);
  bool PlanTranslate(const ast::Transform& transform, Scope& scope, plan::Transform& plan, ValueType& result);
  bool PlanTypeArgument(const ast::Transform& transform, std::size_t index, Scope& scope,
                        plan::Transform& plan, ValueType& result);
  bool CheckArity(const ast::Transform& transform, const TransformInfo& info, Scope& scope);
  bool CheckFormats(const ast::Transform& transform, const TransformInfo& info, Scope& scope);
  bool CheckAssignment(const ast::Target& target, Scope& scope, const plan::Target& plan,
                       const ValueType& value);
  bool PlanConstant(const ast::Target& target, Scope& scope, plan::Target& plan);
  void CheckTranslation(const plan::Target& plan);
  void CheckBinding(const ast::Target& target, Scope& scope, const fhir::ElementInfo& element,
                    const fhir::Node& node);

  // link_expression.cc: variables, arguments, expressions.
  const Variable* FindVariable(const Scope& scope, std::string_view name) const;
  std::uint32_t Declare(Scope& scope, const std::string& name, ValueType type, bool is_target);
  std::optional<std::uint32_t> FindGlobal(const LoadedMap& map, std::string_view name) const;
  std::uint32_t GlobalSlot(Scope& scope, std::uint32_t global);
  bool UnknownVariable(Scope& scope, std::string_view name, ast::Position at);
  bool PlanArgument(const ast::Parameter& parameter, Scope& scope, const ValueType& focus,
                    plan::Argument& argument, ValueType& type, bool* is_target = nullptr);
  const fhirpath::Expression* Compile(const ast::Expression& expression, Scope& scope,
                                      const ValueType& context);
  // The value of an expression that depends on nothing but constants.
  std::optional<fhirpath::Collection> Fold(const ast::Expression& expression, Scope& scope);
  bool IsClosed(const LoadedMap& map, std::string_view text) const;
  fhirpath::Item ItemOf(const ast::Literal& literal);
  std::optional<std::string> ConstantText(const ast::Parameter& parameter, Scope& scope);

  bool Error(const Scope& scope, ast::Position at, std::string message, Code code = Code::kSemantic);
  void Warn(const Scope& scope, ast::Position at, std::string message);
  void Add(Severity severity, const LoadedMap& map, ast::Position at, std::string message, Code code);

  LinkedSet& set_;
  LinkedMap& linked_;
  const MapSetOptions& options_;
  std::vector<Finding>& findings_;
  std::deque<Instance> instances_;
  // Parallel to linked_.globals: the map whose `let` it is; null: configuration.
  std::vector<const LoadedMap*> global_maps_;
  std::vector<const ast::Constant*> global_asts_;
};

// "value (Quantity, string)": for messages.
std::string TypeNames(const plan::Step& step);
std::vector<std::string_view> ElementNames(const fhir::TypeInfo& type);

}  // namespace fhir_adapter::fml::internal
