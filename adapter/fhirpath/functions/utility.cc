// Utility: trace and defineVariable. FHIRPath N1 2.0.0, section 5.9; defineVariable: 3.0.0 draft.
#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Trace(Call& call) {
  std::optional<std::string_view> name;
  if (!call.TextArgument(0, name)) return false;
  Host* host = call.evaluator.context().host;
  if (host != nullptr && name) {
    Collection values;
    if (call.argument_count() == 1) {
      values = call.input;
    } else {
      Collection projected;
      for (std::uint32_t i = 0; i < call.input.size(); ++i) {
        if (!call.ArgumentOn(1, call.input[i], i, projected)) return false;
        if (!call.evaluator.Append(call.node, projected, values)) return false;
      }
    }
    host->Trace(*name, values);
  }
  call.out = call.input;
  return true;
}

bool DefineVariable(Call& call) {
  Collection value = call.input;
  if (call.argument_count() == 2) {
    // The value is computed on the input, not on the focus outside.
    const Focus focus{&call.input, call.focus.index, call.focus.total};
    if (!call.evaluator.Evaluate(call.argument(1), focus, value)) return false;
  }
  call.evaluator.SetLocal(call.node.slot, value);
  call.out = call.input;
  return true;
}

constexpr FunctionInfo kFunctions[] = {
    {"trace", 1, 2, Trace, ResultRule::kInput, ArgumentRule::kEach},
    {"defineVariable", 1, 2, DefineVariable, ResultRule::kInput, ArgumentRule::kVariable},
};

}  // namespace

std::span<const FunctionInfo> UtilityFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
