// `trace --live`: what the configured server holds now of the resources of a record.
#pragma once

#include <vector>

#include "app/configuration.h"
#include "app/streams.h"
#include "app/trace_page.h"
#include "app/trace_sections.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {

// Asks the server and fills `live` of each page; says on `streams.err` what cannot be asked. The exit code:
// done, rejected (something differs), or that of the failure. Errors: those of the store and the
// configuration.
Result<int> LookLive(const Configuration& configuration, outbox::SqliteBackend& backend,
                     std::vector<TracePage>& pages, const Streams& streams);

void AddLiveSections(const TraceLive& live, std::vector<TraceSection>& sections);

}  // namespace fhir_adapter::app
