#include "app/trace_text.h"

#include <algorithm>

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kColumnBytesMax = 40;  // a longer cell moves what follows it

bool IsControl(unsigned int character) {
  return character < 0x20 || (character >= 0x7F && character <= 0x9F);
}

std::string ForTerminal(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned int character = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are two bytes, and some terminals obey them.
    const bool is_lead = character == 0xC2 && i + 1 < text.size();
    if (is_lead) character = static_cast<unsigned char>(text[i + 1]);
    if (IsControl(character) && (is_lead || character <= 0x7F)) {
      out += "\\u00";
      out += kDigits[character >> 4];
      out += kDigits[character & 0xF];
      if (is_lead) ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

void AddTable(const TraceSection& section, std::string& out) {
  if (section.rows.empty()) return;
  std::vector<std::size_t> widths(section.columns.size(), 0);
  std::vector<std::vector<std::string>> rows = {section.columns};
  for (const auto& row : section.rows) rows.push_back(row);
  for (auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = ForTerminal(row[i]);
      widths[i] = std::max(widths[i], std::min(row[i].size(), kColumnBytesMax));
    }
  }
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (row[i].size() < widths[i]) line.append(widths[i] - row[i].size(), ' ');
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
}

}  // namespace

std::string TraceText(const std::vector<TraceSection>& sections) {
  std::string out;
  for (const TraceSection& section : sections) {
    out += (out.empty() ? "" : "\n") + ForTerminal(section.heading) + "\n";
    for (const auto& [name, value] : section.facts) {
      std::string head = "  " + name;
      head.append(head.size() < 16 ? 16 - head.size() : 1, ' ');
      out += head + ForTerminal(value) + "\n";
    }
    AddTable(section, out);
    std::string_view rest = section.verbatim;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      out += "  " + ForTerminal(rest.substr(0, end)) + "\n";
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  return out;
}

}  // namespace fhir_adapter::app
