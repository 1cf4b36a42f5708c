// Subsetting: first, last, tail, skip, take, single. FHIRPath N1 2.0.0, section 5.3.
#include <algorithm>

#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool ReturnRange(Call& call, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(call.input.size());
  begin = std::clamp<std::int64_t>(begin, 0, size);
  end = std::clamp<std::int64_t>(end, begin, size);
  if (begin == 0 && end == size) {
    call.out = call.input;
    return true;
  }
  call.out.Reserve(static_cast<std::uint32_t>(end - begin), call.arena());
  for (std::int64_t i = begin; i < end; ++i) {
    call.out.Append(call.input[static_cast<std::size_t>(i)], call.arena());
  }
  return call.evaluator.Step(call.node, call.out.size());
}

bool First(Call& call) {
  return ReturnRange(call, 0, 1);
}
bool Last(Call& call) {
  return ReturnRange(call, static_cast<std::int64_t>(call.input.size()) - 1, call.input.size());
}
bool Tail(Call& call) {
  return ReturnRange(call, 1, call.input.size());
}

bool Single(Call& call) {
  if (call.input.size() > 1)
    return call.Fail("single() found " + std::to_string(call.input.size()) + " items");
  call.out = call.input;
  return true;
}

bool Skip(Call& call) {
  std::optional<std::int64_t> count;
  if (!call.IntegerArgument(0, count)) return false;
  return !count || ReturnRange(call, *count, call.input.size());
}

bool Take(Call& call) {
  std::optional<std::int64_t> count;
  if (!call.IntegerArgument(0, count)) return false;
  return !count || ReturnRange(call, 0, std::max<std::int64_t>(*count, 0));
}

constexpr FunctionInfo kFunctions[] = {
    {"first", 0, 0, First, ResultRule::kInputOne, ArgumentRule::kValue, InputRule::kOrdered},
    {"last", 0, 0, Last, ResultRule::kInputOne, ArgumentRule::kValue, InputRule::kOrdered},
    {"tail", 0, 0, Tail, ResultRule::kInput, ArgumentRule::kValue, InputRule::kOrdered},
    {"single", 0, 0, Single, ResultRule::kInputOne},
    {"skip", 1, 1, Skip, ResultRule::kInput, ArgumentRule::kValue, InputRule::kOrdered},
    {"take", 1, 1, Take, ResultRule::kInput, ArgumentRule::kValue, InputRule::kOrdered},
};

}  // namespace

std::span<const FunctionInfo> SubsettingFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
