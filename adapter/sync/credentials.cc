#include "sync/credentials.h"

#include <openssl/evp.h>
#include <utility>
#include <vector>

#include "core/secret_file.h"
#include "sync/smart_credentials.h"

namespace fhir_adapter::sync {
namespace {

std::string Base64(std::string_view bytes) {
  std::vector<unsigned char> out(4 * ((bytes.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  return {reinterpret_cast<const char*>(out.data()), static_cast<std::size_t>(size)};
}

}  // namespace

std::unique_ptr<Credentials> MakeCredentials(const CredentialSettings& settings, const std::string& base_url,
                                             const TlsSettings& tls) {
  if (settings.kind == CredentialSettings::Kind::kSmartBackend) {
    return std::make_unique<SmartCredentials>(settings, base_url, tls, SystemClock());
  }
  return std::make_unique<FileCredentials>(settings);
}

FileCredentials::FileCredentials(CredentialSettings settings) : settings_(std::move(settings)) {}

Result<std::string> FileCredentials::ReadHeader() const {
  if (settings_.kind == CredentialSettings::Kind::kNone) return std::string();
  ADAPTER_TRY(const std::string secret, ReadSecret(settings_.secret_file));
  if (settings_.kind == CredentialSettings::Kind::kBearer) return "Authorization: Bearer " + secret;
  return "Authorization: Basic " + Base64(settings_.username + ":" + secret);
}

Result<void> FileCredentials::Load() {
  ADAPTER_TRY(std::string header, ReadHeader());
  const std::lock_guard lock(mutex_);
  if (header != current_.header) current_ = {std::move(header), current_.generation + 1, true};
  return {};
}

Credentials::Current FileCredentials::current() {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool FileCredentials::Refresh(std::int64_t used) {
  if (current().generation == used && !Load()) return false;
  return current().generation != used;
}

}  // namespace fhir_adapter::sync
