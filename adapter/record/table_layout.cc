#include "record/table_layout.h"

#include <algorithm>
#include <array>

#include "core/limits.h"

namespace fhir_adapter::record {
namespace {

// What a row must say, or nobody knows which record it belongs to.
constexpr std::array<std::string_view, 3> kKeyPaths = {"site", "recordId", "revision"};

Failure HeaderFault(std::uint32_t column, std::string message, Code code = Code::kCsvHeader) {
  return Fail(code, std::move(message), Location{"", 1, column, ""});
}

Result<TableColumn> ReadColumn(const CsvCell& cell, std::uint32_t number, const TableLayout& layout) {
  TableColumn column;
  column.header = cell.text;
  column.number = number;
  if (cell.text.empty()) return HeaderFault(number, "a column without a name");
  const auto declared = std::ranges::find(layout.columns, cell.text, &DeclaredColumn::header);
  if (declared != layout.columns.end()) {
    column.path = declared->path;
    column.values = &declared->values;
    return column;
  }
  auto path = ColumnPath::Parse(cell.text, *layout.model);
  if (path) {
    column.path = std::move(*path);
  } else if (path.error().code == Code::kType) {
    return HeaderFault(number, path.error().message);
  } else {
    column.is_unknown = true;
  }
  return column;
}

Result<void> CheckComplete(const std::vector<TableColumn>& columns, const TableLayout& layout) {
  for (const DeclaredColumn& declared : layout.columns) {
    if (std::ranges::find(columns, declared.header, &TableColumn::header) != columns.end()) continue;
    return HeaderFault(1, "the column '" + declared.header + "' of the columns file is not in the table");
  }
  for (const std::string_view key : kKeyPaths) {
    const bool has_column = std::ranges::any_of(
        columns, [&](const TableColumn& column) { return column.path && column.path->text() == key; });
    const bool is_fixed =
        std::ranges::any_of(layout.fixed, [&](const FixedValue& fixed) { return fixed.path.text() == key; });
    if (!has_column && !is_fixed) return HeaderFault(1, "no column holds " + std::string(key));
  }
  return {};
}

}  // namespace

Result<std::vector<TableColumn>> ReadHeader(const std::vector<CsvCell>& cells, const TableLayout& layout) {
  if (cells.size() > limits::kTableColumnsMax) {
    return HeaderFault(limits::kTableColumnsMax + 1,
                       "more than " + std::to_string(limits::kTableColumnsMax) + " columns", Code::kLimit);
  }
  std::vector<TableColumn> columns;
  for (const CsvCell& cell : cells) {
    const auto number = static_cast<std::uint32_t>(columns.size() + 1);
    ADAPTER_TRY(TableColumn column, ReadColumn(cell, number, layout));
    if (std::ranges::find(columns, column.header, &TableColumn::header) != columns.end()) {
      return HeaderFault(number, "a column of this name stands here twice", Code::kDuplicateKey);
    }
    const bool is_fixed = column.path && std::ranges::any_of(layout.fixed, [&](const FixedValue& fixed) {
                            return fixed.path.text() == column.path->text();
                          });
    const auto same = std::ranges::find_if(columns, [&](const TableColumn& other) {
      return other.path && column.path && other.path->text() == column.path->text();
    });
    if (is_fixed || same != columns.end()) {
      return HeaderFault(number,
                         "another column, or a fixed value, holds " + column.path->text() + " already",
                         Code::kDuplicateKey);
    }
    columns.push_back(std::move(column));
  }
  ADAPTER_CHECK(CheckComplete(columns, layout));
  // Items of a list are made in the order of their numbers.
  std::ranges::stable_sort(columns, {}, [](const TableColumn& column) {
    return column.path ? column.path->Numbers() : std::vector<std::uint32_t>();
  });
  return columns;
}

}  // namespace fhir_adapter::record
