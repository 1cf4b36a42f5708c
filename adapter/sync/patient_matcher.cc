#include "sync/patient_matcher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"
#include "sync/search_page.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

// Some servers ignore a search parameter that they do not know, and answer with everybody.
bool HasIdentifier(const Node& patient, std::string_view system, std::string_view value) {
  const Node* identifiers = patient.Find("identifier");
  if (identifiers == nullptr) return false;
  return std::any_of(identifiers->items().begin(), identifiers->items().end(), [&](const Node* identifier) {
    return MemberText(*identifier, "system") == system && MemberText(*identifier, "value") == value;
  });
}

}  // namespace

bool DatesAgree(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  return a.substr(0, shorter) == b.substr(0, shorter);
}

bool SexesAgree(std::string_view a, std::string_view b) {
  const auto says_nothing = [](std::string_view sex) { return sex.empty() || sex == "unknown"; };
  return says_nothing(a) || says_nothing(b) || a == b;
}

PatientMatcher::PatientMatcher(FhirClient& client, Clock& clock, PatientMatcherSettings settings)
    : client_(client), clock_(clock), settings_(std::move(settings)) {}

void PatientMatcher::Forget(const std::string& patient_key) {
  known_.erase(patient_key);
}

PatientMatch PatientMatcher::Compare(const outbox::PatientReference& patient, const Known& known,
                                     bool remembered) const {
  PatientMatch match;
  match.reference = known.reference;
  match.remembered = remembered;
  if (!DatesAgree(patient.birth_date, known.birth_date) || !SexesAgree(patient.sex, known.gender)) {
    match.outcome = PatientMatch::Outcome::kHeld;
    match.held = Code::kPatientMismatch;
  }
  return match;
}

PatientMatch PatientMatcher::Read(const outbox::PatientReference& patient, FhirAnswer answer) {
  Arena arena;
  const auto bundle = ReadResource(answer.body, arena);
  AnswerFacts facts;
  facts.kind = RequestKind::kPatientSearch;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  facts.body_is_readable = bundle && MemberText(**bundle, "resourceType") == "Bundle";
  PatientMatch match;
  match.classification = Classify(facts);
  if (match.classification.verdict != Verdict::kSucceeded) {
    match.outcome = PatientMatch::Outcome::kFailed;
    match.answer = std::move(answer);
    return match;
  }
  std::vector<const Node*> found;
  if (const Node* entries = (*bundle)->Find("entry")) {
    for (const Node* entry : entries->items()) {
      const Node* resource = entry->Find("resource");
      if (resource == nullptr || MemberText(*resource, "resourceType") != "Patient") continue;
      if (HasIdentifier(*resource, settings_.identifier_system, patient.mrn)) found.push_back(resource);
    }
  }
  // The next page may hold another one with this number.
  const auto next = NextPage(**bundle, client_.base_url());
  const bool is_last_page = next && next->empty();
  if (found.size() != 1 || !is_last_page) {
    match.outcome = PatientMatch::Outcome::kHeld;
    match.held = found.empty() ? Code::kPatientNotFound : Code::kPatientAmbiguous;
    return match;
  }
  Known known;
  known.reference = "Patient/" + std::string(MemberText(*found[0], "id"));
  known.birth_date = MemberText(*found[0], "birthDate");
  known.gender = MemberText(*found[0], "gender");
  known.until_us = clock_.MonotonicUs() + settings_.remember_us;
  match = Compare(patient, known, false);
  if (match.outcome == PatientMatch::Outcome::kFound) {
    if (known_.size() >= limits::kPatientCacheEntriesMax && !known_.contains(patient.key)) known_.clear();
    known_[patient.key] = std::move(known);
  }
  return match;
}

void PatientMatcher::Match(const outbox::PatientReference& patient, const RequestTrace& trace, Done done) {
  if (!patient.linked_id.empty()) {
    PatientMatch match;
    match.reference = patient.linked_id;
    done(std::move(match));
    return;
  }
  const auto known = known_.find(patient.key);
  if (known != known_.end() && clock_.MonotonicUs() < known->second.until_us) {
    PatientMatch match = Compare(patient, known->second, true);
    // A mismatch is only believed when it is fresh.
    if (match.outcome == PatientMatch::Outcome::kFound) {
      done(std::move(match));
      return;
    }
  }
  FhirRequest request;
  request.kind = RequestKind::kPatientSearch;
  request.path = "Patient?identifier=" + SearchToken(settings_.identifier_system, patient.mrn) + "&_count=10";
  request.request_id = trace.request_id;
  request.traceparent = trace.traceparent;
  client_.Send(std::move(request), [this, patient, done = std::move(done)](FhirAnswer answer) {
    done(Read(patient, std::move(answer)));
  });
}

}  // namespace fhir_adapter::sync
