#include "record/table_cutter.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "record/row_record.h"
#include "record/row_tree.h"

namespace fhir_adapter::record {
namespace {

bool IsEmpty(const std::vector<CsvCell>& cells) {
  return std::ranges::all_of(cells, [](const CsvCell& cell) { return cell.text.empty(); });
}

// The row and the cell in which an offset of the text lies.
Location PlaceOf(std::string_view text, std::size_t offset, const CsvForm& form) {
  CsvRowReader reader(text.substr(0, offset + 1), form);
  std::uint32_t row = 0;
  do {
    ++row;
    if (!reader.Next()) break;  // cut in a quoted cell
  } while (!reader.at_end());
  return Location{"", row, std::max(reader.cell_number(), 1U), ""};
}

Issue IssueOf(const Error& error) {
  return Issue{error.code, error.where, error.message};
}

}  // namespace

TableCutter::TableCutter(const TableLayout& layout, std::optional<TextEncoding> encoding)
    : layout_(layout), encoding_(encoding.value_or(layout.encoding)) {}

void TableCutter::Push(std::string_view bytes) {
  is_too_large_ = is_too_large_ || text_.size() + bytes.size() > limits::kTableBytesMax;
  if (!is_too_large_) text_ += bytes;
}

void TableCutter::Finish() {
  auto read = Decode();
  if (read) read = ReadRows();
  if (read) return;
  records_.clear();
  RecordText problem;
  problem.problem = IssueOf(read.error());
  problem.line = read.error().where.line;
  problem.column = read.error().where.column;
  if (text_.size() <= limits::kRecordBytesMax) problem.bytes = text_;
  problem_ = std::move(problem);
}

Result<void> TableCutter::Decode() {
  if (is_too_large_) {
    text_.clear();
    return Fail(Code::kLimit, "the table is larger than " + std::to_string(limits::kTableBytesMax) + " bytes",
                Location{"", 1, 1, ""});
  }
  DecodedText decoded = DecodeText(text_, encoding_);
  if (decoded.bad_at) {
    return Fail(Code::kEncoding, decoded.why, PlaceOf(text_, *decoded.bad_at, layout_.form));
  }
  text_ = std::move(decoded.text);
  return {};
}

Result<void> TableCutter::ReadRows() {
  CsvRowReader reader(text_, layout_.form);
  std::uint32_t number = 0;
  std::size_t rows = 0;
  while (!reader.at_end()) {
    const Row row{reader.offset(), ++number};
    auto cells = reader.Next();
    if (!cells) {
      Error error = std::move(cells).error();
      error.where = Location{"", number, reader.cell_number(), ""};
      return Fail(std::move(error));
    }
    if (IsEmpty(*cells)) continue;
    if (columns_.empty()) {
      if (number > 1) return Fail(Code::kCsvHeader, "the first row is empty", Location{"", 1, 1, ""});
      ADAPTER_TRY(columns_, ReadHeader(*cells, layout_));
      continue;
    }
    if (++rows > limits::kTableRowsMax) {
      return Fail(Code::kLimit, "more than " + std::to_string(limits::kTableRowsMax) + " rows",
                  Location{"", number, 1, ""});
    }
    ADAPTER_CHECK(AddRow(*cells, row));
  }
  if (columns_.empty()) return Fail(Code::kCsvHeader, "there is no header", Location{"", 1, 1, ""});
  return {};
}

Result<void> TableCutter::AddRow(const std::vector<CsvCell>& cells, const Row& row) {
  if (cells.size() != columns_.size()) {
    return Fail(
        Code::kCsvSyntax,
        "the row has " + std::to_string(cells.size()) + " cells and the header " +
            std::to_string(columns_.size()),
        Location{"", row.number, static_cast<std::uint32_t>(std::min(cells.size(), columns_.size())), ""});
  }
  arena_.Reset();
  const fhir::Node* tree = RowTree(cells, columns_, layout_, row.number, arena_);
  ADAPTER_TRY(std::vector<std::string> key, RowKey(*tree, columns_, row.number));
  const auto [found, is_new] = record_of_key_.emplace(std::move(key), records_.size());
  if (is_new) records_.emplace_back();
  RecordRows& rows = records_[found->second];
  if (rows.size() == limits::kTableRecordRowsMax) {
    return Fail(Code::kLimit,
                "more than " + std::to_string(limits::kTableRecordRowsMax) + " rows of one record",
                Location{"", row.number, 1, ""});
  }
  rows.push_back(row);
  return {};
}

RecordText TableCutter::MakeRecord(const RecordRows& rows) {
  arena_.Reset();
  std::vector<fhir::Node*> trees;
  for (const Row& row : rows) {
    CsvRowReader reader(std::string_view(text_).substr(row.offset), layout_.form);
    const auto cells = reader.Next();
    trees.push_back(RowTree(cells.value(), columns_, layout_, row.number, arena_));
  }
  return RecordOfRows(trees, rows.front().number, layout_, arena_);
}

std::optional<RecordText> TableCutter::Next() {
  if (problem_) return std::exchange(problem_, std::nullopt);
  if (next_ == records_.size()) return std::nullopt;
  return MakeRecord(records_[next_++]);
}

}  // namespace fhir_adapter::record
