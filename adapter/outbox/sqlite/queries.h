// The statements of this folder's .sql files.
#pragma once

#include "storage/sqlite/query_set.h"

namespace fhir_adapter::outbox {

const storage::QuerySet& EraseQueries();
const storage::QuerySet& InboxQueries();
const storage::QuerySet& KeyQueries();
const storage::QuerySet& LedgerQueries();
const storage::QuerySet& MappingQueries();
const storage::QuerySet& MessageQueries();
const storage::QuerySet& PushedQueries();
const storage::QuerySet& QueueQueries();
const storage::QuerySet& RemapQueries();
const storage::QuerySet& RetentionQueries();
const storage::QuerySet& SourceQueries();
const storage::QuerySet& TraceQueries();
const storage::QuerySet& TokenQueries();
const storage::QuerySet& WorkQueries();

}  // namespace fhir_adapter::outbox
