#include "storage/sqlite/queries.h"

#include "storage_embedded.h"

namespace fhir_adapter::storage {

const QuerySet& ConnectionQueries() {
  static const QuerySet queries(embedded::kConnection);
  return queries;
}

const QuerySet& WriterQueries() {
  static const QuerySet queries(embedded::kWriter);
  return queries;
}

}  // namespace fhir_adapter::storage
