// A Database that an ODBC driver reaches, through unixODBC: odbc:Driver={ODBC Driver 18 for SQL
// Server};Server=… Private to database.
//
// What follows odbc: is the driver's own connection string, whole: no DSN, whose words cannot be checked, and
// no password, which comes from password_file. Another machine is spoken to where the string demands TLS with
// a verified certificate. One read-only transaction; whether it sees one state is the database's own way
// (PostgreSQL: it does). Texts come as UTF-16, numbers and times as the driver writes them, which for many is
// a time without its offset: then it is one of the clocks of `time_zone`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "database/database.h"

namespace fhir_adapter::database {

inline constexpr std::string_view kOdbcScheme = "odbc:";

// Errors: kConfiguration.
Result<void> CheckOdbcUrl(const std::string& url);

Result<std::unique_ptr<Database>> OpenOdbc(const DatabaseSettings& settings);

}  // namespace fhir_adapter::database
