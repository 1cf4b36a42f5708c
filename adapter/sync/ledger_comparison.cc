#include "sync/ledger_comparison.h"

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "sync/delivery_planner.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

// What a reference of theirs to a Patient says, for when the hospital's Patient cannot be found.
std::string PatientIn(Node& theirs, Arena& arena) {
  std::string patient;
  RewriteReferences(
      theirs,
      [&patient](std::string_view reference) {
        if (patient.empty() && reference.starts_with("Patient/")) patient = reference;
        return std::string();
      },
      arena);
  return patient;
}

}  // namespace

LedgerComparison::LedgerComparison(FhirClient& client, storage::Store& store, outbox::QueueReader& queue,
                                   Clock& clock, LedgerComparisonSettings settings)
    : client_(client),
      store_(store),
      queue_(queue),
      settings_(std::move(settings)),
      patients_(client, clock, PatientMatcherSettings{settings_.patient_identifier_system}) {}

Result<std::string> LedgerComparison::PatientOf(const outbox::LedgerSubject& subject,
                                                const outbox::LedgerRow& row) {
  const auto patient = std::ranges::find_if(
      subject.patients, [&](const outbox::PatientReference& one) { return one.key == row.patient_key; });
  if (patient == subject.patients.end() || patient->mrn.empty()) return std::string();
  std::promise<PatientMatch> promise;
  patients_.Match(*patient, {}, [&promise](PatientMatch match) { promise.set_value(std::move(match)); });
  PatientMatch match = promise.get_future().get();
  if (match.outcome == PatientMatch::Outcome::kFailed) {
    return CannotAsk(match.classification, match.answer.status);
  }
  return match.outcome == PatientMatch::Outcome::kFound ? match.reference : std::string();
}

Result<ComparedResources> LedgerComparison::Prepare(const outbox::LedgerSubject& subject,
                                                    const outbox::LedgerRow& row,
                                                    std::string_view theirs_json, Arena& arena) {
  ComparedResources compared;
  const auto ours = ReadResource(row.merged.empty() ? row.json : row.merged, arena);
  ADAPTER_TRY(compared.theirs, ReadResource(theirs_json, arena));
  if (!ours) return compared;
  compared.ours = *ours;
  ADAPTER_TRY(std::string patient, PatientOf(subject, row));
  if (patient.empty()) patient = PatientIn(*compared.theirs, arena);
  Literals literals = LiteralsOf(subject.rows);
  // What stands in another record, as an order that two of them share.
  std::set<std::string> named;
  RewriteReferences(
      *compared.theirs,
      [&named](std::string_view reference) {
        named.emplace(reference);
        return std::string();
      },
      arena);
  ADAPTER_CHECK(store_.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    for (const std::string& reference : named) {
      const ResourceLocation place = ParseLocation(reference, {});
      if (place.type.empty() || place.type == "Patient") continue;
      ADAPTER_TRY(const auto key, queue_.LedgerKeyOf(snapshot, settings_.endpoint, place.type, place.id));
      if (key) literals.emplace(UuidOf(key->system, key->value), reference);
    }
    return {};
  }));
  ToServerReferences(*compared.ours, literals, patient, arena);
  StripServerParts(*compared.ours, client_.base_url(), arena);
  return compared;
}

}  // namespace fhir_adapter::sync
