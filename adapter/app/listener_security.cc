#include "app/listener_security.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

// "application|facility|certificate file" each, as the configuration has checked.
Result<BoundSenders::Certificates> ReadSenders(const Configuration& configuration) {
  BoundSenders::Certificates certificates;
  for (const std::string& line : configuration.mllp.senders) {
    const std::size_t bar = line.rfind('|');
    ADAPTER_TRY(std::string sha256, net::CertificateSha256(line.substr(bar + 1)));
    certificates[line.substr(0, bar)].insert(std::move(sha256));
  }
  return certificates;
}

// What is wrong with the certificate of the listener of this section.
std::vector<fml::Finding> CheckTls(const std::string& section,
                                   const Result<std::shared_ptr<net::TlsContext>>& tls, TimeUs now) {
  if (!tls) {
    return {{fml::Severity::kError, tls.error().code, tls.error().where, section + tls.error().message}};
  }
  if (*tls == nullptr) return {};
  const std::int64_t left_s = (*tls)->ends_s() - now.us / kSecondUs;
  if (left_s > kCertificateWarningDays * kDaySeconds) return {};
  const Location where{(*tls)->files().certificate_file, 0, 0, ""};
  const std::string end = ToString(TimeUs{(*tls)->ends_s() * kSecondUs});
  if (left_s > 0) {
    return {{fml::Severity::kWarning, Code::kTls, where, section + "the certificate ends soon: " + end}};
  }
  return {{fml::Severity::kError, Code::kTls, where,
           section + "the certificate ended at " + end + ": have a new one made"}};
}

}  // namespace

Result<std::shared_ptr<net::TlsContext>> LoadHttpTls(const Configuration& configuration) {
  const Configuration::Http& http = configuration.http;
  if (http.certificate_file.empty()) return std::shared_ptr<net::TlsContext>();
  return net::TlsContext::Load({http.certificate_file, http.key_file, http.client_ca_file}, SystemClock());
}

Result<std::shared_ptr<net::TlsContext>> LoadMllpTls(const Configuration& configuration) {
  const Configuration::Mllp& mllp = configuration.mllp;
  if (mllp.listen.empty() || mllp.certificate_file.empty()) return std::shared_ptr<net::TlsContext>();
  return net::TlsContext::Load({mllp.certificate_file, mllp.key_file, mllp.client_ca_file}, SystemClock());
}

Result<std::shared_ptr<BoundSenders>> BoundSenders::Load(const Configuration& configuration) {
  ADAPTER_TRY(Certificates certificates, ReadSenders(configuration));
  auto senders = std::make_shared<BoundSenders>();
  senders->certificates_ = std::move(certificates);
  return senders;
}

void BoundSenders::Reload(const Configuration& configuration) {
  auto certificates = ReadSenders(configuration);
  if (!certificates) {
    LogEvent(LogLevel::kError, "senders-kept", {{"message", ToString(certificates.error())}});
    return;
  }
  const std::scoped_lock lock(mutex_);
  certificates_ = std::move(*certificates);
}

BoundSenders::Certificates BoundSenders::certificates() const {
  const std::scoped_lock lock(mutex_);
  return certificates_;
}

void ReloadTls(net::TlsContext& tls) {
  Tell(tls, tls.Reload());
}

void ReloadTlsWhenChanged(net::TlsContext& tls) {
  if (const auto reloaded = tls.ReloadWhenChanged()) Tell(tls, *reloaded);
}

std::vector<fml::Finding> CheckListenerTls(const Configuration& configuration, TimeUs now) {
  std::vector<fml::Finding> findings = CheckTls("[http] ", LoadHttpTls(configuration), now);
  std::ranges::move(CheckTls("[mllp] ", LoadMllpTls(configuration), now), std::back_inserter(findings));
  if (const auto senders = BoundSenders::Load(configuration); !senders) {
    const Error& error = senders.error();
    findings.push_back({fml::Severity::kError, error.code, error.where, "[mllp] senders: " + error.message});
  }
  return findings;
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
