// CurlClient: FhirClient over libcurl: one thread, one curl_multi, connections kept and shared, HTTP/2 where
// the server offers it.
//
// TLS ≥1.2; certificate and host name are always verified. Content codings are not asked for. The proxy of
// the environment is honoured. Owns its thread; the destructor cancels what is under way and waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/limits.h"
#include "core/result.h"
#include "sync/credentials.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

struct CurlClientSettings {
  std::string base_url;  // http or https, without query
  std::string user_agent = "fhir-adapter";
  std::int64_t request_timeout_ms = 30'000;  // of a whole request
  std::int64_t stall_timeout_ms = 20'000;    // without a byte once the request or the answer has begun
  std::int64_t connect_timeout_ms = 10'000;
  std::int64_t idle_connection_s = 15;  // a connection that was idle longer is not used again
  std::int64_t connections_max = 8;
  std::size_t answer_bytes_max = limits::kResourceBytesMax;
  CredentialSettings credentials;
  TlsSettings tls;
};

class CurlClient final : public FhirClient {
 public:
  // Errors: kConfiguration (the address, a secret), kInputOutput (a file).
  static Result<std::unique_ptr<CurlClient>> Make(CurlClientSettings settings);
  ~CurlClient() override;

  void Send(FhirRequest request, Done done) override;
  bool RefreshCredentials(std::int64_t used) override;
  void CancelAll() override;
  const std::string& base_url() const override;

 private:
  struct Implementation;
  explicit CurlClient(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::sync
