// The page of `trace --html`.
#include "app/markup_entity.h"
#include "app/trace_text.h"

namespace fhir_adapter::app {
namespace {

// No script, no font, no picture, no other file; the policy forbids what nothing here does anyway.
constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Trace</title>\n<style>\n"
    "body { font: 14px/1.45 sans-serif; color: #1b1b1b; max-width: 75em; margin: 2em auto; padding: 0 1em; "
    "}\n"
    "h1 { font-size: 1.5em; } h2 { font-size: 1.1em; margin: 1.8em 0 .4em; border-bottom: 1px solid #bbb; }\n"
    "article + article { break-before: page; }\n"
    "table { border-collapse: collapse; width: 100%; table-layout: auto; }\n"
    "td { min-width: 5.5em; } th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0; "
    "border-bottom: 1px solid "
    "#e3e3e3; "
    "overflow-wrap: anywhere; }\n"
    "th { color: #555; font-weight: normal; white-space: nowrap; }\n"
    "dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em; margin: .4em 0; }\n"
    "dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }\n"
    "ol { list-style: none; margin: 0; padding: 0 0 0 1em; border-left: 3px solid #7a9cc6; }\n"
    "ol li { position: relative; margin: 0 0 .8em; overflow-wrap: anywhere; break-inside: avoid; }\n"
    "ol li::before { content: ''; position: absolute; left: -1.5em; top: .3em; width: .7em; height: .7em; "
    "border-radius: 50%; background: #7a9cc6; }\n"
    ".time { color: #555; margin-right: .6em; } .event { font-weight: bold; margin-right: .6em; }\n"
    ".more { display: block; color: #333; }\n"
    "pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .6em; }\n"
    "@media print { body { margin: 0; max-width: none; font-size: 10px; } tr { break-inside: avoid; } "
    "h2 { break-after: avoid; } }\n"
    "</style>\n</head>\n<body>\n";

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const std::string_view entity = MarkupEntity(c);
    // What HTML forbids would be read as something else, or as nothing.
    const bool is_forbidden = (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
    if (is_forbidden) {
      out += "\xEF\xBF\xBD";
    } else if (entity.empty()) {
      out += c;
    } else {
      out += entity;
    }
  }
  return out;
}

void AddTable(const TraceSection& section, std::string& out) {
  out += "<table>\n<thead><tr>";
  for (const std::string& column : section.columns) out += "<th>" + Escaped(column) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : section.rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + Escaped(cell) + "</td>";
    out += "</tr>\n";
  }
  out += "</tbody>\n</table>\n";
}

// Columns: entry, time, revision, event, who, what, proof.
void AddTimeline(const TraceSection& section, std::string& out) {
  out += "<ol>\n";
  for (const auto& row : section.rows) {
    out += "<li><span class=\"time\">" + Escaped(row[1]) + "</span><span class=\"event\">" + Escaped(row[3]) +
           "</span>";
    if (!row[2].empty()) out += "revision " + Escaped(row[2]) + ", ";
    out += Escaped(row[4]) + "<span class=\"more\">" + Escaped(row[5]) +
           "</span><span class=\"more time\">entry " + Escaped(row[0]) + ", " + Escaped(row[6]) +
           "</span></li>\n";
  }
  out += "</ol>\n";
}

void AddSection(const TraceSection& section, bool is_first, std::string& out) {
  const char* const tag = is_first ? "h1" : "h2";
  out += std::string("<") + tag + ">" + Escaped(section.heading) + "</" + tag + ">\n";
  if (!section.facts.empty()) {
    out += "<dl>\n";
    for (const auto& [name, value] : section.facts) {
      out += "<dt>" + Escaped(name) + "</dt><dd>" + Escaped(value) + "</dd>\n";
    }
    out += "</dl>\n";
  }
  if (section.is_timeline) {
    AddTimeline(section, out);
  } else if (!section.rows.empty()) {
    AddTable(section, out);
  }
  if (!section.verbatim.empty()) out += "<pre>" + Escaped(section.verbatim) + "</pre>\n";
}

}  // namespace

std::string TraceHtml(const std::vector<std::vector<TraceSection>>& records) {
  std::string out(kHead);
  for (const auto& sections : records) {
    out += "<article>\n";
    bool is_first = true;
    for (const TraceSection& section : sections) {
      AddSection(section, is_first, out);
      is_first = false;
    }
    out += "</article>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace fhir_adapter::app
