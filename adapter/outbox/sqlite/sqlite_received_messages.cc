#include "outbox/sqlite/sqlite_received_messages.h"

#include <utility>
#include <vector>

#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/repeat_window.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(MessageQueries()[query]);
}

audit::Entry EntryFor(const ReceivedMessage& message, audit::EventKind event, TimeUs now) {
  audit::Entry entry;
  entry.time = now;
  entry.event = event;
  entry.actor = message.actor;
  entry.role = Name(Role::kIngest);
  entry.operation = message.source;
  entry.outcome = "ok";
  return entry;
}

}  // namespace

Result<std::optional<KnownMessage>> SqliteReceivedMessages::Find(storage::Snapshot& snapshot,
                                                                 std::string_view sender,
                                                                 std::string_view control_id) {
  Statement statement = Use(snapshot, "known_message");
  statement.Bind(sender, control_id);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::optional<KnownMessage>();
  return std::optional(KnownMessage{statement.Integer(2), statement.Text(0), statement.Text(1)});
}

Result<void> SqliteReceivedMessages::Keep(storage::Transaction& transaction, const ReceivedMessage& message,
                                          TimeUs now) {
  ADAPTER_TRY(const audit::Sequence sequence,
              log_.Append(transaction, EntryFor(message, audit::EventKind::kReceived, now)));
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
                                                  const KnownMessage& known, const ReceivedMessage& message,
                                                  TimeUs now) {
  ADAPTER_TRY(const auto count, CountRepeat(transaction, MessageQueries(),
                                            {"message_repeat", "count_message"}, now, known.number));
  if (!count) return {};
  audit::Entry entry = EntryFor(message, audit::EventKind::kDuplicate, now);
  if (*count > 1) entry.attempt = RepeatCount(*count);
  ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
  return Use(transaction, "put_message").Bind(known.number, now.us, sequence).Run();
}

Result<void> SqliteReceivedMessages::NoteRepeats(storage::Transaction& transaction, TimeUs before,
                                                 TimeUs now) {
  std::vector<std::pair<std::int64_t, audit::Entry>> repeats;  // by number of the message
  {
    Statement statement = Use(transaction, "uncounted_messages");
    statement.Bind(before.us, kRepeatsAtOnce);
    while (true) {
      ADAPTER_TRY(const bool has_row, statement.Step());
      if (!has_row) break;
      audit::Entry entry;
      entry.event = audit::EventKind::kDuplicate;
      entry.outcome = "ok";
      entry.time = now;
      entry.actor = SystemPrincipal();
      entry.attempt = RepeatCount(statement.Integer(1));
      entry.operation = statement.Text(2);
      entry.actor.request_id = statement.Text(3);
      repeats.emplace_back(statement.Integer(0), std::move(entry));
    }
  }
  for (const auto& [number, entry] : repeats) {
    ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
    ADAPTER_CHECK(Use(transaction, "put_message").Bind(number, now.us, sequence).Run());
  }
  return {};
}

}  // namespace fhir_adapter::outbox
