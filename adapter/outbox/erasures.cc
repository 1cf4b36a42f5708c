#include "outbox/erasures.h"

#include <cctype>

namespace fhir_adapter::outbox {
namespace {

bool IsOfWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

}  // namespace

bool HoldsWord(std::string_view bytes, std::string_view word) {
  if (word.empty()) return false;
  for (std::size_t at = bytes.find(word); at != std::string_view::npos; at = bytes.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !IsOfWord(bytes[at - 1]);
    const bool ends = end == bytes.size() || !IsOfWord(bytes[end]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace fhir_adapter::outbox
