#include "database/database.h"
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

Result<void> CheckUrl(const std::string& url) {
  if (url.starts_with(kSqliteScheme)) {
    if (url.size() > kSqliteScheme.size() + 1 && url[kSqliteScheme.size()] == '/') return {};
    return Fail(Code::kConfiguration, "sqlite: is followed by the whole path of a file");
  }
  if (IsPostgresUrl(url)) return CheckPostgresUrl(url);
  return Fail(Code::kConfiguration, "url begins with sqlite: or postgresql://");
}

Result<std::unique_ptr<Database>> OpenDatabase(const DatabaseSettings& settings) {
  ADAPTER_CHECK(CheckUrl(settings.url));
  return settings.url.starts_with(kSqliteScheme) ? OpenSqlite(settings) : OpenPostgres(settings);
}

}  // namespace fhir_adapter::database
