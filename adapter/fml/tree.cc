#include "fml/tree.h"

#include <algorithm>

namespace fhir_adapter::fml {

using fhir::Member;
using fhir::Node;
using fhir::NodeKind;

void Freeze(Node& node) {
  node.line = 0;
  node.column = kFrozenColumn;
  for (const Member& member : node.members()) Freeze(*member.value);
  for (Node* item : node.items()) Freeze(*item);
}

Node* MakeText(std::string_view text, Arena& arena) {
  Node* node = arena.Make<Node>();
  node->kind = NodeKind::kString;
  node->text = text;
  return node;
}

Node* MakeNumber(std::string_view text, Arena& arena) {
  Node* node = arena.Make<Node>();
  node->kind = NodeKind::kNumber;
  node->text = text;
  return node;
}

Node* CopyTree(const Node& node, Arena& arena, CopyCount& count) {
  ++count.elements;
  count.bytes += node.text.size() + 8;
  Node* copy = arena.Make<Node>();
  copy->kind = node.kind;
  copy->boolean = node.boolean;
  copy->text = node.text;
  if (node.is_object()) {
    Member* members = arena.MakeArray<Member>(node.size);
    for (std::uint32_t i = 0; i < node.size; ++i) {
      count.bytes += node.member_data[i].name.size();
      members[i] = Member{node.member_data[i].name, CopyTree(*node.member_data[i].value, arena, count)};
    }
    copy->member_data = members;
    copy->size = copy->capacity = node.size;
  } else if (node.is_array()) {
    Node** items = arena.MakeArray<Node*>(node.size);
    for (std::uint32_t i = 0; i < node.size; ++i) items[i] = CopyTree(*node.item_data[i], arena, count);
    copy->item_data = items;
    copy->size = copy->capacity = node.size;
  }
  return copy;
}

namespace {

bool HoldsSomething(const Node& array) {
  return std::any_of(array.items().begin(), array.items().end(),
                     [](const Node* item) { return !item->is_null(); });
}

bool PruneArray(Node& array, bool keeps_places, Arena& arena) {
  std::uint32_t kept = 0;
  for (Node* item : array.items()) {
    if (!item->is_null() && Prune(*item, arena)) {
      array.item_data[kept++] = item;
    } else if (keeps_places) {
      array.item_data[kept++] = Node::Null(arena);
    }
  }
  array.size = kept;
  return keeps_places ? HoldsSomething(array) : kept > 0;
}

// `name` pairs with `_name`: both keep their places.
bool IsPaired(const Node& object, std::string_view name) {
  if (name.starts_with("_")) return object.Find(name.substr(1)) != nullptr;
  for (const Member& member : object.members()) {
    if (member.name.size() == name.size() + 1 && member.name[0] == '_' && member.name.substr(1) == name) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool Prune(Node& node, Arena& arena) {
  if (IsFrozen(node)) return true;
  if (node.is_array()) return PruneArray(node, false, arena);
  if (!node.is_object()) return true;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < node.size; ++i) {
    const Member member = node.member_data[i];
    Node& value = *member.value;
    const bool stays = value.is_array() ? PruneArray(value, IsPaired(node, member.name), arena)
                                        : (!value.is_null() && Prune(value, arena));
    if (stays) node.member_data[kept++] = member;
  }
  node.size = kept;
  return kept > 0;
}

}  // namespace fhir_adapter::fml
