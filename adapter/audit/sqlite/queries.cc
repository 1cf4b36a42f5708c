#include "audit/sqlite/queries.h"

#include "audit_embedded.h"

namespace fhir_adapter::audit {

const storage::QuerySet& Queries() {
  static const storage::QuerySet queries(embedded::kAudit);
  return queries;
}

}  // namespace fhir_adapter::audit
