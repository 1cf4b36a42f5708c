#include "fhir/json_pointer.h"

#include <algorithm>
#include <charconv>

#include "fhir/json_reader.h"

namespace fhir_adapter::fhir {
namespace {

bool AppendPathTo(const Node& node, const Node& target, std::string& pointer) {
  if (&node == &target) return true;
  const std::size_t length = pointer.size();
  for (const Member& member : node.members()) {
    AppendPointerToken(member.name, pointer);
    if (member.value != nullptr && AppendPathTo(*member.value, target, pointer)) return true;
    pointer.resize(length);
  }
  std::size_t index = 0;
  for (const Node* item : node.items()) {
    AppendPointerIndex(index++, pointer);
    if (AppendPathTo(*item, target, pointer)) return true;
    pointer.resize(length);
  }
  return false;
}

std::string Unescape(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      name.push_back(token[++i] == '0' ? '~' : '/');
    } else {
      name.push_back(token[i]);
    }
  }
  return name;
}

const Node* ItemAt(const Node& array, std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool canonical = token == "0" || (!token.empty() && token.front() != '0');
  if (error != std::errc() || end != token.data() + token.size() || !canonical) return nullptr;
  return index < array.items().size() ? array.items()[index] : nullptr;
}

}  // namespace

void AppendPointerToken(std::string_view name, std::string& pointer) {
  pointer.push_back('/');
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer.push_back(c);
    }
  }
}

void AppendPointerIndex(std::size_t index, std::string& pointer) {
  pointer.push_back('/');
  pointer += std::to_string(index);
}

std::string PointerTo(const Node& root, const Node& target) {
  std::string pointer;
  AppendPathTo(root, target, pointer);
  return pointer;
}

const Node* AtPointer(const Node& root, std::string_view pointer) {
  const Node* node = &root;
  while (node != nullptr && !pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string_view token = pointer.substr(0, end);
    pointer.remove_prefix(end);
    node = node->is_array() ? ItemAt(*node, token) : node->Find(Unescape(token));
  }
  return node;
}

std::string_view TextAt(const Node& root, std::string_view pointer) {
  const Node* node = AtPointer(root, pointer);
  return node == nullptr ? std::string_view() : node->text;
}

}  // namespace fhir_adapter::fhir
