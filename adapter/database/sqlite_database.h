// A Database over an SQLite file: sqlite:/path. Private to database.
//
// Opened read-only, in one read transaction. A file in WAL mode can be read only where its -shm file can be
// made or is there. A REAL is written as SQLite writes it, with 15 significant digits: what a REAL column was
// given as 1.10 is 1.1 in the file already.
#pragma once

#include <memory>
#include <string_view>

#include "database/database.h"

namespace fhir_adapter::database {

inline constexpr std::string_view kSqliteScheme = "sqlite:";

Result<std::unique_ptr<Database>> OpenSqlite(const DatabaseSettings& settings);

}  // namespace fhir_adapter::database
