// ReceivedMessages: the HL7 v2 messages that were taken in, each with what its sender was told, so that a
// message that comes again changes nothing and gets the same answer, byte for byte.
//
// Thread rules are those of storage::Snapshot and storage::Transaction. Keep, NoteRepeated and NoteRepeats
// append their audit entries in the caller's transaction. Errors: those of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct ReceivedMessage {
  std::string source;  // name of the intake
  Principal actor;
  std::string sender;      // MSH-3|MSH-4
  std::string control_id;  // MSH-10
  std::string bytes;       // as they came
  std::string sha256;      // of the bytes, in lower-case hex
  std::string acknowledgement;
  std::string map_set_sha256;         // of the maps that it was read with
  std::vector<std::string> receipts;  // of what it brought
};

struct KnownMessage {
  std::int64_t number = 0;  // in the store
  std::string sha256;       // empty: erased
  std::string acknowledgement;
};

class ReceivedMessages {
 public:
  virtual ~ReceivedMessages() = default;

  virtual Result<std::optional<KnownMessage>> Find(storage::Snapshot& snapshot, std::string_view sender,
                                                   std::string_view control_id) = 0;
  // Sender and number must not be known.
  virtual Result<void> Keep(storage::Transaction& transaction, const ReceivedMessage& message,
                            TimeUs now) = 0;
  // The log names each message that came again, once an hour; the rest is counted.
  virtual Result<void> NoteRepeated(storage::Transaction& transaction, const KnownMessage& known,
                                    const ReceivedMessage& message, TimeUs now) = 0;
  // Writes the count of messages whose last entry is not newer than `before`, as the `attempt` of one entry
  // each.
  virtual Result<void> NoteRepeats(storage::Transaction& transaction, TimeUs before, TimeUs now) = 0;
};

}  // namespace fhir_adapter::outbox
