// Binary operators on evaluated operands. FHIRPath N1 2.0.0, sections 6.1 to 6.8.
#include <cstdint>
#include <string>

#include "core/limits.h"
#include "fhirpath/evaluator.h"
#include "fhirpath/ucum/ucum.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Return(Collection& out, const Item& item) {
  out = item;
  return true;
}

// A primitive that has only extensions has no value to compute with.
bool HasValue(const Collection& operand) {
  return operand.size() > 1 || (operand.size() == 1 &&
                                (!operand.front().is_element() || operand.front().element().node != nullptr));
}

bool IsDateTimeOperation(Operation operation) {
  return operation == Operation::kPlus || operation == Operation::kMinus;
}

// An Integer result outside its range is no value.
bool ReturnInteger(Collection& out, std::int64_t value, bool is_long) {
  if (is_long) return Return(out, Item::Integer(value, ItemKind::kLong));
  if (value >= INT32_MIN && value <= INT32_MAX) out = Item::Integer(value);
  return true;
}

bool ReturnDecimal(Evaluator& evaluator, Collection& out, const std::optional<fhir::Decimal>& value) {
  if (value) out = Item::Decimal(evaluator.arena().Copy(value->ToString()));
  return true;
}

// + - * div mod on two integers; false when the operation makes a decimal (/).
bool ApplyIntegers(Operation operation, const Item& a, const Item& b, Collection& out) {
  const bool is_long = a.kind() == ItemKind::kLong || b.kind() == ItemKind::kLong;
  std::int64_t result = 0;
  bool overflow = false;
  switch (operation) {
    case Operation::kPlus:
      overflow = __builtin_add_overflow(a.integer(), b.integer(), &result);
      break;
    case Operation::kMinus:
      overflow = __builtin_sub_overflow(a.integer(), b.integer(), &result);
      break;
    case Operation::kMultiply:
      overflow = __builtin_mul_overflow(a.integer(), b.integer(), &result);
      break;
    default:
      if (b.integer() == 0) return true;
      overflow = a.integer() == INT64_MIN && b.integer() == -1;
      if (!overflow) {
        result = operation == Operation::kModulo ? a.integer() % b.integer() : a.integer() / b.integer();
      }
      break;
  }
  return overflow || ReturnInteger(out, result, is_long);
}

bool ApplyNumbers(Evaluator& evaluator, const Node& node, const Item& a, const Item& b, Collection& out) {
  if (a.kind() != ItemKind::kDecimal && b.kind() != ItemKind::kDecimal &&
      node.operation != Operation::kDivide) {
    return ApplyIntegers(node.operation, a, b, out);
  }
  const auto left = DecimalOf(a);
  const auto right = DecimalOf(b);
  if (!left || !right) return true;
  switch (node.operation) {
    case Operation::kPlus:
      return ReturnDecimal(evaluator, out, Add(*left, *right));
    case Operation::kMinus:
      return ReturnDecimal(evaluator, out, Subtract(*left, *right));
    case Operation::kMultiply:
      return ReturnDecimal(evaluator, out, Multiply(*left, *right));
    case Operation::kDivide:
      return ReturnDecimal(evaluator, out, Divide(*left, *right));
    case Operation::kModulo:
      return ReturnDecimal(evaluator, out, Remainder(*left, *right));
    default: {  // div
      const auto quotient = DivideWhole(*left, *right);
      const auto integer = quotient ? quotient->ToInt64() : std::nullopt;
      return !integer || ReturnInteger(out, *integer, false);
    }
  }
}

// The UCUM code of a quantity's unit; nothing for calendar years and months.
std::optional<std::string_view> CodeOf(const Item& quantity) {
  return quantity.unit_kind() == UnitKind::kUcum ? std::optional(quantity.unit()) : DefiniteUnitOf(quantity);
}

// The sum stands in the more granular of the two units: 1 'kg' + 250 'g' is 1250 'g' (N1 section 6.6.3).
bool AddQuantities(Evaluator& evaluator, const Node& node, const Item& a, const Item& b, Collection& out) {
  auto left = DecimalOf(a);
  auto right = DecimalOf(b);
  if (!left || !right) return true;
  const Item* unit_of = &a;
  if (a.unit() != b.unit() || a.unit_kind() != b.unit_kind()) {
    const auto code_a = CodeOf(a);
    const auto code_b = CodeOf(b);
    const auto a_is_larger = code_a && code_b ? ucum::IsLarger(*code_a, *code_b) : std::nullopt;
    if (!a_is_larger) return true;  // units that cannot be compared: no value
    if (*a_is_larger) {
      left = ucum::Convert(*left, *code_a, *code_b);
      unit_of = &b;
    } else {
      right = ucum::Convert(*right, *code_b, *code_a);
    }
    if (!left || !right) return true;
  }
  const auto sum = node.operation == Operation::kPlus ? Add(*left, *right) : Subtract(*left, *right);
  if (sum) {
    out = Item::Quantity(evaluator.arena().Copy(sum->ToString()), unit_of->unit(), unit_of->unit_kind());
  }
  return true;
}

bool ScaleQuantities(Evaluator& evaluator, const Node& node, const Item& a, const Item& b, Collection& out) {
  const auto left = DecimalOf(a);
  auto right = DecimalOf(b);
  const auto unit_a = CodeOf(a);
  auto unit_b = CodeOf(b);
  if (!left || !right || !unit_a || !unit_b) return true;
  // 2 'cm' * 2 'm' is better said in one unit.
  if (*unit_a != *unit_b && *unit_a != "1" && *unit_b != "1") {
    if (auto converted = ucum::Convert(*right, *unit_b, *unit_a)) {
      right = converted;
      unit_b = unit_a;
    }
  }
  const bool multiply = node.operation == Operation::kMultiply;
  const auto value = multiply ? Multiply(*left, *right) : Divide(*left, *right);
  if (!value) return true;
  const std::string unit =
      multiply ? ucum::ProductUnit(*unit_a, *unit_b) : ucum::QuotientUnit(*unit_a, *unit_b);
  out = Item::Quantity(evaluator.arena().Copy(value->ToString()), evaluator.arena().Copy(unit));
  return true;
}

Item AsQuantity(Evaluator& evaluator, const Item& item) {
  if (item.kind() == ItemKind::kQuantity) return item;
  return Item::Quantity(evaluator.arena().Copy(DecimalOf(item)->ToString()), "1");
}

// A date or time plus or minus a duration. `from_element`: the quantity is a FHIR one, where 'a' and 'mo' are
// how a calendar year and month are written (FHIR R4, use of Quantity in FHIRPath).
bool MoveTemporal(Evaluator& evaluator, const Node& node, const Item& moment, const Item& duration,
                  bool from_element, Collection& out) {
  const auto temporal = TemporalOf(moment);
  auto amount = DecimalOf(duration);
  if (!temporal || !amount) return true;
  auto unit = CalendarUnitOf(duration);
  if (!unit && from_element && duration.unit() == "a") unit = fhir::CalendarUnit::kYear;
  if (!unit && from_element && duration.unit() == "mo") unit = fhir::CalendarUnit::kMonth;
  if (!unit) {
    return evaluator.Fail(node, "a date or time moves only by a duration (years, months, 'wk', 'd', 'h', …)");
  }
  if (node.operation == Operation::kMinus) amount = amount->Negated();
  const auto moved = fhir::AddDuration(*temporal, *amount, *unit);
  if (!moved) return true;
  const std::string_view text = evaluator.arena().Copy(moved->ToString());
  switch (moment.kind()) {
    case ItemKind::kDate:
      return Return(out, Item::Date(text));
    case ItemKind::kTime:
      return Return(out, Item::Time(text));
    default:
      return Return(out, Item::DateTime(text));
  }
}

bool Mismatch(Evaluator& evaluator, const Node& node, const Item& a, const Item& b) {
  return evaluator.Fail(node, "'" + std::string(SymbolOf(node.operation)) + "' does not take " +
                                  std::string(TypeNameOf(a, evaluator.arena())) + " and " +
                                  std::string(TypeNameOf(b, evaluator.arena())));
}

bool ReturnText(Evaluator& evaluator, const Node& node, std::string_view a, std::string_view b,
                Collection& out) {
  if (a.size() + b.size() > limits::kFhirPathTextBytesMax) {
    return evaluator.Fail(node,
                          "a text is longer than " + std::to_string(limits::kFhirPathTextBytesMax) + " bytes",
                          Code::kMapLimit);
  }
  char* bytes = static_cast<char*>(evaluator.arena().Allocate(a.size() + b.size() + 1, 1));
  std::copy(a.begin(), a.end(), bytes);
  std::copy(b.begin(), b.end(), bytes + a.size());
  return Return(out, Item::String({bytes, a.size() + b.size()}));
}

bool ApplyArithmetic(Evaluator& evaluator, const Node& node, const Collection& left, const Collection& right,
                     Collection& out) {
  if (!HasValue(left) || !HasValue(right)) return true;
  if (left.size() > 1 || right.size() > 1) {
    return evaluator.Fail(node, "'" + std::string(SymbolOf(node.operation)) +
                                    "' needs single operands, and there are several items");
  }
  Arena& arena = evaluator.arena();
  const Item a = ToSystem(left.front(), arena);
  const Item b = ToSystem(right.front(), arena);
  if (IsNumber(a) && IsNumber(b)) return ApplyNumbers(evaluator, node, a, b, out);
  const bool quantities =
      (a.kind() == ItemKind::kQuantity && (b.kind() == ItemKind::kQuantity || IsNumber(b))) ||
      (b.kind() == ItemKind::kQuantity && IsNumber(a));
  if (IsDateTimeOperation(node.operation)) {
    if (a.kind() == ItemKind::kString && b.kind() == ItemKind::kString &&
        node.operation == Operation::kPlus) {
      return ReturnText(evaluator, node, a.text(), b.text(), out);
    }
    if (IsTemporal(a) && b.kind() == ItemKind::kQuantity) {
      return MoveTemporal(evaluator, node, a, b, right.front().is_element(), out);
    }
    if (quantities)
      return AddQuantities(evaluator, node, AsQuantity(evaluator, a), AsQuantity(evaluator, b), out);
  } else if (quantities && (node.operation == Operation::kMultiply || node.operation == Operation::kDivide)) {
    return ScaleQuantities(evaluator, node, AsQuantity(evaluator, a), AsQuantity(evaluator, b), out);
  }
  return Mismatch(evaluator, node, a, b);
}

bool ApplyConcatenation(Evaluator& evaluator, const Node& node, const Collection& left,
                        const Collection& right, Collection& out) {
  std::string_view texts[2];
  const Collection* operands[2] = {&left, &right};
  for (int i = 0; i < 2; ++i) {
    if (!HasValue(*operands[i])) continue;
    if (operands[i]->size() > 1)
      return evaluator.Fail(node, "'&' needs single operands, and there are several items");
    const Item value = ToSystem(operands[i]->front(), evaluator.arena());
    if (value.kind() != ItemKind::kString)
      return Mismatch(evaluator, node, left.empty() ? value : left.front(), value);
    texts[i] = value.text();
  }
  return ReturnText(evaluator, node, texts[0], texts[1], out);
}

bool ApplyComparison(Evaluator& evaluator, const Node& node, const Collection& left, const Collection& right,
                     Collection& out) {
  if (!HasValue(left) || !HasValue(right)) return true;
  if (left.size() > 1 || right.size() > 1) {
    return evaluator.Fail(node, "'" + std::string(SymbolOf(node.operation)) +
                                    "' needs single operands, and there are several items");
  }
  const Order order = Compare(left.front(), right.front(), evaluator.arena());
  if (order == Order::kIncompatible) return Mismatch(evaluator, node, left.front(), right.front());
  if (order == Order::kUnknown) return true;
  switch (node.operation) {
    case Operation::kLess:
      return Return(out, Item::Boolean(order == Order::kLess));
    case Operation::kGreater:
      return Return(out, Item::Boolean(order == Order::kGreater));
    case Operation::kLessOrEqual:
      return Return(out, Item::Boolean(order != Order::kGreater));
    default:
      return Return(out, Item::Boolean(order != Order::kLess));
  }
}

bool ApplyMembership(Evaluator& evaluator, const Node& node, const Collection& one, const Collection& many,
                     Collection& out) {
  if (one.empty()) return true;
  if (one.size() > 1)
    return evaluator.Fail(node, "membership is asked of a single item, and there are several");
  if (!evaluator.Step(node, many.size())) return false;
  for (const Item& item : many) {
    if (Equal(one.front(), item, evaluator.arena()) == Truth::kTrue) return Return(out, Item::Boolean(true));
  }
  return Return(out, Item::Boolean(false));
}

bool ApplyUnion(Evaluator& evaluator, const Node& node, const Collection& left, const Collection& right,
                Collection& out) {
  ItemSet set(evaluator.arena());
  if (!evaluator.Step(node, left.size() + right.size())) return false;
  for (const Item& item : left) set.Insert(item);
  for (const Item& item : right) set.Insert(item);
  return evaluator.Append(node, set.items(), out);
}

}  // namespace

bool ApplyBinary(Evaluator& evaluator, const Node& node, const Collection& left, const Collection& right,
                 Collection& out) {
  switch (node.operation) {
    case Operation::kEqual:
    case Operation::kNotEqual: {
      if (!evaluator.Step(node, left.size())) return false;
      const Truth truth = Equal(left, right, evaluator.arena());
      if (truth != Truth::kEmpty) {
        out = Item::Boolean((truth == Truth::kTrue) == (node.operation == Operation::kEqual));
      }
      return true;
    }
    case Operation::kEquivalent:
    case Operation::kNotEquivalent: {
      // Every pair may have to be looked at.
      if (!evaluator.Step(node, std::uint64_t{left.size()} * right.size())) return false;
      const bool equivalent = Equivalent(left, right, evaluator.arena());
      return Return(out, Item::Boolean(equivalent == (node.operation == Operation::kEquivalent)));
    }
    case Operation::kLess:
    case Operation::kGreater:
    case Operation::kLessOrEqual:
    case Operation::kGreaterOrEqual:
      return ApplyComparison(evaluator, node, left, right, out);
    case Operation::kIn:
      return ApplyMembership(evaluator, node, left, right, out);
    case Operation::kContains:
      return ApplyMembership(evaluator, node, right, left, out);
    case Operation::kUnion:
      return ApplyUnion(evaluator, node, left, right, out);
    case Operation::kConcatenate:
      return ApplyConcatenation(evaluator, node, left, right, out);
    default:
      return ApplyArithmetic(evaluator, node, left, right, out);
  }
}

}  // namespace fhir_adapter::fhirpath::internal
