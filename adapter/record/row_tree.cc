#include "record/row_tree.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "fhir/json_pointer.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;

bool TakeDigits(std::string_view& text) {
  const std::size_t size = text.size();
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  return text.size() < size;
}

// RFC 8259, section 6. `007`, `.5` and `5.` are none: whoever wrote them may have meant something else.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  if (!TakeDigits(text)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  return text.empty();
}

std::string_view Translated(const CsvCell& cell, const TableColumn& column) {
  if (column.values == nullptr) return cell.text;
  const auto found = std::ranges::find(*column.values, cell.text, &CellValues::value_type::first);
  return found == column.values->end() ? std::string_view(cell.text) : std::string_view(found->second);
}

class RowBuilder {
 public:
  RowBuilder(const TableLayout& layout, std::uint32_t row, Arena& arena)
      : layout_(layout), row_(row), arena_(arena), root_(Node::Object(arena)) {
    Place(*root_, 1);
  }

  void AddValue(const ColumnPath& path, std::string_view text, std::uint32_t column) {
    if (text.empty()) return;
    Node* at = root_;
    const auto& steps = path.steps();
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) at = &Below(*at, steps[i], column);
    const ModelElement& leaf = path.leaf();
    if (!leaf.is_list) {
      at->Set(arena_, leaf.name, Value(text, leaf, column));
      return;
    }
    Node& list = ListIn(*at, leaf.name, column);
    const std::string& separator = layout_.list_separator;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t found = separator.empty() ? std::string_view::npos : text.find(separator, begin);
      const std::size_t end = std::min(found, text.size());
      if (end > begin) list.Append(arena_, Value(text.substr(begin, end - begin), leaf, column));
      begin = end == text.size() ? end + 1 : end + separator.size();
    }
  }

  void AddUnknown(const TableColumn& column, std::string_view text) {
    if (text.empty()) return;
    Node* value = Node::String(arena_, text);
    Place(*value, column.number);
    ListIn(*root_, column.header, column.number).Append(arena_, value);
  }

  // A fixed value of a list's item goes into the items that cells speak of, and makes none.
  bool HasItemsOf(const ColumnPath& path) const {
    const Node* at = root_;
    for (const ColumnStep& step : path.steps()) {
      if (&step == &path.steps().back()) return true;
      const Node* next = at == nullptr ? nullptr : at->Find(step.element->name);
      if (step.element->is_list) next = ItemOf(next, step.number);
      if (next == nullptr && step.element->is_list) return false;
      at = next;
    }
    return true;
  }

  Node* root() const { return root_; }

 private:
  struct Slot {
    const Node* list = nullptr;
    std::uint32_t number = 0;
    Node* item = nullptr;
  };

  void Place(Node& node, std::uint32_t column) const {
    node.line = row_;
    node.column = column;
  }

  Node* ItemOf(const Node* list, std::uint32_t number) const {
    for (const Slot& slot : slots_) {
      if (slot.list == list && slot.number == number) return slot.item;
    }
    return nullptr;
  }

  Node& ListIn(Node& object, std::string_view name, std::uint32_t column) {
    Node* list = object.Find(name);
    if (list == nullptr) {
      list = Node::Array(arena_);
      Place(*list, column);
      object.Set(arena_, arena_.Copy(name), list);
    }
    return *list;
  }

  // The object below `node` that a step leads to, made when it is not there.
  Node& Below(Node& node, const ColumnStep& step, std::uint32_t column) {
    if (!step.element->is_list) {
      Node* object = node.Find(step.element->name);
      if (object == nullptr) {
        object = Node::Object(arena_);
        Place(*object, column);
        node.Set(arena_, arena_.Copy(step.element->name), object);
      }
      return *object;
    }
    Node& list = ListIn(node, step.element->name, column);
    if (Node* known = ItemOf(&list, step.number)) return *known;
    Node* item = Node::Object(arena_);
    Place(*item, column);
    list.Append(arena_, item);
    slots_.push_back({&list, step.number, item});
    return *item;
  }

  Node* Value(std::string_view text, const ModelElement& element, std::uint32_t column) {
    Node* node = Typed(text, element);
    Place(*node, column);
    return node;
  }

  // What is not of the element's type stays a text, which the record model refuses.
  Node* Typed(std::string_view text, const ModelElement& element) {
    switch (element.type) {
      case ValueType::kBoolean:
        if (text == "true" || text == "false") return Node::Boolean(arena_, text == "true");
        break;
      case ValueType::kInteger:
        if (IsJsonNumber(text)) return Node::Number(arena_, text);
        break;
      case ValueType::kDecimal:
        return Decimal(text);
      case ValueType::kDate:
      case ValueType::kDateTime:
      case ValueType::kInstant:
        return Node::String(arena_, ToFhirTime(text, element.type, layout_.dates, layout_.time_zone.get()));
      default:
        break;
    }
    return Node::String(arena_, text);
  }

  // With a decimal comma a point is no decimal sign: it may separate thousands, and 1.500 be meant as 1500.
  Node* Decimal(std::string_view text) {
    std::string number(text);
    if (layout_.decimal_sign != '.') {
      if (number.find('.') != std::string::npos) return Node::String(arena_, text);
      std::ranges::replace(number, layout_.decimal_sign, '.');
    }
    return IsJsonNumber(number) ? Node::Number(arena_, arena_.Copy(number)) : Node::String(arena_, text);
  }

  const TableLayout& layout_;
  std::uint32_t row_;
  Arena& arena_;
  Node* root_;
  std::vector<Slot> slots_;
};

class RowMerger {
 public:
  RowMerger(Arena& arena, Issues& issues) : arena_(arena), issues_(issues) {}

  void Object(Node& into, const Node& from, const ModelElement& element) {
    for (const fhir::Member& member : from.members()) {
      const std::size_t length = pointer_.size();
      fhir::AppendPointerToken(member.name, pointer_);
      Node* existing = into.Find(member.name);
      const ModelElement* child = element.Find(member.name);
      if (existing == nullptr) {
        into.AddMember(arena_, member.name, member.value);
      } else if (child == nullptr || child->is_list) {
        List(*existing, *member.value, child);
      } else if (child->type == ValueType::kObject) {
        Object(*existing, *member.value, *child);
      } else if (!fhir::SameContent(*existing, *member.value)) {
        issues_.push_back({Code::kCsvRows, Location{"", member.value->line, member.value->column, pointer_},
                           "row " + std::to_string(existing->line) + " of the same record says otherwise"});
      }
      pointer_.resize(length);
    }
  }

 private:
  void List(Node& into, const Node& from, const ModelElement* element) {
    for (Node* item : from.items()) {
      std::size_t at = 0;
      while (at < into.size && !IsSame(*into.items()[at], *item, element)) ++at;
      const std::size_t length = pointer_.size();
      fhir::AppendPointerIndex(at, pointer_);
      if (at == into.size) {
        into.Append(arena_, item);
      } else if (element != nullptr && item->is_object()) {
        Object(*into.items()[at], *item, *element);
      }
      pointer_.resize(length);
    }
  }

  static bool IsSame(const Node& a, const Node& b, const ModelElement* element) {
    if (element != nullptr && element->type == ValueType::kObject) {
      const auto key = std::ranges::find_if(element->children, &ModelElement::is_row_key);
      if (key != element->children.end()) {
        const Node* of_a = a.Find(key->name);
        const Node* of_b = b.Find(key->name);
        if (of_a != nullptr && of_b != nullptr) return fhir::SameContent(*of_a, *of_b);
      }
    }
    return fhir::SameContent(a, b);
  }

  Arena& arena_;
  Issues& issues_;
  std::string pointer_;
};

}  // namespace

Node* RowTree(const std::vector<CsvCell>& cells, const std::vector<TableColumn>& columns,
              const TableLayout& layout, std::uint32_t row, Arena& arena) {
  RowBuilder builder(layout, row, arena);
  for (const TableColumn& column : columns) {
    const CsvCell& cell = cells[column.number - 1];
    if (column.is_unknown) {
      builder.AddUnknown(column, cell.text);
    } else if (column.path) {
      builder.AddValue(*column.path, Translated(cell, column), column.number);
    }
  }
  for (const FixedValue& fixed : layout.fixed) {
    if (builder.HasItemsOf(fixed.path)) builder.AddValue(fixed.path, fixed.text, 1);
  }
  return builder.root();
}

void MergeRow(Node& record, const Node& row, const RecordModel& model, Arena& arena, Issues& issues) {
  RowMerger(arena, issues).Object(record, row, model.root());
}

}  // namespace fhir_adapter::record
