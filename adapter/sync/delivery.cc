#include "sync/delivery.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "audit/audit_entry.h"
#include "core/digest.h"
#include "core/fault_point.h"
#include "core/limits.h"
#include "sync/audit_event.h"
#include "sync/resource_identity.h"
#include "sync/resource_merge.h"

namespace fhir_adapter::sync {
namespace {

using outbox::DeliveryOutcome;
using outbox::LedgerRow;
using outbox::ResourceKey;
using outbox::WorkKind;

Observed AsResolved(Observed observed, const Literals& literals) {
  Arena arena;
  const auto resource = ReadResource(observed.json, arena);
  if (!resource) return observed;
  ToServerReferences(**resource, literals, {}, arena);
  observed.json = WriteOrdered(**resource);
  return observed;
}

// What somebody else's edit touches.
struct Edit {
  std::vector<std::string> contested;
  std::string kept;  // of theirs when ours is taken; empty: nothing
};

// All in server form, without what the server adds. Empty texts: not known, or not there any more.
Edit ReadEdit(const std::string& known, const std::string& theirs, const std::string& ours) {
  Edit edit;
  Arena arena;
  const auto base = ReadResource(known, arena);
  const auto other = ReadResource(theirs, arena);
  const auto own = ReadResource(ours, arena);
  if (!base || !other || !own) {
    edit.contested.push_back(own ? std::string(MemberText(**own, "resourceType")) : std::string());
    return edit;
  }
  edit.contested = MergeResource(**base, **other, **own, Contested::kReport, arena).contested;
  const MergedResource kept = MergeResource(**base, **other, **base, Contested::kTakeOurs, arena);
  if (kept.has_theirs) edit.kept = WriteOrdered(*kept.resource);
  return edit;
}

// A Provenance cannot be looked for, and cannot be there, while nothing that it speaks of is.
bool CanBeAsked(const Wanted& wanted) {
  return wanted.parameter.empty() || !wanted.references.empty();
}

// Its id and version; and that a POST made it: 200 is the answer when If-None-Exist found another.
bool SaysWhatWasDone(const DeliveryPlan& step, const EntryAnswer& answer) {
  if (answer.server_id.empty() || answer.version_id.empty()) return false;
  return !step.entries[answer.entry].is_posted() || answer.status == 201;
}

// A server may take an update under a version for what somebody has removed, and answers that it made it: the
// version that the removal left, where versions are counted. R4 http.html#delete: a removal is a version.
std::optional<std::string> RemovalUnder(const PlannedEntry& entry, const EntryAnswer& answer) {
  if (entry.if_match.empty() || answer.status != 201) return std::nullopt;
  std::int64_t version = 0;
  const char* last = answer.version_id.data() + answer.version_id.size();
  const auto [end, error] = std::from_chars(answer.version_id.data(), last, version);
  if (error != std::errc() || end != last || version <= 1) return std::nullopt;
  std::string before = std::to_string(version - 1);
  if (EntityTag(before) == entry.if_match) return std::nullopt;
  return before;
}

// What the server, or something before it, says of a failure need not be so, and a POST makes another each
// time.
bool MayHavePosted(const DeliveryPlan& step, const FhirAnswer& answer) {
  const bool has_failed = answer.status == 408 || (answer.status >= 500 && answer.status != 501);
  return has_failed && std::any_of(step.entries.begin(), step.entries.end(),
                                   [](const PlannedEntry& entry) { return entry.is_posted(); });
}

}  // namespace

Delivery::Delivery(outbox::WorkItem item, const DeliveryServices& services, Finished finished)
    : item_(std::move(item)),
      services_(services),
      finished_(std::move(finished)),
      trace_(NewRequestTrace(services.random, audit::TraceOfSubject(item_.subject_key))),
      lookup_(services.client),
      maybe_sent_before_(item_.is_ambiguous) {
  report_.id = item_.id;
}

// A Provenance that has no id of ours is looked for behind what it speaks of.
Delivery::WriteOrigin Delivery::OriginOf(LookupReason reason) const {
  const bool is_ours =
      reason == LookupReason::kAmbiguous || (reason == LookupReason::kBeforeCreating && was_ambiguous_);
  return is_ours ? WriteOrigin::kLookedUp : WriteOrigin::kFound;
}

LedgerRow* Delivery::RowOf(const ResourceKey& key) {
  const auto row = std::find_if(item_.ledger.begin(), item_.ledger.end(),
                                [&](const LedgerRow& other) { return other.key == key; });
  return row == item_.ledger.end() ? nullptr : &*row;
}

void Delivery::Start() {
  if (IsAuditEvent()) {  // names the patient as the server does, and no revision follows another
    return services_.ladder.audit_events().is_sent() ? PlanAndLook() : FinishWithoutAuditEvents();
  }
  if (IsOlderThanLedger(item_)) {
    return Finish(DeliveryOutcome::kHeld, Code::kConflict, "a higher revision has been delivered");
  }
  MatchNextPatient();
}

// First the patient of the work, then those in whose charts it stood before.
void Delivery::MatchNextPatient() {
  const std::size_t index = patients_matched_;
  if (index > item_.former_patients.size()) return PlanAndLook();
  const outbox::PatientReference& patient = index == 0 ? item_.patient : item_.former_patients[index - 1];
  services_.patients.Match(patient, trace_,
                           [this, index](PatientMatch match) { TakeMatch(index, std::move(match)); });
}

void Delivery::TakeMatch(std::size_t index, PatientMatch match) {
  switch (match.outcome) {
    case PatientMatch::Outcome::kFailed:
      report_.operation = "search";
      return FinishFailed(match.classification, match.answer);
    case PatientMatch::Outcome::kHeld:
      report_.operation = "search";
      return Finish(DeliveryOutcome::kHeld, match.held, {});
    case PatientMatch::Outcome::kFound:
      break;
  }
  const outbox::PatientReference& patient = index == 0 ? item_.patient : item_.former_patients[index - 1];
  if (index == 0 && matched_again_ && match.reference == refused_patient_) {
    // Still the same patient: that was not why the server refused.
    refused_facts_.patient_is_remembered = false;
    return FinishFailed(Classify(refused_facts_), refused_);
  }
  patient_is_remembered_ = patient_is_remembered_ || match.remembered;
  patients_[patient.key] = std::move(match.reference);
  ++patients_matched_;
  MatchNextPatient();
}

// The record's key, with the generation of the patient: what stands before the revision in its Provenance.
std::string Delivery::RecordValue() const {
  const std::string ending = "." + std::to_string(item_.revision);
  for (const outbox::IntendedResource& resource : item_.resources) {
    const std::string& value = resource.key.value;
    if (resource.key.type == "Provenance" && value.ends_with(ending))
      return value.substr(0, value.size() - ending.size());
  }
  return item_.subject_key;
}

bool Delivery::Plan() {
  const CreateForms& forms = trial_ ? *trial_ : services_.ladder.forms();
  const PlanContext context{services_.settings.canonical_base, patients_, &forms, gone_};
  auto plan = PlanDelivery(item_, context);
  if (!plan) {
    Finish(DeliveryOutcome::kQuarantined, plan.error().code, plan.error().message);
    return false;
  }
  plan_ = std::move(plan).value();
  return !HasContested();
}

// What a person once left as the others wanted it, and the record says something new of.
bool Delivery::HasContested() {
  for (const PlannedEntry& entry : plan_.entries) {
    const LedgerRow* row = entry.contested.empty() ? nullptr : RowOf(entry.key);
    if (row == nullptr) continue;
    LedgerRow before = *row;
    before.merged.clear();
    AddConflict(entry, before, {0, row->server_id, row->version_id, row->merged});
  }
  if (report_.conflicts.empty()) return false;
  HoldForConflicts();
  return true;
}

bool Delivery::IsUnknownRecord() const {
  return std::none_of(item_.ledger.begin(), item_.ledger.end(), [&](const LedgerRow& row) {
    return row.patient_key == item_.patient.key && row.patient_generation == item_.patient_generation;
  });
}

// One resource that is there if any of the record is: the one that carries the record's own key.
std::optional<std::size_t> Delivery::ProbeEntry() const {
  const std::string record = RecordValue();
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < plan_.entries.size(); ++i) {
    const PlannedEntry& entry = plan_.entries[i];
    if (!entry.has_identifier_search || entry.exists) continue;
    if (entry.key.value == record) return i;
    if (!first) first = i;
  }
  return first;
}

void Delivery::PlanAndLook() {
  if (!Plan()) return;
  std::vector<std::size_t> all;
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < plan_.entries.size(); ++i) {
    all.push_back(i);
    if (!plan_.entries[i].exists) unknown.push_back(i);
  }
  if (has_looked_ || all.empty()) return PlanAndSend();
  if (maybe_sent_before_) return Look(LookupReason::kAmbiguous, std::move(all));
  if (IsUnknownRecord()) {
    const std::optional<std::size_t> probe = ProbeEntry();
    if (probe) return Look(LookupReason::kProbe, {*probe});
  } else if (item_.kind == WorkKind::kIssueUpdate && !unknown.empty()) {
    return Look(LookupReason::kNewEntries, std::move(unknown));
  }
  PlanAndSend();
}

void Delivery::PlanAndSend() {
  if (!Plan()) return;
  if (plan_.entries.empty()) return FinishDelivered();
  Send();
}

// What stands on the server of those that the Provenance speaks of.
std::vector<std::string> Delivery::KnownTargets(const PlannedEntry& provenance) const {
  constexpr std::string_view kPrefix = "urn:uuid:";
  const Literals ledger = LiteralsOf(item_.ledger);
  std::vector<std::string> targets;
  Arena arena;
  const auto resource = ReadResource(provenance.json, arena);
  fhir::Node* named = resource ? (*resource)->Find("target") : nullptr;
  if (named == nullptr) return targets;
  RewriteReferences(
      *named,
      [&](std::string_view reference) {
        if (!reference.starts_with(kPrefix)) return std::string();
        const std::string_view uuid = reference.substr(kPrefix.size());
        for (const Literals* literals : {&plan_.literals, &ledger}) {
          const auto found = literals->find(uuid);
          if (found == literals->end()) continue;
          targets.push_back(found->second);
          break;
        }
        return std::string();
      },
      arena);
  return targets;
}

Wanted Delivery::WantedOf(std::size_t entry) const {
  const PlannedEntry& planned = plan_.entries[entry];
  Wanted wanted{entry, planned.key, planned.server_id, {}, {}};
  if (planned.has_identifier_search || !planned.server_id.empty()) return wanted;
  if (planned.key.type == kAuditEvent) {
    wanted.parameter = "entity";
    wanted.references = {AuditedPlace(planned.json)};
    return wanted;
  }
  const bool is_provenance = planned.key.type == "Provenance";
  wanted.parameter = is_provenance ? "target" : "subject";
  wanted.references = is_provenance ? KnownTargets(planned) : std::vector<std::string>{planned.patient};
  return wanted;
}

void Delivery::Look(LookupReason reason, std::vector<std::size_t> entries) {
  std::vector<Wanted> wanted;
  for (const std::size_t i : entries) {
    Wanted one = WantedOf(i);
    if (!CanBeAsked(one)) continue;
    looked_for_.insert(one.key);
    wanted.push_back(std::move(one));
  }
  looking_for_ = std::move(entries);
  lookup_.Find(std::move(wanted), trace_,
               [this, reason](const LookupResult& result) { TakeLookup(reason, result); });
}

bool Delivery::IsUnlooked(std::size_t entry) const {
  const PlannedEntry& planned = plan_.entries[entry];
  return planned.is_posted() && !looked_for_.contains(planned.key) && CanBeAsked(WantedOf(entry));
}

void Delivery::TakeLookup(LookupReason reason, const LookupResult& result) {
  if (report_.operation.empty()) report_.operation = "search";
  if (result.classification.verdict != Verdict::kSucceeded) {
    // What was carried out is still to be found.
    maybe_sent_before_ = maybe_sent_before_ || reason == LookupReason::kUnanswered;
    if (IsAuditEvent() && result.answer.status == 403) return FinishWithoutAuditEvents();
    return FinishFailed(result.classification, result.answer);
  }
  if (result.has_duplicates()) {
    const Observed& other = result.further.front();
    const std::string type = plan_.entries[other.entry].key.type + "/";
    const auto first = std::find_if(result.found.begin(), result.found.end(),
                                    [&](const Observed& one) { return one.entry == other.entry; });
    return Finish(DeliveryOutcome::kHeld, Code::kConflict,
                  "two resources on the server carry one identifier: " + type + first->server_id + ", " +
                      type + other.server_id);
  }
  if (reason == LookupReason::kUnanswered) return TakeUnanswered(result.found);
  was_ambiguous_ = was_ambiguous_ || reason == LookupReason::kAmbiguous;
  has_looked_ = has_looked_ || reason != LookupReason::kBeforeCreating;
  if (reason == LookupReason::kProbe) {
    if (result.found.empty()) return PlanAndSend();
    std::vector<std::size_t> all(plan_.entries.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return Look(LookupReason::kUnknownRecord, std::move(all));
  }
  if (!Fold(reason, result.found)) return;
  if (reason != LookupReason::kBeforeCreating) maybe_sent_before_ = false;
  if (reason == LookupReason::kUnknownRecord) {
    for (const Observed& observed : result.found) {
      const PlannedEntry& entry = plan_.entries[observed.entry];
      if (entry.key.type != "Provenance") guard_targets_.push_back(entry.key.type + "/" + observed.server_id);
    }
  }
  GoOnAfterLook();
}

void Delivery::GoOnAfterLook() {
  // What was found leads to the Provenance that speaks of it.
  for (std::size_t i = 0; i < plan_.entries.size(); ++i) {
    const PlannedEntry& entry = plan_.entries[i];
    const bool is_provenance = entry.key.type == "Provenance" && RowOf(entry.key) == nullptr;
    if (is_provenance && IsUnlooked(i)) return Look(LookupReason::kBeforeCreating, {i});
  }
  if (guard_targets_.empty()) return PlanAndSend();
  lookup_.FindNewestRevision(std::exchange(guard_targets_, {}),
                             services_.settings.canonical_base + "/sid/it-record", RecordValue(), trace_,
                             [this](const LookupResult& guard) { TakeRevisionGuard(guard); });
}

void Delivery::TakeRevisionGuard(const LookupResult& result) {
  if (result.classification.verdict != Verdict::kSucceeded) {
    report_.writes.clear();
    return FinishFailed(result.classification, result.answer);
  }
  if (result.newest_revision > item_.revision) {
    report_.writes.clear();  // what was found belongs to the higher revision
    return Finish(DeliveryOutcome::kHeld, Code::kConflict,
                  "the server holds a higher revision of this record");
  }
  PlanAndSend();
}

std::string Delivery::Resolved(std::string_view map_form, const std::string& patient) const {
  Arena arena;
  const auto resource = ReadResource(map_form, arena);
  if (!resource) return {};
  ToServerReferences(**resource, plan_.literals, patient, arena);
  StripServerParts(**resource, services_.client.base_url(), arena);
  return WriteOrdered(**resource);
}

bool Delivery::SaysTheSame(std::string_view map_form, const Observed& observed,
                           const std::string& patient) const {
  Arena arena;
  const auto ours = ReadResource(map_form, arena);
  const auto theirs = ReadResource(observed.json, arena);
  if (!ours || !theirs) return false;
  ToServerReferences(**ours, plan_.literals, patient, arena);
  StripServerParts(**ours, services_.client.base_url(), arena);
  return SameButForCorrection(**ours, **theirs);
}

// The server holds what is intended: the ledger takes it over, with the status that stands there.
void Delivery::Adopt(LookupReason reason, const PlannedEntry& entry, const Observed& observed,
                     LedgerRow& row) {
  Arena arena;
  const auto ours = ReadResource(entry.json, arena);
  const auto theirs = ReadResource(observed.json, arena);
  row.json = entry.json;
  if (ours && theirs && StatusOf(**ours) != StatusOf(**theirs)) {
    (*ours)->Set(arena, "status", fhir::Node::String(arena, StatusOf(**theirs)));
    row.json = WriteOrdered(**ours);
  }
  row.sha256 = Sha256Hex(row.json);
  row.nullified = entry.nullified;
  row.merged = entry.merged;
  PlannedEntry adopted = entry;
  adopted.json = row.json;
  adopted.sha256 = row.sha256;
  AddWrite(adopted, row.server_id, row.version_id, OriginOf(reason));
}

LedgerRow Delivery::NewRow(const ResourceKey& key) const {
  LedgerRow row;
  row.endpoint = services_.settings.endpoint;
  row.key = key;
  row.patient_key = item_.patient.key;
  row.patient_generation = item_.patient_generation;
  return row;
}

void Delivery::FoldUnknown(LookupReason reason, const PlannedEntry& entry, const Observed& observed) {
  // A Provenance that came apart from what it speaks of: it is written again, over this one.
  const bool came_apart = observed.json.find("\"urn:uuid:") != std::string::npos;
  if (entry.key.type == "Provenance" && came_apart && !entry.is_posted()) return;
  LedgerRow row = NewRow(entry.key);
  row.server_id = observed.server_id;
  row.version_id = observed.version_id;
  row.etag = EntityTag(observed.version_id);
  row.json = observed.json;
  row.sha256 = Sha256Hex(observed.json);
  // What stands there by an earlier request of this work is part of this revision.
  const bool is_same = SaysTheSame(entry.json, observed, entry.patient);
  const bool is_of_this =
      reason == LookupReason::kAmbiguous || (reason == LookupReason::kBeforeCreating && is_same);
  row.revision = is_of_this ? item_.revision : 0;
  if (entry.key.type == "Provenance") {
    // It speaks of what was written then, which need not be what would be written now.
    PlannedEntry found = entry;
    found.json = row.json;
    found.sha256 = row.sha256;
    AddWrite(found, row.server_id, row.version_id, OriginOf(reason));
  } else if (is_same) {
    Adopt(reason, entry, observed, row);
  } else if (reason != LookupReason::kAmbiguous) {
    others_versions_[entry.key] = observed.version_id;
  }
  item_.ledger.push_back(std::move(row));
}

// Three-way: what is there now, what we knew to be there, what we want. Adds a conflict when a person has to
// decide.
void Delivery::FoldKnown(LookupReason reason, const PlannedEntry& entry, LedgerRow& row,
                         const Observed* observed) {
  // Known to be missing, and still so: this work is to send it again.
  if (observed == nullptr && row.sha256.empty()) return;
  if (observed == nullptr) return AddConflict(entry, row, {0, row.server_id, {}, {}});
  row.server_id = observed->server_id;  // another one when it was made anew
  if (SaysTheSame(entry.body(), *observed, entry.patient)) {
    row.version_id = observed->version_id;
    if (reason == LookupReason::kAmbiguous) row.revision = item_.revision;
    return Adopt(reason, entry, *observed, row);
  }
  if (observed->version_id == row.version_id) return;
  const std::string& known = row.merged.empty() ? row.json : row.merged;
  const bool is_touched_only = !known.empty() && SaysTheSame(known, *observed, entry.patient);
  // Ours, with references that were not resolved: sent again.
  const bool is_unresolved = SaysTheSame(entry.body(), AsResolved(*observed, plan_.literals), entry.patient);
  if (!is_touched_only && !is_unresolved) {
    const Edit edit =
        ReadEdit(Resolved(known, entry.patient), observed->json, Resolved(entry.body(), entry.patient));
    if (!edit.contested.empty()) return AddConflict(entry, row, *observed);
    row.merged = observed->json;  // the plan puts ours on it
  }
  if (!is_unresolved) others_versions_[entry.key] = observed->version_id;
  row.version_id = observed->version_id;
}

void Delivery::AddConflict(const PlannedEntry& entry, const LedgerRow& row, const Observed& theirs) {
  outbox::ResourceConflict conflict;
  conflict.endpoint = services_.settings.endpoint;
  conflict.key = entry.key;
  conflict.server_id = theirs.server_id;
  conflict.version_id = theirs.version_id;
  conflict.delivered = Resolved(row.merged.empty() ? row.json : row.merged, entry.patient);
  conflict.ours = Resolved(entry.json, entry.patient);
  conflict.theirs = theirs.json;
  conflict.json = entry.json;
  conflict.nullified = entry.nullified;
  const Edit edit = ReadEdit(conflict.delivered, conflict.theirs, conflict.ours);
  // What was kept of theirs before stays in any case.
  conflict.kept = edit.kept.empty() && !row.merged.empty() ? conflict.delivered : edit.kept;
  const std::string what = conflict.theirs.empty() ? "removed from the server by someone else: "
                                                   : "changed on the server by someone else: ";
  report_.reasons.push_back({Code::kConflict, edit.contested.empty() ? std::string() : edit.contested.front(),
                             what + entry.key.type + "/" + theirs.server_id});
  report_.conflicts.push_back(std::move(conflict));
}

void Delivery::HoldForConflicts() {
  report_.outcome = DeliveryOutcome::kHeld;
  const Finished finished = std::move(finished_);
  finished(*this);
}

bool Delivery::Fold(LookupReason reason, const std::vector<Observed>& found) {
  // Ids first: references between what was found can only be compared when all of them are known.
  for (const Observed& observed : found) {
    const PlannedEntry& entry = plan_.entries[observed.entry];
    plan_.literals[entry.uuid] = entry.key.type + "/" + observed.server_id;
  }
  const auto observed_of = [&](std::size_t i) -> const Observed* {
    const auto one =
        std::find_if(found.begin(), found.end(), [&](const Observed& o) { return o.entry == i; });
    return one == found.end() ? nullptr : &*one;
  };
  bool has_changed = false;
  for (const std::size_t i : looking_for_) {
    const PlannedEntry& entry = plan_.entries[i];
    const Observed* observed = observed_of(i);
    if (LedgerRow* row = RowOf(entry.key)) {
      const std::string before = row->version_id;
      const std::string content = row->sha256;
      FoldKnown(reason, entry, *row, observed);
      has_changed = has_changed || row->version_id != before || row->sha256 != content;
    } else if (observed != nullptr) {
      FoldUnknown(reason, entry, *observed);
      has_changed = true;
    }
  }
  if (!report_.conflicts.empty()) {
    HoldForConflicts();
    return false;
  }
  if (reason == LookupReason::kReread && !has_changed) {
    // Everything is as we left it, so the refusal was not about versions.
    refused_facts_.has_reread = true;
    Decide(Classify(refused_facts_));
    return false;
  }
  return true;
}

void Delivery::Send() {
  encoder_ = is_single_ ? &services_.ladder.encoder(Rung::kSingle) : &services_.ladder.encoder();
  step_entries_ = encoder_->NextEntries(plan_);
  if (step_entries_.empty()) {
    return Finish(DeliveryOutcome::kQuarantined, Code::kOutputInvalid,
                  "resources that refer to each other in a circle need a server with transactions");
  }
  std::vector<std::size_t> unlooked;
  for (const std::size_t i : step_entries_) {
    if (IsUnlooked(i)) unlooked.push_back(i);
  }
  if (!unlooked.empty()) return Look(LookupReason::kBeforeCreating, std::move(unlooked));
  step_.entries.clear();
  for (const std::size_t i : step_entries_) step_.entries.push_back(plan_.entries[i]);
  step_.literals = plan_.literals;
  for (const PlannedEntry& entry : step_.entries) looked_for_.erase(entry.key);
  FhirRequest request = encoder_->Encode(step_);
  request.request_id = trace_.request_id;
  request.traceparent = trace_.traceparent;
  report_.operation = Name(encoder_->rung());
  services_.client.Send(std::move(request), [this](const FhirAnswer& answer) { TakeAnswer(answer); });
  ADAPTER_FAULT_POINT("request-handed-over");
}

void Delivery::TakeAnswer(const FhirAnswer& answer) {
  report_.http_status = answer.status;
  AnswerFacts facts;
  facts.kind = RequestKind::kWrite;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  facts.has_if_match = std::any_of(step_.entries.begin(), step_.entries.end(),
                                   [](const PlannedEntry& entry) { return !entry.if_match.empty(); });
  facts.patient_is_remembered = patient_is_remembered_ && !matched_again_;
  facts.is_bundle = encoder_->rung() != Rung::kSingle;
  facts.has_lower_rung = services_.ladder.HasLower(encoder_->rung());
  facts.attempt = item_.attempt;
  const bool success = answer.status >= 200 && answer.status < 300;
  auto read = success ? encoder_->Read(step_, answer) : Result<EncodedAnswer>(EncodedAnswer{});
  facts.body_is_readable = read.has_value();
  if (read && read->was_taken_apart) return TakeApart();
  refused_facts_ = facts;
  if (!success || !read) {
    refused_ = answer;
    maybe_sent_before_ = maybe_sent_before_ || MayHavePosted(step_, answer);
    return MayRefuseBundles(answer) ? ProbeRung() : TakeRefusal();
  }
  if (facts.is_bundle) services_.ladder.Prove(encoder_->rung());
  ProveForms(*read);
  if (read->failed_status != 0) return TakeFailedEntry(*read);
  TakeEntries(*read);
  std::vector<std::size_t> unanswered;
  for (std::size_t i = 0; i < step_.entries.size(); ++i) {
    const auto of_entry = [&](const EntryAnswer& one) {
      return one.entry == i && SaysWhatWasDone(step_, one);
    };
    if (std::none_of(read->entries.begin(), read->entries.end(), of_entry)) {
      unanswered.push_back(step_entries_[i]);
    }
  }
  if (unanswered.empty()) return GoOn();
  Look(LookupReason::kUnanswered, std::move(unanswered));
}

void Delivery::TakeEntries(const EncodedAnswer& answer) {
  for (const EntryAnswer& one : answer.entries) {
    if (!SaysWhatWasDone(step_, one)) continue;
    const PlannedEntry& entry = step_.entries[one.entry];
    if (auto removal = RemovalUnder(entry, one)) others_versions_[entry.key] = std::move(*removal);
    Record(entry, one.server_id, one.version_id, false);
  }
}

// What the server made of a transaction that it carried out entry by entry has to be looked for.
void Delivery::TakeApart() {
  maybe_sent_before_ = true;
  if (!services_.ladder.StepDown(encoder_->rung(), RungReason::kTakenApart)) {
    return FinishFailed({Verdict::kPauseRoute, Code::kServerLacks}, FhirAnswer{});
  }
  std::vector<std::size_t> all(plan_.entries.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  Look(LookupReason::kAmbiguous, std::move(all));
}

// The server said that it carried the request out, and did not say as what. An update that left the version
// as it was, with other content, was not carried out.
void Delivery::TakeUnanswered(const std::vector<Observed>& found) {
  bool has_found_another = false;
  for (const Observed& observed : found) {
    const PlannedEntry& entry = plan_.entries[observed.entry];
    const bool is_same_version = !entry.if_match.empty() && entry.if_match == EntityTag(observed.version_id);
    const bool is_same = SaysTheSame(entry.body(), observed, entry.patient);
    if (is_same_version && !is_same) {
      maybe_sent_before_ = true;
      return FinishFailed({Verdict::kAmbiguous, Code::kServerAnswer}, FhirAnswer{});
    }
    if (entry.is_posted() && !is_same && entry.key.type != "Provenance") {
      FoldUnknown(LookupReason::kUnanswered, entry, observed);  // ours is put on it
      has_found_another = true;
      continue;
    }
    Record(plan_.entries[observed.entry], observed.server_id, observed.version_id, true);
  }
  if (found.size() < looking_for_.size()) {
    return FinishFailed({Verdict::kAmbiguous, Code::kServerAnswer}, FhirAnswer{});
  }
  if (has_found_another) return PlanAndSend();
  GoOn();
}

// Written: the report says so, and what is planned next takes it as there.
void Delivery::Record(const PlannedEntry& entry, const std::string& server_id, const std::string& version_id,
                      bool adopted) {
  AddWrite(entry, server_id, version_id, adopted ? WriteOrigin::kLookedUp : WriteOrigin::kAnswered);
  LedgerRow* row = RowOf(entry.key);
  if (row == nullptr) row = &item_.ledger.emplace_back(NewRow(entry.key));
  row->server_id = server_id;
  row->version_id = version_id;
  row->etag = EntityTag(version_id);
  row->json = entry.json;
  row->sha256 = entry.sha256;
  row->nullified = entry.nullified;
  row->merged = entry.merged;
  row->revision = item_.revision;
}

// The next step of what is left; each makes the plan shorter.
void Delivery::GoOn() {
  const std::size_t left = plan_.entries.size() - step_entries_.size();
  if (left == 0) return FinishDelivered();
  if (!Plan()) return;
  if (plan_.entries.empty()) return FinishDelivered();
  if (plan_.entries.size() > left) {
    return Finish(DeliveryOutcome::kQuarantined, Code::kInternal, "what was written is planned again");
  }
  Send();
}

void Delivery::AddWrite(const PlannedEntry& entry, const std::string& server_id,
                        const std::string& version_id, WriteOrigin origin) {
  outbox::ResourceWrite write;
  write.key = entry.key;
  write.server_id = server_id;
  write.version_id = version_id;
  write.etag = EntityTag(version_id);
  write.json = entry.json;
  write.sha256 = entry.sha256;
  write.nullified = entry.nullified;
  write.adopted = origin != WriteOrigin::kAnswered;
  if (!entry.merged.empty()) write.merged = Resolved(entry.merged, entry.patient);
  const auto others = others_versions_.find(entry.key);
  if (others != others_versions_.end()) write.built_on = others->second;
  write.audit_event = AuditEventOf(entry, write, origin);
  const auto same = std::find_if(report_.writes.begin(), report_.writes.end(),
                                 [&](const outbox::ResourceWrite& other) { return other.key == entry.key; });
  if (same == report_.writes.end()) {
    report_.writes.push_back(std::move(write));
  } else {
    *same = std::move(write);
  }
}

void Delivery::FinishDelivered() {
  classification_ = {};
  report_.patient = patients_[item_.patient.key];
  Finish(DeliveryOutcome::kDelivered, Code::kInternal, {});
}

void Delivery::FinishFailed(const Classification& classification, const FhirAnswer& answer) {
  classification_ = classification;
  report_.http_status = answer.status;
  report_.answer = answer.body;
  const TimeUs now = services_.clock.Now();
  const OutcomeSummary summary = SummarizeOutcome(answer.body);
  std::string message = answer.status == 0 ? "" : "HTTP " + std::to_string(answer.status);
  if (!summary.codes.empty())
    message += (message.empty() ? "" : ", ") + std::string("issue ") + summary.codes;
  switch (classification.verdict) {
    case Verdict::kRefreshCredentials:
    case Verdict::kPauseRoute:
      report_.next_attempt = TimeUs{now.us + services_.settings.pause_us};
      return Finish(DeliveryOutcome::kDeferred, classification.code, std::move(message));
    case Verdict::kRetry:
    case Verdict::kAmbiguous: {
      outbox::Failed failed;
      failed.attempt = item_.attempt;
      failed.first_attempt = item_.first_attempt;
      failed.now = now;
      failed.retry_after_us = ParseRetryAfter(answer.retry_after, now);
      const auto next = outbox::NextAttempt(services_.settings.retry, failed, services_.random.Next());
      if (!next) return Finish(DeliveryOutcome::kQuarantined, classification.code, "tried for too long");
      report_.next_attempt = *next;
      const bool unknown = classification.verdict == Verdict::kAmbiguous || maybe_sent_before_;
      return Finish(unknown ? DeliveryOutcome::kAmbiguous : DeliveryOutcome::kRetry, classification.code,
                    std::move(message));
    }
    case Verdict::kHold:
      return Finish(DeliveryOutcome::kHeld, classification.code, std::move(message), summary.pointer);
    default:
      Finish(DeliveryOutcome::kQuarantined, classification.code, std::move(message), summary.pointer);
  }
}

void Delivery::Finish(DeliveryOutcome outcome, Code code, std::string message, std::string pointer) {
  report_.outcome = outcome;
  if (outcome != DeliveryOutcome::kDelivered) {
    report_.reasons.push_back(outbox::Reason{code, std::move(pointer), std::move(message)});
  }
  const Finished finished = std::move(finished_);
  finished(*this);
}

outbox::DeliveryReport Delivery::TakeReport() {
  report_.lease = item_.lease;
  report_.audit_event_system = AuditEventSystem(services_.settings.canonical_base);
  if (!report_.operation.empty() && report_.request_id.empty()) report_.request_id = trace_.request_id;
  return std::move(report_);
}

}  // namespace fhir_adapter::sync
