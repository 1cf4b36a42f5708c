#include "fhir/node.h"

#include <algorithm>
#include <memory>

namespace fhir_adapter::fhir {
namespace {

constexpr std::uint32_t kFirstCapacity = 4;

Node* Make(Arena& arena, NodeKind kind) {
  Node* node = arena.Make<Node>();
  node->kind = kind;
  return node;
}

// Room for one more in an array of `T` that lives in the arena; the old one is left to the arena.
template <class T>
T* Grow(Arena& arena, T* data, std::uint32_t size, std::uint32_t& capacity) {
  if (size < capacity) return data;
  capacity = std::max(kFirstCapacity, capacity * 2);
  T* grown = arena.MakeRoom<T>(capacity);
  std::uninitialized_copy(data, data + size, grown);
  return grown;
}

}  // namespace

Node* Node::Null(Arena& arena) {
  return Make(arena, NodeKind::kNull);
}

Node* Node::Boolean(Arena& arena, bool value) {
  Node* node = Make(arena, NodeKind::kBoolean);
  node->boolean = value;
  return node;
}

Node* Node::Number(Arena& arena, std::string_view text) {
  Node* node = Make(arena, NodeKind::kNumber);
  node->text = arena.Copy(text);
  return node;
}

Node* Node::String(Arena& arena, std::string_view text) {
  Node* node = Make(arena, NodeKind::kString);
  node->text = arena.Copy(text);
  return node;
}

Node* Node::Array(Arena& arena) {
  return Make(arena, NodeKind::kArray);
}

Node* Node::Object(Arena& arena) {
  return Make(arena, NodeKind::kObject);
}

Node* Node::Find(std::string_view name) const {
  for (const Member& member : members()) {
    if (IsSameName(member.name, name)) return member.value;
  }
  return nullptr;
}

std::string_view MemberText(const Node& object, std::string_view name) {
  const Node* member = object.Find(name);
  return member != nullptr && member->is_string() ? member->text : std::string_view();
}

std::string_view MemberText(const Node* object, std::string_view name) {
  return object == nullptr ? std::string_view() : MemberText(*object, name);
}

std::string MemberString(const Node& object, std::string_view name) {
  return std::string(MemberText(object, name));
}

void Node::Set(Arena& arena, std::string_view name, Node* value) {
  for (Member& member : members()) {
    if (IsSameName(member.name, name)) {
      member.value = value;
      return;
    }
  }
  AddMember(arena, name, value);
}

void Node::AddMember(Arena& arena, std::string_view name, Node* value) {
  member_data = Grow(arena, member_data, size, capacity);
  std::construct_at(member_data + size++, name, value);
}

void Node::Append(Arena& arena, Node* item) {
  item_data = Grow(arena, item_data, size, capacity);
  std::construct_at(item_data + size++, item);
}

bool Node::Remove(std::string_view name) {
  const std::span<Member> all = members();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Member& m) { return m.name == name; });
  if (found == all.end()) return false;
  std::copy(found + 1, all.end(), found);
  --size;
  return true;
}

Node* Clone(const Node& node, Arena& arena) {
  Node* copy = arena.Make<Node>(node);
  copy->text = arena.Copy(node.text);
  copy->capacity = node.size;
  if (node.is_object()) {
    copy->member_data = arena.MakeArray<Member>(node.size);
    for (std::uint32_t i = 0; i < node.size; ++i) {
      const Member& member = node.member_data[i];
      copy->member_data[i] = Member{arena.Copy(member.name), Clone(*member.value, arena)};
    }
  } else if (node.is_array()) {
    copy->item_data = arena.MakeArray<Node*>(node.size);
    for (std::uint32_t i = 0; i < node.size; ++i) copy->item_data[i] = Clone(*node.item_data[i], arena);
  }
  return copy;
}

bool SameContent(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.size != b.size) return false;
  switch (a.kind) {
    case NodeKind::kNull:
      return true;
    case NodeKind::kBoolean:
      return a.boolean == b.boolean;
    case NodeKind::kNumber:
    case NodeKind::kString:
      return a.text == b.text;
    case NodeKind::kArray:
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(),
                        [](const Node* x, const Node* y) { return SameContent(*x, *y); });
    case NodeKind::kObject:
      break;
  }
  // Names are unique in an object, so equal sizes and a partner for each member mean equality.
  for (std::uint32_t i = 0; i < a.size; ++i) {
    const Member& member = a.member_data[i];
    const bool aligned = b.member_data[i].name == member.name;
    const Node* other = aligned ? b.member_data[i].value : b.Find(member.name);
    if (other == nullptr || !SameContent(*member.value, *other)) return false;
  }
  return true;
}

}  // namespace fhir_adapter::fhir
