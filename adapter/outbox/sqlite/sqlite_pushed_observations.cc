#include "outbox/sqlite/sqlite_pushed_observations.h"

#include "outbox/inbox.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/sqlite_erasures.h"
#include "outbox/sqlite/work_table.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

constexpr std::string_view kLinkable[] = {"MedicationAdministration", "Procedure"};

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(PushedQueries()[query]);
}

// The first column of the first row; empty when there is none.
template <class... Parameters>
Result<std::string> OneText(storage::Snapshot& snapshot, std::string_view query,
                            const Parameters&... parameters) {
  Statement statement = Use(snapshot, query);
  statement.Bind(parameters...);
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row ? statement.Text(0) : std::string();
}

}  // namespace

Result<PushedVersion> SqlitePushedObservations::Load(storage::Snapshot& snapshot, std::string_view site,
                                                     std::string_view id, std::int64_t version) {
  PushedVersion found;
  found.id = id;
  const std::string subject_key = PushedSubjectKey(site, id);  // bound as it stands, so it has to stay
  std::int64_t position = 0;
  {
    Statement statement = Use(snapshot, "version");
    statement.Bind(subject_key, version);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) {
      ADAPTER_TRY(const auto erasure, FindErasure(snapshot, subject_key));
      if (erasure) return Fail(Code::kErased, ErasedMessage(*erasure));
      return Fail(Code::kNotFound, "there is no Observation with this id and version");
    }
    found.version = statement.Integer(0);
    found.received = TimeUs{statement.Integer(1)};
    found.bytes = statement.Text(2);
    found.state = WorkStateFromName(statement.View(3)).value_or(WorkState::kReceived);
    position = statement.Integer(4);
    found.mrn = statement.Text(5);
    found.receipt = statement.Text(6);
  }
  ADAPTER_TRY(found.reasons, WorkTable::LoadReasons(snapshot, position, false));
  return found;
}

Result<std::vector<std::string>> SqlitePushedObservations::Find(storage::Snapshot& snapshot,
                                                                std::string_view site,
                                                                const IdentifierToken& token) {
  Statement statement = Use(snapshot, "subjects_of_identifier");
  statement.Bind(token.value, token.system, site);
  std::vector<std::string> ids;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return ids;
    ids.emplace_back(statement.View(0).substr(kPushedRecordPrefix.size()));
  }
}

Result<void> SqlitePushedObservations::SetIdentifiers(storage::Transaction& transaction,
                                                      std::string_view site, std::string_view id,
                                                      const std::vector<PushedIdentifier>& identifiers) {
  const std::string subject_key = PushedSubjectKey(site, id);
  ADAPTER_CHECK(Use(transaction, "delete_identifiers").Bind(subject_key).Run());
  Statement insert = Use(transaction, "insert_identifier");
  for (const PushedIdentifier& identifier : identifiers) {
    ADAPTER_CHECK(insert.Bind(subject_key, identifier.system, identifier.value).Run());
  }
  return {};
}

Result<std::string> SqlitePushedObservations::MrnOfPatient(storage::Snapshot& snapshot,
                                                           std::string_view endpoint,
                                                           std::string_view patient) {
  ADAPTER_TRY(std::string linked, OneText(snapshot, "linked_patient", patient));
  if (!linked.empty()) return linked;
  return OneText(snapshot, "patient_of_reference", endpoint, patient);
}

Result<std::string> SqlitePushedObservations::MrnOfResource(storage::Snapshot& snapshot,
                                                            std::string_view endpoint,
                                                            const ReferenceName& name) {
  for (const std::string_view type : kLinkable) {
    if (!name.type.empty() && name.type != type) continue;
    ADAPTER_TRY(std::string mrn, name.server_id.empty()
                                     ? OneText(snapshot, "owner_of_identifier", endpoint, type,
                                               name.identifier.system, name.identifier.value)
                                     : OneText(snapshot, "owner_of_place", type, name.server_id, endpoint));
    if (!mrn.empty()) return mrn;
  }
  return std::string();
}

}  // namespace fhir_adapter::outbox
