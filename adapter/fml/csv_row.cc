#include "fml/csv_row.h"

namespace fhir_adapter::fml::internal {

Result<void> CsvRowReader::QuotedCell(CsvCell& cell) {
  ++at_;
  while (true) {
    if (at_end()) {
      return Fail(Code::kSyntax, "this quoted cell does not end",
                  Location{file_, cell.line, cell.column, ""});
    }
    const char c = text_[at_++];
    if (c == '"') {
      if (at_end() || text_[at_] != '"') break;
      ++at_;
    }
    if (c == '\n') {
      ++line_;
      line_begin_ = at_;
    }
    cell.text += c;
  }
  if (AtRowEnd() || text_[at_] == separator_) return {};
  return Fail(Code::kSyntax, "text after the end of a quoted cell", Location{file_, line_, Column(), ""});
}

Result<std::vector<CsvCell>> CsvRowReader::Next() {
  std::vector<CsvCell> cells;
  while (!AtRowEnd() || !cells.empty()) {
    CsvCell& cell = cells.emplace_back(CsvCell{"", line_, Column()});
    if (!at_end() && text_[at_] == '"') {
      ADAPTER_CHECK(QuotedCell(cell));
    } else {
      while (!AtRowEnd() && text_[at_] != separator_) cell.text += text_[at_++];
    }
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

}  // namespace fhir_adapter::fml::internal
