// Rows of a CSV text (RFC 4180), one after the other, with the position of each cell.
//
// Internal to adapter/fml. A quoted cell may hold line ends. The text must outlive the reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter::fml::internal {

struct CsvCell {
  std::string text;
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // 1-based, in bytes
};

class CsvRowReader {
 public:
  CsvRowReader(std::string_view text, char separator, std::string_view file, std::uint32_t line)
      : text_(text), separator_(separator), file_(file), line_(line) {}

  bool at_end() const { return at_ >= text_.size(); }
  // The next row; of a blank line no cells. Errors: syntax.
  Result<std::vector<CsvCell>> Next();

 private:
  Result<void> QuotedCell(CsvCell& cell);
  std::uint32_t Column() const { return static_cast<std::uint32_t>(at_ - line_begin_ + 1); }
  bool AtRowEnd() const { return at_end() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }

  std::string_view text_;
  char separator_;
  std::string file_;
  std::uint32_t line_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
};

// The cell as it stands in a row, quoted where it must be.
std::string CsvText(std::string_view text, char separator);

}  // namespace fhir_adapter::fml::internal
