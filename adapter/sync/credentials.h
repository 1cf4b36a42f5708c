// Credentials: what goes into the Authorization header. Secrets come from files only.
//
// Thread-safe. The header's content never appears in an error or a log line.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "sync/transport_security.h"

namespace fhir_adapter::sync {

struct CredentialSettings {
  enum class Kind : std::uint8_t { kNone, kBasic, kBearer, kSmartBackend };
  Kind kind = Kind::kNone;
  std::string username;     // basic
  std::string secret_file;  // password or token, its last line end is dropped; SMART: the private key as PEM
  // SMART Backend Services.
  std::string client_id;
  std::string key_id;     // `kid` of the key in the JWK set that the token server knows
  std::string token_url;  // empty: from {base_url}/.well-known/smart-configuration
  std::string scope;      // wanted, separated by spaces
};

class Credentials {
 public:
  virtual ~Credentials() = default;

  // Reads what has to be there before anything is sent. Errors: kInputOutput (a file cannot be read),
  // kConfiguration (its content is of no use).
  virtual Result<void> Load() = 0;

  struct Current {
    std::string header;           // "Authorization: …"; empty for none
    std::int64_t generation = 0;  // changes with the content
    bool is_available = true;     // false: there are none now, and nothing should be sent
  };
  // May ask a token server, and block for it as long as limits::kTokenTimeoutMs.
  virtual Current current() = 0;

  // Those numbered `used` were refused: gets others unless that was done since. True when there are others.
  virtual bool Refresh(std::int64_t used) = 0;
};

std::unique_ptr<Credentials> MakeCredentials(const CredentialSettings& settings, const std::string& base_url,
                                             const TlsSettings& tls);

// None, basic and bearer: the content of a file, read again when the server refuses it.
class FileCredentials final : public Credentials {
 public:
  explicit FileCredentials(CredentialSettings settings);

  // Errors also: kConfiguration (empty, a line end inside, too long).
  Result<void> Load() override;
  Current current() override;
  bool Refresh(std::int64_t used) override;

 private:
  Result<std::string> ReadHeader() const;

  const CredentialSettings settings_;
  std::mutex mutex_;
  Current current_;
};

}  // namespace fhir_adapter::sync
