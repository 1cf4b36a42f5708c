// Receiver: the one way in. Whatever the source, a record is acknowledged after its bytes, its audit entry
// and its work are durable, and never before.
//
// Receive may be called from any thread and does not block: `done` runs on the writer's thread after the
// commit (or at once with kDiskFull, kHighWater, kNotReady, kStoreFailed). ReceiveNow waits. The Receiver
// owns nothing; what it refers to must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/issue.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/inbox.h"
#include "outbox/queue_reader.h"
#include "storage/transaction.h"

namespace fhir_adapter::pipeline {

// One record of a submission, already read. A record with an issue of class `rejected` is kept outside the
// queue; its identity is filled in as far as it could be read.
struct InputRecord {
  std::string bytes;  // of this record alone, as it came
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;
  std::string status;
  std::string mrn;
  std::string content_sha256;  // of the canonical content
  Issues issues;
};

struct Submission {
  std::string source;  // "http", "submit", or the name of a [[source]]
  std::string map;     // that its records are for; empty: the default one
  Principal actor;
  std::vector<InputRecord> records;
  // What becomes durable with the last of the records, or not at all; empty: nothing.
  std::function<Result<void>(storage::Transaction&)> beside;
};

enum class RecordOutcome : std::uint8_t {
  kAccepted,  // new and durable
  kKnown,     // was there; the first receipt
  kConflict,  // same id and revision, other content
  kRejected,
};

struct RecordAnswer {
  RecordOutcome outcome = RecordOutcome::kAccepted;
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;
  std::string receipt;
  Issues issues;  // why it was rejected or conflicts; notes of an accepted one
};

struct ReceiveAnswer {
  std::vector<RecordAnswer> records;  // in the order of the submission

  // 202 when any is new, 200 when all were known, 409 when every one conflicts, 422 or (for a single
  // unreadable one) its own code when none can be used.
  int http_status() const;
  // AA when every record is stored, AE when any is not.
  const char* hl7_acknowledgement() const;
};

class Receiver {
 public:
  struct Settings {
    std::vector<std::string> sites;  // accepted; empty: any
    std::int64_t high_water = 1'000'000;
  };

  Receiver(storage::Store& store, outbox::Inbox& inbox, outbox::QueueReader& queue, Clock& clock,
           Settings settings);

  // A submission is no unit: it is stored by pieces of kAcceptRecordsMax records. An error says that some of
  // them are not stored; sent again, those that are will be known.
  using Done = std::function<void(Result<ReceiveAnswer>)>;
  void Receive(Submission submission, Done done);
  Result<ReceiveAnswer> ReceiveNow(Submission submission);

  // One record of `submission`, in a transaction of the caller, who has looked at site and high-water mark.
  Result<RecordAnswer> Take(storage::Transaction& transaction, const Submission& submission,
                            const InputRecord& record);

  // Called (on the writer's thread) after records became durable: wakes the mapping pool.
  void OnAccepted(std::function<void()> notify) { notify_ = std::move(notify); }

 private:
  void CheckSites(Submission& submission) const;
  Result<void> CheckHighWater(storage::Transaction& transaction);
  Result<void> TakePiece(storage::Transaction& transaction, const Submission& submission, std::size_t begin,
                         std::size_t end, ReceiveAnswer& answer);
  void Answer(ReceiveAnswer answer, const std::optional<Error>& failure, const Done& done);

  storage::Store& store_;
  outbox::Inbox& inbox_;
  outbox::QueueReader& queue_;
  Clock& clock_;
  Settings settings_;
  std::function<void()> notify_;
};

}  // namespace fhir_adapter::pipeline
