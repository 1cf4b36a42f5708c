// Marks: values of a high-water column, up to which a query's rows are known.
//
// Stateless; thread-safe.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "database/database.h"

namespace fhir_adapter::database {

// Where the overlap begins: `overlap` less than a whole number, or so many seconds before a time
// (2014-05-06, or with hh:mm[:ss] and anything behind it, after a blank or T), in the same form and never
// later. Error: kConfiguration, when it is neither and `overlap` is not 0.
Result<Cell> MarkBefore(const Cell& mark, std::int64_t overlap);

}  // namespace fhir_adapter::database
