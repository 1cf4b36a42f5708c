#include "app/certificate_watch.h"

#include "core/log.h"
#include "sync/transport_security.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDaySeconds = 86'400;

}  // namespace

bool CertificateWatch::Look() {
  const std::int64_t now_us = clock_.Now().us;
  if (file_.empty() || now_us < next_look_us_) return false;
  next_look_us_ = now_us + kDaySeconds * kSecondUs;
  const auto end_s = sync::CertificateEnd(file_);
  if (!end_s) {
    LogEvent(LogLevel::kError, "certificate-unreadable", {{"message", end_s.error().message}});
    return true;
  }
  const std::int64_t left_s = *end_s - now_us / kSecondUs;
  if (left_s > kCertificateWarningDays * kDaySeconds) return false;
  const std::string end = ToString(TimeUs{*end_s * kSecondUs});
  LogEvent(left_s > 0 ? LogLevel::kWarning : LogLevel::kError,
           left_s > 0 ? "certificate-ends-soon" : "certificate-ended", {{"file", file_}, {"end", end}});
  return true;
}

}  // namespace fhir_adapter::app
