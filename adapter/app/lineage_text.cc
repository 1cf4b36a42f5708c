#include "app/lineage_text.h"

#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;
using pipeline::ElementLineage;

// "note[1].text" → "note.text".
std::string WithoutIndices(std::string_view path) {
  std::string out;
  bool is_index = false;
  for (const char c : path) {
    if (c == '[') is_index = true;
    if (!is_index) out += c;
    if (c == ']') is_index = false;
  }
  return out;
}

// Whether `path` is `wanted` or stands below it.
bool IsAtOrBelow(std::string_view path, std::string_view wanted) {
  if (!path.starts_with(wanted)) return false;
  return path.size() == wanted.size() || path[wanted.size()] == '.' || path[wanted.size()] == '[';
}

std::string PlaceText(const std::string& file, std::uint32_t line, std::uint32_t column) {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  if (column > 0) text += ":" + std::to_string(column);
  return text;
}

std::string CodeText(const std::string& system, const std::string& code) {
  return system.empty() ? code : system + "|" + code;
}

template <class T, class ToText>
std::string JsonList(const std::vector<T>& items, const ToText& to_text) {
  std::string text = "[";
  for (const T& item : items) text += (text.size() == 1 ? "" : ",") + to_text(item);
  return text + "]";
}

}  // namespace

bool IsElementWanted(const ElementLineage& element, const std::string& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& path : {element.element, element.resource + "." + element.element}) {
    if (IsAtOrBelow(path, wanted) || IsAtOrBelow(WithoutIndices(path), wanted)) return true;
  }
  return false;
}

std::string LineageText(const ElementLineage& element, const std::string& file) {
  std::string text = element.entry;
  if (!element.resource.empty()) text += " " + element.resource + " " + element.identity;
  text += ": " + element.element + "\n";
  for (const pipeline::SourcePlace& source : element.sources) {
    text += "  from " + PlaceText(file, source.line, source.column) + " " +
            (source.pointer.empty() ? "(the record)" : source.pointer) + "\n";
  }
  for (const pipeline::RuleUse& rule : element.rules) {
    text += "  rule " + PlaceText(rule.file, rule.line, rule.column) + " " + rule.group +
            (rule.rule.empty() ? "" : " \"" + rule.rule + "\"") + "\n";
  }
  for (const pipeline::RowUse& row : element.rows) {
    text += "  row  " + PlaceText(row.file, row.line, 0) + " " +
            CodeText(row.source_system, row.source_code) + " -> " +
            (row.policy.empty() ? CodeText(row.target_system, row.target_code) : "no row: " + row.policy) +
            "\n";
  }
  if (!element.added_by.empty()) text += "  by   " + element.added_by + "\n";
  return text;
}

std::string LineageJson(const ElementLineage& element, const std::string& file) {
  const auto number = [](std::uint32_t value) { return std::to_string(value); };
  const auto source = [&](const pipeline::SourcePlace& place) {
    return "{\"file\":" + JsonString(file) + ",\"pointer\":" + JsonString(place.pointer) +
           ",\"line\":" + number(place.line) + ",\"column\":" + number(place.column) + "}";
  };
  const auto rule = [&](const pipeline::RuleUse& use) {
    return "{\"file\":" + JsonString(use.file) + ",\"line\":" + number(use.line) +
           ",\"column\":" + number(use.column) + ",\"group\":" + JsonString(use.group) +
           ",\"rule\":" + JsonString(use.rule) + "}";
  };
  const auto row = [&](const pipeline::RowUse& use) {
    return "{\"conceptMap\":" + JsonString(use.concept_map) + ",\"file\":" + JsonString(use.file) +
           ",\"line\":" + number(use.line) + ",\"sourceSystem\":" + JsonString(use.source_system) +
           ",\"sourceCode\":" + JsonString(use.source_code) +
           ",\"targetSystem\":" + JsonString(use.target_system) +
           ",\"targetCode\":" + JsonString(use.target_code) + ",\"policy\":" + JsonString(use.policy) + "}";
  };
  return "{\"entry\":" + JsonString(element.entry) + ",\"resource\":" + JsonString(element.resource) +
         ",\"identity\":" + JsonString(element.identity) + ",\"element\":" + JsonString(element.element) +
         ",\"addedBy\":" + JsonString(element.added_by) +
         ",\"sources\":" + JsonList(element.sources, source) + ",\"rules\":" + JsonList(element.rules, rule) +
         ",\"conceptMapRows\":" + JsonList(element.rows, row) + "}";
}

}  // namespace fhir_adapter::app
