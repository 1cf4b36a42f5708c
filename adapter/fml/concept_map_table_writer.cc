#include <algorithm>
#include <array>
#include <vector>

#include "fhir/json_writer.h"
#include "fml/concept_map_table.h"
#include "fml/concept_map_table_columns.h"
#include "record/csv_row.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Node;
using internal::kTableColumnNames;
using internal::kTableColumns;
using record::CsvText;
using Column = internal::TableColumn;
using Row = std::array<std::string, kTableColumns>;

std::string& At(Row& row, Column column) {
  return row[static_cast<std::size_t>(column)];
}

std::span<Node* const> ItemsOf(const Node* list) {
  return list == nullptr ? std::span<Node* const>() : list->items();
}

// The members that have no column, as a JSON object; empty: there is none.
std::string Others(const Node& node, std::initializer_list<std::string_view> known) {
  std::string out;
  for (const fhir::Member& member : node.members()) {
    if (std::ranges::find(known, member.name) != known.end() &&
        (member.value->is_string() || member.value->is_array())) {
      continue;
    }
    out += out.empty() ? "{" : ",";
    fhir::WriteJsonString(member.name, out);
    out += ":" + fhir::ToJson(*member.value);
  }
  return out.empty() ? out : out + "}";
}

std::string Properties(const Node* list) {
  if (list == nullptr) return "";
  std::string out;
  for (const Node* item : list->items()) {
    const std::string property = MemberString(*item, "property");
    const std::string value = MemberString(*item, "value");
    const bool is_plain = item->members().size() == 2 && !property.empty() && !value.empty() &&
                          property.find_first_of("=; ") == std::string::npos &&
                          value.find(';') == std::string::npos && !value.starts_with(' ') &&
                          !value.ends_with(' ') && !property.starts_with('[');
    if (!is_plain) return fhir::ToJson(*list);
    out += (out.empty() ? "" : "; ") + property + "=" + value;
  }
  return out;
}

class TableWriter {
 public:
  explicit TableWriter(const Node& concept_map) : concept_map_(concept_map) {}

  std::string Run() {
    Head();
    const std::span<Node* const> groups = ItemsOf(concept_map_.Find("group"));
    for (const Node* group : groups) Group(*group);
    std::array<bool, kTableColumns> is_used{};
    for (const Column column : {Column::kSystem, Column::kCode, Column::kDisplay, Column::kTargetSystem,
                                Column::kTargetCode, Column::kTargetDisplay, Column::kComment}) {
      is_used[static_cast<std::size_t>(column)] = true;
    }
    for (const Row& row : rows_) {
      for (std::size_t i = 0; i < kTableColumns; ++i) is_used[i] = is_used[i] || !row[i].empty();
    }
    const bool is_r5 = is_used[static_cast<std::size_t>(Column::kRelationship)];
    if (!is_r5) is_used[static_cast<std::size_t>(Column::kEquivalence)] = true;
    Row names;
    std::ranges::copy(kTableColumnNames, names.begin());
    Line(names, is_used);
    for (const Row& row : rows_) Line(row, is_used);
    return std::move(out_);
  }

 private:
  void Head() {
    for (const fhir::Member& member : concept_map_.members()) {
      if (member.name == "resourceType" || member.name == "group") continue;
      if (member.name == "extension" && IsPolicy(*member.value)) {
        HeadLine("# unmapped-policy: " + std::string(member.value->items()[0]->Find("valueCode")->text));
        continue;
      }
      const std::string_view text = member.value->text;
      const bool is_plain = member.value->is_string() && !text.empty() && !text.starts_with(' ') &&
                            !text.ends_with(' ') && text.find_first_of("\r\n\t") == std::string_view::npos;
      HeadLine("# " + std::string(member.name) +
               (is_plain ? ": " + std::string(text) : " = " + fhir::ToJson(*member.value)));
    }
    std::size_t number = 0;
    for (const Node* group : ItemsOf(concept_map_.Find("group"))) {
      ++number;
      for (const fhir::Member& member : group->members()) {
        static constexpr std::array<std::string_view, 5> kColumns = {"source", "sourceVersion", "target",
                                                                     "targetVersion", "element"};
        if (std::ranges::find(kColumns, member.name) != kColumns.end()) continue;
        HeadLine("# group " + std::to_string(number) + " " + std::string(member.name) + " = " +
                 fhir::ToJson(*member.value));
      }
    }
  }

  static bool IsPolicy(const Node& extensions) {
    if (extensions.items().size() != 1) return false;
    const Node& extension = *extensions.items()[0];
    return extension.members().size() == 2 &&
           MemberString(extension, "url") == internal::kUnmappedPolicyUrl &&
           !MemberString(extension, "valueCode").empty();
  }

  void HeadLine(const std::string& text) { out_ += CsvText(text, ',') + "\n"; }

  void Group(const Node& group) {
    Row row;
    At(row, Column::kSystem) = MemberString(group, "source");
    At(row, Column::kSystemVersion) = MemberString(group, "sourceVersion");
    At(row, Column::kTargetSystem) = MemberString(group, "target");
    At(row, Column::kTargetVersion) = MemberString(group, "targetVersion");
    const bool is_same_key =
        !rows_.empty() &&
        std::ranges::all_of(std::array{Column::kSystem, Column::kSystemVersion, Column::kTargetSystem,
                                       Column::kTargetVersion},
                            [&](Column column) { return At(row, column) == At(rows_.back(), column); });
    const std::span<Node* const> elements = ItemsOf(group.Find("element"));
    if (elements.empty()) rows_.push_back(row);
    bool is_first = true;
    for (const Node* element : elements) {
      Element(*element, row, is_first, is_first && is_same_key);
      is_first = false;
    }
  }

  void Element(const Node& element, Row row, bool is_first, bool needs_group_mark) {
    At(row, Column::kCode) = MemberString(element, "code");
    At(row, Column::kDisplay) = MemberString(element, "display");
    std::string others = Others(element, {"code", "display", "target"});
    const bool looks_the_same = !is_first && At(row, Column::kCode) == At(rows_.back(), Column::kCode) &&
                                At(row, Column::kDisplay) == At(rows_.back(), Column::kDisplay);
    const bool has_neither = At(row, Column::kCode).empty() && At(row, Column::kDisplay).empty();
    if (others.empty() && (looks_the_same || has_neither)) others = "{}";
    const std::span<Node* const> targets = ItemsOf(element.Find("target"));
    for (std::size_t i = 0; i < std::max<std::size_t>(targets.size(), 1); ++i) {
      Row line = row;
      std::string more;
      const auto add = [&more](std::string_view name, const std::string& value) {
        if (!value.empty()) more += (more.empty() ? "{\"" : ",\"") + std::string(name) + "\":" + value;
      };
      if (i == 0) add("group", needs_group_mark ? "true" : "");
      if (i == 0) add("element", others);
      if (i < targets.size()) add("target", Target(*targets[i], line));
      if (!more.empty()) At(line, Column::kMore) = more + "}";
      rows_.push_back(std::move(line));
    }
  }

  // What has no column.
  static std::string Target(const Node& target, Row& row) {
    At(row, Column::kTargetCode) = MemberString(target, "code");
    At(row, Column::kTargetDisplay) = MemberString(target, "display");
    At(row, Column::kEquivalence) = MemberString(target, "equivalence");
    At(row, Column::kRelationship) = MemberString(target, "relationship");
    At(row, Column::kComment) = MemberString(target, "comment");
    At(row, Column::kDependsOn) = Properties(target.Find("dependsOn"));
    At(row, Column::kProduct) = Properties(target.Find("product"));
    std::string others =
        Others(target, {"code", "display", "equivalence", "relationship", "comment", "dependsOn", "product"});
    return target.members().empty() ? "{}" : others;
  }

  void Line(const Row& row, const std::array<bool, kTableColumns>& is_used) {
    std::string line;
    bool is_first = true;
    for (std::size_t i = 0; i < kTableColumns; ++i) {
      if (!is_used[i]) continue;
      if (!is_first) line += ",";
      line += CsvText(row[i], ',');
      is_first = false;
    }
    out_ += line + "\n";
  }

  const Node& concept_map_;
  std::vector<Row> rows_;
  std::string out_;
};

}  // namespace

Result<std::string> WriteConceptMapTable(const Node& concept_map) {
  std::string table = TableWriter(concept_map).Run();
  Arena arena;
  const auto again = ReadConceptMapTable(table, "", arena);
  if (!again) return Fail(Code::kSemantic, "a table cannot hold this ConceptMap: " + again.error().message);
  if (fhir::SameContent(**again, concept_map)) return table;
  const std::span<Node* const> before = ItemsOf(concept_map.Find("group"));
  const std::span<Node* const> after = ItemsOf((*again)->Find("group"));
  std::size_t group = 0;
  while (group < std::min(before.size(), after.size()) && fhir::SameContent(*before[group], *after[group]))
    ++group;
  const Node& place = group < before.size() ? *before[group] : concept_map;
  return Fail(Code::kSemantic,
              "a table cannot hold all of this ConceptMap; what is lost is " +
                  (group < before.size() ? "in its group " + std::to_string(group + 1)
                                         : std::string("outside its groups")),
              Location{"", place.line, place.column, ""});
}

}  // namespace fhir_adapter::fml
