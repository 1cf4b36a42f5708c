// How often something came again since the log last said so: an entry for each and hour, and the rest
// counted. A sender that loses our answers sends the same for days: an entry for each time would fill the
// disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/limits.h"
#include "core/result.h"
#include "storage/sqlite/query_set.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {

inline constexpr std::int64_t kRepeatsAtOnce = 1'000;  // noted by one transaction; the others with the next

// Statements over one table; each takes what names a row of it.
struct RepeatStatements {
  std::string_view find;   // noted_us, uncounted
  std::string_view count;  // one more
};

// As the `attempt` of an entry.
inline int RepeatCount(std::int64_t count) {
  return static_cast<int>(std::min<std::int64_t>(count, std::numeric_limits<int>::max()));
}

// Counts one more, or, when it is time for an entry, gives how many that one stands for.
template <class... Key>
Result<std::optional<std::int64_t>> CountRepeat(storage::Transaction& transaction,
                                                const storage::QuerySet& queries,
                                                const RepeatStatements& statements, TimeUs now,
                                                const Key&... key) {
  storage::Connection& connection = storage::ConnectionOf(transaction);
  {
    storage::Statement statement = connection.Use(queries[statements.find]);
    statement.Bind(key...);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return std::optional<std::int64_t>(1);
    const std::int64_t age_us = now.us - statement.Integer(0);
    const bool has_entry = age_us >= 0 && age_us < limits::kRepeatWindowSeconds * 1'000'000;
    if (!has_entry) return std::optional<std::int64_t>(statement.Integer(1) + 1);
  }
  ADAPTER_CHECK(connection.Use(queries[statements.count]).Bind(key...).Run());
  return std::optional<std::int64_t>();
}

}  // namespace fhir_adapter::outbox
