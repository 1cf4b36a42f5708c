#include "sandbox/search.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "fhir/temporal.h"

namespace fhir_adapter::sandbox {

namespace {

// At each `separator` that is not escaped with a backslash; escapes stay.
std::vector<std::string> SplitUnescaped(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      parts.back() += text.substr(i, 2);
      ++i;
    } else if (text[i] == separator) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

SearchValue TokenValue(std::string_view text) {
  SearchValue value;
  const std::vector<std::string> parts = SplitUnescaped(text, '|');
  if (parts.size() == 1) {
    value.value = Unescape(parts[0]);
    return value;
  }
  value.any_system = false;
  value.system = Unescape(parts[0]);
  value.value = Unescape(parts[1]);
  value.any_value = parts[1].empty();
  return value;
}

std::optional<SearchValue> DateValue(std::string_view text) {
  static constexpr std::pair<std::string_view, DatePrefix> kPrefixes[] = {
      {"eq", DatePrefix::kEq}, {"ne", DatePrefix::kNe}, {"gt", DatePrefix::kGt}, {"lt", DatePrefix::kLt},
      {"ge", DatePrefix::kGe}, {"le", DatePrefix::kLe}, {"sa", DatePrefix::kSa}, {"eb", DatePrefix::kEb}};
  SearchValue value;
  for (const auto& [name, prefix] : kPrefixes) {
    if (!text.starts_with(name)) continue;
    value.prefix = prefix;
    text.remove_prefix(2);
    break;
  }
  const auto temporal = fhir::Temporal::ParseDateTime(text);
  const auto moments = temporal ? temporal->ToUtcInterval(0) : std::nullopt;
  if (!moments) return std::nullopt;
  value.first_us = moments->first_us;
  value.last_us = moments->last_us;
  return value;
}

// FHIR R4 search 3.1.1.5.6: the ranges that the prefix compares.
bool DateMatches(const SearchValue& wanted, std::int64_t first_us, std::int64_t last_us) {
  const bool contained = wanted.first_us <= first_us && last_us <= wanted.last_us;
  switch (wanted.prefix) {
    case DatePrefix::kEq:
      return contained;
    case DatePrefix::kNe:
      return !contained;
    case DatePrefix::kGt:
      return last_us > wanted.last_us;
    case DatePrefix::kLt:
      return first_us < wanted.first_us;
    case DatePrefix::kGe:
      return last_us > wanted.last_us || contained;
    case DatePrefix::kLe:
      return first_us < wanted.first_us || contained;
    case DatePrefix::kSa:
      return first_us > wanted.last_us;
    case DatePrefix::kEb:
      return last_us < wanted.first_us;
  }
  return false;
}

Refusal BadParameter(std::string_view name, std::string_view why, std::string_view code = "invalid") {
  return Refuse(400, std::string(code), "search parameter " + std::string(name) + " " + std::string(why));
}

std::optional<std::size_t> ParseSize(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class SearchParser {
 public:
  SearchParser(std::string_view type, std::string_view base_url, bool ignores_unknown)
      : base_url_(base_url), ignores_unknown_(ignores_unknown) {
    request_.type = std::string(type);
    request_.count = limits::kSandboxPageSizeDefault;
  }

  MaybeRefusal Add(const net::QueryParameter& parameter) {
    // A parameter without a value is as if it were not there (R4 search 3.1.1.4).
    if (parameter.value.empty()) return std::nullopt;
    if (parameter.name.starts_with('_')) {
      const Control control = AddControl(parameter);
      if (control.refusal) return control.refusal;
      if (control.known) return std::nullopt;
    }
    return AddCriterion(parameter);
  }

  SearchRequest Take() { return std::move(request_); }

 private:
  struct Control {
    bool known = false;
    MaybeRefusal refusal{};
  };

  Control AddControl(const net::QueryParameter& parameter) {
    const std::string& name = parameter.name;
    if (name == "_count" || name == "_offset") {
      const auto size = ParseSize(parameter.value);
      if (!size) return {true, BadParameter(name, "is not a whole number")};
      if (name == "_offset") {
        request_.offset = *size;
      } else {
        request_.count = std::min(*size, limits::kSandboxPageSizeMax);
        request_.count_only = *size == 0;
      }
      return {true};
    }
    if (name == "_summary") {
      if (parameter.value != "count" && parameter.value != "false") {
        return {true, BadParameter(name, "is supported with the value count only", "not-supported")};
      }
      request_.count_only = parameter.value == "count";
      return {true};
    }
    if (name == "_format" || name == "_pretty" || name == "_total") return {true};
    return {};
  }

  MaybeRefusal AddCriterion(const net::QueryParameter& parameter) {
    Criterion criterion;
    std::string_view name = parameter.name;
    std::string_view chain;
    std::string_view modifier;
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
      chain = name.substr(dot + 1);
      name = name.substr(0, dot);
    }
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
      modifier = name.substr(colon + 1);
      name = name.substr(0, colon);
    }
    if (name == "_id") {
      criterion.target = Criterion::Target::kId;
    } else if (name == "_lastUpdated") {
      criterion.target = Criterion::Target::kLastUpdated;
    } else {
      criterion.parameter = FindSearchParameter(request_.type, name);
      if (criterion.parameter == nullptr) {
        if (ignores_unknown_) return std::nullopt;
        return BadParameter(parameter.name, "is unknown for " + request_.type, "not-supported");
      }
    }
    if (!chain.empty()) {
      if (auto refusal = AddChain(parameter.name, chain, modifier, criterion)) return refusal;
      modifier = {};
    }
    return AddValues(parameter, modifier, std::move(criterion));
  }

  MaybeRefusal AddChain(std::string_view whole, std::string_view chain, std::string_view modifier,
                        Criterion& criterion) {
    if (criterion.parameter == nullptr || criterion.parameter->kind != SearchKind::kReference) {
      return BadParameter(whole, "chains from what is no reference");
    }
    const std::string_view only =
        criterion.parameter->target_type.empty() ? modifier : criterion.parameter->target_type;
    if (only.empty()) return BadParameter(whole, "needs the target's type, as in subject:Patient.identifier");
    criterion.chain_type = std::string(only);
    criterion.chained = FindSearchParameter(only, chain);
    if (criterion.chained == nullptr || criterion.chained->kind != SearchKind::kToken) {
      return BadParameter(whole, "is not supported as a chain", "not-supported");
    }
    return std::nullopt;
  }

  MaybeRefusal AddValues(const net::QueryParameter& parameter, std::string_view modifier,
                         Criterion criterion) {
    const SearchParameter* decides = criterion.chained != nullptr ? criterion.chained : criterion.parameter;
    const bool is_reference = decides != nullptr && decides->kind == SearchKind::kReference;
    if (!modifier.empty() && !(is_reference && modifier.front() >= 'A' && modifier.front() <= 'Z')) {
      return BadParameter(parameter.name, "has a modifier that is not supported", "not-supported");
    }
    for (const std::string& part : SplitUnescaped(parameter.value, ',')) {
      SearchValue value;
      if (criterion.target == Criterion::Target::kId) {
        value.value = Unescape(part);
      } else if (criterion.target == Criterion::Target::kLastUpdated || decides->kind == SearchKind::kDate) {
        const auto date = DateValue(part);
        if (!date) return BadParameter(parameter.name, "is not a date");
        value = *date;
      } else if (is_reference) {
        value = ReferenceValue(Unescape(part), modifier);
      } else if (decides->kind == SearchKind::kString) {
        value.value = LowerCase(Unescape(part));
      } else {
        value = TokenValue(part);
      }
      criterion.values.push_back(std::move(value));
    }
    request_.criteria.push_back(std::move(criterion));
    return std::nullopt;
  }

  SearchValue ReferenceValue(std::string text, std::string_view modifier) const {
    SearchValue value;
    ReferenceTarget target;
    if (ParseReference(text, base_url_, target)) {
      value.any_system = false;
      value.system = target.type;
      value.value = target.id;
      return value;
    }
    value.value = std::move(text);
    if (!modifier.empty()) {
      value.any_system = false;
      value.system = std::string(modifier);
    }
    return value;
  }

  std::string_view base_url_;
  bool ignores_unknown_;
  SearchRequest request_;
};

void Unite(std::vector<std::int64_t>& keys, const std::vector<std::int64_t>& more) {
  std::vector<std::int64_t> united;
  std::set_union(keys.begin(), keys.end(), more.begin(), more.end(), std::back_inserter(united));
  keys = std::move(united);
}

Result<std::vector<std::int64_t>> KeysOfDates(const std::vector<DateRow>& rows, const SearchValue& value) {
  std::vector<std::int64_t> keys;
  for (const DateRow& row : rows) {
    if (!DateMatches(value, row.first_us, row.last_us)) continue;
    if (keys.empty() || keys.back() != row.key) keys.push_back(row.key);
  }
  return keys;
}

Result<std::vector<std::int64_t>> KeysOfValue(ResourceStore& store, const std::string& type,
                                              const SearchParameter& parameter, const SearchValue& value) {
  const std::string name(parameter.name);
  if (parameter.kind == SearchKind::kDate) {
    ADAPTER_TRY(const auto rows, store.Dates("dates", {type, name}));
    return KeysOfDates(rows, value);
  }
  if (parameter.kind == SearchKind::kString) return store.Keys("by_prefix", {type, name, value.value});
  if (value.any_value) return store.Keys("by_system", {type, name, value.system});
  if (value.any_system) return store.Keys("by_value", {type, name, value.value});
  return store.Keys("by_system_and_value", {type, name, value.value, value.system});
}

Result<std::vector<std::int64_t>> KeysOfChain(ResourceStore& store, const std::string& type,
                                              const Criterion& criterion, const SearchValue& value) {
  ADAPTER_TRY(const auto targets, KeysOfValue(store, criterion.chain_type, *criterion.chained, value));
  std::vector<std::int64_t> keys;
  for (const std::int64_t target : targets) {
    ADAPTER_TRY(const ResourceVersion resource, store.ReadCurrent(target));
    SearchValue reference;
    reference.any_system = false;
    reference.system = resource.type;
    reference.value = resource.id;
    ADAPTER_TRY(const auto found, KeysOfValue(store, type, *criterion.parameter, reference));
    Unite(keys, found);
  }
  return keys;
}

Result<std::vector<std::int64_t>> KeysOfCriterion(ResourceStore& store, const std::string& type,
                                                  const Criterion& criterion) {
  std::vector<std::int64_t> keys;
  for (const SearchValue& value : criterion.values) {
    std::vector<std::int64_t> found;
    if (criterion.target == Criterion::Target::kId) {
      ADAPTER_TRY(found, store.Keys("by_id", {type, value.value}));
    } else if (criterion.target == Criterion::Target::kLastUpdated) {
      ADAPTER_TRY(const auto rows, store.Dates("updated_times", {type}));
      ADAPTER_TRY(found, KeysOfDates(rows, value));
    } else if (criterion.chained != nullptr) {
      ADAPTER_TRY(found, KeysOfChain(store, type, criterion, value));
    } else {
      ADAPTER_TRY(found, KeysOfValue(store, type, *criterion.parameter, value));
    }
    Unite(keys, found);
  }
  return keys;
}

bool EntryMeets(const SearchEntry& entry, const SearchParameter& parameter, const SearchValue& value) {
  if (entry.parameter != parameter.name) return false;
  if (parameter.kind == SearchKind::kDate) return DateMatches(value, entry.first_us, entry.last_us);
  if (parameter.kind == SearchKind::kString) return entry.value.starts_with(value.value);
  return (value.any_system || entry.system == value.system) &&
         (value.any_value || entry.value == value.value);
}

bool MeetsCriterion(const Criterion& criterion, std::string_view id,
                    const std::vector<SearchEntry>& entries) {
  for (const SearchValue& value : criterion.values) {
    if (criterion.target == Criterion::Target::kId && value.value == id) return true;
    if (criterion.target != Criterion::Target::kParameter || criterion.chained != nullptr) continue;
    for (const SearchEntry& entry : entries) {
      if (EntryMeets(entry, *criterion.parameter, value)) return true;
    }
  }
  return false;
}

}  // namespace

Refusable<SearchRequest> ParseSearch(std::string_view type, const std::vector<net::QueryParameter>& query,
                                     std::string_view base_url, bool ignores_unknown) {
  SearchParser parser(type, base_url, ignores_unknown);
  for (const net::QueryParameter& parameter : query) {
    if (auto refusal = parser.Add(parameter)) return *refusal;
  }
  return parser.Take();
}

Result<std::vector<std::int64_t>> FindKeys(ResourceStore& store, const SearchRequest& request) {
  if (request.criteria.empty()) return store.Keys("all_of_type", {request.type});
  std::optional<std::vector<std::int64_t>> keys;
  for (const Criterion& criterion : request.criteria) {
    ADAPTER_TRY(auto found, KeysOfCriterion(store, request.type, criterion));
    if (keys) {
      std::vector<std::int64_t> both;
      std::set_intersection(keys->begin(), keys->end(), found.begin(), found.end(), std::back_inserter(both));
      found = std::move(both);
    }
    keys = std::move(found);
  }
  return std::move(*keys);
}

bool Meets(const SearchRequest& request, std::string_view id, const std::vector<SearchEntry>& entries) {
  return !request.criteria.empty() &&
         std::all_of(request.criteria.begin(), request.criteria.end(),
                     [&](const Criterion& criterion) { return MeetsCriterion(criterion, id, entries); });
}

}  // namespace fhir_adapter::sandbox
