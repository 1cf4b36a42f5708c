#include "fhirpath/resolver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fhirpath/functions/pattern.h"
#include "fhirpath/navigation.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

TypeState System(ItemKind kind, bool repeats = false) {
  return {StaticType::System(kind, repeats), true};
}
TypeState Unknown() {
  return {StaticType::Any(), true};
}

void Merge(StaticType& into, const StaticType& other) {
  into.unknown = into.unknown || other.unknown;
  into.repeats = into.repeats || other.repeats;
  for (const TypeRef& type : other.types) {
    if (std::find(into.types.begin(), into.types.end(), type) == into.types.end()) into.types.push_back(type);
  }
}

// Types whose values may have more elements than the type says.
bool IsOpen(const fhir::TypeInfo& type) {
  return type.is_abstract;
}

// The kind that a type has as a System value; kElement for complex ones.
ItemKind KindOf(const TypeRef& type) {
  return type.fhir == nullptr ? type.kind : SystemKindOf(*type.fhir);
}

std::string NameOf(const TypeRef& type) {
  static constexpr std::string_view kNames[] = {"element", "Boolean",  "Integer", "Long",
                                                "Decimal", "String",   "Date",    "DateTime",
                                                "Time",    "Quantity", "TypeInfo"};
  return std::string(type.fhir != nullptr ? type.fhir->name : kNames[static_cast<std::size_t>(type.kind)]);
}

std::string NamesOf(const StaticType& type) {
  std::string names;
  for (std::size_t i = 0; i < type.types.size() && i < 4; ++i)
    names += (i == 0 ? "" : ", ") + NameOf(type.types[i]);
  if (type.types.size() > 4) names += ", …";
  return names;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

struct SystemName {
  std::string_view name;
  ItemKind kind;
};
constexpr std::array<SystemName, 9> kSystemNames = {{{"Boolean", ItemKind::kBoolean},
                                                     {"Integer", ItemKind::kInteger},
                                                     {"Long", ItemKind::kLong},
                                                     {"Decimal", ItemKind::kDecimal},
                                                     {"String", ItemKind::kString},
                                                     {"Date", ItemKind::kDate},
                                                     {"DateTime", ItemKind::kDateTime},
                                                     {"Time", ItemKind::kTime},
                                                     {"Quantity", ItemKind::kQuantity}}};

}  // namespace

Result<void> Resolver::Run() {
  if (scope_.schema == nullptr)
    return fhir_adapter::Fail(Code::kInternal, "an expression is resolved without a schema");
  const TypeState context{scope_.context, true};
  TypeState result;
  if (!Resolve(*program_.root, Place{&context, nullptr}, result))
    return fhir_adapter::Fail(std::move(*error_));
  program_.result = std::move(result.type);
  program_.resolved = true;
  return {};
}

bool Resolver::Fail(const Node& at, std::string message) {
  if (!error_) error_ = Error{Code::kSemantic, std::move(message), program_.LocationOf(at.offset)};
  return false;
}

std::string Resolver::Suggest(std::string_view name, const std::vector<std::string_view>& known) const {
  std::string_view best;
  std::size_t distance = std::min<std::size_t>(4, name.size() / 2 + 2);
  for (const std::string_view candidate : known) {
    const std::size_t own = EditDistance(name, candidate);
    if (own < distance) {
      distance = own;
      best = candidate;
    }
  }
  return best.empty() ? "" : "; did you mean '" + std::string(best) + "'?";
}

bool Resolver::Resolve(Node& node, const Place& place, TypeState& out) {
  switch (node.kind) {
    case NodeKind::kLiteral:
      out = System(node.literal.kind());
      return true;
    case NodeKind::kEmpty:
      out = {StaticType{false, false, {}}, true};
      return true;
    case NodeKind::kMember:
      return ResolveMember(node, place, out);
    case NodeKind::kFunction:
      return ResolveFunction(node, place, out);
    case NodeKind::kIndexer: {
      TypeState index;
      if (!Resolve(*node.input, place, out) || !Resolve(*node.arguments[0], place, index)) return false;
      if (scope_.check_order && !out.ordered)
        return Fail(node, "the order of children() and descendants() is undefined");
      out.type.repeats = false;
      return true;
    }
    case NodeKind::kThis:
      out = *place.self;
      return true;
    case NodeKind::kIndex:
      out = System(ItemKind::kInteger);
      return true;
    case NodeKind::kTotal:
      out = place.total == nullptr ? Unknown() : *place.total;
      return true;
    case NodeKind::kVariable:
      return ResolveVariable(node, out);
    case NodeKind::kUnary:
      return Resolve(*node.arguments[0], place, out);
    case NodeKind::kBinary:
      return ResolveBinary(node, place, out);
    case NodeKind::kTypeTest: {
      TypeState operand;
      if (!Resolve(*node.arguments[0], place, operand) ||
          !ResolveTypeName(node, node.type, node.resolved_type)) {
        return false;
      }
      out = node.operation == Operation::kIs ? System(ItemKind::kBoolean)
                                             : OfResolvedType(node.resolved_type, false);
      return true;
    }
  }
  return Fail(node, "the expression cannot be resolved");
}

bool Resolver::ResolveMember(Node& node, const Place& place, TypeState& out) {
  if (node.input != nullptr) {
    TypeState input;
    return Resolve(*node.input, place, input) && ResolveElement(node, input, out);
  }
  for (std::uint32_t slot = 0; slot < scope_.variables.size(); ++slot) {
    const Variable& variable = scope_.variables[slot];
    if (!variable.plain || variable.name != node.name) continue;
    node.variable = VariableKind::kSlot;
    node.slot = slot;
    out = {variable.type, true};
    return true;
  }
  // At the front of a path the name of the context's own type stands for the context.
  const StaticType& self = place.self->type;
  for (const TypeRef& type : self.types) {
    if (HasTypeName(type.fhir, node.name)) node.may_be_type_name = true;
  }
  if (node.may_be_type_name) {
    MemberAccess access;
    const bool also_element = self.types.size() == 1 && self.types[0].fhir != nullptr &&
                              FindMember(*scope_.schema, *self.types[0].fhir, node.name, access);
    if (!also_element) {
      out = *place.self;
      return true;
    }
    node.may_be_type_name = false;
  }
  if (self.unknown) node.may_be_type_name = !node.name.empty() && node.name[0] >= 'A' && node.name[0] <= 'Z';
  return ResolveElement(node, *place.self, out);
}

// Adds what `name` is on one type; false when the type has no such element.
bool Resolver::AddElement(Node& node, const fhir::TypeInfo& type, TypeState& out) {
  MemberAccess access;
  if (!FindMember(*scope_.schema, type, node.name, access, scope_.accepts_json_names)) return false;
  for (const MemberAccess::Form& form : access.forms) {
    if (form.type == nullptr) {
      out.type.unknown = true;
    } else {
      Merge(out.type, StaticType::Of(*form.type));
    }
  }
  if (access.element->is_list()) out.type.repeats = true;
  if (std::find(program_.elements_read.begin(), program_.elements_read.end(), access.element) ==
      program_.elements_read.end()) {
    program_.elements_read.push_back(access.element);
  }
  node.members.push_back(std::move(access));
  return true;
}

bool Resolver::ResolveElement(Node& node, const TypeState& input, TypeState& out) {
  out = {StaticType{input.type.unknown, input.type.repeats, {}}, input.ordered};
  node.accepts_json_names = scope_.accepts_json_names;
  bool found = input.type.unknown || input.type.types.empty();
  for (const TypeRef& type : input.type.types) {
    if (type.fhir != nullptr) {
      bool has = AddElement(node, *type.fhir, out);
      if (!has && scope_.accepts_json_names && type.fhir->kind == fhir::TypeKind::kPrimitive &&
          node.name == "value") {
        Merge(out.type, StaticType::Of(*type.fhir));
        has = true;
      }
      if (!has && IsOpen(*type.fhir)) out.type.unknown = true;
      if (!has && type.fhir->kind == fhir::TypeKind::kPrimitive &&
          (node.name == "id" || node.name == "extension")) {
        out.type.unknown = true;
      }
      found = found || has || out.type.unknown;
    } else if (type.kind == ItemKind::kType && (node.name == "name" || node.name == "namespace")) {
      Merge(out.type, StaticType::System(ItemKind::kString));
      found = true;
    } else if (type.kind == ItemKind::kQuantity &&
               (node.name == "value" || node.name == "unit" || node.name == "code")) {
      Merge(out.type, StaticType::System(node.name == "value" ? ItemKind::kDecimal : ItemKind::kString));
      found = true;
    }
  }
  if (found || !scope_.strict) return true;
  std::vector<std::string_view> known;
  for (const TypeRef& type : input.type.types) {
    if (type.fhir == nullptr) continue;
    for (const fhir::ElementInfo& element : type.fhir->elements) known.push_back(element.name);
    const fhir::ElementInfo* choice = scope_.schema->FindElement(*type.fhir, node.name);
    if (choice != nullptr && choice->is_choice) {
      return Fail(node, "'" + node.name + "' is the JSON name of a choice; write '" +
                            std::string(choice->name) + "', or '" + std::string(choice->name) +
                            ".ofType(…)'");
    }
  }
  return Fail(node, NamesOf(input.type) + " has no element '" + node.name + "'" + Suggest(node.name, known));
}

bool Resolver::ResolveVariable(Node& node, TypeState& out) {
  for (auto local = locals_.rbegin(); local != locals_.rend(); ++local) {
    if (local->name != node.name) continue;
    node.variable = VariableKind::kLocal;
    node.slot = local->slot;
    out = local->state;
    return true;
  }
  for (std::uint32_t slot = 0; slot < scope_.variables.size(); ++slot) {
    if (scope_.variables[slot].name != node.name) continue;
    node.variable = VariableKind::kSlot;
    node.slot = slot;
    out = {scope_.variables[slot].type, true};
    return true;
  }
  return ResolveConstant(node, out);
}

bool Resolver::ResolveConstant(Node& node, TypeState& out) {
  struct Known {
    std::string_view name;
    VariableKind kind;
  };
  static constexpr std::array<Known, 3> kPlaces = {{{"resource", VariableKind::kResource},
                                                    {"rootResource", VariableKind::kRootResource},
                                                    {"context", VariableKind::kContext}}};
  for (const Known& known : kPlaces) {
    if (known.name != node.name) continue;
    node.variable = known.kind;
    out = known.kind == VariableKind::kContext ? TypeState{scope_.context, true} : Unknown();
    return true;
  }
  std::string url;
  if (node.name == "sct") url = "http://snomed.info/sct";
  if (node.name == "loinc") url = "http://loinc.org";
  if (node.name == "ucum") url = "http://unitsofmeasure.org";
  if (node.name.starts_with("vs-")) url = "http://hl7.org/fhir/ValueSet/" + node.name.substr(3);
  if (node.name.starts_with("ext-")) url = "http://hl7.org/fhir/StructureDefinition/" + node.name.substr(4);
  if (url.empty()) {
    std::vector<std::string_view> names = {"resource", "rootResource", "context", "sct", "loinc", "ucum"};
    for (const Variable& variable : scope_.variables) names.push_back(variable.name);
    return Fail(node, "the variable '%" + node.name + "' is not declared" + Suggest(node.name, names));
  }
  node.variable = VariableKind::kConstant;
  node.unit = std::move(url);
  node.literal = Item::String(node.unit);
  out = System(ItemKind::kString);
  return true;
}

bool Resolver::ResolveFunction(Node& node, const Place& place, TypeState& out) {
  node.function = FindFunction(node.name);
  if (node.function == nullptr) return ResolveHost(node, place, out);
  const FunctionInfo& function = *node.function;
  // A variable defined before the dot is visible behind it.
  TypeState input;
  if (node.input != nullptr) {
    if (!Resolve(*node.input, place, input)) return false;
  } else {
    input = *place.self;
  }
  const std::size_t count = node.arguments.size();
  if (count < function.arguments_min || count > function.arguments_max) {
    std::string wanted = std::to_string(function.arguments_min);
    if (function.arguments_max != function.arguments_min)
      wanted += " to " + std::to_string(function.arguments_max);
    return Fail(node, node.name + "() takes " + wanted + " arguments, not " + std::to_string(count));
  }
  if (!CheckInput(node, input)) return false;
  if (function.arguments == ArgumentRule::kType) {
    if (!ResolveTypeArgument(node)) return false;
    out = ResultOf(node, input, {});
    return true;
  }
  if (function.arguments == ArgumentRule::kVariable) {
    out = input;
    return DefineLocal(node, place, input);
  }
  std::vector<TypeState> states;
  if (!ResolveArguments(node, place, input, states) || !CompilePattern(node)) return false;
  if (node.name == "iif" && !CheckCriterion(*node.arguments[0], states[0])) return false;
  out = ResultOf(node, input, states);
  return true;
}

bool Resolver::ResolveHost(Node& node, const Place& place, TypeState& out) {
  const auto found = std::find_if(scope_.functions.begin(), scope_.functions.end(),
                                  [&](const HostFunction& function) { return function.name == node.name; });
  if (found == scope_.functions.end()) {
    std::vector<std::string_view> names = FunctionNames();
    for (const HostFunction& function : scope_.functions) names.push_back(function.name);
    return Fail(node, "the function '" + node.name + "()' is not known" + Suggest(node.name, names));
  }
  if (node.arguments.size() < found->arguments_min || node.arguments.size() > found->arguments_max) {
    return Fail(node, node.name + "() does not take " + std::to_string(node.arguments.size()) + " arguments");
  }
  node.host_function = &*found;
  TypeState input;
  if (node.input != nullptr && !Resolve(*node.input, place, input)) return false;
  for (Node* argument : node.arguments) {
    TypeState state;
    if (!Resolve(*argument, place, state)) return false;
  }
  out = {found->result, true};
  return true;
}

bool Resolver::ResolveArguments(Node& node, const Place& place, const TypeState& input,
                                std::vector<TypeState>& states) {
  TypeState item = input;
  item.type.repeats = false;
  item.ordered = true;
  TypeState total = Unknown();
  Place inner = place;
  switch (node.function->arguments) {
    case ArgumentRule::kEach:
      inner = Place{&item, nullptr};
      break;
    case ArgumentRule::kInput:
      inner = Place{&input, place.total};
      break;
    case ArgumentRule::kTotal:
      inner = Place{&item, &total};
      break;
    default:
      break;
  }
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    // The initial total of aggregate() is computed outside of its iteration.
    const bool outside = node.function->arguments == ArgumentRule::kTotal && i > 0;
    const std::size_t visible = locals_.size();
    TypeState state;
    if (!Resolve(*node.arguments[i], outside ? place : inner, state)) return false;
    // What an argument defines is not seen outside of it.
    locals_.resize(visible);
    states.push_back(std::move(state));
  }
  return true;
}

bool Resolver::ResolveTypeArgument(Node& node) {
  TypeName name;
  if (!ReadTypeName(*node.arguments[0], name))
    return Fail(*node.arguments[0], node.name + "() needs the name of a type");
  return ResolveTypeName(*node.arguments[0], name, node.resolved_type);
}

bool Resolver::ReadTypeName(const Node& argument, TypeName& name) const {
  if (argument.kind == NodeKind::kLiteral && argument.literal.kind() == ItemKind::kString) {
    name.name = argument.name;
    return true;
  }
  if (argument.kind != NodeKind::kMember) return false;
  name.name = argument.name;
  if (argument.input == nullptr) return true;
  if (argument.input->kind != NodeKind::kMember || argument.input->input != nullptr) return false;
  name.name_space = argument.input->name;
  return true;
}

bool Resolver::ResolveTypeName(const Node& node, const TypeName& name, ResolvedType& type) {
  if (name.name_space.empty() || name.name_space == "System") {
    for (const SystemName& known : kSystemNames) {
      if (known.name != name.name) continue;
      type.system = true;
      type.kind = known.kind;
    }
  }
  if (name.name_space != "System") {
    const std::string qualified =
        name.name_space.empty() || name.name_space == "FHIR" ? name.name : name.name_space + "." + name.name;
    const fhir::TypeInfo* found = scope_.schema->FindType(qualified);
    if (found != nullptr && found->name == qualified) type.fhir = found;
    if (type.fhir == nullptr && !type.system) return Fail(node, "the type '" + qualified + "' is not known");
  }
  type.known = type.system || type.fhir != nullptr;
  return true;
}

bool Resolver::DefineLocal(Node& node, const Place& place, const TypeState& input) {
  const Node& name = *node.arguments[0];
  if (name.kind != NodeKind::kLiteral || name.literal.kind() != ItemKind::kString) {
    return Fail(name, "the name of a variable is a text literal");
  }
  static constexpr std::array<std::string_view, 6> kReserved = {"resource", "rootResource", "context",
                                                                "sct",      "loinc",        "ucum"};
  const bool reserved = std::find(kReserved.begin(), kReserved.end(), name.name) != kReserved.end() ||
                        name.name.starts_with("vs-") || name.name.starts_with("ext-");
  const bool declared = std::any_of(scope_.variables.begin(), scope_.variables.end(),
                                    [&](const Variable& variable) { return variable.name == name.name; });
  const bool defined = std::any_of(locals_.begin(), locals_.end(),
                                   [&](const Local& local) { return local.name == name.name; });
  if (reserved || declared || defined)
    return Fail(name, "the variable '%" + name.name + "' is defined already");
  TypeState state = input;
  if (node.arguments.size() == 2) {
    const std::size_t visible = locals_.size();
    if (!Resolve(*node.arguments[1], Place{&input, place.total}, state)) return false;
    locals_.resize(visible);
  }
  node.slot = program_.locals++;
  locals_.push_back(Local{name.name, node.slot, std::move(state)});
  return true;
}

bool Resolver::CheckInput(const Node& node, const TypeState& input) {
  if (scope_.check_order && node.function->input == InputRule::kOrdered && !input.ordered) {
    return Fail(node,
                "the order of children() and descendants() is undefined, " + node.name + "() depends on it");
  }
  if (node.function->input != InputRule::kString || input.type.unknown || input.type.types.empty())
    return true;
  for (const TypeRef& type : input.type.types) {
    if (KindOf(type) == ItemKind::kString || (type.fhir != nullptr && IsOpen(*type.fhir))) return true;
  }
  return Fail(node, node.name + "() needs a String, not " + NamesOf(input.type));
}

bool Resolver::CheckCriterion(const Node& argument, const TypeState& state) {
  if (state.type.unknown || state.type.types.empty()) return true;
  for (const TypeRef& type : state.type.types) {
    if (KindOf(type) == ItemKind::kBoolean) return true;
  }
  return Fail(argument, "the criterion of iif() must be a Boolean, not " + NamesOf(state.type));
}

// matches('…') and its kin with a literal pattern: compiled once, and a bad one is found here.
bool Resolver::CompilePattern(Node& node) {
  const bool takes_pattern =
      node.name == "matches" || node.name == "matchesFull" || node.name == "replaceMatches";
  if (!takes_pattern) return true;
  const std::size_t flags_at = node.name == "replaceMatches" ? 2 : 1;
  const Node& literal = *node.arguments[0];
  if (literal.kind != NodeKind::kLiteral || literal.literal.kind() != ItemKind::kString ||
      node.arguments.size() > flags_at) {
    return true;
  }
  Result<std::unique_ptr<Pattern>> pattern = Pattern::Compile(literal.name);
  if (!pattern) return Fail(literal, pattern.error().message);
  node.pattern = pattern->get();
  program_.patterns.push_back(std::move(pattern).value());
  return true;
}

bool Resolver::ResolveBinary(Node& node, const Place& place, TypeState& out) {
  TypeState operands[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const std::size_t visible = locals_.size();
    if (!Resolve(*node.arguments[i], place, operands[i])) return false;
    locals_.resize(visible);
  }
  switch (node.operation) {
    case Operation::kUnion:
      out = operands[0];
      Merge(out.type, operands[1].type);
      out.type.repeats = true;
      return true;
    case Operation::kConcatenate:
      out = System(ItemKind::kString);
      return true;
    case Operation::kPlus:
    case Operation::kMinus:
    case Operation::kMultiply:
    case Operation::kDivide:
    case Operation::kIntegerDivide:
    case Operation::kModulo:
      out = Unknown();
      out.type.repeats = false;
      return true;
    default:
      out = System(ItemKind::kBoolean);
      return true;
  }
}

TypeState Resolver::OfResolvedType(const ResolvedType& type, bool repeats) const {
  TypeState state{StaticType{false, repeats, {}}, true};
  if (type.system) state.type.types.push_back(TypeRef{type.kind, nullptr});
  if (type.fhir != nullptr) state.type.types.push_back(TypeRef{ItemKind::kElement, type.fhir});
  return state;
}

TypeState Resolver::ResultOf(const Node& node, const TypeState& input,
                             const std::vector<TypeState>& arguments) const {
  TypeState state = input;
  switch (node.function->result) {
    case ResultRule::kAny:
      return Unknown();
    case ResultRule::kBoolean:
      return System(ItemKind::kBoolean);
    case ResultRule::kInteger:
      return System(ItemKind::kInteger);
    case ResultRule::kDecimal:
      return System(ItemKind::kDecimal);
    case ResultRule::kString:
      return System(ItemKind::kString);
    case ResultRule::kStrings:
      return System(ItemKind::kString, true);
    case ResultRule::kDate:
      return System(ItemKind::kDate);
    case ResultRule::kDateTime:
      return System(ItemKind::kDateTime);
    case ResultRule::kTime:
      return System(ItemKind::kTime);
    case ResultRule::kQuantity:
      return System(ItemKind::kQuantity);
    case ResultRule::kTypeInfo:
      return System(ItemKind::kType, true);
    case ResultRule::kInput:
      return state;
    case ResultRule::kInputOne:
      state.type.repeats = false;
      return state;
    case ResultRule::kInputSingle:
      for (TypeRef& type : state.type.types) type = TypeRef{KindOf(type), nullptr};
      state.type.repeats = false;
      return state;
    case ResultRule::kUnion:
      Merge(state.type, arguments[0].type);
      state.type.repeats = true;
      return state;
    case ResultRule::kArgument:
      state = arguments.back();
      state.type.repeats = state.type.repeats || input.type.repeats;
      return state;
    case ResultRule::kChoice:
      state = arguments[1];
      if (arguments.size() > 2) Merge(state.type, arguments[2].type);
      return state;
    case ResultRule::kOfType:
      return OfResolvedType(node.resolved_type, input.type.repeats);
    case ResultRule::kChildren:
      return {StaticType::Any(), false};
    case ResultRule::kExtension: {
      const fhir::TypeInfo* extension = scope_.schema->FindType("Extension");
      return extension == nullptr ? Unknown() : TypeState{StaticType::Of(*extension, true), true};
    }
  }
  return Unknown();
}

}  // namespace fhir_adapter::fhirpath::internal
