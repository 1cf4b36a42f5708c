// SourceMarks: how far each database that is read has been read, and what of it is seen again.
//
// What is read near the mark comes again with the next readings (the overlap). Which of that was dealt with
// is remembered by keyed hash, so that a record, a refused one too, is dealt with once, and the log does not
// grow while nothing happens. Changes are made in the transaction that stores the records. Thread rules are
// those of storage::Transaction. Errors: those of the store.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct SourceMark {
  std::string origin;  // what is read; another one is read from its beginning
  std::string key;     // of the hashes
  bool has_mark = false;
  std::string mark;
  bool is_integer = false;     // in the database
  std::set<std::string> seen;  // hashes
};

class SourceMarks {
 public:
  virtual ~SourceMarks() = default;

  // kNotFound: it was never read.
  virtual Result<SourceMark> Load(storage::Snapshot& snapshot, std::string_view source) = 0;
  // Forgets the mark, and keeps what was seen.
  virtual Result<void> Begin(storage::Transaction& transaction, std::string_view source,
                             std::string_view origin) = 0;
  virtual Result<void> AddSeen(storage::Transaction& transaction, std::string_view source,
                               const std::vector<std::string>& hashes) = 0;
  // `gone`: hashes of what does not come again.
  virtual Result<void> Move(storage::Transaction& transaction, std::string_view source, const SourceMark& to,
                            const std::vector<std::string>& gone, TimeUs now) = 0;
};

}  // namespace fhir_adapter::outbox
