#include "fml/linker.h"

#include <algorithm>

#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {

using fhir::TypeInfo;

namespace {

// `http://hl7.org/fhir/4.0/StructureDefinition/X` and a version after a bar name the same R4 type.
std::string PlainUrl(std::string_view url) {
  std::string plain(url.substr(0, url.find('|')));
  static constexpr std::string_view kVersioned = "http://hl7.org/fhir/4.0/";
  if (plain.starts_with(kVersioned)) plain = "http://hl7.org/fhir/" + plain.substr(kVersioned.size());
  return plain;
}

std::string_view LastSegment(std::string_view url) {
  url = url.substr(0, url.find('|'));
  return url.substr(url.rfind('/') + 1);
}

}  // namespace

void Linker::Link() {
  CheckUses();
  CollectGlobals();
  CollectDefaultGroups();
  PlanEntry();
  // Every group of the map is planned, called or not, so that its faults are found.
  for (const ast::Group& group : linked_.map->ast.groups) {
    const bool is_planned =
        std::any_of(instances_.begin(), instances_.end(),
                    [&group](const Instance& instance) { return instance.group == &group; });
    if (!is_planned) InstanceOf(*linked_.map, group, std::vector<ValueType>(group.parameters.size()));
  }
  for (std::size_t i = 0; i < instances_.size(); ++i) PlanGroup(instances_[i]);
}

void Linker::CheckUses() {
  const LoadedMap& map = *linked_.map;
  for (const ast::Uses& uses : map.ast.uses) {
    if (set_.schema->FindType(PlainUrl(uses.url)) != nullptr) continue;
    Add(Severity::kError, map, uses.at, "no model " + uses.url, Code::kFileNotFound);
  }
}

void Linker::CollectGlobals() {
  for (const auto& [name, value] : options_.configuration) {
    plan::Global& global = linked_.globals.emplace_back();
    global.name = name;
    if (!value.empty()) {
      global.value = fhirpath::Collection(fhirpath::Item::String(set_.arena.Copy(value)));
    }
    global_maps_.push_back(nullptr);
    global_asts_.push_back(nullptr);
  }
  for (const std::string& name : options_.record_variables) {
    plan::Global& global = linked_.globals.emplace_back();
    global.name = name;
    global.is_constant = false;
    global.is_record_variable = true;
    global_maps_.push_back(nullptr);
    global_asts_.push_back(nullptr);
  }
  for (const LoadedMap* map : linked_.map->scope) {
    for (const ast::Constant& constant : map->ast.constants) {
      plan::Global& global = linked_.globals.emplace_back();
      global.name = constant.name;
      global.is_constant = false;  // until its value is known
      global_maps_.push_back(map);
      global_asts_.push_back(&constant);
    }
  }
  // A constant may use another that stands after it: go round until nothing changes.
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < linked_.globals.size(); ++i) {
      if (global_asts_[i] == nullptr || linked_.globals[i].is_constant) continue;
      Scope scope;
      plan::GroupPlan scratch;
      scope.map = global_maps_[i];
      scope.plan = &scratch;
      const auto value = Fold(global_asts_[i]->value, scope);
      if (!value) continue;
      linked_.globals[i].value = *value;
      linked_.globals[i].is_constant = true;
      changed = true;
    }
  }
  for (std::size_t i = 0; i < linked_.globals.size(); ++i) {
    plan::Global& global = linked_.globals[i];
    if (global.is_constant || global_asts_[i] == nullptr) continue;
    Scope scope;
    plan::GroupPlan scratch;
    scope.map = global_maps_[i];
    scope.plan = &scratch;
    global.expression = Compile(global_asts_[i]->value, scope, ValueType::Unknown());
    global.slots = scratch.slots;
    global.uses = scratch.globals;
  }
}

void Linker::CollectDefaultGroups() {
  for (const LoadedMap* map : linked_.map->scope) {
    for (const ast::Group& group : map->ast.groups) {
      if (group.type_mode == ast::TypeMode::kNone) continue;
      if (group.parameters.size() != 2 || group.parameters[0].type.empty() ||
          group.parameters[1].type.empty()) {
        Add(Severity::kError, *map, group.at, "a default group has a source and a target, both with a type",
            Code::kSemantic);
        continue;
      }
      plan::DefaultGroup entry;
      entry.source = FindType(*map, group.parameters[0].type);
      entry.target = FindType(*map, group.parameters[1].type);
      if (entry.source == nullptr || entry.target == nullptr) continue;  // reported with the group
      entry.for_choice = group.type_mode == ast::TypeMode::kTypeAndTypes;
      entry.group = InstanceOf(*map, group, std::vector<ValueType>(2));
      for (const plan::DefaultGroup& known : linked_.default_groups) {
        if (known.source != entry.source || known.target != entry.target) continue;
        Add(Severity::kError, *map, group.at, "a second default group for the same types", Code::kSemantic);
      }
      linked_.default_groups.push_back(entry);
    }
  }
}

Linker::FoundGroup Linker::FindGroup(const LoadedMap& from, std::string_view name) const {
  const auto in = [name](const LoadedMap& map) -> const ast::Group* {
    for (const ast::Group& group : map.ast.groups) {
      if (group.name == name) return &group;
    }
    return nullptr;
  };
  for (const LoadedMap* map : from.scope) {
    if (const ast::Group* group = in(*map)) return {map, group};
  }
  // What an imported map leaves open the importing one may fill.
  for (const LoadedMap* map : linked_.map->scope) {
    if (const ast::Group* group = in(*map)) return {map, group};
  }
  return {};
}

std::vector<std::string_view> Linker::GroupNames(const LoadedMap& from) const {
  std::vector<std::string_view> names;
  for (const LoadedMap* map : from.scope) {
    for (const ast::Group& group : map->ast.groups) names.push_back(group.name);
  }
  for (const TransformInfo& transform : Transforms()) names.push_back(transform.name);
  return names;
}

const TypeInfo* Linker::FindType(const LoadedMap& map, std::string_view name) const {
  const auto resolve = [this, name](const LoadedMap& in) -> const TypeInfo* {
    const std::size_t dot = name.find('.');
    const std::string_view head = name.substr(0, dot);
    for (const ast::Uses& uses : in.ast.uses) {
      const bool is_named = uses.alias.empty() ? LastSegment(uses.url) == head : uses.alias == head;
      if (!is_named) continue;
      const TypeInfo* type = set_.schema->FindType(PlainUrl(uses.url));
      if (type == nullptr || dot == std::string_view::npos) return type;
      return set_.schema->FindType(std::string(type->name) + std::string(name.substr(dot)));
    }
    return nullptr;
  };
  if (const TypeInfo* type = resolve(map)) return type;
  if (const TypeInfo* type = set_.schema->FindType(name)) return type;
  return resolve(*linked_.map);
}

const TypeInfo* Linker::ResolveType(const LoadedMap& map, std::string_view name, ast::Position at) {
  if (const TypeInfo* type = FindType(map, name)) return type;
  std::vector<std::string_view> names;
  for (const ast::Uses& uses : map.ast.uses) {
    // The model itself is missing, and that is said where it is named.
    const bool is_named = uses.alias.empty() ? LastSegment(uses.url) == name : uses.alias == name;
    if (is_named) return nullptr;
    names.push_back(uses.alias.empty() ? LastSegment(uses.url) : std::string_view(uses.alias));
  }
  static constexpr std::string_view kCommon[] = {"Patient",
                                                 "Observation",
                                                 "Procedure",
                                                 "Condition",
                                                 "Bundle",
                                                 "Quantity",
                                                 "CodeableConcept",
                                                 "Coding",
                                                 "Identifier",
                                                 "Reference",
                                                 "Period",
                                                 "Range",
                                                 "HumanName",
                                                 "Address",
                                                 "ContactPoint",
                                                 "Annotation",
                                                 "Extension",
                                                 "Dosage",
                                                 "Medication",
                                                 "MedicationAdministration",
                                                 "MedicationRequest",
                                                 "Encounter",
                                                 "Device",
                                                 "DocumentReference",
                                                 "AdverseEvent",
                                                 "DetectedIssue",
                                                 "Provenance",
                                                 "QuestionnaireResponse",
                                                 "string",
                                                 "code",
                                                 "boolean",
                                                 "integer",
                                                 "decimal",
                                                 "date",
                                                 "dateTime",
                                                 "instant",
                                                 "time",
                                                 "uri",
                                                 "positiveInt",
                                                 "unsignedInt",
                                                 "markdown"};
  names.insert(names.end(), std::begin(kCommon), std::end(kCommon));
  Add(Severity::kError, map, at, "unknown type " + std::string(name) + Suggest(name, names), Code::kSemantic);
  return nullptr;
}

plan::GroupPlan* Linker::InstanceOf(const LoadedMap& map, const ast::Group& group,
                                    const std::vector<ValueType>& types) {
  std::vector<const TypeInfo*> key;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const bool is_open = group.parameters[i].type.empty();
    key.push_back(is_open && i < types.size() ? types[i].type : nullptr);
  }
  for (const Instance& instance : instances_) {
    if (instance.group == &group && instance.key == key) return instance.plan;
  }
  Instance instance;
  instance.map = &map;
  instance.group = &group;
  instance.types = types;
  instance.key = std::move(key);
  instance.plan = &linked_.groups.emplace_back();
  instance.plan->name = group.name;
  instance.plan->at = group.at;
  instances_.push_back(std::move(instance));
  return instances_.back().plan;
}

void Linker::PlanGroup(Instance& instance) {
  if (instance.is_planned) return;
  instance.is_planned = true;
  const ast::Group& group = *instance.group;
  Scope scope;
  scope.map = instance.map;
  scope.group = instance.group;
  scope.plan = instance.plan;
  scope.plan->parameters = static_cast<std::uint32_t>(group.parameters.size());
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    const ast::GroupParameter& parameter = group.parameters[i];
    ValueType type = instance.types[i];
    if (!parameter.type.empty()) {
      const TypeInfo* declared = ResolveType(*instance.map, parameter.type, parameter.type_at);
      type = declared == nullptr || declared->is_abstract ? ValueType::Unknown() : ValueType::Of(*declared);
    }
    type.path_type.repeats = false;
    if (FindVariable(scope, parameter.name) != nullptr) {
      Error(scope, parameter.at, "two parameters are called " + parameter.name);
    }
    Declare(scope, parameter.name, type, parameter.mode == ast::ParameterMode::kTarget);
  }
  if (!group.extends.empty()) PlanBase(scope, instance);
  PlanRules(group.rules, scope, scope.plan->rules);
}

void Linker::PlanBase(Scope& scope, const Instance& instance) {
  const ast::Group& group = *instance.group;
  const FoundGroup base = FindGroup(*instance.map, group.extends);
  if (base.group == nullptr) {
    Error(scope, group.extends_at,
          "unknown group " + group.extends + Suggest(group.extends, GroupNames(*instance.map)));
    return;
  }
  std::vector<ValueType> types;
  for (std::size_t i = 0; i < base.group->parameters.size(); ++i) {
    const ast::GroupParameter& parameter = base.group->parameters[i];
    // By name; published maps also rename, and then the place counts.
    const Variable* variable = FindVariable(scope, parameter.name);
    const std::size_t index = variable != nullptr ? variable->slot : i;
    if (index >= scope.variables.size() || group.parameters[index].mode != parameter.mode) {
      Error(scope, group.extends_at,
            "group " + group.extends + " has the parameter " + parameter.name + ", which " + group.name +
                " has not");
      return;
    }
    scope.plan->base_arguments.push_back(static_cast<std::uint32_t>(index));
    types.push_back(scope.variables[index].type);
  }
  const ast::Group* const self = &group;
  for (const ast::Group* ancestor = base.group; ancestor != nullptr;) {
    if (ancestor == self) {
      Error(scope, group.extends_at, "group " + group.name + " extends itself");
      return;
    }
    if (ancestor->extends.empty()) break;
    const ast::Group* const next = FindGroup(*base.map, ancestor->extends).group;
    if (next == base.group) break;
    ancestor = next;
  }
  scope.plan->base = InstanceOf(*base.map, *base.group, types);
}

void Linker::PlanEntry() {
  const LoadedMap& map = *linked_.map;
  const ast::Group& group = map.ast.groups.front();
  plan::EntryPlan& entry = linked_.entry;
  std::vector<ValueType> types(group.parameters.size());
  for (std::uint32_t i = 0; i < group.parameters.size(); ++i) {
    const ast::GroupParameter& parameter = group.parameters[i];
    const TypeInfo* type = parameter.type.empty() ? nullptr : FindType(map, parameter.type);
    if (parameter.mode == ast::ParameterMode::kSource && entry.source == plan::kNoSlot) {
      entry.source = i;
      entry.source_type = type;
    } else if (parameter.mode == ast::ParameterMode::kTarget && entry.target == plan::kNoSlot) {
      entry.target = i;
      entry.target_type = type;
    }
  }
  if (entry.source == plan::kNoSlot) {
    Add(Severity::kError, map, group.at, "the first group has no source parameter", Code::kSemantic);
  }
  entry.group = InstanceOf(map, group, types);
  entry.globals = linked_.globals;
}

}  // namespace fhir_adapter::fml::internal
