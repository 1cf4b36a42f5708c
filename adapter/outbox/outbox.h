// Outbox: work that waits for the server. Who may send next is decided in the store: claiming work takes the
// lease of its patient, so that one patient's work is sent in order and patients go in parallel, also across
// restarts and several senders.
//
// Time is a parameter; there is no connection and no row number in this interface. Thread rules are those of
// storage::Transaction. Each call changes state and appends the audit entry in the caller's transaction.
// Errors: those of the store; kNotFound for an unknown id; kNotAllowed for a change that the state does not
// permit, and for completing work whose lease was lost; kErased for a repair of an erased record.
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

// What reconciling found of one record on a server.
struct Repair {
  std::string endpoint;
  std::string subject_key;
  std::vector<ResourceKey> missing;     // to be sent again
  std::vector<ResourceKey> duplicates;  // carried by two resources: for a person
};

// What the server holds newer than a store that was restored.
struct Adoption {
  std::string endpoint;
  std::string subject_key;
  std::int64_t newest_revision = 0;  // that the server has seen; a lower one will not be sent
  struct Version {
    ResourceKey key;
    std::string server_id;
    std::string version_id;
    std::string json;
    bool nullified = false;
  };
  std::vector<Version> versions;
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

  // Held or waiting work is tried at once; quarantined work is mapped again, and then tried.
  virtual Result<void> Retry(storage::Transaction& transaction, const WorkId& id, const Change& change) = 0;
  // Held work goes on. kNotAllowed: there is a conflict to decide.
  virtual Result<void> Release(storage::Transaction& transaction, const WorkId& id, const Change& change) = 0;
  // Decides the conflicts for which work is held, and lets it go on. kNotAllowed: there are none.
  virtual Result<void> Decide(storage::Transaction& transaction, const WorkId& id, ConflictDecision decision,
                              const Change& change) = 0;
  // Takes work that has not been sent out of the line.
  virtual Result<void> Quarantine(storage::Transaction& transaction, const WorkId& id,
                                  const Change& change) = 0;

  // All work of one patient that is held for the patient's sake goes on. Returns how many.
  virtual Result<std::int64_t> ReleasePatient(storage::Transaction& transaction, std::string_view patient_key,
                                              const Change& change) = 0;

  // All work that is held for this reason goes on. Returns how many.
  virtual Result<std::int64_t> ReleaseHeldFor(storage::Transaction& transaction, Code reason,
                                              const Change& change) = 0;

  // Ties the patient of held work to "Patient/x" of the server, for this and all later work of that patient,
  // and lets what is held for the patient's sake go on. Returns how much that was.
  virtual Result<std::int64_t> LinkPatient(storage::Transaction& transaction, const WorkId& id,
                                           std::string_view patient, const Change& change) = 0;
  // The patient is searched for again from now on. What was delivered stays where it is.
  virtual Result<void> UnlinkPatient(storage::Transaction& transaction, const WorkId& id,
                                     const Change& change) = 0;

  // Queues what is missing as `repair` work, and holds a `repair` work as a conflict where there are
  // duplicates. kNotAllowed: nothing of the record was delivered here, or the record waits to be sent anyway.
  virtual Result<void> QueueRepair(storage::Transaction& transaction, const Repair& repair,
                                   const Change& change) = 0;

  // Takes newer versions of the server into the ledger. Only while sending is stopped.
  virtual Result<void> Adopt(storage::Transaction& transaction, const Adoption& adoption,
                             const Change& change) = 0;

  // After a restore nothing is claimed until this is called (by an explicit, audited command).
  virtual Result<void> ResumeSending(storage::Transaction& transaction, const Change& change) = 0;
};

}  // namespace fhir_adapter::outbox
