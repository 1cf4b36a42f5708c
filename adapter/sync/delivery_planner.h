// DeliveryPlan: what has to be written so that the server holds what a piece of work intends. Pure;
// thread-safe.
//
// From the intended resources and the ledger:
//   * what has not changed since it was delivered is left out;
//   * an Observation that was delivered as final, amended or corrected and says something else now is
//   `corrected` (one that the EHR pushed keeps the status that the EHR gave it);
//   * a row that is no longer intended is nullified, never forgotten; after a change of patient the rows in
//   the
//     former patient's chart are nullified by id;
//   * what was delivered before is updated by id under its version, so that nobody's change is overwritten;
//   * what others added to a resource goes along with the update (LedgerRow::merged);
//   * what reconciling found missing (a row without hash) is sent again, to the place where it was;
//   * a Provenance or AuditEvent that the server is to name carries its own key as a tag, since R4 gives it
//   no
//     identifier;
//   * the Provenance names what is written, with what earlier requests of the revision wrote while no
//   Provenance
//     speaks of it, and is left out when that is nothing.
// The same work and ledger give the same bytes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "sync/create_forms.h"
#include "sync/resource_content.h"

namespace fhir_adapter::sync {

struct PlannedEntry {
  outbox::ResourceKey key;
  std::string uuid;
  std::string json;    // map form; what the ledger will hold
  std::string sha256;  // of json
  bool nullified = false;
  bool has_identifier_search = true;
  // PUT Type/{server_id}: delivered before, or a type that cannot be found by identifier (then it is the
  // uuid). Empty: by `form`.
  std::string server_id;
  CreateForm form = CreateForm::kUpdate;  // of what is not known to be there
  bool exists = false;                    // known to be on the server
  std::string if_match;                   // W/"3"; only when it exists
  std::string patient;                    // "Patient/x" for its conditional reference
  // json with what others added to it, as it is to stand there: literal references where they are known.
  // Empty: json is all.
  std::string merged;
  std::vector<std::string> contested;  // elements that others changed as well: a person has to decide

  bool is_posted() const { return form != CreateForm::kUpdate; }
  const std::string& body() const { return merged.empty() ? json : merged; }
};

struct DeliveryPlan {
  std::vector<PlannedEntry> entries;  // referenced before referring, the Provenance last
  Literals literals;                  // of everything that is on the server
};

struct PlanContext {
  std::string canonical_base;
  std::map<std::string, std::string> patients;  // patient_key → "Patient/x", for every patient the work names
  const CreateForms* forms = nullptr;           // none: a PUT for every type
  // Missing, and the server does not take them back to where they were: they are made anew.
  std::set<outbox::ResourceKey> gone{};
};

// {base}/CodeSystem/it-local: the system of our own codes.
std::string LocalCodeSystem(std::string_view canonical_base);

// Errors: kOutputInvalid (a resource that cannot be read, a reference to nothing), with the resource's type.
Result<DeliveryPlan> PlanDelivery(const outbox::WorkItem& item, const PlanContext& context);

// The ledger, with uuids, as literal references.
Literals LiteralsOf(const std::vector<outbox::LedgerRow>& ledger);

// True when the ledger holds something of this record from a higher revision: this one must not be sent.
bool IsOlderThanLedger(const outbox::WorkItem& item);

}  // namespace fhir_adapter::sync
