#include "fhir/json_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fhir/json_escape.h"
#include "fhir/json_text.h"

namespace fhir_adapter::fhir {

namespace {

// Copies a text in which nothing needs an escape; false: something may, and what was written is of no use.
// Words are taken from both ends, so that the last may overlap the one before.
bool CopyPlain(std::string_view text, char* out) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  if (size >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::uint64_t escapes = 0;
    const std::size_t last = size - sizeof word;
    for (std::size_t at = 0; at < last; at += sizeof word) {
      std::memcpy(&word, from + at, sizeof word);
      std::memcpy(out + at, &word, sizeof word);
      escapes |= EscapesIn(word);
    }
    std::memcpy(&word, from + last, sizeof word);
    std::memcpy(out + last, &word, sizeof word);
    return (escapes | EscapesIn(word)) == 0;
  }
  if (size >= sizeof(std::uint32_t)) {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&second, from + size - sizeof second, sizeof second);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - sizeof second, &second, sizeof second);
    return EscapesIn(std::uint64_t{first} << 32 | second) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (NeedsEscape(static_cast<unsigned char>(from[i]))) return false;
    out[i] = from[i];
  }
  return true;
}

// The escape of `c` after its backslash.
std::string_view EscapeOf(unsigned char c, char (&hex)[5]) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      return "\"";
    case '\\':
      return "\\";
    case '\b':
      return "b";
    case '\f':
      return "f";
    case '\n':
      return "n";
    case '\r':
      return "r";
    case '\t':
      return "t";
    default:
      hex[0] = 'u';
      hex[1] = hex[2] = '0';
      hex[3] = kHex[c >> 4];
      hex[4] = kHex[c & 0xF];
      return {hex, sizeof hex};
  }
}

}  // namespace

void JsonText::Grow(std::size_t bytes) {
  const std::size_t growth = std::max(kGrowthBytes, out_.size() / 2);
  out_.resize(out_.size() + std::max(growth, bytes + kSpareBytes));
}

void JsonText::AddQuoted(std::string_view text) {
  char* const begin = &out_[at_];
  *begin = '"';
  if (CopyPlain(text, begin + 1)) {
    begin[text.size() + 1] = '"';
    at_ += text.size() + 2;
    return;
  }
  ++at_;
  AddEscaped(text);
  Add('"');
  MakeRoom(0);
}

void JsonText::AddEscaped(std::string_view text) {
  char hex[5];
  for (const char c : text) {
    if (!NeedsEscape(static_cast<unsigned char>(c))) {
      Add(c);
      continue;
    }
    Add('\\');
    Add(EscapeOf(static_cast<unsigned char>(c), hex));
  }
}

// Recursive: readers and the mapping engine bound the depth of trees.
void JsonText::AddNode(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      Add(std::string_view("null"));
      break;
    case NodeKind::kBoolean:
      Add(node.boolean ? std::string_view("true") : std::string_view("false"));
      break;
    case NodeKind::kNumber:
      Add(node.text);
      break;
    case NodeKind::kString:
      AddString(node.text);
      break;
    case NodeKind::kArray: {
      char separator = '[';
      for (const Node* item : node.items()) {
        Add(separator);
        AddNode(*item);
        separator = ',';
      }
      if (separator == '[') Add('[');
      Add(']');
      break;
    }
    case NodeKind::kObject: {
      char separator = '{';
      for (const Member& member : node.members()) {
        AddName(separator, member.name);
        AddNode(*member.value);
        separator = ',';
      }
      if (separator == '{') Add('{');
      Add('}');
      break;
    }
  }
}

void WriteJsonString(std::string_view text, std::string& out) {
  JsonText(out).AddString(text);
}

void WriteJson(const Node& node, std::string& out) {
  JsonText(out).AddNode(node);
}

std::string ToJson(const Node& node) {
  std::string out;
  WriteJson(node, out);
  return out;
}

}  // namespace fhir_adapter::fhir
