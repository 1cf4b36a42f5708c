// SmartCredentials: access tokens of SMART Backend Services.
//
// A token is asked for when one is needed and renewed before it ends, or when the FHIR server refuses it. The
// key's file is read for each assertion, so that a key can be exchanged without a restart. After a failure
// there is a pause before the next try; the log says once when trouble begins and once when it is over.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "sync/credentials.h"
#include "sync/token_server.h"

namespace fhir_adapter::sync {

class SmartCredentials final : public Credentials {
 public:
  SmartCredentials(CredentialSettings settings, std::string base_url, TlsSettings tls, Clock& clock);

  // Reads the key; asks nobody. Errors also: kConfiguration (others may read the key's file).
  Result<void> Load() override;
  Current current() override;
  bool Refresh(std::int64_t used) override;

  // A new token now. Errors: those of TokenServer and of Load.
  Result<void> Obtain();

 private:
  Result<std::string> Assertion(const std::string& token_url) const;
  Result<AccessToken> Fetch();
  Result<void> Renew();

  const CredentialSettings settings_;
  const std::string base_url_;
  const TlsSettings tls_;
  Clock& clock_;
  std::mutex mutex_;  // guards what follows, also while a token is on its way
  std::string token_url_;
  Current current_;
  std::int64_t renew_at_us_ = 0;  // monotonic, like the two below
  std::int64_t ends_at_us_ = 0;
  std::int64_t next_try_us_ = 0;
  bool has_trouble_ = false;
};

}  // namespace fhir_adapter::sync
