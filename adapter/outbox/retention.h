// Retention: what of delivered records is no longer kept after a time: the bytes as they came, and what was
// mapped from them.
//
// Never touched: records of which anything is undelivered (under way, held, quarantined), refused
// submissions, what the EHR pushed (it is read back), the ledger with what was sent, keys, the log. Each
// record that loses its bytes gets an entry. Thread rules are those of storage::Transaction. Errors: those of
// the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct ExpiryRequest {
  TimeUs before;                // only records of which nothing came in since then
  std::string after;            // cursor of the batch before; empty: from the beginning
  std::size_t submissions_max;  // looked at by one batch
  TimeUs now;
};

struct ExpiryBatch {
  std::int64_t records = 0;  // that lost their bytes
  std::string next;          // cursor; empty: the end is reached
};

class Retention {
 public:
  virtual ~Retention() = default;

  // One batch of a pass from the oldest submission to the newest.
  virtual Result<ExpiryBatch> Expire(storage::Transaction& transaction, const ExpiryRequest& request) = 0;
  // An entry about files of a folder that are removed; `what` names no file.
  virtual Result<void> NoteFiles(storage::Transaction& transaction, std::string_view what, TimeUs now) = 0;
};

}  // namespace fhir_adapter::outbox
