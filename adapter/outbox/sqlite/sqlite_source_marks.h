// SourceMarks in the SQLite store.
#pragma once

#include "core/clock.h"
#include "outbox/source_marks.h"

namespace fhir_adapter::outbox {

class SqliteSourceMarks final : public SourceMarks {
 public:
  // `random` must be fit for keys.
  explicit SqliteSourceMarks(Random& random) : random_(random) {}

  Result<SourceMark> Load(storage::Snapshot& snapshot, std::string_view source) override;
  Result<void> Begin(storage::Transaction& transaction, std::string_view source,
                     std::string_view origin) override;
  Result<void> AddSeen(storage::Transaction& transaction, std::string_view source,
                       const std::vector<std::string>& hashes) override;
  Result<void> Move(storage::Transaction& transaction, std::string_view source, const SourceMark& to,
                    const std::vector<std::string>& gone, TimeUs now) override;

 private:
  Random& random_;
};

}  // namespace fhir_adapter::outbox
