// Credentials: what goes into the Authorization header. Secrets come from files only.
//
// Thread-safe. The header's content never appears in an error or a log line.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "core/result.h"

namespace fhir_adapter::sync {

struct CredentialSettings {
  enum class Kind : std::uint8_t { kNone, kBasic, kBearer };
  Kind kind = Kind::kNone;
  std::string username;     // basic
  std::string secret_file;  // password or token; its last line end is dropped
};

class Credentials {
 public:
  explicit Credentials(CredentialSettings settings);

  // Reads the file. Errors: kInputOutput (cannot be read), kConfiguration (empty, a line end inside, too
  // long).
  Result<void> Load();

  struct Current {
    std::string header;           // "Authorization: …"; empty for none
    std::int64_t generation = 0;  // changes with the content
  };
  Current current() const;

  // Reads the file again unless that was done since `used`. True when the content is not that of `used`.
  bool Refresh(std::int64_t used);

 private:
  Result<std::string> ReadHeader() const;

  const CredentialSettings settings_;
  mutable std::mutex mutex_;
  Current current_;
};

}  // namespace fhir_adapter::sync
