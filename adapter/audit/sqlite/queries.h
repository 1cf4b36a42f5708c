// The statements of audit.sql.
#pragma once

#include "storage/sqlite/query_set.h"

namespace fhir_adapter::audit {

const storage::QuerySet& Queries();

}  // namespace fhir_adapter::audit
