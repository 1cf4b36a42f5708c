#include "net/tls_context.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/limits.h"
#include "core/secret_file.h"
#include "net/detail/secure_stream.h"
#include "net/socket.h"

namespace fhir_adapter::net {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using NativeContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

constexpr std::int64_t kSecondUs = 1'000'000;
// 112 bits: RSA and DH from 2048 bits, elliptic curves from 224, no SHA-1 in signatures.
constexpr int kSecurityLevel = 2;
// TLS 1.2: ephemeral keys and AEAD only. TLS 1.3 has no others.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";

Failure Refuse(const std::string& file, const std::string& message) {
  return Fail(Code::kConfiguration, message, Location{file, 0, 0, ""});
}

// The reason that OpenSSL gives, without its codes.
std::string Reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(error);
  ERR_clear_error();
  return text == nullptr ? "" : std::string(": ") + text;
}

// A file that everybody may read.
Result<std::string> ReadPublicFile(const std::string& file) {
  const FileDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (descriptor.get() < 0 || fstat(descriptor.get(), &status) != 0) {
    return Fail(errno == ENOENT ? Code::kFileNotFound : Code::kConfiguration,
                std::string("cannot be read: ") + std::strerror(errno), Location{file, 0, 0, ""});
  }
  if (!S_ISREG(status.st_mode)) return Refuse(file, "is not a regular file");
  std::string content(limits::kTlsFileBytesMax + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(descriptor.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Refuse(file, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limits::kTlsFileBytesMax) {
    return Refuse(file, "is longer than " + std::to_string(limits::kTlsFileBytesMax) + " bytes");
  }
  content.resize(size);
  return content;
}

Bio Reader(const std::string& bytes) {
  return {BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())), &BIO_free};
}

// A key with a passphrase is refused, not asked about on a terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*is_write*/, void* /*context*/) {
  return -1;
}

Result<std::vector<Certificate>> ReadCertificates(const std::string& file) {
  ADAPTER_TRY(const std::string pem, ReadPublicFile(file));
  const Bio reader = Reader(pem);
  std::vector<Certificate> certificates;
  while (true) {
    Certificate next(PEM_read_bio_X509(reader.get(), nullptr, &NoPassphrase, nullptr), &X509_free);
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty()) return Refuse(file, "holds no certificate in PEM form");
  if (!is_at_end) {
    return Refuse(file, "certificate " + std::to_string(certificates.size() + 1) + " of it cannot be read");
  }
  return certificates;
}

Result<PrivateKey> ReadKey(const std::string& file) {
  ADAPTER_TRY(const std::string pem, ReadOwnersFile(file, limits::kTlsFileBytesMax));
  PrivateKey key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (key == nullptr) return Refuse(file, "is not a private key in PEM form without passphrase");
  return key;
}

Result<NativeContext> NewContext() {
  NativeContext context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr) return Fail(Code::kInternal, "OpenSSL cannot be initialised" + Reason());
  SSL_CTX_set_security_level(context.get(), kSecurityLevel);
  // Without resumption every connection proves anew who it is, against the authorities of now.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  const bool is_set = SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context.get(), kCiphers) == 1 &&
                      SSL_CTX_set1_groups_list(context.get(), kGroups) == 1 &&
                      SSL_CTX_set_num_tickets(context.get(), 0) == 1;
  if (!is_set) return Fail(Code::kInternal, "OpenSSL does not take our TLS settings" + Reason());
  return context;
}

Result<std::int64_t> UseCertificate(SSL_CTX* context, const TlsFiles& files) {
  ADAPTER_TRY(std::vector<Certificate> chain, ReadCertificates(files.certificate_file));
  ADAPTER_TRY(const PrivateKey key, ReadKey(files.key_file));
  X509* own = chain.front().get();
  if (SSL_CTX_use_certificate(context, own) != 1) {
    return Refuse(files.certificate_file, "the certificate cannot be used" + Reason());
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return Refuse(files.certificate_file,
                    "certificate " + std::to_string(i + 1) + " of it cannot be used" + Reason());
    }
  }
  if (X509_check_private_key(own, key.get()) != 1) {
    ERR_clear_error();
    return Refuse(files.key_file, "is not the key of the certificate in " + files.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return Refuse(files.key_file, "the key cannot be used" + Reason());
  }
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(own), &end) != 1) {
    return Refuse(files.certificate_file, "the end of the certificate cannot be read");
  }
  return static_cast<std::int64_t>(::timegm(&end));
}

Result<void> UseClientAuthorities(SSL_CTX* context, const std::string& file) {
  if (file.empty()) return {};
  ADAPTER_TRY(const std::vector<Certificate> authorities, ReadCertificates(file));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return Refuse(file, "a certificate of it cannot be used" + Reason());
    }
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

Result<std::shared_ptr<const TlsContext::Material>> ReadMaterial(const TlsFiles& files) {
  ERR_clear_error();
  ADAPTER_TRY(NativeContext native, NewContext());
  ADAPTER_TRY(const std::int64_t ends_s, UseCertificate(native.get(), files));
  ADAPTER_CHECK(UseClientAuthorities(native.get(), files.client_authority_file));
  auto material = std::make_shared<TlsContext::Material>(native.release());
  material->ends_s = ends_s;
  return std::shared_ptr<const TlsContext::Material>(std::move(material));
}

std::string HashOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  std::string hash = Sha256Hex({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hash;
}

// What changes when a file is written, or another is put in its place.
std::string StampOf(const std::string& file) {
  struct stat status{};
  if (file.empty() || stat(file.c_str(), &status) != 0) return "-;";
  return std::to_string(status.st_dev) + "," + std::to_string(status.st_ino) + "," +
         std::to_string(status.st_size) + "," + std::to_string(status.st_mode) + "," +
         std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) + "," +
         std::to_string(status.st_ctim.tv_sec) + "." + std::to_string(status.st_ctim.tv_nsec) + ";";
}

}  // namespace

TlsContext::TlsContext(TlsFiles files, Clock& clock) : files_(std::move(files)), clock_(clock) {}

TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::Load(TlsFiles files, Clock& clock) {
  std::shared_ptr<TlsContext> context(new TlsContext(std::move(files), clock));
  context->loaded_stamp_ = context->seen_stamp_ = context->Stamp();
  ADAPTER_TRY(context->material_, ReadMaterial(context->files_));
  return context;
}

Result<void> TlsContext::Reload() {
  std::string stamp = Stamp();
  Result<std::shared_ptr<const Material>> material = ReadMaterial(files_);
  const std::scoped_lock lock(mutex_);
  loaded_stamp_ = seen_stamp_ = std::move(stamp);
  if (!material) return Fail(material.error());
  if ((*material)->ends_s <= clock_.Now().us / kSecondUs) {
    return Refuse(files_.certificate_file,
                  "the certificate ended at " + ToString(TimeUs{(*material)->ends_s * kSecondUs}));
  }
  material_ = std::move(*material);
  return {};
}

std::optional<Result<void>> TlsContext::ReloadWhenChanged() {
  const std::string stamp = Stamp();
  {
    const std::scoped_lock lock(mutex_);
    const bool is_still = std::exchange(seen_stamp_, stamp) == stamp;
    if (stamp == loaded_stamp_ || !is_still) return std::nullopt;
  }
  return Reload();
}

std::string TlsContext::Stamp() const {
  return StampOf(files_.certificate_file) + StampOf(files_.key_file) + StampOf(files_.client_authority_file);
}

std::int64_t TlsContext::ends_s() const {
  return material()->ends_s;
}

bool TlsContext::IsOwnName(std::string_view host) const {
  const std::shared_ptr<const Material> current = material();
  X509* own = SSL_CTX_get0_certificate(current->context.native_handle());
  const std::string text(host);
  if (own == nullptr || text.empty()) return false;
  // An address is looked for among the addresses only, a name among the names.
  return X509_check_ip_asc(own, text.c_str(), 0) == 1 ||
         X509_check_host(own, text.data(), text.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

std::shared_ptr<const TlsContext::Material> TlsContext::material() const {
  const std::scoped_lock lock(mutex_);
  return material_;
}

std::string SecureStream::ClientCertificateSha256() {
  if (!tls_) return {};
  const Certificate certificate(SSL_get1_peer_certificate(tls_->native_handle()), &X509_free);
  return certificate == nullptr ? std::string() : HashOf(certificate.get());
}

Result<std::string> CertificateSha256(const std::string& file) {
  ADAPTER_TRY(const std::vector<Certificate> certificates, ReadCertificates(file));
  return HashOf(certificates.front().get());
}

}  // namespace fhir_adapter::net
