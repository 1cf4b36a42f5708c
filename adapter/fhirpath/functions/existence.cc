// Existence: empty, exists, all, count and their kin. FHIRPath N1 2.0.0, section 5.1.
#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Empty(Call& call) {
  return call.ReturnBoolean(call.input.empty());
}

// Whether the criterion is true for any (`wanted` true) or not true for any (`wanted` false) item.
bool AnyItem(Call& call, bool wanted, bool& found) {
  found = false;
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    Truth truth = Truth::kEmpty;
    if (!call.CriterionOn(0, call.input[i], i, truth)) return false;
    if ((truth == Truth::kTrue) == wanted) {
      found = true;
      return true;
    }
  }
  return true;
}

bool Exists(Call& call) {
  if (call.argument_count() == 0) return call.ReturnBoolean(!call.input.empty());
  bool found = false;
  return AnyItem(call, true, found) && call.ReturnBoolean(found);
}

bool All(Call& call) {
  bool found = false;
  return AnyItem(call, false, found) && call.ReturnBoolean(!found);
}

bool Not(Call& call) {
  Truth truth = Truth::kEmpty;
  if (!call.evaluator.ToBoolean(call.node, call.input, truth)) return false;
  return truth == Truth::kEmpty || call.ReturnBoolean(truth == Truth::kFalse);
}

// allTrue and its kin: whether some item is `wanted`.
bool SomeBoolean(Call& call, bool wanted, bool& found) {
  found = false;
  for (const Item& item : call.input) {
    const Item value = ToSystem(item, call.arena());
    if (value.kind() != ItemKind::kBoolean) return call.Fail(call.node.name + "() needs Booleans");
    if (value.boolean() == wanted) found = true;
  }
  return call.evaluator.Step(call.node, call.input.size());
}

bool AllTrue(Call& call) {
  bool found = false;
  return SomeBoolean(call, false, found) && call.ReturnBoolean(!found);
}
bool AnyTrue(Call& call) {
  bool found = false;
  return SomeBoolean(call, true, found) && call.ReturnBoolean(found);
}
bool AllFalse(Call& call) {
  bool found = false;
  return SomeBoolean(call, true, found) && call.ReturnBoolean(!found);
}
bool AnyFalse(Call& call) {
  bool found = false;
  return SomeBoolean(call, false, found) && call.ReturnBoolean(found);
}

bool Includes(Call& call, const Collection& all, const Collection& part) {
  if (!call.evaluator.Step(call.node, all.size() + part.size())) return false;
  ItemSet set(call.arena());
  for (const Item& item : all) set.Insert(item);
  for (const Item& item : part) {
    if (!set.Contains(item)) return call.ReturnBoolean(false);
  }
  return call.ReturnBoolean(true);
}

bool SubsetOf(Call& call) {
  Collection other;
  return call.Argument(0, other) && Includes(call, other, call.input);
}
bool SupersetOf(Call& call) {
  Collection other;
  return call.Argument(0, other) && Includes(call, call.input, other);
}

bool Count(Call& call) {
  return call.Return(Item::Integer(call.input.size()));
}

bool Distinct(Call& call) {
  ItemSet set(call.arena());
  for (const Item& item : call.input) set.Insert(item);
  return call.evaluator.Append(call.node, set.items(), call.out);
}

bool IsDistinct(Call& call) {
  ItemSet set(call.arena());
  if (!call.evaluator.Step(call.node, call.input.size())) return false;
  for (const Item& item : call.input) {
    if (!set.Insert(item)) return call.ReturnBoolean(false);
  }
  return call.ReturnBoolean(true);
}

constexpr FunctionInfo kFunctions[] = {
    {"empty", 0, 0, Empty, ResultRule::kBoolean},
    {"exists", 0, 1, Exists, ResultRule::kBoolean, ArgumentRule::kEach},
    {"all", 1, 1, All, ResultRule::kBoolean, ArgumentRule::kEach},
    {"not", 0, 0, Not, ResultRule::kBoolean},
    {"allTrue", 0, 0, AllTrue, ResultRule::kBoolean},
    {"anyTrue", 0, 0, AnyTrue, ResultRule::kBoolean},
    {"allFalse", 0, 0, AllFalse, ResultRule::kBoolean},
    {"anyFalse", 0, 0, AnyFalse, ResultRule::kBoolean},
    {"subsetOf", 1, 1, SubsetOf, ResultRule::kBoolean},
    {"supersetOf", 1, 1, SupersetOf, ResultRule::kBoolean},
    {"count", 0, 0, Count, ResultRule::kInteger},
    {"distinct", 0, 0, Distinct, ResultRule::kInput},
    {"isDistinct", 0, 0, IsDistinct, ResultRule::kBoolean},
};

}  // namespace

std::span<const FunctionInfo> ExistenceFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
