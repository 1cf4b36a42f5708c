#include "record/record_cutter.h"

#include <cstdlib>

#include "record/record_splitter.h"
#include "record/table_cutter.h"

namespace fhir_adapter::record {

std::optional<RecordFormat> FormatOfName(std::string_view name) {
  if (name.ends_with(".json")) return RecordFormat::kJson;
  if (name.ends_with(".ndjson")) return RecordFormat::kNdjson;
  if (name.ends_with(".csv")) return RecordFormat::kTable;
  return std::nullopt;
}

std::unique_ptr<RecordCutter> MakeCutter(RecordFormat format, const TableLayout* layout) {
  if (format != RecordFormat::kTable) return std::make_unique<RecordSplitter>(format);
  if (layout == nullptr) std::abort();  // the caller has to ask for one first
  return std::make_unique<TableCutter>(*layout);
}

}  // namespace fhir_adapter::record
