// The functions of our own that maps use: identifierPart() and searchValue().
#include <algorithm>
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

bool StandsInIdentifier(char c) {
  return IsLetterOrDigit(c) || c == '_' || c == '-';
}

bool StandsInSearch(char c) {
  return IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == ':' || c == '/';
}

std::string IdentifierPart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (StandsInIdentifier(c)) {
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
    if (StandsInSearch(c)) {
      out += c;
    } else {
      AppendHex('%', c, out);
    }
  }
  return out;
}

// Texts of characters that `Stays` are their own conversion, and shared.
template <bool (*Stays)(char), std::string (*Convert)(std::string_view)>
Result<Collection> Apply(const EvaluationContext& context, const Collection& input,
                         std::span<const Collection>) {
  Arena& arena = *context.arena;
  Collection out;
  for (const Item& item : input) {
    const auto text = TextOf(item, arena);
    if (!text)
      return Fail(Code::kExecution, "only values with a text can stand in an identifier or a search");
    const bool stays = std::all_of(text->begin(), text->end(), Stays);
    out.Append(Item::String(stays ? *text : arena.Copy(Convert(*text))), arena);
  }
  return out;
}

const HostFunction kFunctions[] = {
    {"identifierPart", 0, 0, Apply<StandsInIdentifier, IdentifierPart>,
     StaticType::System(ItemKind::kString, true)},
    {"searchValue", 0, 0, Apply<StandsInSearch, SearchValue>, StaticType::System(ItemKind::kString, true)},
};

}  // namespace

std::span<const HostFunction> AdapterFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath
