// CheckReport: collects what a check finds, with the place of each problem.
//
// A Place is a link of a chain on the stack of the walk: paths are put together only when there is something
// to report. Not thread-safe; one check uses one report.
#pragma once

#include <string_view>

#include "core/issue.h"
#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

struct Place {
  const Place* parent = nullptr;         // null for the root
  std::string_view name;                 // JSON member name; of a root its type
  const ElementInfo* element = nullptr;  // null for a root and for unknown members
  int index = -1;                        // of an item of a list, else -1
};

class CheckReport {
 public:
  explicit CheckReport(Issues& out) : out_(out) {}

  // `node` gives line and column and may be null.
  void Add(const Place& place, const Node* node, std::string_view message);
  bool is_full() const;

 private:
  Issues& out_;
  std::size_t count_ = 0;
};

// "Observation.component[0].value"
std::string ElementPath(const Place& place);
// "/component/0/valueQuantity"
std::string PointerOf(const Place& place);

}  // namespace fhir_adapter::fhir
