// AuditLog: the append-only log that stands in the same store as what it speaks of.
//
// Append joins the caller's transaction, so an entry and the change it describes are durable together.
// Thread rules are those of Transaction and Snapshot. Errors: those of the store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "audit/audit_entry.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::audit {

class AuditLog {
 public:
  virtual ~AuditLog() = default;

  virtual Result<Sequence> Append(storage::Transaction& transaction, const Entry& entry) = 0;

  // Number of entries, which is also the number of the last one.
  virtual Result<Sequence> Size(storage::Snapshot& snapshot) = 0;

  // Calls `visit` with the bytes of each entry from `first` to `last`, in order, until it returns false.
  using Visit = std::function<bool(Sequence, std::string_view bytes)>;
  virtual Result<void> ForEach(storage::Snapshot& snapshot, Sequence first, Sequence last,
                               const Visit& visit) = 0;

  // The same for the entries of one trace, in order.
  virtual Result<void> ForEachOfTrace(storage::Snapshot& snapshot, std::string_view trace_id,
                                      const Visit& visit) = 0;

  // Names this run of the program; in every entry.
  virtual const std::string& boot_id() const = 0;
};

}  // namespace fhir_adapter::audit
