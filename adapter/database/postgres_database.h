// A Database over a PostgreSQL server: postgresql://user@host:port/name?sslmode=verify-full. Private to
// database.
//
// One transaction, READ ONLY and REPEATABLE READ; rows come through a cursor, so that no more of them is held
// than is asked for. Instants are written with the offset of the session's time zone. Another machine is
// spoken to over TLS only, with its certificate and name verified, whatever the address leaves unsaid.
#pragma once

#include <memory>
#include <string>

#include "database/database.h"

namespace fhir_adapter::database {

bool IsPostgresUrl(const std::string& url);
// Errors: kConfiguration: what libpq cannot read, a password, another machine without verified TLS.
Result<void> CheckPostgresUrl(const std::string& url);

Result<std::unique_ptr<Database>> OpenPostgres(const DatabaseSettings& settings);

}  // namespace fhir_adapter::database
