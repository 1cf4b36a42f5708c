#include "app/key_cache.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

// Between two readings. Of a flood of made-up names the rest is refused at once.
constexpr std::size_t kMissingMax = 1'000;

}  // namespace

std::shared_ptr<const JsonWebKeySet> KeyCache::keys() const {
  const std::scoped_lock lock(mutex_);
  const bool is_old = clock_.MonotonicUs() - read_us_ > limits::kJwtKeysMaxAgeSeconds * kSecondUs;
  return is_old ? nullptr : keys_;
}

bool KeyCache::IsWorthWaiting(const std::string& key_id) {
  const std::scoped_lock lock(mutex_);
  next_us_ = std::min(next_us_, std::max(earliest_us_, clock_.MonotonicUs()));
  if (missing_.size() >= kMissingMax && !missing_.contains(key_id)) return false;
  missing_.insert(key_id);
  return !known_missing_.contains(key_id);
}

std::int64_t KeyCache::DueInUs() const {
  const std::scoped_lock lock(mutex_);
  return std::max<std::int64_t>(next_us_ - clock_.MonotonicUs(), 0);
}

void KeyCache::AskAgain() {
  const std::scoped_lock lock(mutex_);
  next_us_ = clock_.MonotonicUs();
  is_asked_again_ = true;
}

bool KeyCache::Take(const Result<std::string>& json) {
  const auto parsed =
      json ? JsonWebKeySet::Parse(*json) : Result<std::shared_ptr<const JsonWebKeySet>>(Fail(json.error()));
  const std::scoped_lock lock(mutex_);
  const std::int64_t now_us = clock_.MonotonicUs();
  earliest_us_ = now_us + limits::kJwtKeysRetrySeconds * kSecondUs;
  // Asked while this reading was under way, which may have been too early: once more at once.
  const bool is_asked_again = std::exchange(is_asked_again_, false);
  if (!parsed) {
    next_us_ = is_asked_again ? now_us : earliest_us_;
    trouble_ = ToString(parsed.error());
    return false;
  }
  next_us_ = now_us + limits::kJwtKeysRefreshSeconds * kSecondUs;
  trouble_.clear();
  read_us_ = now_us;
  keys_ = *parsed;
  known_missing_ = std::exchange(missing_, {});
  std::erase_if(known_missing_, [this](const std::string& id) { return keys_->Find(id) != nullptr; });
  return std::exchange(json_, *json) != *json;
}

std::string KeyCache::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

}  // namespace fhir_adapter::app
