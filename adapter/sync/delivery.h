// Delivery: one piece of work on its way: match the patient, look where that is needed, plan, send, read the
// answer, decide. Ends with one DeliveryReport; the queue turns that into a state.
//
//   match ─▶ plan ─▶ (look up) ─▶ plan ─▶ send ─▶ read ─▶ (look up what the answer left out) ─▶ report
//                        ▲         ▲        │       │
//                        │         └────────┼───────┘ until all steps of the rung are done
//                        └── reread ◀───────┘ somebody else may have changed it
//
// The server is asked first when a request may have got through before, when the store knows nothing of the
// record (it may be younger than the server), and for findings that were not delivered before. An older
// revision never goes out after a newer one, neither one in the ledger nor one that the server's Provenance
// names. What is POSTed is looked for right before, each time.
//
// With what was written the report has the AuditEvents that say so (DeliveryLadder::audit_events); they
// become work of their own, for which none are made. A server that refuses them changes nothing for other
// work.
//
// Lives on one thread, that of the client's answers; must outlive its requests.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "outbox/delivery_plan.h"
#include "outbox/retry_policy.h"
#include "sync/delivery_ladder.h"
#include "sync/delivery_planner.h"
#include "sync/patient_matcher.h"
#include "sync/request_trace.h"
#include "sync/server_lookup.h"

namespace fhir_adapter::sync {

struct DeliverySettings {
  std::string endpoint;  // whose ledger it is
  std::string canonical_base;
  outbox::RetryPolicy retry;
  // While the route is paused; work that was not sent comes back after it.
  std::int64_t pause_us = 60'000'000;
  std::string client{};  // this machine's name, for AuditEvents
};

// What a delivery makes use of; outlives it.
struct DeliveryServices {
  FhirClient& client;
  PatientMatcher& patients;
  DeliveryLadder& ladder;
  Clock& clock;
  Random& random;
  const DeliverySettings& settings;
};

class Delivery {
 public:
  using Finished = std::function<void(Delivery&)>;

  Delivery(outbox::WorkItem item, const DeliveryServices& services, Finished finished);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  // May call `finished` before it returns. Nothing happens after `finished`.
  void Start();

  const outbox::WorkItem& item() const { return item_; }
  void set_lease(const outbox::Lease& lease) { item_.lease = lease; }

  // After `finished`.
  outbox::DeliveryReport TakeReport();
  // The answer that decided; its verdict tells whether the server is well.
  const Classification& classification() const { return classification_; }

 private:
  enum class LookupReason : std::uint8_t {
    kAmbiguous,
    kProbe,
    kUnknownRecord,
    kNewEntries,
    kReread,
    kBeforeCreating,
    kUnanswered
  };

  void MatchNextPatient();
  void TakeMatch(std::size_t index, PatientMatch match);
  bool Plan();
  void PlanAndLook();
  void PlanAndSend();
  std::optional<std::size_t> ProbeEntry() const;
  bool IsUnknownRecord() const;
  std::string RecordValue() const;

  void Look(LookupReason reason, std::vector<std::size_t> entries);
  Wanted WantedOf(std::size_t entry) const;
  std::vector<std::string> KnownTargets(const PlannedEntry& provenance) const;
  bool IsUnlooked(std::size_t entry) const;  // to be POSTed
  void GoOnAfterLook();
  void TakeLookup(LookupReason reason, const LookupResult& result);
  bool Fold(LookupReason reason, const std::vector<Observed>& found);
  void FoldKnown(LookupReason reason, const PlannedEntry& entry, outbox::LedgerRow& row,
                 const Observed* observed);
  void FoldUnknown(LookupReason reason, const PlannedEntry& entry, const Observed& observed);
  bool SaysTheSame(std::string_view map_form, const Observed& observed, const std::string& patient) const;
  std::string Resolved(std::string_view map_form, const std::string& patient) const;
  void AddConflict(const PlannedEntry& entry, const outbox::LedgerRow& row, const Observed& theirs);
  bool HasContested();
  void HoldForConflicts();
  void Adopt(LookupReason reason, const PlannedEntry& entry, const Observed& observed,
             outbox::LedgerRow& row);
  void TakeRevisionGuard(const LookupResult& result);
  void TakeUnanswered(const std::vector<Observed>& found);

  void Send();
  void TakeAnswer(const FhirAnswer& answer);
  bool MayRefuseBundles(const FhirAnswer& answer) const;
  void TakeRefusal();
  bool TryOtherForm();
  bool AddGone(const PlannedEntry& entry);
  void ProveForms(const EncodedAnswer& answer);
  bool IsWritten(const PlannedEntry& entry);
  void ProbeRung();
  void TakeProbe(const FhirAnswer& probe);
  void TakeFailedEntry(const EncodedAnswer& read);
  void TakeEntries(const EncodedAnswer& answer);
  void TakeApart();
  void Record(const PlannedEntry& entry, const std::string& server_id, const std::string& version_id,
              bool adopted);
  void GoOn();
  void Decide(const Classification& classification);
  void LookAgain();
  void MatchAgain();
  void FinishDelivered();
  void Finish(outbox::DeliveryOutcome outcome, Code code, std::string message, std::string pointer = {});
  void FinishFailed(const Classification& classification, const FhirAnswer& answer);
  // How it became known what the server holds.
  enum class WriteOrigin : std::uint8_t {
    kAnswered,
    kLookedUp,  // written by us, the answer was lost
    kFound,     // not written by this work
  };
  WriteOrigin OriginOf(LookupReason reason) const;
  void AddWrite(const PlannedEntry& entry, const std::string& server_id, const std::string& version_id,
                WriteOrigin origin);
  std::string AuditEventOf(const PlannedEntry& entry, const outbox::ResourceWrite& write,
                           WriteOrigin origin) const;

  bool IsAuditEvent() const { return item_.kind == outbox::WorkKind::kAuditEvent; }
  void TakeAuditRefusal();
  void FinishWithoutAuditEvents();
  outbox::LedgerRow NewRow(
      const outbox::ResourceKey& key) const;  // of this work; says nothing of the server yet
  outbox::LedgerRow* RowOf(const outbox::ResourceKey& key);

  outbox::WorkItem item_;
  DeliveryServices services_;
  Finished finished_;
  RequestTrace trace_;
  ServerLookup lookup_;
  std::map<std::string, std::string> patients_;  // patient_key → "Patient/x"
  std::size_t patients_matched_ = 0;
  bool patient_is_remembered_ = false;
  bool matched_again_ = false;
  bool has_looked_ = false;                   // so that the same question is not asked twice
  bool maybe_sent_before_;                    // and not yet looked up
  bool was_ambiguous_ = false;                // and has been looked up
  std::set<outbox::ResourceKey> looked_for_;  // what is to be POSTed, since it was last sent
  std::vector<std::string> guard_targets_;    // whose Provenances may name a higher revision
  std::optional<CreateForms> trial_;          // tried since the server refused the ladder's
  std::set<outbox::ResourceKey> gone_;        // see PlanContext
  int rereads_ = 0;
  bool is_single_ = false;                                      // an AuditEvent that was refused in a Bundle
  std::map<outbox::ResourceKey, std::string> others_versions_;  // on which ours is put
  std::string refused_patient_;
  FhirAnswer refused_;  // kept while its reason is looked for
  AnswerFacts refused_facts_;
  std::vector<std::size_t> looking_for_;
  DeliveryPlan plan_;
  const DeliveryEncoder* encoder_ = nullptr;  // of the step
  std::vector<std::size_t> step_entries_;     // in the plan
  DeliveryPlan step_;                         // what was sent last
  Classification classification_;
  outbox::DeliveryReport report_;
};

// The issue codes of an OperationOutcome and where it points, without its words (they may quote values).
struct OutcomeSummary {
  std::string codes;    // "invariant, required"; empty: none
  std::string pointer;  // expression or location of the first issue
};
OutcomeSummary SummarizeOutcome(std::string_view body);

}  // namespace fhir_adapter::sync
