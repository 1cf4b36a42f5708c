#include "fhir/json_writer.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace fhir_adapter::fhir {

namespace {

void AppendEscape(unsigned char c, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out.push_back(static_cast<char>(c));
      break;
    case '\b':
      out.push_back('b');
      break;
    case '\f':
      out.push_back('f');
      break;
    case '\n':
      out.push_back('n');
      break;
    case '\r':
      out.push_back('r');
      break;
    case '\t':
      out.push_back('t');
      break;
    default:
      out += "u00";
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 0xF]);
  }
}

// What must be escaped: controls, the quotation mark and the backslash.
bool NeedsEscape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

// The same for eight bytes at once: false only when none of them needs an escape (bytes above 0x7F may give
// true, which costs time and nothing else).
bool MayNeedEscape(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  return (below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'))) != 0;
}

}  // namespace

void WriteJsonString(std::string_view text, std::string& out) {
  out.push_back('"');
  std::size_t copied = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;
    if (at + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if (!MayNeedEscape(word)) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t end = std::min(at + sizeof word, text.size());
    for (; at < end; ++at) {
      const auto c = static_cast<unsigned char>(text[at]);
      if (!NeedsEscape(c)) continue;
      out.append(text, copied, at - copied);
      copied = at + 1;
      AppendEscape(c, out);
    }
  }
  out.append(text, copied);
  out.push_back('"');
}

// Recursive: readers and the mapping engine bound the depth of trees.
void WriteJson(const Node& node, std::string& out) {
  switch (node.kind) {
    case NodeKind::kNull:
      out += "null";
      break;
    case NodeKind::kBoolean:
      out += node.boolean ? "true" : "false";
      break;
    case NodeKind::kNumber:
      out += node.text;
      break;
    case NodeKind::kString:
      WriteJsonString(node.text, out);
      break;
    case NodeKind::kArray: {
      char separator = '[';
      for (const Node* item : node.items()) {
        out.push_back(separator);
        WriteJson(*item, out);
        separator = ',';
      }
      if (separator == '[') out.push_back('[');
      out.push_back(']');
      break;
    }
    case NodeKind::kObject: {
      char separator = '{';
      for (const Member& member : node.members()) {
        out.push_back(separator);
        WriteJsonString(member.name, out);
        out.push_back(':');
        WriteJson(*member.value, out);
        separator = ',';
      }
      if (separator == '{') out.push_back('{');
      out.push_back('}');
      break;
    }
  }
}

std::string ToJson(const Node& node) {
  std::string out;
  WriteJson(node, out);
  return out;
}

}  // namespace fhir_adapter::fhir
