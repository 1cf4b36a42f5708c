// TableLayout: how the tables of one source are read: their form, and which column holds what.
//
// Built from a columns file (app/columns_file); immutable afterwards, free to be shared by threads. Refers to
// the model, which must outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time_zone.h"
#include "record/column_path.h"
#include "record/csv_row.h"
#include "record/local_time.h"
#include "record/text_encoding.h"

namespace fhir_adapter::record {

// What a cell says, and what the record says for it; an empty text: nothing was recorded.
using CellValues = std::vector<std::pair<std::string, std::string>>;

// A column that the columns file names. Each must be in the header.
struct DeclaredColumn {
  std::string header;
  std::optional<ColumnPath> path;  // none: the column is not taken
  CellValues values;
};

// A value that every record of the table has.
struct FixedValue {
  ColumnPath path;
  std::string text;
};

struct TableLayout {
  const RecordModel* model = nullptr;
  CsvForm form;
  TextEncoding encoding = TextEncoding::kUtf8;
  char decimal_sign = '.';
  DateForm dates = DateForm::kIso;
  std::string list_separator;                 // between the items in a cell of a list; empty: one item
  std::shared_ptr<const TimeZone> time_zone;  // shared by the layouts of a process; null: none is known
  std::vector<DeclaredColumn> columns;
  std::vector<FixedValue> fixed;
};

// The elements by which rows are known to be of one record.
inline constexpr std::string_view kRecordKey[] = {"site", "recordId", "revision"};

// A column of the table in hand.
struct TableColumn {
  std::string header;
  std::optional<ColumnPath> path;
  bool is_unknown = false;  // neither named in the columns file nor a path: kept under its header, not sent
  const CellValues* values = nullptr;
  std::uint32_t number = 0;  // from 1
};

// The columns that a header line names. A header that is itself a path needs no line in the columns file.
// Errors: csv-header, duplicate-key, limit, at row 1; no error quotes the header, which may be a row of
// values.
Result<std::vector<TableColumn>> ReadHeader(const std::vector<CsvCell>& cells, const TableLayout& layout);

}  // namespace fhir_adapter::record
