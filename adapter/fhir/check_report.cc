#include "fhir/check_report.h"

#include <string>

#include "core/limits.h"
#include "fhir/json_pointer.h"

namespace fhir_adapter::fhir {

std::string ElementPath(const Place& place) {
  if (place.parent == nullptr) return std::string(place.name);
  std::string path = ElementPath(*place.parent);
  path += '.';
  path += place.element != nullptr ? place.element->name : place.name;
  if (place.index >= 0) path += '[' + std::to_string(place.index) + ']';
  return path;
}

std::string PointerOf(const Place& place) {
  if (place.parent == nullptr) return {};
  std::string pointer = PointerOf(*place.parent);
  AppendPointerToken(place.name, pointer);
  if (place.index >= 0) AppendPointerIndex(static_cast<std::size_t>(place.index), pointer);
  return pointer;
}

void CheckReport::Add(const Place& place, const Node* node, std::string_view message) {
  if (is_full()) return;
  ++count_;
  Issue issue;
  issue.code = Code::kOutputInvalid;
  if (node != nullptr) {
    issue.where.line = node->line;
    issue.where.column = node->column;
  }
  issue.where.pointer = PointerOf(place);
  issue.message = ElementPath(place);
  issue.message += ": ";
  issue.message += message;
  out_.push_back(std::move(issue));
}

bool CheckReport::is_full() const {
  return count_ >= limits::kCheckIssuesMax;
}

}  // namespace fhir_adapter::fhir
