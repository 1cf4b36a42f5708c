// TraceReader over the SQLite store.
#pragma once

#include <string>
#include <vector>

#include "outbox/trace_reader.h"

namespace fhir_adapter::outbox {

class SqliteTraceReader final : public TraceReader {
 public:
  Result<std::vector<std::string>> Subjects(storage::Snapshot& snapshot, const TraceSelector& selector,
                                            std::size_t subjects_max) override;
  Result<RecordTrace> Load(storage::Snapshot& snapshot, const std::string& subject_key) override;
};

}  // namespace fhir_adapter::outbox
