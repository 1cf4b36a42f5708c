#include "record/csv_row.h"

namespace fhir_adapter::record {

Result<void> CsvRowReader::PlainCell(CsvCell& cell) {
  while (!AtRowEnd() && text_[at_] != form_.separator) {
    if (text_[at_] == form_.quote) {
      return Fail(Code::kCsvSyntax, "a quote inside a cell that does not begin with one",
                  Location{file_, line_, Column(), ""});
    }
    cell.text += text_[at_++];
  }
  return {};
}

Result<void> CsvRowReader::QuotedCell(CsvCell& cell) {
  ++at_;
  while (true) {
    if (at_end()) {
      return Fail(Code::kCsvSyntax, "this quoted cell does not end",
                  Location{file_, cell.line, cell.column, ""});
    }
    const char c = text_[at_++];
    if (c == form_.quote) {
      if (at_end() || text_[at_] != form_.quote) break;
      ++at_;
    }
    if (c == '\n') {
      ++line_;
      line_begin_ = at_;
    }
    cell.text += c;
  }
  if (AtRowEnd() || text_[at_] == form_.separator) return {};
  return Fail(Code::kCsvSyntax, "text after the end of a quoted cell", Location{file_, line_, Column(), ""});
}

Result<std::vector<CsvCell>> CsvRowReader::Next() {
  std::vector<CsvCell> cells;
  cell_number_ = 0;
  while (!AtRowEnd() || !cells.empty()) {
    CsvCell& cell = cells.emplace_back(CsvCell{"", line_, Column()});
    ++cell_number_;
    const bool is_quoted = !at_end() && text_[at_] == form_.quote;
    ADAPTER_CHECK(is_quoted ? QuotedCell(cell) : PlainCell(cell));
    if (AtRowEnd()) break;
    ++at_;  // the separator
  }
  if (!at_end()) at_ += text_[at_] == '\r' ? 2 : 1;
  ++line_;
  line_begin_ = at_;
  return cells;
}

std::string CsvText(std::string_view text, char separator) {
  const bool is_plain = text.find_first_of("\"\r\n") == std::string_view::npos &&
                        text.find(separator) == std::string_view::npos && !text.starts_with(' ') &&
                        !text.ends_with(' ');
  if (is_plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace fhir_adapter::record
