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
  trouble_.clear();
  const auto end_s = sync::CertificateEnd(file_);
  if (!end_s) {
    trouble_ = "certificate-unreadable";
    LogEvent(LogLevel::kError, trouble_, {{"message", end_s.error().message}});
    return true;
  }
  const std::int64_t left_s = *end_s - now_us / kSecondUs;
  if (left_s > kCertificateWarningDays * kDaySeconds) return false;
  trouble_ = left_s > 0 ? "certificate-ends-soon" : "certificate-ended";
  LogEvent(left_s > 0 ? LogLevel::kWarning : LogLevel::kError, trouble_,
           {{"file", file_}, {"end", ToString(TimeUs{*end_s * kSecondUs})}});
  return true;
}

}  // namespace fhir_adapter::app
