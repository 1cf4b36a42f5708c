// ReceivedMessages in the SQLite store.
#pragma once

#include "audit/audit_log.h"
#include "outbox/received_messages.h"

namespace fhir_adapter::outbox {

class SqliteReceivedMessages final : public ReceivedMessages {
 public:
  explicit SqliteReceivedMessages(audit::AuditLog& log) : log_(log) {}

  Result<std::optional<KnownMessage>> Find(storage::Snapshot& snapshot, std::string_view sender,
                                           std::string_view control_id) override;
  Result<void> Keep(storage::Transaction& transaction, const ReceivedMessage& message, TimeUs now) override;
  Result<void> NoteRepeated(storage::Transaction& transaction, const KnownMessage& known,
                            const ReceivedMessage& message, TimeUs now) override;
  Result<void> NoteRepeats(storage::Transaction& transaction, TimeUs before, TimeUs now) override;

 private:
  audit::AuditLog& log_;
};

}  // namespace fhir_adapter::outbox
