// What stands for a character that HTML and XML would read as markup. Pure; thread-safe.
#pragma once

#include <string_view>

namespace fhir_adapter::app {

// In text and in attributes; empty: the character stands for itself.
constexpr std::string_view MarkupEntity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace fhir_adapter::app
