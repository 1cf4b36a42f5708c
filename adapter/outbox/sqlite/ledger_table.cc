#include "outbox/sqlite/ledger_table.h"

#include "core/digest.h"
#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(LedgerQueries()[query]);
}

LedgerRow ReadRow(const Statement& statement) {
  LedgerRow row;
  row.endpoint = statement.Text(0);
  row.key = ResourceKey{statement.Text(1), statement.Text(2), statement.Text(3)};
  row.server_id = statement.Text(4);
  row.version_id = statement.Text(5);
  row.etag = statement.Text(6);
  row.sha256 = statement.Text(7);
  row.revision = statement.Integer(8);
  row.patient_key = statement.Text(9);
  row.patient_generation = static_cast<int>(statement.Integer(10));
  row.nullified = statement.Integer(11) != 0;
  row.json = statement.Text(12);
  row.merged = statement.Text(13);
  return row;
}

Result<std::vector<LedgerRow>> ReadRows(Statement& statement) {
  std::vector<LedgerRow> rows;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return rows;
    rows.push_back(ReadRow(statement));
  }
}

// Of the row that `write_ledger` has written.
Result<void> WriteContent(storage::Transaction& transaction, std::int64_t ledger_id, const std::string& json,
                          const std::string& merged) {
  ADAPTER_CHECK(Use(transaction, "write_content").Bind(ledger_id, storage::Blob{json}).Run());
  if (merged.empty()) return Use(transaction, "delete_merged").Bind(ledger_id).Run();
  return Use(transaction, "write_merged").Bind(ledger_id, storage::Blob{merged}).Run();
}

}  // namespace

Result<std::vector<LedgerRow>> LedgerTable::OfSubject(storage::Snapshot& snapshot, std::string_view endpoint,
                                                      std::string_view subject_key) {
  Statement statement = Use(snapshot, "ledger_of_subject");
  statement.Bind(subject_key, endpoint);
  return ReadRows(statement);
}

Result<std::vector<LedgerRow>> LedgerTable::OfSubjectEverywhere(storage::Snapshot& snapshot,
                                                                std::string_view subject_key) {
  Statement statement = Use(snapshot, "ledger_of_subject_everywhere");
  statement.Bind(subject_key);
  return ReadRows(statement);
}

Result<std::optional<LedgerRow>> LedgerTable::Row(storage::Snapshot& snapshot, std::string_view endpoint,
                                                  const ResourceKey& key) {
  Statement statement = Use(snapshot, "ledger_row");
  statement.Bind(endpoint, key.type, key.system, key.value);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::optional<LedgerRow>();
  return std::optional(ReadRow(statement));
}

Result<std::vector<std::string>> LedgerTable::FormerPatients(storage::Snapshot& snapshot,
                                                             std::string_view endpoint, const WorkRow& row) {
  Statement statement = Use(snapshot, "former_patients");
  statement.Bind(row.subject_key, endpoint, row.patient_key);
  std::vector<std::string> patients;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return patients;
    patients.push_back(statement.Text(0));
  }
}

Result<std::vector<std::string>> LedgerTable::Subjects(storage::Snapshot& snapshot, std::string_view endpoint,
                                                       std::string_view after, std::string_view mrn,
                                                       std::optional<TimeUs> since,
                                                       std::size_t subjects_max) {
  std::optional<std::int64_t> since_us;
  if (since) since_us = since->us;
  Statement statement = Use(snapshot, "subjects");
  statement.Bind(after, endpoint, mrn, since_us, static_cast<std::int64_t>(subjects_max));
  std::vector<std::string> subjects;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return subjects;
    subjects.push_back(statement.Text(0));
  }
}

Result<std::optional<ResourceKey>> LedgerTable::KeyOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                                      std::string_view type, std::string_view server_id) {
  Statement statement = Use(snapshot, "key_of");
  statement.Bind(type, server_id, endpoint);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (!has_row) return std::optional<ResourceKey>();
  return std::optional(ResourceKey{std::string(type), statement.Text(0), statement.Text(1)});
}

Result<void> LedgerTable::Note(storage::Transaction& transaction, const WorkRow& row, const LedgerRow& noted,
                               audit::EventKind event, std::string_view outcome, const Principal& actor,
                               TimeUs now) {
  ADAPTER_TRY(const std::string key, keys_.RecordKey(transaction, row.subject_key));
  audit::Entry entry = WorkTable::EntryFor(row, event, actor, now);
  entry.role = Name(Role::kOperator);
  entry.fhir = audit::FhirReference{noted.endpoint,   noted.key.type, noted.server_id,
                                    noted.version_id, noted.etag,     HmacSha256Hex(key, noted.json)};
  entry.outcome = outcome;
  ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
  std::int64_t ledger_id = 0;
  {
    Statement statement = Use(transaction, "write_ledger");
    statement.Bind(noted.endpoint, noted.key.type, noted.key.system, noted.key.value, noted.server_id,
                   noted.version_id, noted.etag, noted.sha256, row.subject_key, noted.revision,
                   noted.patient_key, noted.patient_generation, static_cast<int>(noted.nullified), sequence);
    ADAPTER_CHECK(statement.Step());
    ledger_id = statement.Integer(0);
    ADAPTER_CHECK(statement.Run());
  }
  return WriteContent(transaction, ledger_id, noted.json, noted.merged);
}

Result<audit::Sequence> LedgerTable::Write(storage::Transaction& transaction, const WorkRow& row,
                                           const DeliveryReport& report, const ResourceWrite& write,
                                           const Principal& actor, TimeUs now) {
  const std::string& endpoint = report.lease.endpoint;
  ADAPTER_TRY(const std::string key, keys_.RecordKey(transaction, row.subject_key));
  if (!write.built_on.empty()) {
    audit::Entry others = WorkTable::EntryFor(row, audit::EventKind::kBuiltOn, actor, now);
    others.fhir = audit::FhirReference{endpoint, write.key.type, write.server_id, write.built_on, {}, {}};
    others.outcome = "ok";
    ADAPTER_CHECK(log_.Append(transaction, others));
  }
  audit::Entry entry = WorkTable::EntryFor(row, audit::EventKind::kWritten, actor, now);
  entry.fhir = audit::FhirReference{endpoint,         write.key.type, write.server_id,
                                    write.version_id, write.etag,     HmacSha256Hex(key, write.json)};
  entry.operation = report.operation;
  entry.outcome = write.nullified ? "nullified" : write.adopted ? "adopted" : "ok";
  entry.status = report.http_status;
  ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
  std::int64_t ledger_id = 0;
  {
    Statement statement = Use(transaction, "write_ledger");
    statement.Bind(endpoint, write.key.type, write.key.system, write.key.value, write.server_id,
                   write.version_id, write.etag, write.sha256, row.subject_key, row.revision, row.patient_key,
                   row.patient_generation, static_cast<int>(write.nullified), sequence);
    ADAPTER_CHECK(statement.Step());
    ledger_id = statement.Integer(0);
    ADAPTER_CHECK(statement.Run());
  }
  ADAPTER_CHECK(WriteContent(transaction, ledger_id, write.json, write.merged));
  return sequence;
}

}  // namespace fhir_adapter::outbox
