#include "outbox/sqlite/sqlite_received_messages.h"

#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(MessageQueries()[query]);
}

}  // namespace

Result<audit::Sequence> SqliteReceivedMessages::Note(storage::Transaction& transaction,
                                                     audit::EventKind event, const ReceivedMessage& message,
                                                     TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = event;
  entry.actor = message.actor;
  entry.role = Name(Role::kIngest);
  entry.operation = message.source;
  entry.outcome = "ok";
  return log_.Append(transaction, entry);
}

Result<std::optional<KnownMessage>> SqliteReceivedMessages::Find(storage::Snapshot& snapshot,
                                                                 std::string_view sender,
                                                                 std::string_view control_id) {
  Statement statement = Use(snapshot, "known_message");
  statement.Bind(sender, control_id);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::optional<KnownMessage>();
  return std::optional(KnownMessage{statement.Text(0), statement.Text(1)});
}

Result<void> SqliteReceivedMessages::Keep(storage::Transaction& transaction, const ReceivedMessage& message,
                                          TimeUs now) {
  ADAPTER_TRY(const audit::Sequence sequence, Note(transaction, audit::EventKind::kReceived, message, now));
  ADAPTER_CHECK(Use(transaction, "insert_message")
                    .Bind(message.sender, message.control_id, message.map_set_sha256, now.us, sequence)
                    .Run());
  const std::int64_t message_id = storage::ConnectionOf(transaction).last_rowid();
  ADAPTER_CHECK(Use(transaction, "insert_message_raw")
                    .Bind(message_id, message.sha256, storage::Blob{message.bytes},
                          storage::Blob{message.acknowledgement})
                    .Run());
  Statement insert = Use(transaction, "insert_message_work");
  for (const std::string& receipt : message.receipts) {
    ADAPTER_CHECK(insert.Bind(message_id, receipt).Run());
  }
  return {};
}

Result<void> SqliteReceivedMessages::NoteRepeated(storage::Transaction& transaction,
                                                  const ReceivedMessage& message, TimeUs now) {
  ADAPTER_CHECK(Note(transaction, audit::EventKind::kDuplicate, message, now));
  return {};
}

}  // namespace fhir_adapter::outbox
