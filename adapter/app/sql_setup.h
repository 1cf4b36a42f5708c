// From a [[source]] of kind "sql" to what reads it, and what /metrics says of it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/configuration.h"
#include "app/metrics.h"
#include "core/result.h"
#include "intake/sql_source.h"
#include "record/record_model.h"
#include "record/table_layout.h"

namespace fhir_adapter::app {

inline constexpr const char* kSqlKind = "sql";

// Its columns file; the high-water column is not taken, unless the file says what it holds.
Result<std::unique_ptr<const record::TableLayout>> LoadSqlColumns(const SourceSettings& source,
                                                                  const Configuration& configuration,
                                                                  const record::RecordModel& model);

// `table` must outlive what is made with the settings.
intake::SqlSettings SqlSettingsOf(const SourceSettings& source, const Configuration& configuration,
                                  const record::TableLayout* table);

// Of each source, by its name.
using SqlStatisticsList = std::vector<std::pair<std::string, intake::SqlStatistics>>;
void AddSqlSources(MetricsPage& page, const SqlStatisticsList& sources);

}  // namespace fhir_adapter::app
