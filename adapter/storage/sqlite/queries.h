// The statements of connection.sql and writer.sql.
#pragma once

#include "storage/sqlite/query_set.h"

namespace fhir_adapter::storage {

const QuerySet& ConnectionQueries();
const QuerySet& WriterQueries();

}  // namespace fhir_adapter::storage
