// Limits of the databases that are read (adapter/database, adapter/intake/sql_source), as those in
// core/limits.h: each has a test at the limit and one above it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fhir_adapter::limits {

inline constexpr std::size_t kSqlBytesMax = 16'000'000;  // of the rows that are held at once
inline constexpr int kSqlConnectSeconds = 10;
inline constexpr int kSqlLockMs = 5'000;                // waiting for whoever writes
inline constexpr std::size_t kSqlNewRowsMax = 5'000;    // beyond the mark, taken at once
inline constexpr std::int64_t kSqlRetryMsMax = 60'000;  // between two tries
inline constexpr std::int64_t kSqlRetryMsMin = 1'000;
inline constexpr std::size_t kSqlRowsMax = 50'000;  // held at once, with overlap and whole records
inline constexpr int kSqlStatementSeconds = 120;    // of one query

}  // namespace fhir_adapter::limits
