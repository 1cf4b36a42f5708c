// Node: one value of a JSON tree that keeps what JSON readers usually lose: the digits of numbers, the order
// of members, and the position in the source. Local records and FHIR resources are both such trees.
//
// Nodes live in an Arena and are freed with it. A tree is not thread-safe while it is being built; a finished
// tree may be read from any thread. Texts are views into the arena (or static storage).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/arena.h"

namespace fhir_adapter::fhir {

enum class NodeKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

struct Node;

// Equality of names, most of which differ in length or are one and the same text of the schema.
inline bool IsSameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.data() == b.data() || (a == b));
}

struct Member {
  std::string_view name;
  Node* value = nullptr;
};

struct Node {
  NodeKind kind = NodeKind::kNull;
  bool boolean = false;
  std::uint32_t line = 0;    // 1-based; 0 when the node was not read from a text
  std::uint32_t column = 0;  // 1-based, in bytes
  std::uint32_t size = 0;    // members or items
  std::uint32_t capacity = 0;
  std::string_view text;  // kString: the unescaped UTF-8; kNumber: the number as it was written
  union {
    Member* member_data = nullptr;  // kObject, in source order
    Node** item_data;               // kArray
  };

  static Node* Null(Arena& arena);
  static Node* Boolean(Arena& arena, bool value);
  // The text must be a JSON number; it is kept digit for digit.
  static Node* Number(Arena& arena, std::string_view text);
  static Node* String(Arena& arena, std::string_view text);  // copies the text
  static Node* Array(Arena& arena);
  static Node* Object(Arena& arena);

  bool is_object() const { return kind == NodeKind::kObject; }
  bool is_array() const { return kind == NodeKind::kArray; }
  bool is_string() const { return kind == NodeKind::kString; }
  bool is_number() const { return kind == NodeKind::kNumber; }
  bool is_null() const { return kind == NodeKind::kNull; }

  std::span<Member> members() const {
    return is_object() ? std::span(member_data, size) : std::span<Member>();
  }
  std::span<Node*> items() const { return is_array() ? std::span(item_data, size) : std::span<Node*>(); }

  // The member's value, or null. Linear: objects of records and resources are small.
  Node* Find(std::string_view name) const;
  // Replaces or appends. `name` must outlive the arena's content (schema names and arena copies do).
  void Set(Arena& arena, std::string_view name, Node* value);
  // Appends without looking for the name; for readers that have checked it.
  void AddMember(Arena& arena, std::string_view name, Node* value);
  void Append(Arena& arena, Node* item);
  bool Remove(std::string_view name);
};

// The text of a member that is a string; empty when it is missing or is something else.
std::string_view MemberText(const Node& object, std::string_view name);
std::string_view MemberText(const Node* object, std::string_view name);  // null: has no members
// A copy of it, for what outlives the arena.
std::string MemberString(const Node& object, std::string_view name);

// A deep copy into `arena`, texts included.
Node* Clone(const Node& node, Arena& arena);

// Same kind, same texts (digits of numbers included), same items in order; members in any order.
bool SameContent(const Node& a, const Node& b);

}  // namespace fhir_adapter::fhir
