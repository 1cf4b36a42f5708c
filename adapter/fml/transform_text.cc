// Texts: truncate, escape, append, cast.

#include <array>
#include <charconv>
#include <string>

#include "fhirpath/lexer.h"
#include "fml/lexer.h"
#include "fml/transforms.h"

namespace fhir_adapter::fml {
namespace {

constexpr std::array<std::string_view, 7> kFormats = {"text", "plain", "none", "html", "xml", "json", "url"};

struct Entity {
  std::string_view name;
  char character;
};
constexpr std::array<Entity, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

// &#228; and &#xE4;. The number of bytes read; 0: not one.
std::size_t ReadNumericEntity(std::string_view text, std::string& out) {
  if (!text.starts_with("&#")) return 0;
  const bool is_hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const std::size_t start = is_hex ? 3 : 2;
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(text.data() + start, text.data() + text.size(), code, is_hex ? 16 : 10);
  if (error != std::errc() || end == text.data() + text.size() || *end != ';') return 0;
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
  fhirpath::AppendUtf8(code, out);
  return static_cast<std::size_t>(end - text.data()) + 1;
}

std::string DecodeMarkup(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    std::size_t read = ReadNumericEntity(rest, out);
    for (const Entity& entity : kEntities) {
      if (read > 0 || !rest.starts_with(entity.name)) continue;
      out += entity.character;
      read = entity.name.size();
    }
    if (read == 0) {
      out += text[i];
      read = 1;
    }
    i += read;
  }
  return out;
}

std::string EncodeMarkup(std::string_view text, bool is_xml) {
  std::string out;
  for (const char c : text) {
    bool replaced = false;
    for (const Entity& entity : kEntities) {
      if (entity.character != c || (c == '\'' && !is_xml)) continue;
      out += entity.name;
      replaced = true;
    }
    if (!replaced) out += c;
  }
  return out;
}

std::string DecodeJson(std::string_view text) {
  Token token;
  token.kind = TokenKind::kDoubleString;
  const std::string quoted = "\"" + std::string(text) + "\"";
  token.text = quoted;
  return Unquote(token);
}

std::string EncodeJson(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string DecodeUrl(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (error == std::errc() && end == text.data() + i + 3) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::string EncodeUrl(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string Decode(std::string_view text, std::string_view format) {
  if (format == "html" || format == "xml") return DecodeMarkup(text);
  if (format == "json") return DecodeJson(text);
  if (format == "url") return DecodeUrl(text);
  return std::string(text);
}

std::string Encode(std::string_view text, std::string_view format) {
  if (format == "html" || format == "xml") return EncodeMarkup(text, format == "xml");
  if (format == "json") return EncodeJson(text);
  if (format == "url") return EncodeUrl(text);
  return std::string(text);
}

}  // namespace

bool IsEscapeFormat(std::string_view name) {
  for (const std::string_view format : kFormats) {
    if (format == name) return true;
  }
  return false;
}

// The first `length` characters, not bytes.
bool Truncate(const TransformCall& call) {
  const auto text = call.Text(0);
  const auto length_text = call.Text(1);
  if (!text) return true;
  std::uint64_t length = 0;
  if (length_text) {
    const auto [end, error] =
        std::from_chars(length_text->data(), length_text->data() + length_text->size(), length);
    if (error != std::errc() || end != length_text->data() + length_text->size()) {
      return call.Stop(Code::kMapFailed, "truncate: the length is not a whole number");
    }
  }
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < length && bytes < text->size(); ++i) {
    ++bytes;
    while (bytes < text->size() && (static_cast<unsigned char>((*text)[bytes]) & 0xC0) == 0x80) ++bytes;
  }
  if (bytes > 0) call.out = fhirpath::Collection(fhirpath::Item::String(text->substr(0, bytes)));
  return true;
}

bool Escape(const TransformCall& call) {
  const auto text = call.Text(0);
  const auto from = call.Text(1);
  const auto to = call.Text(2);
  if (!text) return true;
  if (!from || !to || !IsEscapeFormat(*from) || !IsEscapeFormat(*to)) {
    return call.Stop(Code::kMapFailed, "escape: the formats are text, html, xml, json and url");
  }
  const std::string escaped = Encode(Decode(*text, *from), *to);
  call.out = fhirpath::Collection(fhirpath::Item::String(call.machine.arena().Copy(escaped)));
  return true;
}

// Nothing counts as the empty text, as with `&` in FHIRPath.
bool Append(const TransformCall& call) {
  std::string joined;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.arguments[i].size() > 1) {
      return call.Stop(Code::kMapFailed, "append: an argument has several values");
    }
    if (const auto text = call.Text(i)) joined += *text;
    if (joined.size() > call.machine.request().output_bytes_max) {
      return call.Stop(Code::kMapLimit, "append: the text is longer than kMapOutputBytesMax");
    }
  }
  if (!joined.empty()) {
    call.out = fhirpath::Collection(fhirpath::Item::String(call.machine.arena().Copy(joined)));
  }
  return true;
}

bool Cast(const TransformCall& call) {
  if (call.arguments[0].empty()) return true;
  const fhir::TypeInfo* type = call.transform.type != nullptr ? call.transform.type : call.target_type;
  if (type == nullptr) {
    return call.Stop(Code::kMapFailed, "cast: the target has several types, so the type must be named");
  }
  CopyCount count;
  const Conversion converted = Convert(call.arguments[0].front(), *type, true, call.machine.arena(), count);
  if (converted.fault != nullptr) {
    return call.Stop(Code::kMapFailed, "cast to " + std::string(type->name) + ": " + converted.fault);
  }
  if (converted.node == nullptr) return true;
  call.out = fhirpath::Collection(fhirpath::Item(fhir::Element{converted.node, nullptr, type, nullptr}));
  return call.machine.Count(count.elements, count.bytes);
}

}  // namespace fhir_adapter::fml
