// The part of SqliteOutbox that acts on what reconciling found.

#include <algorithm>

#include "core/digest.h"
#include "outbox/sqlite/sqlite_erasures.h"
#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

audit::Entry OperatorEntry(const WorkRow& row, audit::EventKind event, const Change& change) {
  audit::Entry entry = WorkTable::EntryFor(row, event, change.actor, change.now);
  if (change.actor.kind != ActorKind::kSystem) entry.role = Name(Role::kOperator);
  entry.attempt = 0;
  entry.outcome = "ok";
  return entry;
}

Result<std::int64_t> LastDelivered(storage::Snapshot& snapshot, std::string_view subject_key) {
  Statement statement = UseWork(snapshot, "last_delivered");
  statement.Bind(subject_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return Fail(Code::kNotAllowed, "nothing of this record was delivered");
  return statement.Integer(0);
}

Result<void> ExpectResources(storage::Snapshot& snapshot, std::int64_t position) {
  Statement statement = UseWork(snapshot, "has_resources");
  statement.Bind(position);
  ADAPTER_TRY(const bool has_row, HasRow(statement));
  if (has_row) return {};
  return Fail(Code::kNotAllowed,
              "what was sent of this record is no longer kept ([retention]): a higher revision of it sends "
              "all again");
}

Result<audit::MappingReference> MappingOf(storage::Snapshot& snapshot, std::int64_t position) {
  Statement statement = UseWork(snapshot, "mapping_of");
  statement.Bind(position);
  ADAPTER_CHECK(statement.Step());
  return audit::MappingReference{statement.Text(0), statement.Text(1), statement.Text(2), statement.Text(3)};
}

Result<bool> Has(storage::Snapshot& snapshot, std::string_view query, std::string_view subject_key) {
  Statement statement = UseWork(snapshot, query);
  statement.Bind(subject_key);
  return HasRow(statement);
}

}  // namespace

Result<void> SqliteOutbox::QueueRepair(storage::Transaction& transaction, const Repair& repair,
                                       const Change& change) {
  if (change.actor.kind != ActorKind::kSystem && change.reason.empty()) {
    return Fail(Code::kUsage, "a repair needs a reason");
  }
  ADAPTER_TRY(const auto erasure, FindErasure(transaction, repair.subject_key));
  if (erasure) return Fail(Code::kErased, ErasedMessage(*erasure));
  ADAPTER_TRY(const std::int64_t position, LastDelivered(transaction, repair.subject_key));
  ADAPTER_TRY(const WorkRow delivered, work_.LoadAt(transaction, position));
  ADAPTER_CHECK(ExpectResources(transaction, position));
  ADAPTER_TRY(const bool is_under_way, Has(transaction, "under_way", repair.subject_key));
  if (is_under_way) return Fail(Code::kNotAllowed, "the record waits to be sent: reconcile again afterwards");
  for (const ResourceKey& key : repair.missing) {
    ADAPTER_TRY(std::optional<LedgerRow> row, LedgerTable::Row(transaction, repair.endpoint, key));
    if (!row) return Fail(Code::kNotFound, "the ledger does not hold a resource that is to be repaired");
    row->version_id.clear();
    row->etag.clear();
    row->sha256.clear();
    ADAPTER_CHECK(ledger_.Note(transaction, delivered, *row, audit::EventKind::kFoundMissing, "ok",
                               change.actor, change.now));
  }
  if (!repair.missing.empty()) ADAPTER_CHECK(QueueRepairWork(transaction, delivered, false, change));
  if (repair.duplicates.empty()) return {};
  ADAPTER_TRY(const bool is_held, Has(transaction, "repair_held", repair.subject_key));
  return is_held ? Result<void>() : QueueRepairWork(transaction, delivered, true, change);
}

// A copy of what was delivered. A conflict is held at once; released, it finds nothing to send.
Result<void> SqliteOutbox::QueueRepairWork(storage::Transaction& transaction, const WorkRow& delivered,
                                           bool is_conflict, const Change& change) {
  ADAPTER_TRY(
      const audit::Sequence begun,
      work_.log().Append(transaction, OperatorEntry(delivered, audit::EventKind::kRepairQueued, change)));
  const NewWork work{WorkId{keys_.NewName()}, WorkKind::kRepair,     delivered.subject_key,
                     delivered.revision,      delivered.patient_key, {}};
  ADAPTER_TRY(const std::int64_t position, work_.Insert(transaction, work, begun, change.now));
  ADAPTER_TRY(WorkRow row, work_.LoadAt(transaction, position));
  ADAPTER_CHECK(Remark(transaction, begun, position, change));
  audit::Entry mapped = OperatorEntry(row, audit::EventKind::kMapped, change);
  ADAPTER_TRY(mapped.mapping, MappingOf(transaction, delivered.position));
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kMapped, mapped));
  ADAPTER_CHECK(
      UseWork(transaction, "copy_mapping").Bind(position, row.audit_sequence, delivered.position).Run());
  ADAPTER_CHECK(UseWork(transaction, "copy_mapping_patient").Bind(position, delivered.position).Run());
  ADAPTER_CHECK(UseWork(transaction, "copy_mapping_facts").Bind(position, delivered.position).Run());
  ADAPTER_CHECK(UseWork(transaction, "copy_resources").Bind(position, delivered.position).Run());
  row.next_attempt = change.now;
  ADAPTER_CHECK(work_.ChangeState(transaction, row, WorkState::kQueued,
                                  OperatorEntry(row, audit::EventKind::kQueued, change)));
  if (!is_conflict) return {};
  row.reason_code = Name(Code::kConflict);
  ADAPTER_CHECK(WorkTable::SetReasons(
      transaction, position, false,
      {Reason{Code::kConflict, {}, "two resources on the server carry one identifier: see reconcile"}}));
  audit::Entry held = OperatorEntry(row, audit::EventKind::kHeld, change);
  held.outcome = row.reason_code;
  return work_.ChangeState(transaction, row, WorkState::kHeld, held);
}

Result<void> SqliteOutbox::Adopt(storage::Transaction& transaction, const Adoption& adoption,
                                 const Change& change) {
  if (change.actor.kind != ActorKind::kSystem && change.reason.empty()) {
    return Fail(Code::kUsage, "adopting newer versions needs a reason");
  }
  {
    Statement statement = UseWork(transaction, "setting");
    statement.Bind("sending");
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row || statement.View(0) != "stopped") {
      return Fail(Code::kNotAllowed, "versions are adopted after a restore only, while sending is stopped");
    }
  }
  ADAPTER_TRY(const std::int64_t position, LastDelivered(transaction, adoption.subject_key));
  ADAPTER_TRY(const WorkRow delivered, work_.LoadAt(transaction, position));
  for (const Adoption::Version& version : adoption.versions) {
    ADAPTER_TRY(std::optional<LedgerRow> row, LedgerTable::Row(transaction, adoption.endpoint, version.key));
    if (!row) return Fail(Code::kNotFound, "the ledger does not hold a resource that is to be adopted");
    row->server_id = version.server_id;
    row->version_id = version.version_id;
    row->etag = version.version_id.empty() ? "" : "W/\"" + version.version_id + "\"";
    row->json = version.json;
    row->merged.clear();
    row->sha256 = Sha256Hex(version.json);
    row->nullified = version.nullified;
    row->revision = std::max(row->revision, adoption.newest_revision);
    ADAPTER_CHECK(ledger_.Note(transaction, delivered, *row, audit::EventKind::kAdopted, "ok", change.actor,
                               change.now));
  }
  return {};
}

}  // namespace fhir_adapter::outbox
