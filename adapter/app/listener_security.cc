#include "app/listener_security.h"

#include "app/certificate_watch.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDaySeconds = 86'400;

void Tell(const net::TlsContext& tls, const Result<void>& reloaded) {
  const std::string& file = tls.files().certificate_file;
  if (reloaded) {
    LogEvent(LogLevel::kInfo, "certificate-loaded",
             {{"file", file}, {"end", ToString(TimeUs{tls.ends_s() * kSecondUs})}});
  } else {
    LogEvent(LogLevel::kError, "certificate-kept", {{"message", ToString(reloaded.error())}});
  }
}

}  // namespace

Result<std::shared_ptr<net::TlsContext>> LoadHttpTls(const Configuration& configuration) {
  const Configuration::Http& http = configuration.http;
  if (http.certificate_file.empty()) return std::shared_ptr<net::TlsContext>();
  return net::TlsContext::Load({http.certificate_file, http.key_file, http.client_ca_file}, SystemClock());
}

void ReloadTls(net::TlsContext& tls) {
  Tell(tls, tls.Reload());
}

void ReloadTlsWhenChanged(net::TlsContext& tls) {
  if (const auto reloaded = tls.ReloadWhenChanged()) Tell(tls, *reloaded);
}

std::vector<fml::Finding> CheckHttpTls(const Configuration& configuration, TimeUs now) {
  const auto tls = LoadHttpTls(configuration);
  if (!tls) {
    return {{fml::Severity::kError, tls.error().code, tls.error().where, "[http] " + tls.error().message}};
  }
  if (*tls == nullptr) return {};
  const std::int64_t left_s = (*tls)->ends_s() - now.us / kSecondUs;
  if (left_s > kCertificateWarningDays * kDaySeconds) return {};
  const Location where{configuration.http.certificate_file, 0, 0, ""};
  const std::string end = ToString(TimeUs{(*tls)->ends_s() * kSecondUs});
  if (left_s > 0) {
    return {{fml::Severity::kWarning, Code::kTls, where, "[http] the certificate ends soon: " + end}};
  }
  return {{fml::Severity::kError, Code::kTls, where,
           "[http] the certificate ended at " + end + ": have a new one made"}};
}

void AddListenerTls(MetricsPage& page, std::span<const ListenerTls> listeners, TimeUs now) {
  if (listeners.empty()) return;
  page.Family("fhir_adapter_certificate_remaining_seconds", "gauge",
              "Time until the certificate that a listener shows ends; negative when it has.", "seconds");
  for (const ListenerTls& one : listeners) {
    page.Sample({{"listener", one.listener}}, one.ends_s - now.us / kSecondUs);
  }
  page.Family("fhir_adapter_tls_handshakes_failed", "counter",
              "Connections that ended before TLS was agreed, for example without the certificate asked for.");
  for (const ListenerTls& one : listeners) page.Sample({{"listener", one.listener}}, one.failed_handshakes);
}

}  // namespace fhir_adapter::app
