// Targets and transforms of the linker.

#include <algorithm>

#include "fml/linker.h"
#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {

using fhir::TypeInfo;

namespace {

// The place of a transform as a number (FNV-1a), so that uuid() does not depend on what else is in the set.
std::uint64_t CallSite(const LoadedMap& map, ast::Position at) {
  const std::string& name = map.ast.url.empty() ? map.path : map.ast.url;
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return hash;
}

}  // namespace

bool Linker::PlanTargetPlace(const ast::Target& target, Scope& scope, plan::Target& plan,
                             ValueType& element) {
  const Variable* variable = FindVariable(scope, target.context);
  if (variable == nullptr) return UnknownVariable(scope, target.context, target.at);
  if (!variable->is_target) {
    return Error(scope, target.at, "the variable " + target.context + " is a source and cannot be written");
  }
  plan.context = variable->slot;
  if (!PlanPath(target.path, target.path_at, variable->type, scope, plan.path, element, nullptr))
    return false;
  for (std::size_t i = 0; i + 1 < plan.path.size(); ++i) {
    const plan::Step& step = plan.path[i];
    if (step.element == nullptr || step.alternatives.size() == 1) continue;
    return Error(scope, target.path_at,
                 "the element " + std::string(step.name) + " has several types (" + TypeNames(step) +
                     "): make it with create() first");
  }
  return true;
}

bool Linker::PlanMadeElement(const ast::Target& target, Scope& scope, bool is_used, const ValueType& element,
                             plan::Target& plan) {
  const plan::Step& step = plan.path.back();
  if (step.element == nullptr) return true;
  if (step.alternatives.size() != 1) {
    return Error(scope, target.path_at,
                 "the element " + std::string(step.name) + " has several types (" + TypeNames(step) +
                     "): say which with create()");
  }
  const bool is_primitive = element.type != nullptr && element.type->kind == fhir::TypeKind::kPrimitive;
  plan.is_shadow_only = is_primitive;
  if (is_primitive && (target.alias.empty() || !is_used)) {
    return Error(scope, target.path_at,
                 "the element " + std::string(step.name) + " is a " + std::string(element.type->name) +
                     " and needs a value");
  }
  if (step.alternatives.front().type->is_abstract) {
    return Error(scope, target.path_at,
                 "the type " + std::string(step.alternatives.front().type->name) +
                     " is abstract: say which with create()");
  }
  return true;
}

bool Linker::PlanTarget(const ast::Target& target, Scope& scope, bool is_used, plan::Target& plan) {
  plan.at = target.at;
  plan.list_mode = target.list_mode;
  if (target.list_mode == ast::TargetListMode::kShare) {
    auto& ids = scope.share_ids;
    const auto found = std::find(ids.begin(), ids.end(), target.share_id);
    plan.share_id = static_cast<std::uint32_t>(found - ids.begin());
    if (found == ids.end()) ids.push_back(target.share_id);
  }
  if (target.context.empty() && FindTransform(target.transform->name) == nullptr) {
    plan::Call call;
    if (!PlanCall(target.transform->name, target.transform->parameters, target.at, scope, call)) return false;
    set_.calls.push_back(std::move(call));
    plan.call = &set_.calls.back();
    return true;
  }
  ValueType element;
  if (!target.context.empty() && !PlanTargetPlace(target, scope, plan, element)) return false;
  ValueType value = element;
  if (!target.transform) {
    if (!plan.path.empty() && !PlanMadeElement(target, scope, is_used, element, plan)) return false;
  } else {
    if (!PlanTransform(*target.transform, scope, plan, plan.transform, value)) return false;
    if (!plan.path.empty() && !CheckAssignment(target, scope, plan, value)) return false;
    if (!plan.path.empty() && !PlanConstant(target, scope, plan)) return false;
    CheckTranslation(plan);
  }
  if (!target.alias.empty()) {
    // In its place a value has the type of the element, unless the element leaves that open.
    ValueType type = value;
    if (!plan.path.empty() && element.type != nullptr) type = element;
    if (!plan.path.empty() && element.type == nullptr && value.type != nullptr &&
        plan.path.back().element != nullptr) {
      const auto* alternative = ChooseByType(plan.path.back().alternatives, *value.type);
      const bool is_resource = alternative != nullptr && alternative->type->is_abstract;
      if (alternative != nullptr && !is_resource) type = ValueType::Of(*alternative->type);
    }
    type.path_type.repeats = false;
    const plan::TransformKind kind = plan.transform.kind;
    const bool is_copied_source = target.context.empty() && (kind == plan::TransformKind::kEvaluate ||
                                                             kind == plan::TransformKind::kCopy);
    plan.alias = Declare(scope, target.alias, type, !is_copied_source);
  }
  return true;
}

bool Linker::CheckArity(const ast::Transform& transform, const TransformInfo& info, Scope& scope) {
  const std::size_t count = transform.parameters.size();
  const bool is_gap = info.kind == plan::TransformKind::kQuantity && count == 3;
  if (count >= info.arguments_min && count <= info.arguments_max && !is_gap) return true;
  std::string range = std::to_string(info.arguments_min);
  if (info.kind == plan::TransformKind::kQuantity) {
    range = "1, 2 or 4";
  } else if (info.arguments_max > 1000) {
    range += " or more";
  } else if (info.arguments_max != info.arguments_min) {
    range += " to " + std::to_string(info.arguments_max);
  }
  return Error(scope, transform.at,
               transform.name + " takes " + range + " parameters, not " + std::to_string(count));
}

bool Linker::CheckFormats(const ast::Transform& transform, const TransformInfo& info, Scope& scope) {
  using plan::TransformKind;
  if (info.kind == TransformKind::kEscape) {
    for (std::size_t i = 1; i < 3; ++i) {
      const auto format = ConstantText(transform.parameters[i], scope);
      if (format && !IsEscapeFormat(*format)) {
        return Error(scope, transform.parameters[i].at,
                     "unknown format " + *format + "; the formats are text, html, xml, json and url");
      }
    }
  }
  const bool parses = info.kind == TransformKind::kToDateTime || info.kind == TransformKind::kToDate ||
                      info.kind == TransformKind::kToTime;
  if (parses && transform.parameters.size() == 2) {
    const auto format = ConstantText(transform.parameters[1], scope);
    const std::string fault = format ? CheckTimeFormat(*format) : "";
    if (!fault.empty()) return Error(scope, transform.parameters[1].at, fault);
  }
  return true;
}

bool Linker::PlanTypeArgument(const ast::Transform& transform, std::size_t index, Scope& scope,
                              plan::Transform& plan, ValueType& result) {
  const ast::Parameter& parameter = transform.parameters[index];
  std::string name;
  if (const auto text = ConstantText(parameter, scope)) {
    name = *text;
  } else if (const auto* bare = std::get_if<ast::Name>(&parameter.value)) {
    name = bare->text;
  } else {
    return Error(scope, parameter.at, "the type must be a text such as 'Quantity'");
  }
  if (name.starts_with("FHIR.")) name.erase(0, 5);
  const TypeInfo* type = ResolveType(*scope.map, name, parameter.at);
  if (type == nullptr) return false;
  if (type->is_abstract) {
    return Error(scope, parameter.at, "the type " + name + " is abstract and cannot be made");
  }
  plan.type = type;
  result = ValueType::Of(*type);
  return true;
}

bool Linker::PlanEvaluate(const ast::Transform& transform, Scope& scope, plan::Transform& plan,
                          ValueType& result) {
  ValueType focus = scope.focus;
  if (transform.parameters.size() == 2) {
    plan::Argument context;
    focus = ValueType::Unknown();
    if (!PlanArgument(transform.parameters[0], scope, scope.focus, context, focus)) return false;
    plan.arguments.push_back(context);
  }
  ast::Parameter expression = transform.parameters.back();
  // A bare name is an expression too: a variable, else an element of the context.
  if (const auto* name = std::get_if<ast::Name>(&expression.value)) {
    expression.value = ast::Expression{name->text, expression.at};
  }
  plan::Argument argument;
  if (!PlanArgument(expression, scope, focus, argument, result)) return false;
  plan.arguments.push_back(argument);
  return true;
}

void Linker::PlanDependencies(const ast::Transform& transform, Scope& scope, plan::Transform& plan) {
  for (const std::string& property : plan.concept_map->dependencies()) {
    plan::Argument argument;
    argument.constant = fhirpath::Item::String("");  // no value of a property, when there is no such variable
    if (FindVariable(scope, property) != nullptr) {
      ValueType type;
      (void)PlanArgument(ast::Parameter{ast::Name{property}, transform.at}, scope, scope.focus, argument,
                         type);
    } else {
      Add(Severity::kWarning, *scope.map, transform.parameters[1].at,
          "targets of this ConceptMap depend on " + property +
              ", and there is no variable of that name: they are left out",
          Code::kSemantic);
    }
    plan.arguments.push_back(argument);
  }
}

bool Linker::PlanTranslate(const ast::Transform& transform, Scope& scope, plan::Transform& plan,
                           ValueType& result) {
  plan::Argument source;
  ValueType type;
  if (!PlanArgument(transform.parameters[0], scope, scope.focus, source, type)) return false;
  plan.arguments.push_back(source);
  const auto reference = ConstantText(transform.parameters[1], scope);
  if (!reference) {
    return Error(scope, transform.parameters[1].at,
                 "the ConceptMap must be named by a text that is known here");
  }
  plan.concept_map = set_.FindConceptMap(*scope.map, *reference);
  if (plan.concept_map == nullptr) {
    std::vector<std::string> names;
    for (const ConceptMapIndex& known : set_.concept_maps) {
      names.push_back(reference->starts_with("#") ? "#" + known.id() : known.url());
    }
    for (const ConceptMapIndex& known : scope.map->concept_maps) names.push_back(known.url());
    const std::vector<std::string_view> views(names.begin(), names.end());
    return Error(scope, transform.parameters[1].at,
                 "no ConceptMap " + *reference + Suggest(*reference, views), Code::kFileNotFound);
  }
  if (options_.require_unmapped_policy && plan.concept_map->lacks_policy()) {
    return Error(scope, transform.parameters[1].at,
                 "the ConceptMap " + *reference +
                     " does not say what becomes of a code it does not have: give group.unmapped, or "
                     "unmapped-policy (reject, quarantine, text-only, optional, fixed)");
  }
  PlanDependencies(transform, scope, plan);
  if (transform.parameters.size() < 3) return true;
  static constexpr std::pair<std::string_view, plan::TranslateOutput> kOutputs[] = {
      {"code", plan::TranslateOutput::kCode},
      {"system", plan::TranslateOutput::kSystem},
      {"display", plan::TranslateOutput::kDisplay},
      {"Coding", plan::TranslateOutput::kCoding},
      {"coding", plan::TranslateOutput::kCoding},
      {"CodeableConcept", plan::TranslateOutput::kCodeableConcept},
      {"codeableconcept", plan::TranslateOutput::kCodeableConcept}};
  const auto output = ConstantText(transform.parameters[2], scope);
  for (const auto& [name, kind] : kOutputs) {
    if (output && *output == name) plan.output = kind;
  }
  if (output && output->starts_with("product:")) {
    plan.output = plan::TranslateOutput::kProduct;
    plan.product = set_.arena.Copy(output->substr(8));
    return true;
  }
  if (plan.output == plan::TranslateOutput::kByTarget) {
    return Error(scope, transform.parameters[2].at,
                 "the output of translate is 'code', 'system', 'display', 'Coding', 'CodeableConcept' or "
                 "'product:NAME'");
  }
  static constexpr std::string_view kTypes[] = {"", "code", "uri", "string", "Coding", "CodeableConcept"};
  const TypeInfo* made = set_.schema->FindType(kTypes[static_cast<std::size_t>(plan.output)]);
  if (made != nullptr) result = ValueType::Of(*made);
  return true;
}

bool Linker::PlanTransform(const ast::Transform& transform, Scope& scope, const plan::Target& target,
                           plan::Transform& plan, ValueType& result) {
  using plan::TransformKind;
  plan.at = transform.at;
  plan.call_site = CallSite(*scope.map, transform.at);
  result = ValueType::Unknown();
  const TransformInfo* info = FindTransform(transform.name);
  if (info == nullptr) {
    std::vector<std::string_view> names;
    for (const TransformInfo& known : Transforms()) names.push_back(known.name);
    return Error(scope, transform.at, "unknown transform " + transform.name + Suggest(transform.name, names));
  }
  plan.kind = info->kind;
  if (!CheckArity(transform, *info, scope) || !CheckFormats(transform, *info, scope)) return false;
  const ValueType element = target.path.empty() || target.path.back().alternatives.size() != 1
                                ? ValueType::Unknown()
                                : ValueType::Of(*target.path.back().alternatives.front().type);
  switch (info->kind) {
    case TransformKind::kDateOperation:
      return Error(scope, transform.at,
                   "dateOp is listed but not defined by the specification; use date arithmetic of FHIRPath, "
                   "such as (%date + 5 days)");
    case TransformKind::kCreate:
      if (!transform.parameters.empty()) return PlanTypeArgument(transform, 0, scope, plan, result);
      if (element.type == nullptr || element.type->is_abstract) {
        return Error(scope, transform.at, "create() without a type needs an element of one type");
      }
      plan.type = element.type;
      result = element;
      return true;
    case TransformKind::kEvaluate:
      return PlanEvaluate(transform, scope, plan, result);
    case TransformKind::kTranslate:
      return PlanTranslate(transform, scope, plan, result);
    default:
      break;
  }
  const bool names_type = info->kind == TransformKind::kCast && transform.parameters.size() == 2;
  const std::size_t values = transform.parameters.size() - (names_type ? 1 : 0);
  for (std::size_t i = 0; i < values; ++i) {
    plan::Argument argument;
    ValueType type;
    if (!PlanArgument(transform.parameters[i], scope, scope.focus, argument, type)) return false;
    plan.arguments.push_back(argument);
    if (info->kind == TransformKind::kCopy) result = type;
  }
  if (names_type) return PlanTypeArgument(transform, 1, scope, plan, result);
  if (info->kind == TransformKind::kCast) result = element;
  if (!info->result.empty()) {
    if (const TypeInfo* made = set_.schema->FindType(info->result)) result = ValueType::Of(*made);
  }
  return true;
}

bool Linker::CheckAssignment(const ast::Target& target, Scope& scope, const plan::Target& plan,
                             const ValueType& value) {
  const plan::Step& step = plan.path.back();
  if (step.element == nullptr || value.path_type.unknown || value.path_type.types.empty()) return true;
  for (const fhirpath::TypeRef& type : value.path_type.types) {
    if (type.fhir != nullptr && type.fhir->is_abstract) return true;
    const plan::Alternative* alternative = nullptr;
    if (type.fhir != nullptr) {
      alternative = ChooseByType(step.alternatives, *type.fhir);
      if (alternative != nullptr && CanConvert(*type.fhir, *alternative->type)) return true;
    } else {
      alternative = step.alternatives.size() == 1 ? step.alternatives.data()
                                                  : ChooseByKind(step.alternatives, type.kind);
      if (alternative == nullptr) continue;
      const bool is_primitive = ClassOf(*alternative->type) != PrimitiveClass::kNone;
      const bool is_quantity = type.kind == fhirpath::ItemKind::kQuantity;
      const bool is_reference_text =
          type.kind == fhirpath::ItemKind::kString && alternative->type->name == "Reference";
      if (is_primitive != is_quantity || is_reference_text) return true;
    }
  }
  const fhirpath::TypeRef& first = value.path_type.types.front();
  const std::string given = first.fhir != nullptr ? std::string(first.fhir->name) : "primitive";
  return Error(scope, target.transform->at,
               "the element " + std::string(step.name) + " (" + TypeNames(step) + ") takes no " + given);
}

void Linker::CheckBinding(const ast::Target& target, Scope& scope, const fhir::ElementInfo& element,
                          const fhir::Node& node) {
  if (element.required_binding == nullptr || !node.is_string()) return;
  if (element.required_binding->Contains(node.text)) return;
  std::vector<std::string_view> codes;
  for (const auto& row : element.required_binding->codes) codes.push_back(row.code);
  Error(scope, target.transform->at,
        "the code " + std::string(node.text) + " is not in the value set that " + std::string(element.name) +
            " is bound to" + Suggest(node.text, codes));
}

// What a table may put into an element must be in the value set that the element is bound to.
void Linker::CheckTranslation(const plan::Target& plan) {
  if (plan.transform.kind != plan::TransformKind::kTranslate || plan.path.empty()) return;
  const fhir::ElementInfo* element = plan.path.back().element;
  if (element == nullptr || element->required_binding == nullptr) return;
  using plan::TranslateOutput;
  const TranslateOutput output = plan.transform.output;
  const bool is_primitive =
      element->types.size() == 1 && element->types[0].type->kind == fhir::TypeKind::kPrimitive;
  const bool is_code =
      output == TranslateOutput::kCode || (output == TranslateOutput::kByTarget && is_primitive);
  if (!is_code && (is_primitive || output == TranslateOutput::kSystem || output == TranslateOutput::kDisplay))
    return;
  const fhir::ValueSetInfo& binding = *element->required_binding;
  std::vector<std::string_view> codes;
  for (const auto& row : binding.codes) codes.push_back(row.code);
  const auto check = [&](const ConceptTarget& target) {
    const bool is_inside =
        is_code ? binding.Contains(target.code) : binding.Contains(target.system, target.code);
    if (is_inside || target.code.empty()) return;
    findings_.push_back(Finding{
        Severity::kError, Code::kSemantic, Location{std::string(target.file), target.line, target.column, ""},
        "the code " + target.code + " is not in the value set that " + std::string(element->owner->name) +
            "." + std::string(element->name) + " is bound to" + Suggest(target.code, codes)});
  };
  for (const ConceptRow& row : plan.transform.concept_map->rows()) {
    // A code is that of the first target; the others are never looked at.
    const std::size_t count = is_code ? std::min<std::size_t>(row.targets.size(), 1) : row.targets.size();
    for (std::size_t i = 0; i < count; ++i) check(row.targets[i]);
  }
  for (const ConceptUnmapped& unmapped : plan.transform.concept_map->unmapped()) {
    if (unmapped.policy == UnmappedPolicy::kFixed) check(unmapped.fixed);
  }
}

// A literal, or an expression of constants: made here, once and for all.
bool Linker::PlanConstant(const ast::Target& target, Scope& scope, plan::Target& plan) {
  using plan::TransformKind;
  const TransformKind kind = plan.transform.kind;
  if (kind != TransformKind::kCopy && kind != TransformKind::kEvaluate) return true;
  if (plan.transform.arguments.size() != 1) return true;
  const plan::Argument& argument = plan.transform.arguments.front();
  const plan::Step& step = plan.path.back();
  if (argument.kind != plan::ArgumentKind::kConstant || step.element == nullptr) return true;
  const plan::Alternative* alternative = Choose(step.alternatives, argument.constant);
  if (alternative == nullptr) return true;
  CopyCount count;
  const Conversion converted = Convert(argument.constant, *alternative->type, false, set_.arena, count);
  if (converted.fault != nullptr) {
    return Error(scope, target.transform->at, std::string(step.name) + ": " + converted.fault);
  }
  if (converted.node == nullptr) return true;
  Freeze(*converted.node);
  CheckBinding(target, scope, *step.element, *converted.node);
  if (plan.list_mode == ast::TargetListMode::kShare) return true;
  plan.constant = converted.node;
  plan.constant_index = static_cast<std::uint32_t>(alternative - step.alternatives.data());
  return true;
}

}  // namespace fhir_adapter::fml::internal
