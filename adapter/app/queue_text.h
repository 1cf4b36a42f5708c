// What the queue commands print: tables for people, NDJSON for scripts.
#pragma once

#include <string>

#include "app/disk_use.h"
#include "app/endpoint_state.h"
#include "outbox/queue_reader.h"

namespace fhir_adapter::app {

// `endpoint`: how the daemon sends, or why that is not known.
std::string StatisticsText(const outbox::QueueStatistics& statistics, const Result<EndpointState>& endpoint,
                           const Result<DiskUse>& disk);
// One line; `endpoint` and `disk` are null when they are not known.
std::string StatisticsJson(const outbox::QueueStatistics& statistics, const Result<EndpointState>& endpoint,
                           const Result<DiskUse>& disk);

std::string EntryTableHead();
std::string EntryText(const outbox::QueueEntry& entry);  // one row
// One line: id recordId site revision state reason nextAttempt.
std::string EntryJson(const outbox::QueueEntry& entry);

// Resources by identity only, but for a conflict: both sides of each element that differs, which are
// clinical.
std::string DetailText(const outbox::QueueDetail& detail);
std::string DetailJson(const outbox::QueueDetail& detail);

}  // namespace fhir_adapter::app
