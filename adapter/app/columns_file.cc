#include "app/columns_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <toml++/toml.h>
#include <utility>

#include "app/configuration_keys.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/time_zone_file.h"
#include "record/row_tree.h"
#include "record/structure_checker.h"

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;
using record::ColumnPath;

constexpr std::array<std::string_view, 9> kKeys = {
    "columns", "dates", "decimal", "delimiter", "encoding", "fixed", "list_separator", "quote", "values"};
constexpr std::array<std::string_view, 3> kEncodings = {"utf-8", "windows-1252", "iso-8859-1"};
constexpr std::array<std::string_view, 5> kDates = {"YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY",
                                                    "YYYY/MM/DD"};

// A key with its text. `procedure.kind = "x"` without quotes round the key is one of a nested table.
struct Entry {
  std::string key;
  std::string text;
  Location key_at;
  Location value_at;
};

template <class Names>
std::string DidYouMean(std::string_view word, const Names& names) {
  const std::string nearest = Nearest(word, std::vector<std::string_view>(names.begin(), names.end()));
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

class ColumnsParser {
 public:
  ColumnsParser(const std::string& file, const record::RecordModel& model,
                std::vector<fml::Finding>& findings)
      : file_(file), model_(model), paths_(record::ValuePaths(model)), findings_(findings) {
    layout_.model = &model;
  }

  bool Read(const toml::table& root) {
    for (const auto& [key, value] : root) {
      if (std::ranges::find(kKeys, key.str()) == kKeys.end()) {
        Fault(At(key.source()),
              "unknown key '" + std::string(key.str()) + "'" + DidYouMean(key.str(), kKeys));
      }
    }
    ReadForm(root);
    for (const Entry& entry : Entries(root, "columns")) AddColumn(entry);
    for (const Entry& entry : Entries(root, "fixed")) AddFixed(entry);
    ReadValues(root);
    return !has_error_;
  }

  record::TableLayout& layout() { return layout_; }

 private:
  Location At(const toml::source_region& region) const {
    return Location{file_, region.begin.line, region.begin.column, ""};
  }

  void Fault(Location where, std::string message) {
    has_error_ = true;
    fml::Finding finding;
    finding.code = Code::kConfiguration;
    finding.where = std::move(where);
    finding.message = std::move(message);
    findings_.push_back(std::move(finding));
  }

  // The text at a key of the file, with its place; empty when the key is not there.
  std::optional<std::string> TextAt(const toml::table& root, std::string_view key, Location& where) {
    const toml::node* node = root.get(key);
    if (node == nullptr) return std::nullopt;
    where = At(node->source());
    auto text = node->value_exact<std::string>();
    if (!text) Fault(where, std::string(key) + " must be a text in quotes");
    return text;
  }

  void ReadSign(const toml::table& root, std::string_view key, char& sign) {
    Location where;
    const auto text = TextAt(root, key, where);
    if (!text) return;
    const bool is_usable =
        text->size() == 1 && (text->front() == '\t' || (text->front() > ' ' && text->front() < '\x7F'));
    if (!is_usable) return Fault(where, std::string(key) + " must be one character, such as ; or \\t");
    sign = text->front();
  }

  template <class Names>
  std::optional<std::string> ChoiceAt(const toml::table& root, std::string_view key, const Names& names) {
    Location where;
    auto text = TextAt(root, key, where);
    if (!text || std::ranges::find(names, *text) != names.end()) return text;
    std::string message = std::string(key) + " must be one of";
    for (const std::string_view name : names) message += " " + std::string(name);
    Fault(where, message + DidYouMean(*text, names));
    return std::nullopt;
  }

  void ReadForm(const toml::table& root) {
    ReadSign(root, "delimiter", layout_.form.separator);
    ReadSign(root, "quote", layout_.form.quote);
    if (const auto name = ChoiceAt(root, "encoding", kEncodings))
      layout_.encoding = record::ParseTextEncoding(*name).value_or(layout_.encoding);
    if (const auto name = ChoiceAt(root, "dates", kDates))
      layout_.dates = record::ParseDateForm(*name).value_or(layout_.dates);
    if (const auto sign = ChoiceAt(root, "decimal", std::array<std::string_view, 2>{".", ","}))
      layout_.decimal_sign = sign->front();
    Location where;
    if (const auto text = TextAt(root, "list_separator", where)) layout_.list_separator = *text;
    if (layout_.form.separator == layout_.form.quote) {
      Fault(Location{file_, 1, 1, ""}, "delimiter and quote are the same");
    }
  }

  void AddEntries(const toml::table& table, const std::string& prefix, std::vector<Entry>& entries) {
    for (const auto& [key, value] : table) {
      Entry entry{prefix + std::string(key.str()), "", At(key.source()), At(value.source())};
      if (const toml::table* nested = value.as_table()) {
        AddEntries(*nested, entry.key + ".", entries);
        continue;
      }
      if (const auto text = value.value_exact<std::string>()) {
        entry.text = *text;
      } else if (const auto number = value.value_exact<std::int64_t>()) {
        entry.text = std::to_string(*number);
      } else if (const auto boolean = value.value_exact<bool>()) {
        entry.text = *boolean ? "true" : "false";
      } else {
        Fault(entry.value_at, "a text in quotes is expected");
        continue;
      }
      entries.push_back(std::move(entry));
    }
  }

  std::vector<Entry> Entries(const toml::table& root, std::string_view section) {
    std::vector<Entry> entries;
    const toml::node* node = root.get(section);
    if (node == nullptr) return entries;
    if (const toml::table* table = node->as_table()) {
      AddEntries(*table, "", entries);
    } else {
      Fault(At(node->source()), "write [" + std::string(section) + "] as a section");
    }
    // In the order of the file: a table holds its keys sorted.
    std::ranges::sort(entries, {},
                      [](const Entry& entry) { return std::pair(entry.key_at.line, entry.key_at.column); });
    return entries;
  }

  std::optional<ColumnPath> PathOf(const std::string& text, const Location& where) {
    auto path = ColumnPath::Parse(text, model_);
    if (path) return std::move(*path);
    Fault(where, "'" + text + "': " + path.error().message +
                     (path.error().code == Code::kNotFound ? DidYouMean(text, paths_) : ""));
    return std::nullopt;
  }

  // Two columns for one value would contradict each other sooner or later.
  void CheckFree(const ColumnPath& path, const Location& where) {
    const bool is_taken = std::ranges::any_of(layout_.columns,
                                              [&](const record::DeclaredColumn& other) {
                                                return other.path && other.path->text() == path.text();
                                              }) ||
                          std::ranges::any_of(layout_.fixed, [&](const record::FixedValue& other) {
                            return other.path.text() == path.text();
                          });
    if (is_taken) Fault(where, path.text() + " has a column or a fixed value already");
  }

  void AddColumn(const Entry& entry) {
    record::DeclaredColumn column;
    column.header = entry.key;
    if (!entry.text.empty()) {
      column.path = PathOf(entry.text, entry.value_at);
      if (!column.path) return;
      CheckFree(*column.path, entry.value_at);
    }
    layout_.columns.push_back(std::move(column));
  }

  void AddFixed(const Entry& entry) {
    const auto path = PathOf(entry.key, entry.key_at);
    if (!path) return;
    CheckFree(*path, entry.key_at);
    CheckText(*path, entry.text, entry.value_at);
    layout_.fixed.push_back({*path, entry.text});
  }

  // Whether the record model would take the text.
  void CheckText(const ColumnPath& path, const std::string& text, const Location& where) {
    if (text.empty()) return;
    Arena arena;
    record::TableColumn column;
    column.path = path;
    column.number = 1;
    fhir::Node* tree = record::RowTree({{text, 1, 1}}, {column}, layout_, 1, arena);
    Issues issues;
    record::CheckStructure(*tree, model_, "", issues);
    const auto wrong = std::ranges::find_if(issues, [](const Issue& issue) {
      return issue.code == Code::kType || issue.code == Code::kNotAllowed;
    });
    if (wrong == issues.end()) return;
    const auto& codes = path.leaf().closed_list;
    Fault(where, path.text() + ": " + wrong->message + (codes ? DidYouMean(text, *codes) : ""));
  }

  record::DeclaredColumn* ColumnOf(const std::string& header, const Location& where) {
    const auto declared = std::ranges::find(layout_.columns, header, &record::DeclaredColumn::header);
    if (declared != layout_.columns.end()) return &*declared;
    if (auto path = ColumnPath::Parse(header, model_)) {
      layout_.columns.push_back({header, std::move(*path), {}});
      return &layout_.columns.back();
    }
    std::vector<std::string> headers;
    for (const record::DeclaredColumn& column : layout_.columns) headers.push_back(column.header);
    Fault(where, "[values] speaks of a column '" + header + "' that [columns] does not name" +
                     DidYouMean(header, headers));
    return nullptr;
  }

  void ReadValues(const toml::table& root) {
    const toml::node* node = root.get("values");
    if (node == nullptr) return;
    const toml::table* table = node->as_table();
    if (table == nullptr) return Fault(At(node->source()), "write [values.\"COLUMN\"] as a section");
    for (const auto& [key, value] : *table) {
      const toml::table* pairs = value.as_table();
      if (pairs == nullptr) {
        Fault(At(key.source()), "write [values.\"" + std::string(key.str()) + "\"] as a section");
        continue;
      }
      record::DeclaredColumn* column = ColumnOf(std::string(key.str()), At(key.source()));
      if (column == nullptr) continue;
      std::vector<Entry> entries;
      AddEntries(*pairs, "", entries);
      for (const Entry& entry : entries) {
        if (column->path) CheckText(*column->path, entry.text, entry.value_at);
        column->values.emplace_back(entry.key, entry.text);
      }
    }
  }

  const std::string& file_;
  const record::RecordModel& model_;
  std::vector<std::string> paths_;
  std::vector<fml::Finding>& findings_;
  record::TableLayout layout_;
  bool has_error_ = false;
};

}  // namespace

std::optional<record::TableLayout> ParseColumns(std::string_view text, const std::string& file,
                                                const record::RecordModel& model,
                                                std::vector<fml::Finding>& findings) {
  ColumnsParser parser(file, model, findings);
  try {
    if (!parser.Read(toml::parse(text, file))) return std::nullopt;
  } catch (const toml::parse_error& error) {
    fml::Finding finding;
    finding.code = Code::kConfiguration;
    finding.where = Location{file, error.source().begin.line, error.source().begin.column, ""};
    finding.message = std::string(error.description());
    findings.push_back(std::move(finding));
    return std::nullopt;
  }
  return std::move(parser.layout());
}

std::string ColumnsPath(const std::string& columns, const std::string& map_directory) {
  if (columns.ends_with(".toml")) return columns;
  return (fs::path(map_directory) / "columns" / (columns + ".toml")).string();
}

std::vector<std::string> ColumnsFiles(const std::string& map_directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(map_directory) / "columns", error)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

Result<std::unique_ptr<const record::TableLayout>> LoadColumns(const std::string& columns,
                                                               const Configuration& configuration,
                                                               const record::RecordModel& model) {
  ADAPTER_TRY(const std::string directory, MappingsDirectory("", configuration));
  const std::string file = ColumnsPath(columns, directory);
  ADAPTER_TRY(const std::string text, ReadFile(file));
  std::vector<fml::Finding> findings;
  auto layout = ParseColumns(text, file, model, findings);
  if (!layout) {
    std::string lines = "the columns file has errors:";
    for (const fml::Finding& finding : findings) lines += "\n  " + fml::ToLine(finding);
    return Fail(Code::kConfiguration, lines);
  }
  ADAPTER_TRY(layout->time_zone, LoadTimeZone(configuration.site.time_zone));
  return std::make_unique<const record::TableLayout>(std::move(*layout));
}

bool CommandTable::Load(const pipeline::MappingSet& set, const Streams& streams) {
  if (layout_ != nullptr) return true;
  auto configuration = ConfigurationOf(global_);
  if (configuration && !map_directory_.empty()) configuration->maps.directory = map_directory_;
  auto layout = configuration
                    ? LoadColumns(columns_, *configuration, set.model())
                    : Result<std::unique_ptr<const record::TableLayout>>(Fail(configuration.error()));
  if (!layout) {
    Report(layout.error(), streams);
    return false;
  }
  layout_ = std::move(*layout);
  return true;
}

}  // namespace fhir_adapter::app
