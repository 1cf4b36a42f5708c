#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {

// Escapes what RFC 8259 section 7 demands and nothing else.
void WriteJsonString(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
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
