// What a function of FHIRPath is to the resolver and the evaluator, and what its body may use.
//
// Families of functions stand in a file each and register as a table; registry.cc joins the tables. Bodies
// are stateless: everything is in the Call. FHIRPath N1 2.0.0, section 5.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhirpath/ast.h"
#include "fhirpath/evaluator.h"

namespace fhir_adapter::fhirpath::internal {

// One call: `input`.name(arguments) with result `out`, which is empty at first.
struct Call {
  Evaluator& evaluator;
  const Node& node;
  const Focus& focus;
  const Collection& input;
  Collection& out;

  Arena& arena() { return evaluator.arena(); }
  std::size_t argument_count() const { return node.arguments.size(); }
  const Node& argument(std::size_t i) const { return *node.arguments[i]; }

  // An argument evaluated once, where the call stands.
  bool Argument(std::size_t i, Collection& value) {
    return evaluator.Evaluate(*node.arguments[i], focus, value);
  }
  // An argument evaluated for one item of the input ($this), whose position is $index.
  bool ArgumentOn(std::size_t i, const Collection& self, std::int64_t index, Collection& value,
                  const Collection* total = nullptr) {
    return evaluator.Evaluate(*node.arguments[i], Focus{&self, index, total}, value);
  }
  bool CriterionOn(std::size_t i, const Collection& self, std::int64_t index, Truth& truth) {
    return evaluator.EvaluateTruth(*node.arguments[i], Focus{&self, index, nullptr}, truth);
  }

  bool Fail(std::string message) { return evaluator.Fail(node, std::move(message)); }
  bool Add(const Item& item) { return evaluator.Append(node, item, out); }
  bool Return(const Item& item) {
    out = item;
    return true;
  }
  bool ReturnBoolean(bool value) { return Return(Item::Boolean(value)); }
  bool ReturnText(std::string_view text);  // a String, within the limit of a text; copied
  bool ReturnTruth(Truth truth) {
    if (truth != Truth::kEmpty) out = Item::Boolean(truth == Truth::kTrue);
    return true;
  }

  // The input as a single System value. Nothing and true: empty. False: several items, or the wrong kind.
  bool Single(std::optional<Item>& value);
  bool SingleText(std::optional<std::string_view>& text);
  bool SingleArgument(std::size_t i, std::optional<Item>& value);
  bool TextArgument(std::size_t i, std::optional<std::string_view>& text);
  bool IntegerArgument(std::size_t i, std::optional<std::int64_t>& value);
};

// What the static check says about the result.
enum class ResultRule : std::uint8_t {
  kAny,
  kBoolean,
  kInteger,
  kDecimal,
  kString,
  kStrings,
  kDate,
  kDateTime,
  kTime,
  kQuantity,
  kInput,        // the input's type and number
  kInputOne,     // the input's type, at most one
  kInputSingle,  // System value of the input's kind, at most one (abs, round…)
  kUnion,        // input and argument
  kArgument,     // the type of the last argument, repeated (select, repeat)
  kChoice,       // the types of the second and third argument (iif)
  kOfType,       // the type named by the argument
  kChildren,     // unknown, without order
  kExtension,
  kTypeInfo
};

// What the static check demands of the input where its type is known.
enum class InputRule : std::uint8_t { kAny, kString, kOrdered };

// How arguments are read.
enum class ArgumentRule : std::uint8_t {
  kValue,    // evaluated once
  kEach,     // evaluated for each item of the input
  kInput,    // evaluated with the whole input as $this (iif)
  kTotal,    // as kEach, with $total (aggregate's first)
  kType,     // the name of a type
  kVariable  // defineVariable
};

struct FunctionInfo {
  std::string_view name;
  std::uint8_t arguments_min;
  std::uint8_t arguments_max;
  bool (*body)(Call& call);
  ResultRule result = ResultRule::kAny;
  ArgumentRule arguments = ArgumentRule::kValue;
  InputRule input = InputRule::kAny;
};

// Null when there is none.
const FunctionInfo* FindFunction(std::string_view name);
std::vector<std::string_view> FunctionNames();  // for "did you mean"

std::span<const FunctionInfo> ExistenceFunctions();
std::span<const FunctionInfo> FilteringFunctions();
std::span<const FunctionInfo> SubsettingFunctions();
std::span<const FunctionInfo> StringFunctions();
std::span<const FunctionInfo> EncodingFunctions();
std::span<const FunctionInfo> MathFunctions();
std::span<const FunctionInfo> ConversionFunctions();
std::span<const FunctionInfo> TemporalFunctions();
std::span<const FunctionInfo> BoundaryFunctions();
std::span<const FunctionInfo> TypeFunctions();
std::span<const FunctionInfo> NavigationFunctions();
std::span<const FunctionInfo> UtilityFunctions();

}  // namespace fhir_adapter::fhirpath::internal
