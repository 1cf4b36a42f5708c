// Rules, sources and group calls of the linker.

#include <algorithm>

#include "fml/linker.h"
#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {

using fhir::TypeInfo;

std::vector<std::string_view> ElementNames(const TypeInfo& type) {
  std::vector<std::string_view> names;
  for (const fhir::ElementInfo& element : type.elements) names.push_back(element.name);
  return names;
}

std::string TypeNames(const plan::Step& step) {
  std::string names;
  for (const plan::Alternative& alternative : step.alternatives) {
    if (!names.empty()) names += ", ";
    names += alternative.type == nullptr ? "any" : std::string(alternative.type->name);
  }
  return names;
}

RulePlace Linker::PlaceOf(const ast::Rule& rule, const Scope& scope) {
  RulePlace place;
  place.file = scope.map->path;
  place.line = rule.at.line;
  place.column = rule.at.column;
  place.group = scope.group->name;
  if (!rule.name.empty()) {
    place.rule = rule.name;
  } else {
    const ast::Source& source = rule.sources.front();
    place.rule = set_.arena.Copy(source.path.empty() ? source.context : source.path.back());
  }
  return place;
}

bool Linker::PlanPath(const std::vector<std::string>& path, ast::Position at, const ValueType& from,
                      Scope& scope, std::vector<plan::Step>& steps, ValueType& to,
                      std::unordered_set<const fhir::ElementInfo*>* read) {
  to = from;
  for (const std::string& name : path) {
    plan::Step step;
    step.name = set_.arena.Copy(name);
    const TypeInfo* type = to.type;
    // The value of a primitive is the primitive itself.
    if (type != nullptr && type->kind == fhir::TypeKind::kPrimitive && name == "value") continue;
    const fhir::ElementInfo* element = type == nullptr ? nullptr : fhir::Schema::FindElement(*type, name);
    if (type != nullptr && element == nullptr && !type->is_abstract) {
      return Error(scope, at,
                   std::string(type->name) + " has no element " + name + Suggest(name, ElementNames(*type)));
    }
    to = ValueType::Unknown();
    if (element != nullptr) {
      if (read != nullptr) read->insert(element);
      step = MakeStep(*element, step.name, set_.arena);
      to.path_type = fhirpath::StaticType{false, element->is_list(), {}};
      for (const plan::Alternative& alternative : step.alternatives) {
        to.path_type.types.push_back(fhirpath::TypeRef{fhirpath::ItemKind::kElement, alternative.type});
      }
      if (step.alternatives.size() == 1) {
        to.type = step.alternatives.front().type;
        // What it is shows only in the record.
        if (to.type->is_abstract) to = ValueType::Unknown();
      }
    }
    steps.push_back(std::move(step));
  }
  return true;
}

void Linker::PlanSourceType(const ast::Source& source, Scope& scope, plan::Source& plan, ValueType& type) {
  if (source.type.empty()) return;
  std::string_view name = source.type;
  for (const std::string_view prefix : {"FHIR.", "System."}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  const TypeInfo* wanted = ResolveType(*scope.map, name, source.at);
  if (wanted == nullptr) return;
  plan.types.push_back(wanted);
  if (!plan.path.empty() && plan.path.back().element != nullptr) {
    const auto& alternatives = plan.path.back().alternatives;
    const bool possible =
        std::any_of(alternatives.begin(), alternatives.end(), [wanted](const plan::Alternative& alternative) {
          return alternative.type == wanted || fhir::Schema::IsSubtypeOf(*wanted, *alternative.type) ||
                 fhir::Schema::IsSubtypeOf(*alternative.type, *wanted);
        });
    if (!possible) {
      Error(scope, source.at,
            "the element " + std::string(plan.path.back().name) + " is never a " + source.type + "; it is " +
                TypeNames(plan.path.back()));
    }
  }
  type = wanted->is_abstract ? ValueType::Unknown() : ValueType::Of(*wanted);
}

// Of an element that occurs once there is nothing but a first and a last.
void Linker::WarnOfListMode(const ast::Source& source, const plan::Source& plan, const Scope& scope) {
  const bool leaves_one_out =
      source.list_mode == ast::SourceListMode::kNotFirst || source.list_mode == ast::SourceListMode::kNotLast;
  const bool is_scalar = plan.path.size() == 1 && plan.path[0].element != nullptr &&
                         !plan.path[0].element->is_list() && !source.default_value;
  if (!leaves_one_out || !is_scalar) return;
  Warn(scope, source.at, "the rule never runs: " + std::string(plan.path[0].name) + " occurs at most once");
}

void Linker::WarnOfCondition(const ast::Expression& condition, Scope& scope) {
  // A condition on the configuration or a constant is a switch.
  if (condition.text.find('%') != std::string::npos) return;
  for (const plan::Global& global : linked_.globals) {
    if (condition.text.find(global.name) != std::string::npos) return;
  }
  const auto value = Fold(condition, scope);
  if (!value) return;
  const bool is_false =
      value->empty() || (value->size() == 1 && !value->front().is_element() &&
                         value->front().kind() == fhirpath::ItemKind::kBoolean && !value->front().boolean());
  if (is_false) Warn(scope, condition.at, "the rule never runs: its condition is never true");
}

bool Linker::PlanSource(const ast::Source& source, Scope& scope, plan::Source& plan) {
  plan.at = source.at;
  ValueType context;
  bool is_target = false;
  if (const Variable* variable = FindVariable(scope, source.context)) {
    plan.context = variable->slot;
    context = variable->type;
    is_target = variable->is_target;
  } else if (const auto global = FindGlobal(*scope.map, source.context)) {
    plan.context = GlobalSlot(scope, *global);
  } else {
    return UnknownVariable(scope, source.context, source.at);
  }
  ValueType type;
  if (!PlanPath(source.path, source.path_at, context, scope, plan.path, type, &linked_.elements_read))
    return false;
  PlanSourceType(source, scope, plan, type);
  type.path_type.repeats = false;
  if (source.cardinality) {
    plan.has_cardinality = true;
    plan.cardinality = *source.cardinality;
    if (plan.cardinality.min > plan.cardinality.max) {
      Error(scope, source.at, "the cardinality can never be met: its minimum is above its maximum");
    }
    const bool is_scalar =
        plan.path.size() == 1 && plan.path[0].element != nullptr && !plan.path[0].element->is_list();
    if (is_scalar && plan.cardinality.min > 1) {
      Error(scope, source.at,
            "the cardinality can never be met: " + std::string(plan.path[0].name) + " occurs at most once");
    }
    if (plan.cardinality.max == 0) {
      Warn(scope, source.at, "the rule never runs: its source may have no element");
    }
  }
  plan.list_mode = source.list_mode;
  WarnOfListMode(source, plan, scope);
  if (source.default_value) plan.default_value = Compile(*source.default_value, scope, context);
  // A source under another name is as much a part of the target as it was before.
  if (!source.alias.empty()) {
    plan.alias = Declare(scope, source.alias, type, is_target && source.path.empty());
  }
  if (source.where) {
    plan.where = Compile(*source.where, scope, type);
    WarnOfCondition(*source.where, scope);
  }
  if (source.check) {
    plan.check = Compile(*source.check, scope, type);
    plan.check_text = source.check->text;
  }
  if (source.log) plan.log = Compile(*source.log, scope, type);
  scope.focus = type;
  return true;
}

bool Linker::PlanCall(const std::string& group, const std::vector<ast::Parameter>& parameters,
                      ast::Position at, Scope& scope, plan::Call& call) {
  call.at = at;
  const FoundGroup found = FindGroup(*scope.map, group);
  if (found.group == nullptr) {
    return Error(scope, at, "unknown group " + group + Suggest(group, GroupNames(*scope.map)));
  }
  const auto& expected = found.group->parameters;
  if (expected.size() != parameters.size()) {
    return Error(scope, at,
                 "group " + group + " takes " + std::to_string(expected.size()) + " parameters, not " +
                     std::to_string(parameters.size()));
  }
  std::vector<ValueType> types(parameters.size());
  bool good = true;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bool is_target = false;
    plan::Argument argument;
    if (!PlanArgument(parameters[i], scope, scope.focus, argument, types[i], &is_target)) {
      good = false;
      continue;
    }
    if (expected[i].mode == ast::ParameterMode::kTarget && !is_target) {
      good = Error(scope, parameters[i].at,
                   "parameter " + expected[i].name + " of group " + group +
                       " is a target, and what is given is a source");
    }
    call.arguments.push_back(argument);
    if (expected[i].type.empty() || types[i].type == nullptr) continue;
    const TypeInfo* wanted = FindType(*found.map, expected[i].type);
    if (wanted != nullptr && !wanted->is_abstract && !CanConvert(*types[i].type, *wanted) &&
        types[i].type != wanted) {
      good = Error(scope, parameters[i].at,
                   "parameter " + expected[i].name + " of group " + group + " is a " +
                       std::string(wanted->name) + ", and what is given is a " +
                       std::string(types[i].type->name));
    }
  }
  if (!good) return false;
  call.group = InstanceOf(*found.map, *found.group, types);
  return call.group != nullptr;
}

namespace {

bool IsCopyForm(const ast::Rule& rule) {
  if (rule.sources.size() != 1 || rule.targets.size() != 1 || !rule.calls.empty() || rule.has_block) {
    return false;
  }
  const ast::Source& source = rule.sources.front();
  const ast::Target& target = rule.targets.front();
  return source.alias.empty() && target.alias.empty() && !target.transform && !target.path.empty() &&
         !target.context.empty();
}

// Whether a variable of this rule is read after the target that declares it.
bool IsUsedAfter(const ast::Rule& rule, std::size_t target) {
  return !rule.calls.empty() || rule.has_block || target + 1 < rule.targets.size();
}

}  // namespace

void Linker::PlanCopy(const ast::Rule& rule, Scope& scope, plan::Rule& plan) {
  plan.is_copy = true;
  plan.default_groups = linked_.default_groups;
  plan::Target& target = plan.targets.emplace_back();
  target.at = rule.targets.front().at;
  target.list_mode = rule.targets.front().list_mode;
  target.transform.kind = plan::TransformKind::kCopy;
  plan::Argument argument;
  argument.kind = plan::ArgumentKind::kSlot;
  argument.slot = plan.sources.front().alias;
  target.transform.arguments.push_back(argument);
  ValueType element;
  if (!PlanTargetPlace(rule.targets.front(), scope, target, element)) return;
  const TypeInfo* from = scope.focus.type;
  const plan::Step& step = target.path.back();
  if (from == nullptr || step.element == nullptr) return;
  for (const plan::DefaultGroup& group : linked_.default_groups) {
    if (group.source == from && (step.alternatives.size() == 1 || group.for_choice)) return;
  }
  const bool possible = std::any_of(
      step.alternatives.begin(), step.alternatives.end(),
      [from](const plan::Alternative& alternative) { return CanConvert(*from, *alternative.type); });
  if (!possible) {
    Error(scope, rule.targets.front().at,
          "a " + std::string(from->name) + " cannot be copied to " + std::string(step.name) + " (" +
              TypeNames(step) + "), and there is no default group for these types");
  }
}

void Linker::PlanIdentityFields(const ast::Rule& rule, Scope& scope, std::vector<plan::Rule>& out) {
  for (const std::string& field : rule.identity_fields) {
    ast::Rule copy = rule;
    copy.identity_fields.clear();
    copy.sources.front().path.push_back(field);
    copy.targets.front().path.push_back(field);
    PlanRule(copy, scope, out);
    if (!out.empty()) {
      // The rule's texts must not point into the copy.
      out.back().place = PlaceOf(rule, scope);
      out.back().place.rule = set_.arena.Copy(rule.name.empty() ? field : rule.name + "." + field);
    }
  }
}

void Linker::PlanRule(const ast::Rule& rule, Scope& scope, std::vector<plan::Rule>& out) {
  if (!rule.identity_fields.empty()) return PlanIdentityFields(rule, scope, out);
  const std::size_t variables = scope.variables.size();
  const ValueType focus = scope.focus;
  plan::Rule plan;
  plan.place = PlaceOf(rule, scope);
  bool good = true;
  for (const ast::Source& source : rule.sources) {
    plan::Source& planned = plan.sources.emplace_back();
    good = PlanSource(source, scope, planned) && good;
  }
  if (good && IsCopyForm(rule)) {
    if (plan.sources.front().alias == plan::kNoSlot) plan.sources.front().alias = scope.plan->slots++;
    PlanCopy(rule, scope, plan);
  } else if (good) {
    for (std::size_t i = 0; i < rule.targets.size() && good; ++i) {
      plan::Target target;
      good = PlanTarget(rule.targets[i], scope, IsUsedAfter(rule, i), target);
      if (good) plan.targets.push_back(std::move(target));
    }
    for (const ast::GroupCall& call : rule.calls) {
      if (!good) break;
      plan::Call planned;
      if (PlanCall(call.group, call.parameters, call.at, scope, planned)) {
        plan.calls.push_back(std::move(planned));
      }
    }
    if (good) PlanRules(rule.rules, scope, plan.rules);
    const bool may_use_default = rule.calls.empty() && !rule.has_block && rule.sources.size() == 1 &&
                                 rule.targets.size() == 1 && plan.sources.front().alias != plan::kNoSlot &&
                                 good && plan.targets.front().alias != plan::kNoSlot;
    if (may_use_default) {
      const plan::TransformKind kind = plan.targets.front().transform.kind;
      plan.uses_default_group =
          (kind == plan::TransformKind::kNone || kind == plan::TransformKind::kCreate) &&
          !plan.targets.front().path.empty() && !linked_.default_groups.empty();
      plan.default_groups = linked_.default_groups;
    }
  }
  scope.variables.resize(variables);
  scope.focus = focus;
  out.push_back(std::move(plan));
}

void Linker::PlanRules(const std::vector<ast::Rule>& rules, Scope& scope, std::vector<plan::Rule>& out) {
  out.reserve(rules.size());
  for (const ast::Rule& rule : rules) PlanRule(rule, scope, out);
}

}  // namespace fhir_adapter::fml::internal
