// Issue: a problem of the data in one record or map, with its position. Many can stand in one record.
//
// The line on standard error is `path[:line[:column]]: pointer: code: message (class)`; class is the
// disposition of the code in error_codes.def. A message names paths, never values.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace fhir_adapter {

struct Issue {
  Code code = Code::kInternal;
  Location where;       // file, line, column and JSON pointer
  std::string message;  // for a person; no value of a field

  Disposition disposition() const { return Describe(code).disposition; }
  bool operator==(const Issue&) const = default;
};

using Issues = std::vector<Issue>;

// The gravest disposition: rejected before quarantined before note. kNote for an empty list.
Disposition Gravest(const Issues& issues);

// One line for a person, without a line end.
std::string ToLine(const Issue& issue);

}  // namespace fhir_adapter
