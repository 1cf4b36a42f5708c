// PushedObservations in the SQLite store.
#pragma once

#include "outbox/pushed_observations.h"

namespace fhir_adapter::outbox {

class SqlitePushedObservations final : public PushedObservations {
 public:
  Result<PushedVersion> Load(storage::Snapshot& snapshot, std::string_view site, std::string_view id,
                             std::int64_t version) override;
  Result<std::vector<std::string>> Find(storage::Snapshot& snapshot, std::string_view site,
                                        const IdentifierToken& token) override;
  Result<void> SetIdentifiers(storage::Transaction& transaction, std::string_view site, std::string_view id,
                              const std::vector<PushedIdentifier>& identifiers) override;
  Result<std::string> MrnOfPatient(storage::Snapshot& snapshot, std::string_view endpoint,
                                   std::string_view patient) override;
  Result<std::string> MrnOfResource(storage::Snapshot& snapshot, std::string_view endpoint,
                                    const ReferenceName& name) override;
};

}  // namespace fhir_adapter::outbox
