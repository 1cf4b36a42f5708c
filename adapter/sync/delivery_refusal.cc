// The part of Delivery that finds out what a refusal means: another rung, another form for new resources, a
// look at what somebody else did, another patient, or a person.

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "sync/delivery.h"

namespace fhir_adapter::sync {
namespace {

using outbox::LedgerRow;

// Of a server that does not take clients' ids, or conditional updates: 405 by R4, 404 by HAPI FHIR.
bool MayRefuseForm(const AnswerFacts& facts) {
  if (facts.transport != Transport::kAnswered) return false;
  const int status = facts.status;
  return status == 400 || status == 404 || status == 405 || status == 422 || status == 501;
}

}  // namespace

// It took the form, and not this entry.
void Delivery::TakeFailedEntry(const EncodedAnswer& read) {
  TakeEntries(read);
  refused_facts_.status = read.failed_status;
  refused_facts_.has_lower_rung = false;
  refused_facts_.is_bundle = false;
  refused_ = {};
  refused_.transport = Transport::kAnswered;
  refused_.status = read.failed_status;
  refused_.body = read.failed_outcome;
  TakeRefusal();
}

void Delivery::TakeRefusal() {
  if (IsAuditEvent()) return TakeAuditRefusal();
  if (!TryOtherForm()) Decide(Classify(refused_facts_));
}

// Refused in a way that may be about the content, or about Bundles of this kind by a server that does not say
// whether it takes them and has not taken one yet.
bool Delivery::MayRefuseBundles(const FhirAnswer& answer) const {
  const Rung rung = encoder_->rung();
  const bool is_refused =
      answer.transport == Transport::kAnswered && (answer.status == 400 || answer.status == 404);
  return !IsAuditEvent() && is_refused && rung != Rung::kSingle && services_.ladder.HasLower(rung) &&
         !services_.ladder.IsProven(rung);
}

// An empty Bundle has no content to be refused for.
void Delivery::ProbeRung() {
  FhirRequest request;
  request.kind = RequestKind::kWrite;
  request.method = Method::kPost;
  request.body = R"({"resourceType":"Bundle","type":")" + std::string(Name(encoder_->rung())) + "\"}";
  request.request_id = trace_.request_id;
  request.traceparent = trace_.traceparent;
  services_.client.Send(std::move(request), [this](const FhirAnswer& probe) { TakeProbe(probe); });
}

void Delivery::TakeProbe(const FhirAnswer& probe) {
  const Rung rung = encoder_->rung();
  AnswerFacts facts;
  facts.kind = RequestKind::kWrite;
  facts.transport = probe.transport;
  facts.failure = probe.failure;
  facts.status = probe.status;
  facts.is_bundle = true;
  facts.attempt = refused_facts_.attempt;
  const Classification classification = Classify(facts);
  switch (classification.verdict) {
    case Verdict::kSucceeded:
      services_.ladder.Prove(rung);
      return TakeRefusal();
    case Verdict::kRetry:
    case Verdict::kRefreshCredentials:
      return FinishFailed(classification, probe);
    case Verdict::kAmbiguous:  // there was nothing in it
      return FinishFailed({Verdict::kRetry, classification.code}, probe);
    default:
      break;
  }
  if (probe.status == 403 || probe.status == 407) return FinishFailed(classification, probe);
  services_.ladder.StepDown(rung, RungReason::kRefused);
  PlanAndSend();
}

// New resources were taken in the form in which they were sent.
void Delivery::ProveForms(const EncodedAnswer& answer) {
  const bool is_whole = encoder_->rung() == Rung::kTransaction;
  for (std::size_t i = 0; i < step_.entries.size(); ++i) {
    const PlannedEntry& entry = step_.entries[i];
    const bool is_taken = is_whole || std::any_of(answer.entries.begin(), answer.entries.end(),
                                                  [i](const EntryAnswer& one) { return one.entry == i; });
    if (entry.exists || !is_taken) continue;
    if (entry.is_posted()) {
      services_.ladder.forms().Adopt(entry.key.type);
    } else {
      services_.ladder.forms().Prove(entry.key.type);
    }
  }
}

bool Delivery::IsWritten(const PlannedEntry& entry) {
  const LedgerRow* row = RowOf(entry.key);
  return row != nullptr && row->revision == item_.revision && row->sha256 == entry.sha256;
}

bool Delivery::AddGone(const PlannedEntry& entry) {
  const LedgerRow* row = RowOf(entry.key);
  return row != nullptr && row->sha256.empty() && gone_.insert(entry.key).second;
}

// Refused in a way that may be about how new resources are to be made: first those under ids of ours, then
// those by identifier; what is missing first where it was. True when another form is on its way.
bool Delivery::TryOtherForm() {
  if (!MayRefuseForm(refused_facts_)) return false;
  enum class Stage : std::uint8_t { kGone, kById, kByIdentifier };
  CreateForms forms = trial_ ? *trial_ : services_.ladder.forms();
  for (const Stage stage : {Stage::kGone, Stage::kById, Stage::kByIdentifier}) {
    bool has_changed = false;
    for (const std::size_t i : step_entries_) {
      const PlannedEntry& entry = plan_.entries[i];
      if (IsWritten(entry)) continue;
      if (stage == Stage::kGone) {
        has_changed = AddGone(entry) || has_changed;
      } else if (!entry.exists && entry.has_identifier_search == (stage == Stage::kByIdentifier)) {
        has_changed = forms.TryPost(entry.key.type, refused_facts_.is_bundle) || has_changed;
      }
    }
    if (!has_changed) continue;
    if (stage != Stage::kGone) trial_ = std::move(forms);
    PlanAndSend();
    return true;
  }
  trial_.reset();
  return false;
}

void Delivery::Decide(const Classification& classification) {
  switch (classification.verdict) {
    case Verdict::kReread:
      if (rereads_ < limits::kConflictRereadsMax) return LookAgain();
      return FinishFailed({Verdict::kRetry, Code::kServerBusy}, refused_);
    case Verdict::kMatchPatientAgain:
      return MatchAgain();
    case Verdict::kLowerRung:
      services_.ladder.StepDown(encoder_->rung(), RungReason::kRefused);
      return PlanAndSend();
    default:
      return FinishFailed(classification, refused_);
  }
}

// At what was refused, but for what was written before the refusal.
void Delivery::LookAgain() {
  ++rereads_;
  std::vector<std::size_t> sent;
  for (const std::size_t i : step_entries_) {
    if (!IsWritten(plan_.entries[i])) sent.push_back(i);
  }
  Look(LookupReason::kReread, std::move(sent));
}

void Delivery::MatchAgain() {
  matched_again_ = true;
  refused_patient_ = patients_[item_.patient.key];
  services_.patients.Forget(item_.patient.key);
  for (const outbox::PatientReference& former : item_.former_patients) services_.patients.Forget(former.key);
  patients_.clear();
  patients_matched_ = 0;
  patient_is_remembered_ = false;
  MatchNextPatient();
}

}  // namespace fhir_adapter::sync
