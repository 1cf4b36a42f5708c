#include "outbox/retry_policy.h"

#include <algorithm>

namespace fhir_adapter::outbox {
namespace {

constexpr int kDoublingsMax = 40;  // 2^40 µs are 12 days: beyond any ceiling in use

__extension__ using Wide = unsigned __int128;

// Uniform in [0, bound] by the high half of the product: no modulo bias worth a retry.
std::int64_t UniformUpTo(std::int64_t bound, std::uint64_t random) {
  const auto range = static_cast<Wide>(bound) + 1;
  return static_cast<std::int64_t>((range * random) >> 64);
}

}  // namespace

std::optional<TimeUs> NextAttempt(const RetryPolicy& policy, const Failed& failed, std::uint64_t random) {
  std::int64_t ceiling = policy.retry_min_us;
  for (int i = 1; i < std::min(failed.attempt, kDoublingsMax) && ceiling < policy.retry_max_us; ++i) {
    ceiling *= 2;
  }
  ceiling = std::max(policy.retry_min_us, std::min(ceiling, policy.retry_max_us));
  std::int64_t delay = policy.retry_min_us + UniformUpTo(ceiling - policy.retry_min_us, random);
  if (failed.retry_after_us) delay = std::max(delay, *failed.retry_after_us);
  const TimeUs next{failed.now.us + delay};
  if (next.us > failed.first_attempt.us + policy.budget_us) return std::nullopt;
  return next;
}

}  // namespace fhir_adapter::outbox
