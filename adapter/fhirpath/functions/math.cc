// Mathematics: abs, ceiling, exp, floor, ln, log, power, round, sqrt, truncate; sum, min, max, avg.
// Exact but for exp, ln, log, sqrt and power with a fraction, which go through binary floating point and
// have the digits of the nearest double. FHIRPath N1 2.0.0, section 5.7; sum, min, max, avg: 3.0.0 draft.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

// A number or quantity of the input, with what it needs to be made again.
struct Operand {
  Item item;
  fhir::Decimal value;
};

bool ReadOperand(Call& call, bool quantity_too, std::optional<Operand>& operand) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  if (!item) return true;
  if (!IsNumber(*item) && !(quantity_too && item->kind() == ItemKind::kQuantity)) {
    return call.Fail(call.node.name + "() needs a number");
  }
  if (const auto value = DecimalOf(*item)) operand = Operand{*item, *value};
  return true;
}

bool ReturnDecimal(Call& call, const fhir::Decimal& value) {
  return call.Return(Item::Decimal(call.arena().Copy(value.ToString())));
}

// A result of the operand's own kind.
bool ReturnLike(Call& call, const Item& item, const fhir::Decimal& value) {
  if (item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong) {
    const auto integer = value.ToInt64();
    return !integer || call.Return(Item::Integer(*integer, item.kind()));
  }
  if (item.kind() == ItemKind::kQuantity) {
    return call.Return(Item::Quantity(call.arena().Copy(value.ToString()), item.unit(), item.unit_kind()));
  }
  return ReturnDecimal(call, value);
}

// ceiling, floor, truncate: an Integer (a quantity keeps its unit).
bool ReturnWhole(Call& call, const Operand& operand, const fhir::Decimal& value) {
  if (operand.item.kind() == ItemKind::kQuantity) return ReturnLike(call, operand.item, value);
  const auto integer = value.ToInt64();
  if (!integer || *integer > INT32_MAX || *integer < INT32_MIN) return true;
  return call.Return(Item::Integer(*integer));
}

long double ToFloating(const fhir::Decimal& value) {
  return std::strtold(value.ToString().c_str(), nullptr);
}

bool ReturnFloating(Call& call, long double value) {
  const auto nearest = static_cast<double>(value);
  if (!std::isfinite(nearest)) return true;
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, nearest).ptr;
  const auto decimal = fhir::Decimal::Parse({digits, static_cast<std::size_t>(end - digits)});
  if (!decimal) return true;
  return call.Return(Item::Decimal(
      call.arena().Copy(decimal->scale() == 0 ? decimal->ToString() + ".0" : decimal->ToString())));
}

bool Abs(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, true, operand)) return false;
  return !operand || ReturnLike(call, operand->item, operand->value.Absolute());
}
bool Ceiling(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, true, operand)) return false;
  return !operand || ReturnWhole(call, *operand, operand->value.Ceiling());
}
bool Floor(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, true, operand)) return false;
  return !operand || ReturnWhole(call, *operand, operand->value.Floor());
}
bool Truncate(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, true, operand)) return false;
  return !operand || ReturnWhole(call, *operand, operand->value.Truncated());
}

bool Round(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, true, operand)) return false;
  std::optional<std::int64_t> digits = 0;
  if (call.argument_count() == 1) {
    digits.reset();
    if (!call.IntegerArgument(0, digits)) return false;
  }
  if (!operand || !digits) return true;
  if (*digits < 0) return call.Fail("round() needs a precision of 0 or more");
  const fhir::Decimal rounded =
      operand->value.Rounded(static_cast<int>(std::min<std::int64_t>(*digits, 100)));
  if (operand->item.kind() == ItemKind::kQuantity) return ReturnLike(call, operand->item, rounded);
  return ReturnDecimal(call, rounded);
}

bool Exp(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, false, operand)) return false;
  return !operand || ReturnFloating(call, std::exp(ToFloating(operand->value)));
}
bool Ln(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, false, operand)) return false;
  return !operand || ReturnFloating(call, std::log(ToFloating(operand->value)));
}
bool Sqrt(Call& call) {
  std::optional<Operand> operand;
  if (!ReadOperand(call, false, operand)) return false;
  return !operand || ReturnFloating(call, std::sqrt(ToFloating(operand->value)));
}

bool NumberArgument(Call& call, std::optional<Item>& item, std::optional<fhir::Decimal>& value) {
  if (!call.SingleArgument(0, item)) return false;
  if (!item) return true;
  if (!IsNumber(*item)) return call.Fail("the argument of " + call.node.name + "() must be a number");
  value = DecimalOf(*item);
  return true;
}

bool Log(Call& call) {
  std::optional<Operand> operand;
  std::optional<Item> item;
  std::optional<fhir::Decimal> base;
  if (!ReadOperand(call, false, operand) || !NumberArgument(call, item, base)) return false;
  if (!operand || !base) return true;
  return ReturnFloating(call, std::log(ToFloating(operand->value)) / std::log(ToFloating(*base)));
}

bool Power(Call& call) {
  std::optional<Operand> operand;
  std::optional<Item> item;
  std::optional<fhir::Decimal> exponent;
  if (!ReadOperand(call, false, operand) || !NumberArgument(call, item, exponent)) return false;
  if (!operand || !exponent) return true;
  const auto times = exponent->ToInt64();
  if (!times || *times < 0 || *times > 1000) {
    return ReturnFloating(call, std::pow(ToFloating(operand->value), ToFloating(*exponent)));
  }
  std::optional<fhir::Decimal> result = fhir::Decimal(1);
  for (std::int64_t i = 0; i < *times && result; ++i) result = Multiply(*result, operand->value);
  if (!result) return true;
  const bool integers = operand->item.kind() == ItemKind::kInteger && item->kind() == ItemKind::kInteger;
  if (!integers) return ReturnDecimal(call, *result);
  const auto integer = result->ToInt64();
  if (!integer || *integer > INT32_MAX || *integer < INT32_MIN) return true;
  return call.Return(Item::Integer(*integer));
}

// One of `+` for the whole input.
bool AddUp(Call& call, Collection& total) {
  Node plus;
  plus.kind = NodeKind::kBinary;
  plus.operation = Operation::kPlus;
  plus.offset = call.node.offset;
  for (const Item& item : call.input) {
    Collection next;
    if (total.empty()) {
      next = ToSystem(item, call.arena());
    } else if (!ApplyBinary(call.evaluator, plus, total, item, next)) {
      return false;
    }
    if (next.empty()) return true;
    total = next;
  }
  return call.evaluator.Step(call.node, call.input.size());
}

bool Sum(Call& call) {
  return AddUp(call, call.out);
}

bool Avg(Call& call) {
  Collection total;
  if (!AddUp(call, total)) return false;
  if (total.empty()) return true;
  Node divide;
  divide.kind = NodeKind::kBinary;
  divide.operation = Operation::kDivide;
  divide.offset = call.node.offset;
  return ApplyBinary(call.evaluator, divide, total, Item::Integer(call.input.size()), call.out);
}

bool Extreme(Call& call, Order wanted) {
  for (const Item& item : call.input) {
    if (call.out.empty()) {
      call.out = ToSystem(item, call.arena());
      continue;
    }
    const Order order = Compare(item, call.out.front(), call.arena());
    if (order == Order::kIncompatible) return call.Fail(call.node.name + "() needs values of one kind");
    if (order == wanted) call.out = ToSystem(item, call.arena());
  }
  return call.evaluator.Step(call.node, call.input.size());
}

bool Min(Call& call) {
  return Extreme(call, Order::kLess);
}
bool Max(Call& call) {
  return Extreme(call, Order::kGreater);
}

constexpr FunctionInfo kFunctions[] = {
    {"abs", 0, 0, Abs, ResultRule::kInputSingle}, {"ceiling", 0, 0, Ceiling, ResultRule::kAny},
    {"floor", 0, 0, Floor, ResultRule::kAny},     {"truncate", 0, 0, Truncate, ResultRule::kAny},
    {"round", 0, 1, Round, ResultRule::kAny},     {"exp", 0, 0, Exp, ResultRule::kDecimal},
    {"ln", 0, 0, Ln, ResultRule::kDecimal},       {"sqrt", 0, 0, Sqrt, ResultRule::kDecimal},
    {"log", 1, 1, Log, ResultRule::kDecimal},     {"power", 1, 1, Power, ResultRule::kAny},
    {"sum", 0, 0, Sum, ResultRule::kAny},         {"avg", 0, 0, Avg, ResultRule::kAny},
    {"min", 0, 0, Min, ResultRule::kInputSingle}, {"max", 0, 0, Max, ResultRule::kInputSingle},
};

}  // namespace

std::span<const FunctionInfo> MathFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
