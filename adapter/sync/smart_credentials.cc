#include "sync/smart_credentials.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/limits.h"
#include "core/log.h"
#include "core/secret_file.h"
#include "sync/client_assertion.h"

namespace fhir_adapter::sync {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kRenewBeforeEndUs = 60 * kSecondUs;

std::string UniqueId() {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(SystemRandom().Next()),
                static_cast<unsigned long long>(SystemRandom().Next()));
  return text;
}

}  // namespace

SmartCredentials::SmartCredentials(CredentialSettings settings, std::string base_url, TlsSettings tls,
                                   Clock& clock)
    : settings_(std::move(settings)),
      base_url_(std::move(base_url)),
      tls_(std::move(tls)),
      clock_(clock),
      token_url_(settings_.token_url) {}

Result<void> SmartCredentials::Load() {
  ADAPTER_CHECK(Assertion(base_url_));
  return {};
}

Result<std::string> SmartCredentials::Assertion(const std::string& token_url) const {
  ADAPTER_TRY(const std::string pem, ReadOwnersFile(settings_.secret_file, limits::kSecretBytesMax));
  AssertionClaims claims;
  claims.client_id = settings_.client_id;
  claims.audience = token_url;
  claims.key_id = settings_.key_id;
  claims.unique_id = UniqueId();
  claims.issued_s = clock_.Now().us / kSecondUs;
  claims.lifetime_s = limits::kTokenAssertionSeconds;
  return SignAssertion(claims, pem);
}

Result<AccessToken> SmartCredentials::Fetch() {
  if (token_url_.empty()) {
    ADAPTER_TRY(token_url_, DiscoverTokenUrl(base_url_, tls_));
  }
  ADAPTER_TRY(const std::string assertion, Assertion(token_url_));
  return RequestToken(token_url_, assertion, settings_.scope, tls_);
}

// Under the lock.
Result<void> SmartCredentials::Renew() {
  const std::int64_t asked_us = clock_.MonotonicUs();
  const Result<AccessToken> token = Fetch();
  if (!token) {
    next_try_us_ = clock_.MonotonicUs() + limits::kTokenRetryMs * 1'000;
    token_url_ = settings_.token_url;  // it may have moved
    if (!std::exchange(has_trouble_, true)) {
      LogEvent(LogLevel::kWarning, "token-trouble",
               {{"reason", Name(token.error().code)}, {"message", token.error().message}});
    }
    return Fail(token.error());
  }
  const std::int64_t lifetime_us = token->lifetime_s * kSecondUs;
  current_ = {"Authorization: Bearer " + token->value, current_.generation + 1, true};
  ends_at_us_ = asked_us + lifetime_us;
  renew_at_us_ = ends_at_us_ - std::min(kRenewBeforeEndUs, lifetime_us / 4);
  if (std::exchange(has_trouble_, false)) LogEvent(LogLevel::kInfo, "token-recovered");
  return {};
}

Result<void> SmartCredentials::Obtain() {
  const std::lock_guard lock(mutex_);
  return Renew();
}

Credentials::Current SmartCredentials::current() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_us = clock_.MonotonicUs();
  const bool is_due = current_.generation == 0 || now_us >= renew_at_us_;
  if (is_due && now_us >= next_try_us_) static_cast<void>(Renew());
  if (current_.generation == 0 || clock_.MonotonicUs() >= ends_at_us_) {
    return {{}, current_.generation, false};
  }
  return current_;
}

bool SmartCredentials::Refresh(std::int64_t used) {
  const std::lock_guard lock(mutex_);
  if (current_.generation != used) return true;
  if (clock_.MonotonicUs() < next_try_us_) return false;
  return Renew().has_value();
}

}  // namespace fhir_adapter::sync
