// Fills a store with delivered administrations by the same ports that the daemon uses, so that every row and
// every entry of the log is what it would be, but hundreds of records at a time and without a server.
#pragma once

#include <string>

#include "core/result.h"

namespace fhir_adapter::bench {

// What the records are called, for those who look for them.
std::string RecordIdOf(int number);
std::string MrnOf(int number);  // four records have the same one
inline const std::string kSite = "pain-clinic";

// Administrations number `first` to `last` - 1, into the store at `path`, with checkpoints beside it; returns
// the number of entries that the log then has.
Result<std::int64_t> LoadDelivered(const std::string& path, int first, int last);

}  // namespace fhir_adapter::bench
