// StoredRecords: the records in the store, each by its newest revision, to be mapped again with other maps.
//
// What is queued by Remap is mapped like a record that has just come, and sent behind everything of its
// patient that waits; only what differs from what the server holds is sent. It may be asked for again at any
// time.
//
// Thread rules are those of storage::Snapshot and storage::Transaction. Remap changes state and appends the
// audit entry in the caller's transaction. Errors: those of the store; kUsage without a reason; kNotFound for
// an unknown record; kNotAllowed when the revision is not the newest, waits for a person, or is to be mapped
// anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "outbox/inbox.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct StoredRecordFilter {
  std::optional<TimeUs> since;  // only records whose newest revision came in since then
  std::string site;             // empty: of all
  std::string record_id;        // empty: all
  std::string after;            // subject key of the last one before; empty: from the beginning
  std::size_t records_max = 100;
};

struct StoredRecord {
  std::string subject_key;
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;  // the newest
  WorkId id;                  // its last work
  WorkState state = WorkState::kReceived;
  bool can_be_remapped = false;
  std::string obstacle;  // why not

  // What it is mapped from, and to. Empty once the record was erased; no resources before it was mapped.
  MappingTask task;
  std::string map_set_sha256;
  std::vector<IntendedResource> resources;
  std::vector<Reason> notes;
};

struct StoredRecordPage {
  std::vector<StoredRecord> records;  // in the order of subject keys
  std::string next;                   // cursor; empty: no more
};

class StoredRecords {
 public:
  virtual ~StoredRecords() = default;

  // What the EHR pushed is no record and not among them.
  virtual Result<StoredRecordPage> List(storage::Snapshot& snapshot, const StoredRecordFilter& filter) = 0;
  // Queues `revision` of the record to be mapped again.
  virtual Result<void> Remap(storage::Transaction& transaction, std::string_view subject_key,
                             std::int64_t revision, const Change& change) = 0;
};

}  // namespace fhir_adapter::outbox
