// Erasures: taking the content of a record out of the store for good.
//
// Gone afterwards are the bytes as they came, the keys under which the log commits to them, everything that
// was mapped, sent, answered or found on a server, what people remarked, the identifiers of its resources and
// what the patient's other records were told of it; the patient too when this was the last record. What names
// the record stays: site, record id, revisions, times, states, places on servers. The log is not touched, and
// every proof of it stays valid.
//
// Folders, the write-ahead log and old copies of pages are for the caller; Finish says that they are dealt
// with. Thread rules are those of storage::Transaction. Errors: those of the store; kNotFound for an unknown
// record; kNotAllowed while something of it is under way or held; kUsage without a reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct Erasure {
  TimeUs erased;
  std::optional<TimeUs> finished;  // nothing: something outside the store's tables may be left
  std::string reason;
  std::int64_t audit_sequence = 0;
};

struct ErasedRecord {
  Erasure erasure;
  std::string site;
  std::string record_id;
  bool is_first = true;            // false: it was erased before, and what came in since is gone too
  std::int64_t submissions = 0;    // whose bytes were there
  std::int64_t places = 0;         // resources that stay on a server
  std::int64_t patients_gone = 0;  // of whom this was the last record
};

// An erasure of which something outside the store's tables may be left.
struct UnfinishedErasure {
  std::string subject_key;
  std::string site;
  std::string record_id;
};

class Erasures {
 public:
  virtual ~Erasures() = default;

  // Once more for a record that was erased before: what is left is taken out, the first reason stays.
  virtual Result<ErasedRecord> Erase(storage::Transaction& transaction, const std::string& subject_key,
                                     const Change& change) = 0;
  virtual Result<void> Finish(storage::Transaction& transaction, std::string_view subject_key,
                              TimeUs now) = 0;
  virtual Result<std::vector<UnfinishedErasure>> Unfinished(storage::Snapshot& snapshot) = 0;
  virtual Result<std::optional<Erasure>> Find(storage::Snapshot& snapshot, std::string_view subject_key) = 0;
};

// Whether `bytes` hold `word`, with no letter, digit, '-' or '_' before or after it.
bool HoldsWord(std::string_view bytes, std::string_view word);

}  // namespace fhir_adapter::outbox
