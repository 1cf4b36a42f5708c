#include "sandbox/fault.h"

#include <charconv>
#include <utility>

#include "core/limits.h"

namespace fhir_adapter::sandbox {

namespace {

constexpr std::uint32_t kMillion = 1'000'000;

Failure BadFault(std::string_view spec, std::string_view part, std::string_view why) {
  return Fail(Code::kUsage, "fault \"" + std::string(spec) + "\": \"" + std::string(part) + "\" " +
                                std::string(why) + "; examples: status:503:3, drop:every=10:POST, delay:200");
}

template <class Integer>
std::optional<Integer> ParseInteger(std::string_view text, Integer low, Integer high) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

// "0.25" → 250000. Exact: no floating point.
std::optional<std::uint32_t> ParsePerMillion(std::string_view text) {
  if (text == "1") return kMillion;
  if (text == "0") return 0;
  if (!text.starts_with("0.") || text.size() > 8) return std::nullopt;
  std::string digits(text.substr(2));
  if (digits.empty()) return std::nullopt;
  digits.resize(6, '0');
  return ParseInteger<std::uint32_t>(digits, 0, kMillion);
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

bool IsMethod(std::string_view text) {
  for (const std::string_view method : {"*", "GET", "HEAD", "POST", "PUT", "DELETE"}) {
    if (text == method) return true;
  }
  return false;
}

// SplitMix64: small, and the same everywhere.
std::uint64_t NextRandom(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  std::uint64_t bits = state;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

Result<void> ParseOption(std::string_view spec, std::string_view option, FaultSpec& fault) {
  constexpr std::uint64_t kCountMax = 1'000'000'000;
  if (option.starts_with("every=")) {
    fault.every = ParseInteger<std::uint64_t>(option.substr(6), 1, kCountMax);
    return fault.every ? Result<void>() : BadFault(spec, option, "needs a number from 1");
  }
  if (option.starts_with("p=")) {
    const std::size_t slash = option.find('/');
    fault.per_million =
        ParsePerMillion(option.substr(2, slash == std::string_view::npos ? slash : slash - 2));
    if (!fault.per_million)
      return BadFault(spec, option, "needs a probability from 0 to 1, at most 6 digits");
    if (slash == std::string_view::npos) return {};
    const auto seed = ParseInteger<std::uint64_t>(option.substr(slash + 1), 0, UINT64_MAX);
    if (!seed) return BadFault(spec, option, "needs a number as seed");
    fault.seed = *seed;
    return {};
  }
  if (option.starts_with("retry-after=")) {
    fault.retry_after_s = ParseInteger<std::int64_t>(option.substr(12), 0, 86'400);
    return fault.retry_after_s ? Result<void>() : BadFault(spec, option, "needs seconds up to 86400");
  }
  if (const auto count = ParseInteger<std::uint64_t>(option, 1, kCountMax)) {
    fault.first = count;
    return {};
  }
  const std::size_t space = option.find(' ');
  const std::string_view method = option.substr(0, space);
  if (!IsMethod(method)) return BadFault(spec, option, "is no count, no option and no method");
  if (method != "*") fault.method = std::string(method);
  if (space != std::string_view::npos) {
    fault.path_prefix = std::string(option.substr(space + 1));
    if (fault.path_prefix.empty() || fault.path_prefix.front() != '/') {
      return BadFault(spec, option, "needs a path that begins with /");
    }
  }
  return {};
}

}  // namespace

Result<FaultSpec> ParseFault(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text);
  FaultSpec fault;
  std::size_t next = 1;
  if (parts[0] == "status" || parts[0] == "delay") {
    const bool is_status = parts[0] == "status";
    fault.kind = is_status ? FaultKind::kStatus : FaultKind::kDelay;
    const std::string_view argument = parts.size() > 1 ? parts[1] : std::string_view();
    next = 2;
    if (is_status) {
      const auto status = ParseInteger<int>(argument, 400, 599);
      if (!status) return BadFault(text, argument, "is no status from 400 to 599");
      fault.status = *status;
    } else {
      const auto delay = ParseInteger<std::int64_t>(argument, 0, limits::kSandboxDelayMsMax);
      if (!delay) return BadFault(text, argument, "is no delay in milliseconds up to 3600000");
      fault.delay_ms = *delay;
    }
  } else if (parts[0] == "drop") {
    fault.kind = FaultKind::kDrop;
  } else if (parts[0] == "reset") {
    fault.kind = FaultKind::kReset;
  } else {
    return BadFault(text, parts[0], "is none of status, delay, drop, reset");
  }
  for (; next < parts.size(); ++next) {
    ADAPTER_CHECK(ParseOption(text, parts[next], fault));
  }
  return fault;
}

FaultInjector::FaultInjector(std::vector<FaultSpec> faults) {
  for (FaultSpec& fault : faults) {
    Armed armed;
    armed.random_state = fault.seed;
    armed.fault = std::move(fault);
    armed_.push_back(std::move(armed));
  }
}

const FaultSpec* FaultInjector::Next(std::string_view method, std::string_view path) {
  const FaultSpec* hit = nullptr;
  for (Armed& armed : armed_) {
    const FaultSpec& fault = armed.fault;
    if (!fault.method.empty() && fault.method != method) continue;
    if (!path.starts_with(fault.path_prefix)) continue;
    // Every fault counts every request that matches it, so that one does not shift the other.
    ++armed.seen;
    if (fault.first && armed.seen > *fault.first) continue;
    if (fault.every && armed.seen % *fault.every != 0) continue;
    if (fault.per_million && NextRandom(armed.random_state) % kMillion >= *fault.per_million) continue;
    if (hit == nullptr) hit = &fault;
  }
  return hit;
}

}  // namespace fhir_adapter::sandbox
