// The table of configuration keys: where each stands, what it may hold, where it goes. Private to
// configuration*.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/configuration.h"

namespace fhir_adapter::app {

struct TextKey {
  std::string& (*get)(Configuration&);
  std::span<const std::string_view> allowed;  // empty: any text
};
struct IntegerKey {
  std::int64_t& (*get)(Configuration&);
  std::int64_t min;
  std::int64_t max;
};
struct TextListKey {
  std::vector<std::string>& (*get)(Configuration&);
};

struct KeyRow {
  std::string_view section;
  std::string_view key;
  std::variant<TextKey, IntegerKey, TextListKey> kind;
};

std::span<const KeyRow> KeyRows();

// The members of a [[source]] table.
struct SourceKeyRow {
  std::string_view key;
  std::string_view kind;  // of the sources that have it; empty: all
  bool is_needed;         // by these
  std::variant<std::string SourceSettings::*, std::int64_t SourceSettings::*> member;
  std::span<const std::string_view> allowed;  // of a text; empty: any
  std::int64_t min = 0;                       // of a number
  std::int64_t max = 0;
};
std::span<const SourceKeyRow> SourceKeyRows();

// The word of `known` that is nearest to `word`, or "" when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace fhir_adapter::app
