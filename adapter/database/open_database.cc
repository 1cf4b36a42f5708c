#include "core/limits.h"
#include "database/database.h"
#include "database/odbc_database.h"
#include "database/postgres_database.h"
#include "database/sqlite_database.h"

namespace fhir_adapter::database {

Failure TooManyRows(const ReadLimits& limits) {
  return Fail(Code::kLimit, "more than " + std::to_string(limits.rows_max) +
                                " rows have to be read at once: make the overlap smaller, or take a column "
                                "of which fewer rows have the same value");
}

Failure TooManyBytes(const ReadLimits& limits) {
  return Fail(Code::kLimit, "more than " + std::to_string(limits.bytes_max) +
                                " bytes have to be read at once: make the overlap smaller, or take a column "
                                "of which fewer rows have the same value");
}

QueryDeadline::QueryDeadline(Clock* clock)
    : clock_(clock == nullptr ? SystemClock() : *clock),
      end_us_(clock_.MonotonicUs() + limits::kSqlStatementSeconds * std::int64_t{1'000'000}) {}

Failure QueryDeadline::TookTooLong() const {
  return Fail(Code::kTimeout, "the query took longer than kSqlStatementSeconds (" +
                                  std::to_string(limits::kSqlStatementSeconds) + ")");
}

Result<void> CheckUrl(const std::string& url) {
  if (url.starts_with(kSqliteScheme)) {
    if (url.size() > kSqliteScheme.size() + 1 && url[kSqliteScheme.size()] == '/') return {};
    return Fail(Code::kConfiguration, "sqlite: is followed by the whole path of a file");
  }
  if (IsPostgresUrl(url)) return CheckPostgresUrl(url);
  if (url.starts_with(kOdbcScheme)) return CheckOdbcUrl(url);
  return Fail(Code::kConfiguration, "url begins with sqlite:, postgresql:// or odbc:");
}

Result<std::unique_ptr<Database>> OpenDatabase(const DatabaseSettings& settings) {
  ADAPTER_CHECK(CheckUrl(settings.url));
  if (settings.url.starts_with(kSqliteScheme)) return OpenSqlite(settings);
  return settings.url.starts_with(kOdbcScheme) ? OpenOdbc(settings) : OpenPostgres(settings);
}

}  // namespace fhir_adapter::database
