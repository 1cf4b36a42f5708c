#include <algorithm>

#include "sync/delivery.h"
#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

constexpr std::size_t kCodesMax = 5;
constexpr std::size_t kPointerBytesMax = 200;

// Codes and paths only: a server may put anything into these places.
bool IsPlain(std::string_view text, std::string_view more) {
  return !text.empty() && text.size() <= kPointerBytesMax &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  more.find(c) != std::string_view::npos;
         });
}

std::string_view FirstText(const fhir::Node& issue, std::string_view member) {
  const fhir::Node* list = issue.Find(member);
  if (list == nullptr || list->items().empty() || !list->items()[0]->is_string()) return {};
  return list->items()[0]->text;
}

}  // namespace

OutcomeSummary SummarizeOutcome(std::string_view body) {
  OutcomeSummary summary;
  Arena arena;
  const auto outcome = ReadResource(body, arena);
  if (!outcome || MemberText(**outcome, "resourceType") != "OperationOutcome") return summary;
  const fhir::Node* issues = (*outcome)->Find("issue");
  if (issues == nullptr) return summary;
  std::size_t codes = 0;
  for (const fhir::Node* issue : issues->items()) {
    const std::string_view severity = MemberText(*issue, "severity");
    if (severity != "error" && severity != "fatal") continue;
    const std::string_view code = MemberText(*issue, "code");
    if (IsPlain(code, "-") && codes < kCodesMax) {
      if (codes > 0) summary.codes += ", ";
      summary.codes += code;
      ++codes;
    }
    for (const std::string_view member : {"expression", "location"}) {
      const std::string_view pointer = FirstText(*issue, member);
      if (summary.pointer.empty() && IsPlain(pointer, ".[]/")) summary.pointer = pointer;
    }
  }
  return summary;
}

}  // namespace fhir_adapter::sync
