#include "fhirpath/functions/function.h"

#include <algorithm>
#include <vector>

#include "core/limits.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

const std::vector<FunctionInfo>& Registry() {
  static const std::vector<FunctionInfo> kRegistry = [] {
    std::vector<FunctionInfo> all;
    for (const auto family :
         {ExistenceFunctions(), FilteringFunctions(), SubsettingFunctions(), StringFunctions(),
          EncodingFunctions(), MathFunctions(), ConversionFunctions(), TemporalFunctions(),
          BoundaryFunctions(), TypeFunctions(), NavigationFunctions(), UtilityFunctions()}) {
      all.insert(all.end(), family.begin(), family.end());
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return all;
  }();
  return kRegistry;
}

}  // namespace

const FunctionInfo* FindFunction(std::string_view name) {
  const auto& registry = Registry();
  const auto found = std::lower_bound(
      registry.begin(), registry.end(), name,
      [](const FunctionInfo& function, std::string_view key) { return function.name < key; });
  return found != registry.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names;
  for (const FunctionInfo& function : Registry()) names.push_back(function.name);
  return names;
}

bool Call::ReturnText(std::string_view text) {
  if (text.size() > limits::kFhirPathTextBytesMax) {
    return evaluator.Fail(node,
                          "a text is longer than " + std::to_string(limits::kFhirPathTextBytesMax) + " bytes",
                          Code::kMapLimit);
  }
  return Return(Item::String(arena().Copy(text)));
}

bool Call::Single(std::optional<Item>& value) {
  if (input.size() > 1) {
    return Fail(node.name + "() needs a single item, and there are " + std::to_string(input.size()));
  }
  // A primitive that has only extensions has no value.
  const bool has_value =
      !input.empty() && !(input.front().is_element() && input.front().element().node == nullptr);
  if (has_value) value = ToSystem(input.front(), arena());
  return true;
}

bool Call::SingleText(std::optional<std::string_view>& text) {
  std::optional<Item> value;
  if (!Single(value)) return false;
  if (!value) return true;
  if (value->kind() != ItemKind::kString) {
    // Dates and numbers have a text, but no implicit conversion to String.
    return Fail(node.name + "() needs a String, not " + std::string(TypeNameOf(input.front(), arena())));
  }
  text = value->text();
  return true;
}

bool Call::SingleArgument(std::size_t i, std::optional<Item>& value) {
  Collection values;
  if (!Argument(i, values)) return false;
  if (values.size() > 1) {
    return evaluator.Fail(argument(i), "argument " + std::to_string(i + 1) + " of " + node.name +
                                           "() has several items where one is needed");
  }
  if (!values.empty()) value = ToSystem(values.front(), arena());
  return true;
}

bool Call::TextArgument(std::size_t i, std::optional<std::string_view>& text) {
  std::optional<Item> value;
  if (!SingleArgument(i, value)) return false;
  if (!value) return true;
  if (value->kind() != ItemKind::kString) {
    return evaluator.Fail(argument(i),
                          "argument " + std::to_string(i + 1) + " of " + node.name + "() must be a String");
  }
  text = value->text();
  return true;
}

bool Call::IntegerArgument(std::size_t i, std::optional<std::int64_t>& value) {
  std::optional<Item> item;
  if (!SingleArgument(i, item)) return false;
  if (!item) return true;
  if (item->kind() != ItemKind::kInteger && item->kind() != ItemKind::kLong) {
    return evaluator.Fail(argument(i),
                          "argument " + std::to_string(i + 1) + " of " + node.name + "() must be an Integer");
  }
  value = item->integer();
  return true;
}

}  // namespace fhir_adapter::fhirpath::internal
