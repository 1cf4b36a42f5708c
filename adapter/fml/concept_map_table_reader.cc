#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fml/concept_map_table.h"
#include "fml/concept_map_table_columns.h"
#include "fml/suggestion.h"
#include "record/csv_row.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Node;
using internal::kTableColumnNames;
using internal::kTableColumns;
using record::CsvCell;
using record::CsvRowReader;
using Column = internal::TableColumn;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// 4.06188E+08: what a spreadsheet makes of 406188003.
bool IsSpreadsheetNumber(std::string_view text) {
  const std::size_t e = text.find("E+");
  if (e == std::string_view::npos || e == 0) return false;
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const std::string_view mantissa = text.substr(0, e);
  const std::string_view exponent = text.substr(e + 2);
  return is_digit(mantissa.front()) && !exponent.empty() && std::ranges::all_of(exponent, is_digit) &&
         std::ranges::all_of(mantissa, [&](char c) { return is_digit(c) || c == '.' || c == ','; });
}

class TableReader {
 public:
  TableReader(std::string_view bytes, std::string_view file, Arena& arena)
      : text_(bytes), file_(file), arena_(arena) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  Result<Node*> Run() {
    root_ = Node::Object(arena_);
    root_->line = root_->column = 1;
    root_->AddMember(arena_, "resourceType", Node::String(arena_, "ConceptMap"));
    ADAPTER_CHECK(Head());
    ADAPTER_CHECK(Rows());
    ADAPTER_CHECK(GroupMembers());
    return root_;
  }

 private:
  struct GroupMember {
    std::size_t group = 0;
    std::string_view name;
    Node* value = nullptr;
  };

  Failure FaultAt(std::uint32_t line, std::uint32_t column, std::string message) const {
    return Fail(Code::kSyntax, std::move(message), Location{file_, line, column, ""});
  }
  Failure FaultAt(const CsvCell& cell, std::string message) const {
    return FaultAt(cell.line, cell.column, std::move(message));
  }

  // The lines that begin with #.
  Result<void> Head() {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      std::string_view line = Trim(text_.substr(0, end));
      std::string unquoted;
      if (line.starts_with("\"#")) {
        CsvRowReader reader(line, {kSeparators[0]}, file_, line_);
        ADAPTER_TRY(const std::vector<CsvCell> cells, reader.Next());
        unquoted = cells.front().text;
        line = unquoted;
      } else if (line.starts_with('#')) {
        // What a spreadsheet puts behind to fill the row.
        while (!line.empty() && kSeparators.find(line.back()) != std::string_view::npos)
          line.remove_suffix(1);
      } else if (!line.empty()) {
        return {};
      }
      if (!line.empty()) ADAPTER_CHECK(HeadLine(Trim(line.substr(1))));
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++line_;
    }
    return FaultAt(line_, 1, "there is no line with the names of the columns");
  }

  Result<void> HeadLine(std::string_view line) {
    const std::size_t sign = line.find_first_of(":=");
    if (sign == std::string_view::npos) {
      return FaultAt(line_, 1, "a line with # is `# name: text` or `# name = JSON`");
    }
    const std::string_view name = Trim(line.substr(0, sign));
    const std::string_view text = Trim(line.substr(sign + 1));
    if (name.empty() || text.empty()) return FaultAt(line_, 1, "a line with # needs a name and a value");
    Node* value = nullptr;
    if (line[sign] == ':') {
      value = Text(text, line_, 1);
    } else {
      ADAPTER_TRY(value, Json(text, line_, 1));
    }
    if (name == "unmapped-policy") return Policy(*value);
    if (name.starts_with("group ")) return GroupLine(name.substr(6), value);
    if (name == "resourceType" || name == "group" || root_->Find(name) != nullptr) {
      return FaultAt(line_, 1, "the element " + std::string(name) + " cannot stand here (again)");
    }
    root_->AddMember(arena_, arena_.Copy(name), value);
    return {};
  }

  Result<void> Policy(const Node& value) {
    if (root_->Find("extension") != nullptr) {
      return FaultAt(line_, 1, "unmapped-policy and extension cannot both stand here");
    }
    Node* extension = Node::Object(arena_);
    extension->AddMember(arena_, "url", Node::String(arena_, internal::kUnmappedPolicyUrl));
    extension->AddMember(arena_, "valueCode", Node::String(arena_, value.text));
    Node* extensions = Node::Array(arena_);
    extensions->Append(arena_, extension);
    root_->AddMember(arena_, "extension", extensions);
    return {};
  }

  Result<void> GroupLine(std::string_view text, Node* value) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view name = Trim(text.substr(static_cast<std::size_t>(end - text.data())));
    const bool is_known = name == "source" || name == "target" || name == "sourceVersion" ||
                          name == "targetVersion" || name == "element";
    if (error != std::errc() || number == 0 || name.empty() || is_known) {
      return FaultAt(line_, 1, "expected `# group NUMBER name = JSON`, and no name that has a column");
    }
    group_members_.push_back({number, arena_.Copy(name), value});
    return {};
  }

  Node* Text(std::string_view text, std::uint32_t line, std::uint32_t column) {
    Node* node = Node::String(arena_, text);
    node->line = line;
    node->column = column;
    return node;
  }

  Result<Node*> Json(std::string_view text, std::uint32_t line, std::uint32_t column) {
    auto node = fhir::ReadJson(arena_.Copy(text), arena_);
    if (!node) return FaultAt(line, column, "not JSON: " + node.error().message);
    (*node)->line = line;
    (*node)->column = column;
    return *node;
  }

  Result<void> Rows() {
    const std::string_view header = text_.substr(0, text_.find('\n'));
    const std::size_t found = header.find_first_of(kSeparators);
    const record::CsvForm form{found == std::string_view::npos ? ',' : header[found]};
    CsvRowReader rows(text_, form, file_, line_);
    ADAPTER_TRY(const std::vector<CsvCell> names, rows.Next());
    ADAPTER_CHECK(Columns(names));
    while (!rows.at_end()) {
      ADAPTER_TRY(const std::vector<CsvCell> cells, rows.Next());
      const bool is_blank =
          std::ranges::all_of(cells, [](const CsvCell& cell) { return Trim(cell.text).empty(); });
      if (!is_blank) ADAPTER_CHECK(Row(cells));
    }
    return {};
  }

  Result<void> Columns(const std::vector<CsvCell>& names) {
    columns_.fill(kNoColumn);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = Trim(names[i].text);
      const auto known = std::ranges::find(kTableColumnNames, name);
      if (name.empty()) continue;
      if (known == kTableColumnNames.end()) {
        return FaultAt(names[i], "unknown column " + std::string(name) +
                                     Suggest(name, {kTableColumnNames.begin(), kTableColumnNames.end()}));
      }
      std::size_t& column = columns_[static_cast<std::size_t>(known - kTableColumnNames.begin())];
      if (column != kNoColumn) return FaultAt(names[i], "a second column " + std::string(name));
      column = i;
    }
    for (const Column column : {Column::kCode, Column::kTargetCode}) {
      if (columns_[static_cast<std::size_t>(column)] != kNoColumn) continue;
      return FaultAt(names.front(), "there is no column " +
                                        std::string(kTableColumnNames[static_cast<std::size_t>(column)]));
    }
    const bool has_both = columns_[static_cast<std::size_t>(Column::kEquivalence)] != kNoColumn &&
                          columns_[static_cast<std::size_t>(Column::kRelationship)] != kNoColumn;
    if (has_both) return FaultAt(names.front(), "equivalence is of R4 and relationship of R5: not both");
    return {};
  }

  // Null: the cell is empty.
  const CsvCell* Cell(const std::vector<CsvCell>& cells, Column column) const {
    const std::size_t index = columns_[static_cast<std::size_t>(column)];
    return index < cells.size() && !cells[index].text.empty() ? &cells[index] : nullptr;
  }
  static std::string_view TextOf(const CsvCell* cell) {
    return cell == nullptr ? std::string_view() : cell->text;
  }

  void Add(Node& node, std::string_view name, const CsvCell* cell) {
    if (cell != nullptr) node.AddMember(arena_, name, Text(cell->text, cell->line, cell->column));
  }

  Result<void> CheckCode(const CsvCell* cell) const {
    if (cell == nullptr) return {};
    if (Trim(cell->text) != cell->text) return FaultAt(*cell, "there are blanks around this code");
    if (IsSpreadsheetNumber(cell->text)) {
      return FaultAt(*cell,
                     "a spreadsheet has turned this code into a number, and digits are lost: enter it "
                     "again in a cell formatted as text");
    }
    return {};
  }

  Result<void> Row(const std::vector<CsvCell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!Trim(cells[i].text).empty() && std::ranges::find(columns_, i) == columns_.end()) {
        return FaultAt(cells[i], "this cell has no column");
      }
    }
    ADAPTER_CHECK(CheckCode(Cell(cells, Column::kCode)));
    ADAPTER_CHECK(CheckCode(Cell(cells, Column::kTargetCode)));
    const Node* more = nullptr;
    if (const CsvCell* cell = Cell(cells, Column::kMore)) {
      ADAPTER_TRY(more, Json(cell->text, cell->line, cell->column));
    }
    const Node* more_element = more == nullptr ? nullptr : more->Find("element");
    const bool is_new_group = Group(cells, more);
    const CsvCell* code = Cell(cells, Column::kCode);
    const CsvCell* display = Cell(cells, Column::kDisplay);
    const bool is_same = !is_new_group && element_ != nullptr && more_element == nullptr &&
                         MemberIs(*element_, "code", TextOf(code)) &&
                         MemberIs(*element_, "display", TextOf(display));
    if (!is_same) {
      if (code == nullptr && display == nullptr && more_element == nullptr) {
        if (is_new_group && !HasTarget(cells, more)) return {};  // a group without codes
        return FaultAt(cells.front(), "this row has no code");
      }
      StartElement(cells.front(), code, display, more_element);
    }
    return HasTarget(cells, more) ? Target(cells, more == nullptr ? nullptr : more->Find("target"))
                                  : Result<void>();
  }

  static bool MemberIs(const Node& node, std::string_view name, std::string_view text) {
    const Node* value = node.Find(name);
    return value == nullptr ? text.empty() : value->text == text;
  }

  bool HasTarget(const std::vector<CsvCell>& cells, const Node* more) const {
    for (const Column column :
         {Column::kTargetCode, Column::kTargetDisplay, Column::kEquivalence, Column::kRelationship,
          Column::kComment, Column::kDependsOn, Column::kProduct}) {
      if (Cell(cells, column) != nullptr) return true;
    }
    return more != nullptr && more->Find("target") != nullptr;
  }

  // Whether the row begins a group.
  bool Group(const std::vector<CsvCell>& cells, const Node* more) {
    static constexpr std::array<std::pair<Column, std::string_view>, 4> kMembers = {
        {{Column::kSystem, "source"},
         {Column::kSystemVersion, "sourceVersion"},
         {Column::kTargetSystem, "target"},
         {Column::kTargetVersion, "targetVersion"}}};
    bool is_same = group_ != nullptr && (more == nullptr || more->Find("group") == nullptr);
    for (const auto& [column, name] : kMembers) {
      is_same = is_same && MemberIs(*group_, name, TextOf(Cell(cells, column)));
    }
    if (is_same) return false;
    if (groups_ == nullptr) {
      groups_ = Node::Array(arena_);
      root_->AddMember(arena_, "group", groups_);
    }
    group_ = Node::Object(arena_);
    group_->line = cells.front().line;
    group_->column = cells.front().column;
    for (const auto& [column, name] : kMembers) Add(*group_, name, Cell(cells, column));
    groups_->Append(arena_, group_);
    elements_ = nullptr;
    element_ = nullptr;
    return true;
  }

  void StartElement(const CsvCell& first, const CsvCell* code, const CsvCell* display, const Node* more) {
    element_ = Node::Object(arena_);
    element_->line = code == nullptr ? first.line : code->line;
    element_->column = code == nullptr ? first.column : code->column;
    Add(*element_, "code", code);
    Add(*element_, "display", display);
    if (more != nullptr) AddMembers(*element_, *more);
    if (elements_ == nullptr) {
      elements_ = Node::Array(arena_);
      group_->AddMember(arena_, "element", elements_);
    }
    elements_->Append(arena_, element_);
  }

  void AddMembers(Node& node, const Node& more) {
    for (const fhir::Member& member : more.members()) node.Set(arena_, member.name, member.value);
  }

  Result<void> Target(const std::vector<CsvCell>& cells, const Node* more) {
    Node* target = Node::Object(arena_);
    const CsvCell* code = Cell(cells, Column::kTargetCode);
    target->line = code == nullptr ? cells.front().line : code->line;
    target->column = code == nullptr ? cells.front().column : code->column;
    Add(*target, "code", code);
    Add(*target, "display", Cell(cells, Column::kTargetDisplay));
    Add(*target, "equivalence", Cell(cells, Column::kEquivalence));
    Add(*target, "relationship", Cell(cells, Column::kRelationship));
    Add(*target, "comment", Cell(cells, Column::kComment));
    ADAPTER_CHECK(Properties(*target, "dependsOn", Cell(cells, Column::kDependsOn)));
    ADAPTER_CHECK(Properties(*target, "product", Cell(cells, Column::kProduct)));
    if (more != nullptr) AddMembers(*target, *more);
    Node* targets = element_->Find("target");
    if (targets == nullptr) {
      targets = Node::Array(arena_);
      element_->AddMember(arena_, "target", targets);
    }
    targets->Append(arena_, target);
    return {};
  }

  // `property=value; property=value`, or the JSON of the element.
  Result<void> Properties(Node& target, std::string_view name, const CsvCell* cell) {
    if (cell == nullptr) return {};
    if (cell->text.starts_with('[')) {
      ADAPTER_TRY(Node * list, Json(cell->text, cell->line, cell->column));
      target.AddMember(arena_, name, list);
      return {};
    }
    Node* list = Node::Array(arena_);
    std::string_view rest = cell->text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view part = Trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t sign = part.find('=');
      if (sign == std::string_view::npos || sign == 0 || sign + 1 == part.size()) {
        return FaultAt(*cell, "expected property=value; property=value");
      }
      Node* property = Node::Object(arena_);
      property->AddMember(arena_, "property", Text(Trim(part.substr(0, sign)), cell->line, cell->column));
      property->AddMember(arena_, "value", Text(Trim(part.substr(sign + 1)), cell->line, cell->column));
      list->Append(arena_, property);
    }
    target.AddMember(arena_, name, list);
    return {};
  }

  Result<void> GroupMembers() {
    for (const GroupMember& member : group_members_) {
      if (groups_ == nullptr || member.group > groups_->items().size()) {
        return FaultAt(member.value->line, 1, "there is no group " + std::to_string(member.group));
      }
      groups_->items()[member.group - 1]->Set(arena_, member.name, member.value);
    }
    return {};
  }

  static constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);
  static constexpr std::string_view kSeparators = ",;\t";

  std::string_view text_;
  std::string file_;
  Arena& arena_;
  std::uint32_t line_ = 1;
  Node* root_ = nullptr;
  Node* groups_ = nullptr;
  Node* group_ = nullptr;
  Node* elements_ = nullptr;
  Node* element_ = nullptr;
  std::array<std::size_t, kTableColumns> columns_{};
  std::vector<GroupMember> group_members_;
};

}  // namespace

bool IsConceptMapTable(std::string_view bytes) {
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  return bytes.starts_with('#') || bytes.starts_with("\"#");
}

Result<Node*> ReadConceptMapTable(std::string_view bytes, std::string_view file, Arena& arena) {
  if (bytes.size() > limits::kMapFileBytesMax) {
    return Fail(Code::kLimit, "the table has more bytes than kMapFileBytesMax",
                Location{std::string(file), 0, 0, ""});
  }
  return TableReader(bytes, file, arena).Run();
}

}  // namespace fhir_adapter::fml
