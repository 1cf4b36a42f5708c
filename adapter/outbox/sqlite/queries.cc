#include "outbox/sqlite/queries.h"

#include "outbox_embedded.h"

namespace fhir_adapter::outbox {

const storage::QuerySet& EraseQueries() {
  static const storage::QuerySet queries(embedded::kErase);
  return queries;
}

const storage::QuerySet& InboxQueries() {
  static const storage::QuerySet queries(embedded::kInbox);
  return queries;
}

const storage::QuerySet& KeyQueries() {
  static const storage::QuerySet queries(embedded::kKey);
  return queries;
}

const storage::QuerySet& LedgerQueries() {
  static const storage::QuerySet queries(embedded::kLedger);
  return queries;
}

const storage::QuerySet& MappingQueries() {
  static const storage::QuerySet queries(embedded::kMapping);
  return queries;
}

const storage::QuerySet& MessageQueries() {
  static const storage::QuerySet queries(embedded::kMessage);
  return queries;
}

const storage::QuerySet& PushedQueries() {
  static const storage::QuerySet queries(embedded::kPushed);
  return queries;
}

const storage::QuerySet& QueueQueries() {
  static const storage::QuerySet queries(embedded::kQueue);
  return queries;
}

const storage::QuerySet& RemapQueries() {
  static const storage::QuerySet queries(embedded::kRemap);
  return queries;
}

const storage::QuerySet& RetentionQueries() {
  static const storage::QuerySet queries(embedded::kRetention);
  return queries;
}

const storage::QuerySet& SourceQueries() {
  static const storage::QuerySet queries(embedded::kSource);
  return queries;
}

const storage::QuerySet& TraceQueries() {
  static const storage::QuerySet queries(embedded::kTrace);
  return queries;
}

const storage::QuerySet& TokenQueries() {
  static const storage::QuerySet queries(embedded::kToken);
  return queries;
}

const storage::QuerySet& WorkQueries() {
  static const storage::QuerySet queries(embedded::kWork);
  return queries;
}

}  // namespace fhir_adapter::outbox
