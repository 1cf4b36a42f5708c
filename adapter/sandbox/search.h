// Search: a query string becomes criteria, and criteria become resource keys.
//
// Parsing is pure. Criteria can also be held against the entries of one resource, so that a transaction finds
// what it is about to write. FHIR R4 search: repeated parameters are ANDed, commas are OR, `\` escapes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "sandbox/refusal.h"
#include "sandbox/resource_store.h"
#include "sandbox/search_parameter.h"

namespace fhir_adapter::sandbox {

enum class DatePrefix : std::uint8_t { kEq, kNe, kGt, kLt, kGe, kLe, kSa, kEb };

// One of the alternatives of a parameter.
struct SearchValue {
  std::string system;
  bool any_system = true;  // `code`; false for `|code`, where system is empty, and `system|code`
  bool any_value = false;  // `system|`
  std::string value;
  DatePrefix prefix = DatePrefix::kEq;
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
};

struct Criterion {
  enum class Target : std::uint8_t { kParameter, kId, kLastUpdated };
  Target target = Target::kParameter;
  const SearchParameter* parameter = nullptr;
  std::string chain_type;                    // patient.identifier: Patient
  const SearchParameter* chained = nullptr;  //                     its identifier
  std::vector<SearchValue> values;           // any of them
};

struct SearchRequest {
  std::string type;
  std::vector<Criterion> criteria;  // all of them
  std::size_t count = 0;
  std::size_t offset = 0;
  bool count_only = false;
};

// `ignores_unknown` leaves out parameters that the type does not have instead of refusing them.
Refusable<SearchRequest> ParseSearch(std::string_view type, const std::vector<net::QueryParameter>& query,
                                     std::string_view base_url, bool ignores_unknown);

// Ascending keys of the current resources that meet all criteria.
Result<std::vector<std::int64_t>> FindKeys(ResourceStore& store, const SearchRequest& request);

// Whether a resource with these entries meets all criteria. `_lastUpdated` and chains never do.
bool Meets(const SearchRequest& request, std::string_view id, const std::vector<SearchEntry>& entries);

}  // namespace fhir_adapter::sandbox
