// The connection string of an ODBC driver: Keyword=value;Keyword={value; with anything}, a } in braces
// doubled. Private to database. Stateless; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::database {

// By keyword in lower case. Errors: kConfiguration: what cannot be read, a keyword twice.
Result<std::map<std::string, std::string>> ReadOdbcString(std::string_view text);

// Whether it may be used: see odbc_database.h. Errors: kConfiguration.
Result<void> CheckOdbcKeywords(const std::map<std::string, std::string>& keywords);

// A value in braces.
std::string OdbcValue(std::string_view value);

}  // namespace fhir_adapter::database
