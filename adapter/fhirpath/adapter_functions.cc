// The functions of our own that maps use: identifierPart() and searchValue().
#include <string>
#include <string_view>

#include "fhirpath/fhirpath.h"

namespace fhir_adapter::fhirpath {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool IsLetterOrDigit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void AppendHex(char mark, char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  out += mark;
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

std::string IdentifierPart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsLetterOrDigit(c) || c == '_' || c == '-') {
      out += c;
    } else {
      AppendHex('~', c, out);
    }
  }
  return out;
}

std::string SearchValue(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == ',' || c == '|' || c == '$') escaped += '\\';
    escaped += c;
  }
  std::string out;
  for (const char c : escaped) {
    const bool unreserved = IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved || c == ':' || c == '/') {
      out += c;
    } else {
      AppendHex('%', c, out);
    }
  }
  return out;
}

template <std::string (*Convert)(std::string_view)>
Result<Collection> Apply(const EvaluationContext& context, const Collection& input,
                         std::span<const Collection>) {
  Arena& arena = *context.arena;
  Collection out;
  for (const Item& item : input) {
    const auto text = TextOf(item, arena);
    if (!text)
      return Fail(Code::kExecution, "only values with a text can stand in an identifier or a search");
    out.Append(Item::String(arena.Copy(Convert(*text))), arena);
  }
  return out;
}

const HostFunction kFunctions[] = {
    {"identifierPart", 0, 0, Apply<IdentifierPart>, StaticType::System(ItemKind::kString, true)},
    {"searchValue", 0, 0, Apply<SearchValue>, StaticType::System(ItemKind::kString, true)},
};

}  // namespace

std::span<const HostFunction> AdapterFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath
