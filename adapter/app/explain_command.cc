// `fhir-adapter map explain`: from where each element of the output came.
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "net/http_message.h"
#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"

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

// `wanted` begins with the resource's type or below it; without an index it means every item.
bool IsWanted(const ElementLineage& element, const std::string& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& path : {element.element, element.resource + "." + element.element}) {
    if (IsAtOrBelow(path, wanted) || IsAtOrBelow(WithoutIndices(path), wanted)) return true;
  }
  return false;
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

std::string Text(const ElementLineage& element, const std::string& file) {
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

template <class T, class ToText>
std::string JsonList(const std::vector<T>& items, const ToText& to_text) {
  std::string text = "[";
  for (const T& item : items) text += (text.size() == 1 ? "" : ",") + to_text(item);
  return text + "]";
}

std::string Json(const ElementLineage& element, const std::string& file) {
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
         ",\"conceptMapRows\":" + JsonList(element.rows, row) + "}\n";
}

}  // namespace

int RunExplain(const GlobalOptions& global, const ExplainOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const auto directory = MappingsDirectory(options.map_directory, *configuration);
  if (!directory) return Report(directory.error(), streams);
  auto files = ReadMappingSetFiles(*directory, options.model_directory);
  if (!files) return Report(files.error(), streams);
  std::vector<fml::Finding> findings;
  const auto set = pipeline::MappingSet::Build(std::move(*files),
                                               MappingSettingsOf(*configuration, options.map), findings);
  if (!set) {
    ListFindings(findings, global.json, streams.err);
    return kExitUsage;
  }
  const auto bytes = ReadFile(options.input);
  if (!bytes) return Report(bytes.error(), streams);
  record::RecordSplitter splitter(options.input.ends_with(".ndjson") ? record::RecordFormat::kNdjson
                                                                     : record::RecordFormat::kJson);
  splitter.Push(*bytes);
  splitter.Finish();
  pipeline::RecordMapping mapping(set);
  bool any_refused = false;
  bool any_found = false;
  while (auto text = splitter.Next()) {
    std::vector<ElementLineage> lineage;
    const pipeline::MappedRecord mapped =
        mapping.Explain(*text, {}, pipeline::RecordForm::kBundle, options.input, lineage);
    if (Gravest(mapped.issues) != Disposition::kNote) {
      any_refused = true;
      for (const Issue& issue : mapped.issues) streams.err << ToLine(issue) << "\n";
    }
    for (const ElementLineage& element : lineage) {
      if (!IsWanted(element, options.element)) continue;
      any_found = true;
      streams.out << (global.json ? Json(element, options.input) : Text(element, options.input));
    }
  }
  if (!any_refused && !any_found) {
    streams.err << "the output has no element " << options.element << "\n";
    return kExitRejected;
  }
  return any_refused ? kExitRejected : kExitDone;
}

}  // namespace fhir_adapter::app
