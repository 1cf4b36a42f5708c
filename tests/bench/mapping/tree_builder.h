// TreeBuilder: short ways to make Node trees by hand.
//
// Texts are not copied: they must outlive the arena's content, as constants and texts of the record do; Join
// makes one in the arena. Members and items that are null are left out. Not thread-safe.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "fhir/node.h"

namespace fhir_adapter::bench {

struct Coding {
  std::string_view system;
  std::string_view code;
  std::string_view display;  // empty: none
};

// A row of a code table.
struct Concept {
  std::string_view key;
  std::span<const Coding> codings;
  std::string_view text;  // empty: none
};

class TreeBuilder {
 public:
  explicit TreeBuilder(Arena& arena) : arena_(arena) {}

  fhir::Node* Text(std::string_view text) {
    fhir::Node* node = arena_.Make<fhir::Node>();
    node->kind = fhir::NodeKind::kString;
    node->text = text;
    return node;
  }

  fhir::Node* TextOrNull(std::string_view text) { return text.empty() ? nullptr : Text(text); }

  fhir::Node* Boolean(bool value) { return fhir::Node::Boolean(arena_, value); }

  std::string_view Join(std::initializer_list<std::string_view> parts) { return arena_.Join(parts); }

  fhir::Node* Object(std::initializer_list<fhir::Member> members) {
    fhir::Node* object = fhir::Node::Object(arena_);
    object->member_data = arena_.MakeArray<fhir::Member>(members.size());
    object->capacity = static_cast<std::uint32_t>(members.size());
    for (const fhir::Member& member : members) {
      if (member.value != nullptr) object->member_data[object->size++] = member;
    }
    return object;
  }

  // Null when nothing is left.
  fhir::Node* List(std::span<fhir::Node* const> items) {
    fhir::Node* list = fhir::Node::Array(arena_);
    list->item_data = arena_.MakeArray<fhir::Node*>(items.size());
    list->capacity = static_cast<std::uint32_t>(items.size());
    for (fhir::Node* item : items) {
      if (item != nullptr) list->item_data[list->size++] = item;
    }
    return list->size == 0 ? nullptr : list;
  }

  fhir::Node* List(std::initializer_list<fhir::Node*> items) {
    return List(std::span<fhir::Node* const>(items.begin(), items.size()));
  }

  fhir::Node* CodingOf(const Coding& coding) {
    return Object({{"system", Text(coding.system)},
                   {"code", Text(coding.code)},
                   {"display", TextOrNull(coding.display)}});
  }

  fhir::Node* ConceptOf(const Concept& row) {
    fhir::Node* codings = fhir::Node::Array(arena_);
    for (const Coding& coding : row.codings) codings->Append(arena_, CodingOf(coding));
    return Object({{"coding", codings->size == 0 ? nullptr : codings}, {"text", TextOrNull(row.text)}});
  }

  // Null when the table has no such row, or there is no code.
  fhir::Node* Translate(std::span<const Concept> table, const fhir::Node* code) {
    if (code == nullptr) return nullptr;
    for (const Concept& row : table) {
      if (row.key == code->text) return ConceptOf(row);
    }
    return nullptr;
  }

  fhir::Node* CodeOnly(std::string_view system, std::string_view code) {
    return Object({{"coding", List({CodingOf({system, code, {}})})}});
  }

  fhir::Node* Quantity(fhir::Node* value, fhir::Node* unit) {
    return Object(
        {{"value", value}, {"unit", unit}, {"system", Text("http://unitsofmeasure.org")}, {"code", unit}});
  }

  // {value, unit} of a record; null when there is none.
  fhir::Node* Amount(const fhir::Node* amount) {
    return amount == nullptr ? nullptr : Quantity(amount->Find("value"), amount->Find("unit"));
  }

  fhir::Node* ReferenceTo(std::string_view target) { return Object({{"reference", Text(target)}}); }

 private:
  Arena& arena_;
};

}  // namespace fhir_adapter::bench
