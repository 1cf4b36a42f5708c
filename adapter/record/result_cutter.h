// ResultCutter: makes records of the rows that a database gave.
//
//   ResultCutter cutter(layout, columns);
//   for (each row) cutter.AddRow(std::move(cells));
//   while (auto text = cutter.Next()) …
//
// The rows of a record are those with its site, recordId and revision, wherever they stand. Other than in a
// text it is never doubtful where a cell ends, so what is wrong with a row refuses its record alone: a cell
// of bytes or of no UTF-8, a row without a key, more than limits::kTableRecordRowsMax rows. The database may
// give rows in any order, which shall not make another record of them: they are put in that of their cells.
// Places are rows as they were added (from 1) and columns of the query.
//
// The layout must outlive it. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "record/record_cutter.h"
#include "record/table_layout.h"

namespace fhir_adapter::record {

struct ResultCell {
  std::string text;       // empty: null
  bool is_bytes = false;  // binary: no text
};

class ResultCutter {
 public:
  // As ReadHeader gave the columns.
  ResultCutter(const TableLayout& layout, std::vector<TableColumn> columns)
      : layout_(layout), columns_(std::move(columns)) {}

  // A cell for each column.
  void AddRow(const std::vector<ResultCell>& cells);
  std::optional<RecordText> Next();

 private:
  struct Row {
    std::vector<CsvCell> cells;
    std::uint32_t number = 0;
  };
  struct Record {
    std::vector<Row> rows;
    std::optional<Issue> problem;
    std::string name;  // its key, for when there is too much to show
  };

  std::optional<Issue> ProblemOf(const std::vector<ResultCell>& cells) const;
  bool IsBefore(const Row& a, const Row& b) const;
  RecordText Refused(const Record& record) const;

  const TableLayout& layout_;
  std::vector<TableColumn> columns_;
  std::vector<Record> records_;
  std::map<std::vector<std::string>, std::size_t> record_of_key_;
  std::uint32_t rows_ = 0;
  std::size_t next_ = 0;
  Arena arena_;
};

}  // namespace fhir_adapter::record
