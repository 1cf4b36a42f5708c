// Rows of a CSV text (RFC 4180 and its usual variations: LF line ends, other separators and quotes), one
// after the other, with the position of each cell.
//
// A quoted cell may hold line ends and separators, and its quote doubled. A quote inside a cell that does not
// begin with one is refused, because nothing says where that cell ends. The text must outlive the reader. Not
// thread-safe. No error quotes what a cell holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter::record {

struct CsvForm {
  char separator = ',';
  char quote = '"';
};

struct CsvCell {
  std::string text;
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // 1-based, in bytes
};

class CsvRowReader {
 public:
  CsvRowReader(std::string_view text, CsvForm form, std::string_view file = {}, std::uint32_t line = 1)
      : text_(text), form_(form), file_(file), line_(line) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::size_t offset() const { return at_; }
  // Of the cell that was read last in its row, from 1.
  std::uint32_t cell_number() const { return cell_number_; }

  // The next row; of a blank line no cells. Errors: csv-syntax, with line and column.
  Result<std::vector<CsvCell>> Next();

 private:
  Result<void> PlainCell(CsvCell& cell);
  Result<void> QuotedCell(CsvCell& cell);
  std::uint32_t Column() const { return static_cast<std::uint32_t>(at_ - line_begin_ + 1); }
  bool AtRowEnd() const { return at_end() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }

  std::string_view text_;
  CsvForm form_;
  std::string file_;
  std::uint32_t line_;
  std::uint32_t cell_number_ = 0;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
};

// The cell as it stands in a row, quoted where it must be.
std::string CsvText(std::string_view text, char separator);

}  // namespace fhir_adapter::record
