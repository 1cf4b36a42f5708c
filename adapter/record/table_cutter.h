// TableCutter: makes records of the rows of a table (CSV).
//
// The rows of a record are those with its site, recordId and revision, wherever they stand, so the whole
// table is held (limits::kTableBytesMax) and nothing comes before Finish. What makes it doubtful to which
// record a row belongs, or whether a row is whole, refuses the table with one problem: a quote that does not
// close, a row with more or fewer cells than the header, a byte that is no character, a row without a key.
// What is wrong with a value refuses its record alone. Places are rows (1: the header; a cell with line ends
// is one row) and cells in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "record/record_cutter.h"
#include "record/table_layout.h"

namespace fhir_adapter::record {

class TableCutter final : public RecordCutter {
 public:
  // The layout must outlive it. `encoding`: when the sender named one, instead of the layout's.
  explicit TableCutter(const TableLayout& layout, std::optional<TextEncoding> encoding = std::nullopt);

  void Push(std::string_view bytes) override;
  void Finish() override;
  std::optional<RecordText> Next() override;

 private:
  struct Row {
    std::size_t offset = 0;
    std::uint32_t number = 0;
  };
  using RecordRows = std::vector<Row>;

  Result<void> Decode();
  Result<void> ReadRows();
  Result<void> AddRow(const std::vector<CsvCell>& cells, const Row& row);
  RecordText MakeRecord(const RecordRows& rows);

  const TableLayout& layout_;
  TextEncoding encoding_;
  std::string text_;
  bool is_too_large_ = false;
  std::vector<TableColumn> columns_;
  std::vector<RecordRows> records_;
  std::map<std::vector<std::string>, std::size_t> record_of_key_;
  std::size_t next_ = 0;
  std::optional<RecordText> problem_;  // of the whole table
  Arena arena_;
};

}  // namespace fhir_adapter::record
