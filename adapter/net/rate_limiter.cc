#include "net/rate_limiter.h"

#include <algorithm>

namespace fhir_adapter::net {
namespace {

constexpr std::int64_t kMillion = 1'000'000;  // millionths of a request; µs of a second

}  // namespace

std::int64_t RateLimiter::Take(const std::string& client, std::int64_t now_us) {
  if (per_second_ == 0) return 0;
  auto found = buckets_.find(client);
  if (found == buckets_.end()) {
    if (buckets_.size() >= clients_max_) MakeRoom(now_us);
    found = buckets_.emplace(client, Bucket{burst_ * kMillion, now_us}).first;
  }
  Bucket& bucket = found->second;
  Fill(bucket, now_us);
  if (bucket.millionths >= kMillion) {
    bucket.millionths -= kMillion;
    return 0;
  }
  const std::int64_t per_ms = per_second_ * 1'000;
  return (kMillion - bucket.millionths + per_ms - 1) / per_ms;
}

void RateLimiter::Fill(Bucket& bucket, std::int64_t now_us) const {
  const std::int64_t full = burst_ * kMillion;
  const std::int64_t elapsed_us = std::max<std::int64_t>(now_us - bucket.filled_us, 0);
  // In this time every bucket fills, and the product below cannot overflow.
  const bool is_long = elapsed_us >= full / per_second_ + 1;
  bucket.millionths = is_long ? full : std::min(full, bucket.millionths + elapsed_us * per_second_);
  bucket.filled_us = now_us;
}

// A full bucket says no more than none. When there is none, all start again: so many clients at once are no
// longer told apart.
void RateLimiter::MakeRoom(std::int64_t now_us) {
  std::erase_if(buckets_, [&](const auto& entry) {
    Bucket bucket = entry.second;
    Fill(bucket, now_us);
    return bucket.millionths >= burst_ * kMillion;
  });
  if (buckets_.size() >= clients_max_) buckets_.clear();
}

}  // namespace fhir_adapter::net
