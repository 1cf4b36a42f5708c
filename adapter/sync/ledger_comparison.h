// LedgerComparison: puts what was delivered last and what a server holds into one form, so that they can be
// compared element by element.
//
// Asks the server who the patient is, and the store for what references lead to. Blocking; for one thread
// that is not the client's. Trees live in the caller's arena. Errors: those of the store, and of a server
// that cannot be asked.
#pragma once

#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"
#include "outbox/queue_reader.h"
#include "sync/patient_matcher.h"

namespace fhir_adapter::sync {

struct LedgerComparisonSettings {
  std::string endpoint;  // names the server in the ledger
  std::string patient_identifier_system;
};

struct ComparedResources {
  fhir::Node* ours = nullptr;  // nullptr: erased
  fhir::Node* theirs = nullptr;
};

class LedgerComparison {
 public:
  LedgerComparison(FhirClient& client, storage::Store& store, outbox::QueueReader& queue, Clock& clock,
                   LedgerComparisonSettings settings);

  // Literal references, no id, meta (but tags) and text on either side. `theirs_json`: after
  // StripServerParts.
  Result<ComparedResources> Prepare(const outbox::LedgerSubject& subject, const outbox::LedgerRow& row,
                                    std::string_view theirs_json, Arena& arena);

  // "Patient/x" in whose chart the resource stands; empty: the hospital's Patient cannot be found.
  Result<std::string> PatientOf(const outbox::LedgerSubject& subject, const outbox::LedgerRow& row);

 private:
  FhirClient& client_;
  storage::Store& store_;
  outbox::QueueReader& queue_;
  const LedgerComparisonSettings settings_;
  PatientMatcher patients_;
};

}  // namespace fhir_adapter::sync
