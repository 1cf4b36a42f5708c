#include "audit/signed_note.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>
#include <utility>

#include "core/base64.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/secret_file.h"

namespace fhir_adapter::audit {
namespace {

constexpr char kEd25519 = 0x01;  // signature type of the specification
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kIdBytes = 4;
constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash, space

struct BioFreer {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioHandle = std::unique_ptr<BIO, BioFreer>;
struct ContextFreer {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using ContextHandle = std::unique_ptr<EVP_MD_CTX, ContextFreer>;

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string PublicKeyOf(evp_pkey_st* key) {
  std::string bytes(kPublicKeyBytes, '\0');
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1 ||
      size != kPublicKeyBytes) {
    std::abort();
  }
  return bytes;
}

KeyHandle MakeKey() {
  KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (key == nullptr) std::abort();
  return key;
}

Failure FailedFile(const char* what, const std::string& path) {
  return Fail(errno == ENOSPC ? Code::kDiskFull : Code::kInputOutput,
              std::string(what) + ": " + std::strerror(errno), Location{path, 0, 0, {}});
}

// Written under another name first: a crash leaves no half key.
Result<void> WriteKey(evp_pkey_st* key, const std::string& path) {
  const std::string fresh = path + ".new";
  const BioHandle bio(BIO_new(BIO_s_mem()));
  char* pem = nullptr;
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    std::abort();
  }
  const long size = BIO_get_mem_data(bio.get(), &pem);
  unlink(fresh.c_str());
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return FailedFile("cannot make the signing key", fresh);
  const bool written = write(file, pem, static_cast<std::size_t>(size)) == size && fsync(file) == 0;
  close(file);
  if (!written || rename(fresh.c_str(), path.c_str()) != 0)
    return FailedFile("cannot write the signing key", path);
  return {};
}

// The signature of `key` in the lines after the text, if there is one.
std::string SignatureOf(const VerifierKey& key, std::string_view lines) {
  const std::string begin = std::string(kSignaturePrefix) + key.name() + " ";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (!line.starts_with(begin)) continue;
    const auto bytes = FromBase64(line.substr(begin.size()));
    if (bytes && bytes->starts_with(key.id())) return bytes->substr(kIdBytes);
  }
  return {};
}

}  // namespace

void KeyFreer::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

VerifierKey::VerifierKey(std::string name, std::string public_key)
    : name_(std::move(name)), public_key_(std::move(public_key)) {}

Result<VerifierKey> VerifierKey::Parse(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || first == 0) {
    return Fail(Code::kUsage, "a verifier key has the form name+hash+key");
  }
  const auto key = FromBase64(text.substr(second + 1));
  if (!key || key->size() != kPublicKeyBytes + 1 || key->front() != kEd25519) {
    return Fail(Code::kUsage, "the verifier key is not an Ed25519 key");
  }
  VerifierKey made(std::string(text.substr(0, first)), key->substr(1));
  if (made.Text() != text)
    return Fail(Code::kUsage, "the hash of the verifier key does not fit its name and key");
  return made;
}

std::string VerifierKey::id() const {
  const auto digest = Sha256({name_, "\n", std::string_view(&kEd25519, 1), public_key_});
  return {reinterpret_cast<const char*>(digest.data()), kIdBytes};
}

std::string VerifierKey::Text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = name_ + "+";
  for (const char character : id()) {
    const auto byte = static_cast<unsigned char>(character);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text + "+" + ToBase64(std::string(1, kEd25519) + public_key_);
}

bool VerifierKey::Verifies(std::string_view text, std::string_view signature) const {
  const KeyHandle key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Unsigned(public_key_), public_key_.size()));
  const ContextHandle context(EVP_MD_CTX_new());
  return key != nullptr && context != nullptr && signature.size() == kSignatureBytes &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Unsigned(signature), signature.size(), Unsigned(text),
                          text.size()) == 1;
}

SigningKey::SigningKey(KeyHandle key, std::string name)
    : key_(std::move(key)), verifier_(std::move(name), PublicKeyOf(key_.get())) {}

SigningKey SigningKey::Make(std::string name) {
  return {MakeKey(), std::move(name)};
}

Result<SigningKey> SigningKey::LoadOrMake(const std::string& path, std::string name) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) ADAPTER_CHECK(WriteKey(MakeKey().get(), path));
  return Load(path, std::move(name));
}

Result<SigningKey> SigningKey::Load(const std::string& path, std::string name) {
  auto pem = ReadOwnersFile(path, limits::kSecretBytesMax);
  if (!pem && pem.error().code == Code::kFileNotFound) {
    return Fail(Code::kFileNotFound, "there is no signing key of the audit log", Location{path, 0, 0, {}});
  }
  if (!pem) return Fail(pem.error());
  const BioHandle bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  KeyHandle key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return Fail(Code::kInputOutput, "the file holds no Ed25519 key in PEM", Location{path, 0, 0, {}});
  }
  return SigningKey(std::move(key), std::move(name));
}

std::string SigningKey::Sign(std::string_view text) const {
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  const ContextHandle context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, Unsigned(text),
                     text.size()) != 1) {
    std::abort();
  }
  return signature;
}

std::string SignNote(const SigningKey& key, std::string_view text) {
  const VerifierKey& verifier = key.verifier();
  return std::string(text) + "\n" + std::string(kSignaturePrefix) + verifier.name() + " " +
         ToBase64(verifier.id() + key.Sign(text)) + "\n";
}

Result<std::string> OpenNote(const VerifierKey& key, std::string_view note) {
  const std::size_t end = note.rfind("\n\n");
  if (end == std::string_view::npos || !note.ends_with('\n')) {
    return Fail(Code::kIntegrity, "this is not a signed note");
  }
  std::string text(note.substr(0, end + 1));
  const std::string signature = SignatureOf(key, note.substr(end + 2));
  if (signature.empty()) return Fail(Code::kIntegrity, "the note is not signed by " + key.name());
  if (!key.Verifies(text, signature)) {
    return Fail(Code::kIntegrity, "the signature of " + key.name() + " does not fit the note");
  }
  return text;
}

}  // namespace fhir_adapter::audit
