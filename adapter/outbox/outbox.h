// Outbox: work that waits for the server. Who may send next is decided in the store: claiming work takes the
// lease of its patient, so that one patient's work is sent in order and patients go in parallel, also across
// restarts and several senders.
//
// Time is a parameter; there is no connection and no row number in this interface. Thread rules are those of
// storage::Transaction. Each call changes state and appends the audit entry in the caller's transaction.
// Errors: those of the store; kNotFound for an unknown id; kNotAllowed for a change that the state does not
// permit, and for completing work whose lease was lost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/principal.h"
#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/work_state.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct ClaimRequest {
  std::string owner;     // who claims: different for each sender
  std::string endpoint;  // whose ledger rows are wanted
  TimeUs now;
  std::int64_t lease_us = 0;  // how long the patient stays with the owner
  std::size_t items_max = 1;
};

// What a person or a timer did, and why.
struct Change {
  Principal actor;
  std::string reason;  // free text, kept in an erasable table; may be empty only for the program itself
  TimeUs now;
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // At most one item for each patient: the oldest that is due and not kept waiting. Its state becomes
  // `sending`. Work whose lease has expired comes back with is_ambiguous. Nothing while sending is stopped
  // (after a restore).
  virtual Result<std::vector<WorkItem>> Claim(storage::Transaction& transaction,
                                              const ClaimRequest& request) = 0;

  // Prolongs the lease of claimed work; fails when it was lost.
  virtual Result<Lease> Extend(storage::Transaction& transaction, const WorkId& id, const Lease& lease,
                               TimeUs until) = 0;

  // Ledger, state and audit entry of one answer. Returns the new state (`superseded` when a higher revision
  // is waiting and this one did not go out).
  virtual Result<WorkState> Complete(storage::Transaction& transaction, const DeliveryReport& report,
                                     TimeUs now) = 0;

  // Ends every lease, as after a restart: what was being sent becomes ambiguous. Returns how many.
  virtual Result<std::int64_t> EndLeases(storage::Transaction& transaction, TimeUs now) = 0;

  // Quarantined, held or waiting work is tried at once. Quarantined before it was mapped: mapped again.
  virtual Result<void> Retry(storage::Transaction& transaction, const WorkId& id, const Change& change) = 0;
  // Held work goes on.
  virtual Result<void> Release(storage::Transaction& transaction, const WorkId& id, const Change& change) = 0;
  // Takes work that has not been sent out of the line.
  virtual Result<void> Quarantine(storage::Transaction& transaction, const WorkId& id,
                                  const Change& change) = 0;

  // All work of one patient that is held for the patient's sake goes on. Returns how many.
  virtual Result<std::int64_t> ReleasePatient(storage::Transaction& transaction, std::string_view patient_key,
                                              const Change& change) = 0;

  // After a restore nothing is claimed until this is called (by an explicit, audited command).
  virtual Result<void> ResumeSending(storage::Transaction& transaction, const Change& change) = 0;
};

}  // namespace fhir_adapter::outbox
