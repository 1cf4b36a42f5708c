#include "app/trace_selector.h"

#include <string>

namespace fhir_adapter::app {
namespace {

using outbox::TraceSelector;
using Kind = outbox::TraceSelectorKind;

// The last two segments of a URL's path, without its version.
void AddResource(std::string_view text, std::vector<TraceSelector>& selectors) {
  text = text.substr(0, text.find("/_history"));
  const std::size_t last = text.rfind('/');
  if (last == std::string_view::npos || last == 0) return;
  const std::size_t before = text.rfind('/', last - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view type = text.substr(begin, last - begin);
  if (type.empty() || type.front() < 'A' || type.front() > 'Z') return;
  selectors.push_back({Kind::kResource, std::string(type), std::string(text.substr(last + 1))});
}

}  // namespace

std::vector<TraceSelector> SelectorsOf(std::string_view text) {
  constexpr std::string_view kIdentifier = "identifier ";
  if (text.starts_with(kIdentifier)) text.remove_prefix(kIdentifier.size());
  std::vector<TraceSelector> selectors;
  if (text.empty()) return selectors;
  const std::size_t bar = text.find('|');
  if (bar != std::string_view::npos) {
    selectors.push_back(
        {Kind::kIdentifier, std::string(text.substr(0, bar)), std::string(text.substr(bar + 1))});
    return selectors;
  }
  AddResource(text, selectors);
  if (text.find("://") != std::string_view::npos) return selectors;
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    selectors.push_back(
        {Kind::kRecord, std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))});
  }
  for (const Kind kind : {Kind::kRecordId, Kind::kPatient, Kind::kReceipt}) {
    selectors.push_back({kind, {}, std::string(text)});
  }
  return selectors;
}

std::string_view Name(Kind kind) {
  switch (kind) {
    case Kind::kRecord:
      return "record";
    case Kind::kRecordId:
      return "record id";
    case Kind::kResource:
      return "resource";
    case Kind::kIdentifier:
      return "identifier";
    case Kind::kPatient:
      return "patient number";
    case Kind::kReceipt:
      return "receipt";
  }
  return "";
}

}  // namespace fhir_adapter::app
