#include "fhirpath/evaluator.h"

#include <utility>

#include "core/limits.h"
#include "fhirpath/functions/function.h"
#include "fhirpath/navigation.h"

namespace fhir_adapter::fhirpath::internal {

Evaluator::Evaluator(const Program& program, const EvaluationContext& context, const Collection& input)
    : program_(program),
      context_(context),
      input_(input),
      locals_(program.locals),
      steps_(context.steps_used == nullptr ? &own_steps_ : context.steps_used) {}

Result<Collection> Evaluator::Run() {
  Focus focus;
  focus.self = &input_;
  Collection out;
  if (!Evaluate(*program_.root, focus, out)) return fhir_adapter::Fail(std::move(*error_));
  return out;
}

bool Evaluator::Fail(const Node& at, std::string message, Code code) {
  return Fail(at, Error{code, std::move(message), {}});
}

bool Evaluator::Fail(const Node& at, Error error) {
  if (!error_) {
    if (error.where == Location{}) error.where = program_.LocationOf(at.offset);
    error_ = std::move(error);
  }
  return false;
}

bool Evaluator::Step(const Node& at, std::uint64_t count) {
  *steps_ += count;
  if (*steps_ <= context_.steps_max) return true;
  return Fail(at, "the expression used more than its " + std::to_string(context_.steps_max) + " steps",
              Code::kMapLimit);
}

bool Evaluator::Append(const Node& at, const Item& item, Collection& out) {
  if (out.size() >= limits::kFhirPathCollectionItemsMax) {
    return Fail(
        at, "a collection has more than " + std::to_string(limits::kFhirPathCollectionItemsMax) + " items",
        Code::kMapLimit);
  }
  out.Append(item, arena());
  return true;
}

bool Evaluator::Append(const Node& at, const Collection& items, Collection& out) {
  if (out.size() + items.size() > limits::kFhirPathCollectionItemsMax) {
    return Fail(
        at, "a collection has more than " + std::to_string(limits::kFhirPathCollectionItemsMax) + " items",
        Code::kMapLimit);
  }
  out.Append(items, arena());
  return Step(at, items.size());
}

void Evaluator::SetLocal(std::uint32_t slot, const Collection& value) {
  locals_[slot] = value;
}

bool Evaluator::Evaluate(const Node& node, const Focus& focus, Collection& out) {
  out.Clear();
  if (!Step(node)) return false;
  switch (node.kind) {
    case NodeKind::kLiteral:
      out = node.literal;
      return true;
    case NodeKind::kEmpty:
      return true;
    case NodeKind::kMember:
      return EvaluateMember(node, focus, out);
    case NodeKind::kFunction:
      return EvaluateFunction(node, focus, out);
    case NodeKind::kIndexer:
      return EvaluateIndexer(node, focus, out);
    case NodeKind::kThis:
      out = *focus.self;
      return true;
    case NodeKind::kIndex:
      if (focus.index >= 0) out = Item::Integer(focus.index);
      return true;
    case NodeKind::kTotal:
      if (focus.total != nullptr) out = *focus.total;
      return true;
    case NodeKind::kVariable:
      return EvaluateVariable(node, out);
    case NodeKind::kUnary:
      return EvaluateUnary(node, focus, out);
    case NodeKind::kBinary:
      return EvaluateBinary(node, focus, out);
    case NodeKind::kTypeTest:
      return EvaluateTypeTest(node, focus, out);
  }
  return Fail(node, "the expression cannot be evaluated");
}

bool Evaluator::EvaluateTruth(const Node& node, const Focus& focus, Truth& out) {
  Collection values;
  return Evaluate(node, focus, values) && ToBoolean(node, values, out);
}

bool Evaluator::ToBoolean(const Node& at, const Collection& values, Truth& out) {
  if (values.empty()) {
    out = Truth::kEmpty;
    return true;
  }
  if (values.size() > 1) return Fail(at, "a single Boolean is needed, and there are several items");
  const Item value = ToSystem(values.front(), arena());
  out = ToTruth(value.kind() != ItemKind::kBoolean || value.boolean());
  return true;
}

void Evaluator::ReadMember(const Node& node, const Item& item, Collection& out) {
  if (!item.is_element()) {
    if (item.kind() == ItemKind::kType) {
      if (node.name == "namespace") out.Append(Item::String(item.type_namespace()), arena());
      if (node.name == "name") out.Append(Item::String(item.type_name()), arena());
    } else if (item.kind() == ItemKind::kQuantity) {
      if (node.name == "value") out.Append(Item::Decimal(item.text()), arena());
      if (node.name == "unit" || node.name == "code") out.Append(Item::String(item.unit()), arena());
    }
    return;
  }
  const fhir::Element& element = item.element();
  for (const MemberAccess& access : node.members) {
    if (access.owner == element.type) {
      AppendMember(element, access, schema(), arena(), out);
      return;
    }
  }
  const bool is_primitive = element.type != nullptr && element.type->kind == fhir::TypeKind::kPrimitive;
  if (node.accepts_json_names && is_primitive && node.name == "value") {
    out.Append(item, arena());
    return;
  }
  AppendMemberByName(element, node.name, schema(), arena(), out, node.accepts_json_names);
}

bool Evaluator::EvaluateMember(const Node& node, const Focus& focus, Collection& out) {
  if (node.variable != VariableKind::kNone) return EvaluateVariable(node, out);
  Collection evaluated;
  const Collection* input = focus.self;
  if (node.input != nullptr) {
    if (!Evaluate(*node.input, focus, evaluated)) return false;
    input = &evaluated;
  }
  for (const Item& item : *input) {
    if (node.may_be_type_name && item.is_element() && HasTypeName(item.element().type, node.name)) {
      if (!Append(node, item, out)) return false;
      continue;
    }
    ReadMember(node, item, out);
    if (out.size() > limits::kFhirPathCollectionItemsMax) return Append(node, item, out);
  }
  return Step(node, out.size());
}

bool Evaluator::EvaluateVariable(const Node& node, Collection& out) {
  switch (node.variable) {
    case VariableKind::kSlot:
      if (node.slot >= context_.variables.size()) {
        return Fail(node, "the variable '" + node.name + "' has no value here");
      }
      out = context_.variables[node.slot];
      return true;
    case VariableKind::kLocal:
      out = locals_[node.slot];
      return true;
    case VariableKind::kResource:
      out = resource();
      return true;
    case VariableKind::kRootResource:
      out = root_resource();
      return true;
    case VariableKind::kContext:
      out = context_.context.empty() ? input_ : context_.context;
      return true;
    case VariableKind::kConstant:
      out = node.literal;
      return true;
    case VariableKind::kNone:
      break;
  }
  return Fail(node, "the variable '" + node.name + "' is not known");
}

bool Evaluator::EvaluateFunction(const Node& node, const Focus& focus, Collection& out) {
  Collection evaluated;
  const Collection* input = focus.self;
  if (node.input != nullptr) {
    if (!Evaluate(*node.input, focus, evaluated)) return false;
    input = &evaluated;
  }
  if (node.host_function != nullptr) return EvaluateHost(node, focus, *input, out);
  Call call{*this, node, focus, *input, out};
  return node.function->body(call);
}

bool Evaluator::EvaluateHost(const Node& node, const Focus& focus, const Collection& input, Collection& out) {
  const std::size_t count = node.arguments.size();
  const std::span<Collection> arguments(count == 0 ? nullptr : arena().MakeArray<Collection>(count), count);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!Evaluate(*node.arguments[i], focus, arguments[i])) return false;
  }
  Result<Collection> result = node.host_function->body(context_, input, arguments);
  if (!result) return Fail(node, std::move(result).error());
  out = *result;
  return true;
}

bool Evaluator::EvaluateIndexer(const Node& node, const Focus& focus, Collection& out) {
  Collection input;
  Collection index;
  if (!Evaluate(*node.input, focus, input) || !Evaluate(*node.arguments[0], focus, index)) return false;
  if (index.empty()) return true;
  const Item position = ToSystem(index.front(), arena());
  if (index.size() > 1 || position.kind() != ItemKind::kInteger) {
    return Fail(*node.arguments[0], "an index is a single Integer");
  }
  if (position.integer() >= 0 && position.integer() < static_cast<std::int64_t>(input.size())) {
    out = input[static_cast<std::size_t>(position.integer())];
  }
  return true;
}

bool Evaluator::EvaluateUnary(const Node& node, const Focus& focus, Collection& out) {
  Collection operand;
  if (!Evaluate(*node.arguments[0], focus, operand)) return false;
  if (operand.empty()) return true;
  const Item value = ToSystem(operand.front(), arena());
  if (operand.size() > 1 || (!IsNumber(value) && value.kind() != ItemKind::kQuantity)) {
    return Fail(node, "a sign needs a single number or quantity");
  }
  if (node.operation == Operation::kPlus) {
    out = value;
    return true;
  }
  if (value.kind() == ItemKind::kInteger || value.kind() == ItemKind::kLong) {
    if (value.integer() != INT64_MIN) out = Item::Integer(-value.integer(), value.kind());
    return true;
  }
  const auto number = DecimalOf(value);
  if (!number) return true;
  const std::string_view text = arena().Copy(number->Negated().ToString());
  out = value.kind() == ItemKind::kQuantity ? Item::Quantity(text, value.unit(), value.unit_kind())
                                            : Item::Decimal(text);
  return true;
}

// and, or, xor, implies: three-valued, the right side only where it matters.
bool Evaluator::EvaluateLogic(const Node& node, const Focus& focus, Collection& out) {
  Truth left = Truth::kEmpty;
  if (!EvaluateTruth(*node.arguments[0], focus, left)) return false;
  const Operation operation = node.operation;
  const bool decided = (operation == Operation::kAnd && left == Truth::kFalse) ||
                       (operation == Operation::kOr && left == Truth::kTrue) ||
                       (operation == Operation::kImplies && left == Truth::kFalse);
  if (decided) {
    out = Item::Boolean(operation != Operation::kAnd);
    return true;
  }
  Truth right = Truth::kEmpty;
  if (!EvaluateTruth(*node.arguments[1], focus, right)) return false;
  Truth result = Truth::kEmpty;
  switch (operation) {
    case Operation::kAnd:
      result = right == Truth::kFalse ? Truth::kFalse : (left == Truth::kTrue ? right : Truth::kEmpty);
      break;
    case Operation::kOr:
      result = right == Truth::kTrue ? Truth::kTrue : (left == Truth::kFalse ? right : Truth::kEmpty);
      break;
    case Operation::kXor:
      if (left != Truth::kEmpty && right != Truth::kEmpty) result = ToTruth(left != right);
      break;
    default:  // implies
      result = right == Truth::kTrue ? Truth::kTrue : (left == Truth::kTrue ? right : Truth::kEmpty);
      break;
  }
  if (result != Truth::kEmpty) out = Item::Boolean(result == Truth::kTrue);
  return true;
}

bool Evaluator::EvaluateBinary(const Node& node, const Focus& focus, Collection& out) {
  switch (node.operation) {
    case Operation::kAnd:
    case Operation::kOr:
    case Operation::kXor:
    case Operation::kImplies:
      return EvaluateLogic(node, focus, out);
    default:
      break;
  }
  Collection left;
  Collection right;
  if (!Evaluate(*node.arguments[0], focus, left) || !Evaluate(*node.arguments[1], focus, right)) return false;
  return ApplyBinary(*this, node, left, right, out);
}

bool Evaluator::EvaluateTypeTest(const Node& node, const Focus& focus, Collection& out) {
  Collection operand;
  if (!Evaluate(*node.arguments[0], focus, operand)) return false;
  if (operand.empty()) return true;
  if (operand.size() > 1) return Fail(node, "is and as need a single item, and there are several");
  if (node.operation == Operation::kIs) {
    out = Item::Boolean(IsOfType(operand.front(), node.resolved_type, false));
  } else if (IsOfType(operand.front(), node.resolved_type, true)) {
    out = operand;
  }
  return true;
}

bool IsOfType(const Item& item, const ResolvedType& type, bool exact_primitive) {
  if (!item.is_element()) return type.system && item.kind() == type.kind;
  const fhir::Element& element = item.element();
  if (element.type == nullptr) {  // a tree without types: by the JSON value
    if (!type.system || element.node == nullptr) return false;
    Arena arena;
    return ToSystem(item, arena).kind() == type.kind;
  }
  if (type.fhir == nullptr) return false;
  if (element.type == type.fhir) return true;
  if (exact_primitive && element.type->kind == fhir::TypeKind::kPrimitive) return false;
  return fhir::Schema::IsSubtypeOf(*element.type, *type.fhir);
}

}  // namespace fhir_adapter::fhirpath::internal
