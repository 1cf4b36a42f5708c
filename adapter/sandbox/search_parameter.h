// The search parameters that the sandbox knows, as data, and what a resource holds for them.
//
// Pure; thread-safe. FHIR R4 search, and the SearchParameters of the types listed; `_id` and `_lastUpdated`
// are of every type and stand in the resource itself.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/node.h"

namespace fhir_adapter::sandbox {

enum class SearchKind : std::uint8_t { kToken, kReference, kDate, kString };

std::string_view Name(SearchKind kind);  // as in CapabilityStatement: "token"

struct SearchParameter {
  std::string_view type;  // empty: of every type that has the element
  std::string_view name;
  SearchKind kind = SearchKind::kToken;
  std::string_view path;           // member names joined by dots; "|" between alternatives
  std::string_view target_type{};  // only references to this type count
};

// Null when the type has no such parameter.
const SearchParameter* FindSearchParameter(std::string_view type, std::string_view name);
std::vector<const SearchParameter*> SearchParametersOf(std::string_view type);

// A value that can be found. Tokens: system and code. References: the target's type and id. Dates: the
// moments it may mean. Strings: lower-case ASCII in `value`.
struct SearchEntry {
  std::string parameter;
  std::string system;
  std::string value;
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
};

std::vector<SearchEntry> SearchEntriesOf(const fhir::Node& resource);

// "Patient/1", "Patient/1/_history/2" and, below `base_url`, the same with it in front.
struct ReferenceTarget {
  std::string type;
  std::string id;
  std::string version;
};
bool ParseReference(std::string_view text, std::string_view base_url, ReferenceTarget& target);

std::string LowerCase(std::string_view text);  // ASCII

inline constexpr std::int64_t kBeginningOfTime = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

}  // namespace fhir_adapter::sandbox
