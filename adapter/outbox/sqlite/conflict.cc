// The part of SqliteOutbox about resources that somebody else changed on the server: kept while their work is
// held, and decided by a person.

#include "core/digest.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Blob;
using storage::Statement;

std::string EntityTag(const std::string& version_id) {
  return version_id.empty() ? std::string() : "W/\"" + version_id + "\"";
}

// What the ledger says of the resource from now on.
void Apply(const ResourceConflict& conflict, ConflictDecision decision, LedgerRow& row) {
  const bool is_removed = conflict.theirs.empty();
  row.server_id = conflict.server_id;
  row.version_id = conflict.version_id;
  row.etag = EntityTag(conflict.version_id);
  if (decision == ConflictDecision::kTheirs) {
    row.json = conflict.json;
    row.sha256 = Sha256Hex(conflict.json);
    row.merged = conflict.theirs;
    row.nullified = conflict.nullified;
    return;
  }
  row.merged = conflict.kept;
  if (is_removed) row.sha256.clear();  // sent again to the place where it was
}

}  // namespace

Result<std::vector<ResourceConflict>> LoadConflicts(storage::Snapshot& snapshot, std::int64_t position) {
  Statement statement = UseWork(snapshot, "conflicts");
  statement.Bind(position);
  std::vector<ResourceConflict> conflicts;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return conflicts;
    ResourceConflict conflict;
    conflict.endpoint = statement.Text(0);
    conflict.key = ResourceKey{statement.Text(1), statement.Text(2), statement.Text(3)};
    conflict.server_id = statement.Text(4);
    conflict.version_id = statement.Text(5);
    conflict.delivered = statement.Text(6);
    conflict.ours = statement.Text(7);
    conflict.theirs = statement.Text(8);
    conflict.kept = statement.Text(9);
    conflict.json = statement.Text(10);
    conflict.nullified = statement.Integer(11) != 0;
    conflicts.push_back(std::move(conflict));
  }
}

// The conflicts of an answer take the place of those of the one before; each names the other's version in the
// log.
Result<void> SqliteOutbox::StoreConflicts(storage::Transaction& transaction, const WorkRow& row,
                                          const std::vector<ResourceConflict>& conflicts,
                                          const Principal& actor, TimeUs now) {
  ADAPTER_CHECK(UseWork(transaction, "delete_conflicts").Bind(row.position).Run());
  if (conflicts.empty()) return {};
  ADAPTER_TRY(const std::string key, keys_.RecordKey(transaction, row.subject_key));
  int ordinal = 0;
  for (const ResourceConflict& conflict : conflicts) {
    audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kConflictFound, actor, now);
    const std::string commitment = conflict.theirs.empty() ? "" : HmacSha256Hex(key, conflict.theirs);
    entry.fhir = audit::FhirReference{conflict.endpoint,
                                      conflict.key.type,
                                      conflict.server_id,
                                      conflict.version_id,
                                      EntityTag(conflict.version_id),
                                      commitment};
    entry.outcome = conflict.theirs.empty() ? "removed" : "changed";
    ADAPTER_TRY(const audit::Sequence sequence, work_.log().Append(transaction, entry));
    ADAPTER_CHECK(UseWork(transaction, "insert_conflict")
                      .Bind(row.position, ordinal++, conflict.endpoint, conflict.key.type,
                            conflict.key.system, conflict.key.value, conflict.server_id, conflict.version_id,
                            Blob{conflict.delivered}, Blob{conflict.ours}, Blob{conflict.theirs},
                            Blob{conflict.kept}, Blob{conflict.json}, static_cast<int>(conflict.nullified),
                            sequence)
                      .Run());
  }
  return {};
}

Result<void> SqliteOutbox::Decide(storage::Transaction& transaction, const WorkId& id,
                                  ConflictDecision decision, const Change& change) {
  ADAPTER_TRY(WorkRow row, LoadForChange(transaction, id, change));
  ADAPTER_TRY(const auto conflicts, LoadConflicts(transaction, row.position));
  if (row.state != WorkState::kHeld || conflicts.empty()) {
    return Fail(Code::kNotAllowed,
                "no resource of this work was changed by someone else: `queue release` goes "
                "without --ours and --theirs");
  }
  const char* outcome = decision == ConflictDecision::kOurs ? "ours" : "theirs";
  for (const ResourceConflict& conflict : conflicts) {
    ADAPTER_TRY(std::optional<LedgerRow> ledger_row,
                LedgerTable::Row(transaction, conflict.endpoint, conflict.key));
    if (!ledger_row) return Fail(Code::kNotFound, "the ledger does not hold a resource that is in conflict");
    Apply(conflict, decision, *ledger_row);
    ADAPTER_CHECK(ledger_.Note(transaction, row, *ledger_row, audit::EventKind::kConflictDecided, outcome,
                               change.actor, change.now));
  }
  ADAPTER_CHECK(UseWork(transaction, "delete_conflicts").Bind(row.position).Run());
  ADAPTER_CHECK(ToQueued(transaction, row, audit::EventKind::kReleased, change.actor, change.now));
  return Remark(transaction, row.audit_sequence, row.position, change);
}

}  // namespace fhir_adapter::outbox
