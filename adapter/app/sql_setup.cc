#include "app/sql_setup.h"

#include <algorithm>

#include "app/columns_file.h"
#include "core/limits.h"
#include "record/column_path.h"

namespace fhir_adapter::app {

Result<std::unique_ptr<const record::TableLayout>> LoadSqlColumns(const SourceSettings& source,
                                                                  const Configuration& configuration,
                                                                  const record::RecordModel& model) {
  ADAPTER_TRY(auto loaded, LoadColumns(source.columns, configuration, model));
  const std::string& mark = source.high_water_column;
  const auto declared = std::ranges::find(loaded->columns, mark, &record::DeclaredColumn::header);
  if (declared != loaded->columns.end() || record::ColumnPath::Parse(mark, model)) return loaded;
  auto layout = std::make_unique<record::TableLayout>(*loaded);
  layout->columns.push_back({mark, std::nullopt, {}});
  return std::unique_ptr<const record::TableLayout>(std::move(layout));
}

intake::SqlSettings SqlSettingsOf(const SourceSettings& source, const Configuration& configuration,
                                  const record::TableLayout* table) {
  intake::SqlSettings settings;
  settings.name = source.name;
  settings.map = source.map;
  settings.database = {source.url, source.password_file, configuration.site.time_zone};
  settings.query = {source.query, source.high_water_column, source.overlap};
  settings.table = table;
  settings.poll_ms = source.poll_s * 1'000;
  settings.retry_min_ms = limits::kSqlRetryMsMin;
  settings.retry_max_ms = limits::kSqlRetryMsMax;
  return settings;
}

void AddSqlSources(MetricsPage& page, const SqlStatisticsList& sources) {
  if (sources.empty()) return;
  page.Family("fhir_adapter_sql_source_rows", "counter", "Rows read of each database, with its overlap.");
  for (const auto& [name, statistics] : sources) page.Sample({{"source", name}}, statistics.rows);
  page.Family(
      "fhir_adapter_sql_source_records", "counter",
      "Records of each database that were handed on, by outcome; not those that came again as they were.");
  for (const auto& [name, statistics] : sources) {
    page.Sample({{"source", name}, {"outcome", "accepted"}}, statistics.accepted);
    page.Sample({{"source", name}, {"outcome", "known"}}, statistics.known);
    page.Sample({{"source", name}, {"outcome", "refused"}}, statistics.refused);
  }
  page.Family("fhir_adapter_sql_source_trouble", "gauge", "1 while a database cannot be read.");
  for (const auto& [name, statistics] : sources) {
    page.Sample({{"source", name}}, statistics.has_trouble ? 1 : 0);
  }
}

}  // namespace fhir_adapter::app
