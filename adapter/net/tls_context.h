// TlsContext: the certificate, the key and the clients' authorities of a TLS listener, exchanged while it
// runs.
//
// TLS 1.2 and 1.3 (RFC 8446, BCP 195) with forward secrecy and authenticated encryption only; no
// renegotiation, compression or resumption. With a file of client authorities a client has to show a
// certificate that one of them signed. A connection keeps what was in force when it was made; the next one
// gets the newest.
//
// Thread-safe. Shared by its listeners; new connections are made by net/detail/secure_stream.h.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::net {

struct TlsFiles {
  std::string certificate_file;  // PEM: the listener's certificate, below it those that lead to its authority
  std::string key_file;          // PEM without passphrase; only its owner may have access
  std::string client_authority_file;  // PEM; empty: clients are not asked for a certificate
};

class TlsContext {
 public:
  // Errors: kFileNotFound, kConfiguration (others may read the key, key and certificate do not belong
  // together, not PEM, weak); each names the file. A certificate that has ended is taken: what else runs is
  // of use.
  static Result<std::shared_ptr<TlsContext>> Load(TlsFiles files, Clock& clock);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Reads the files again. On an error, which is also a certificate that has ended, everything stays as it
  // is.
  Result<void> Reload();

  // To be called now and then: reloads once the files have changed and then kept still from one call to the
  // next, so that a certificate is not taken without its key. Nothing when there was nothing to do.
  std::optional<Result<void>> ReloadWhenChanged();

  std::int64_t ends_s() const;  // when the certificate in force ends, in seconds since 1970
  bool asks_for_client_certificate() const { return !files_.client_authority_file.empty(); }
  const TlsFiles& files() const { return files_; }

  // Whether the certificate in force is for this host name or address.
  bool IsOwnName(std::string_view host) const;

  struct Material;  // net/detail/secure_stream.h, for the .cc files that include Asio
  std::shared_ptr<const Material> material() const;

 private:
  TlsContext(TlsFiles files, Clock& clock);
  std::string Stamp() const;

  const TlsFiles files_;
  Clock& clock_;
  mutable std::mutex mutex_;                  // guards what follows
  std::shared_ptr<const Material> material_;  // shared with those who make a connection at this moment
  std::string loaded_stamp_;                  // of the files when they were last read
  std::string seen_stamp_;                    // of the files at the last look
};

// Of the first certificate of a PEM file, in lower-case hex. Errors: kFileNotFound, kConfiguration.
Result<std::string> CertificateSha256(const std::string& file);

}  // namespace fhir_adapter::net
