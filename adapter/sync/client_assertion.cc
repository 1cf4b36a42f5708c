#include "sync/client_assertion.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <vector>

#include "core/arena.h"
#include "core/base64.h"
#include "fhir/json_writer.h"
#include "fhir/node.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr int kRsaBitsMin = 2'048;    // RFC 7518 section 3.3
constexpr int kCoordinateBytes = 48;  // P-384
constexpr std::string_view kCurve = "secp384r1";

// A key with a passphrase is refused, not asked about on a terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*is_write*/, void* /*context*/) {
  return -1;
}

Result<Key> ReadKey(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  if (bio == nullptr) std::abort();  // out of memory
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  if (key == nullptr) {
    return Fail(Code::kConfiguration,
                "[endpoint.auth] private_key_file is not a private key in PEM form "
                "without passphrase");
  }
  return key;
}

bool IsOnCurve(EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == kCurve;
}

// "RS384" or "ES384" (RFC 7518 section 3.1).
Result<std::string> AlgorithmOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= kRsaBitsMin) return std::string("RS384");
  if (EVP_PKEY_is_a(key, "EC") == 1 && IsOnCurve(key)) return std::string("ES384");
  return Fail(
      Code::kConfiguration,
      "[endpoint.auth] private_key_file must hold an RSA key of 2048 bits or more (RS384) or one on the "
      "curve P-384 (ES384)");
}

// OpenSSL gives DER; JWS wants r and s side by side, each padded to the size of the curve (RFC 7518
// section 3.4).
Result<std::string> SideBySide(const std::vector<unsigned char>& der) {
  const unsigned char* begin = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())), &ECDSA_SIG_free);
  std::array<unsigned char, 2 * static_cast<std::size_t>(kCoordinateBytes)> out{};
  if (signature == nullptr ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), kCoordinateBytes) != kCoordinateBytes ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out.data() + kCoordinateBytes, kCoordinateBytes) !=
          kCoordinateBytes) {
    return Fail(Code::kInternal, "a signature cannot be encoded");
  }
  return std::string(reinterpret_cast<const char*>(out.data()), out.size());
}

Result<std::string> Sign(EVP_PKEY* key, std::string_view text, bool is_elliptic) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (context == nullptr) std::abort();  // out of memory
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return Fail(Code::kConfiguration, "[endpoint.auth] private_key_file cannot sign");
  }
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) != 1) {
    return Fail(Code::kConfiguration, "[endpoint.auth] private_key_file cannot sign");
  }
  signature.resize(size);
  if (is_elliptic) return SideBySide(signature);
  return std::string(reinterpret_cast<const char*>(signature.data()), signature.size());
}

}  // namespace

Result<std::string> SignAssertion(const AssertionClaims& claims, std::string_view private_key_pem) {
  ADAPTER_TRY(const Key key, ReadKey(private_key_pem));
  ADAPTER_TRY(const std::string algorithm, AlgorithmOf(key.get()));
  Arena arena;
  Node* header = Node::Object(arena);
  header->AddMember(arena, "alg", Node::String(arena, algorithm));
  header->AddMember(arena, "typ", Node::String(arena, "JWT"));
  header->AddMember(arena, "kid", Node::String(arena, claims.key_id));
  Node* body = Node::Object(arena);
  body->AddMember(arena, "iss", Node::String(arena, claims.client_id));
  body->AddMember(arena, "sub", Node::String(arena, claims.client_id));
  body->AddMember(arena, "aud", Node::String(arena, claims.audience));
  body->AddMember(arena, "iat", Node::Number(arena, std::to_string(claims.issued_s)));
  body->AddMember(arena, "exp", Node::Number(arena, std::to_string(claims.issued_s + claims.lifetime_s)));
  body->AddMember(arena, "jti", Node::String(arena, claims.unique_id));
  const std::string text = ToBase64Url(fhir::ToJson(*header)) + "." + ToBase64Url(fhir::ToJson(*body));
  ADAPTER_TRY(const std::string signature, Sign(key.get(), text, algorithm == "ES384"));
  return text + "." + ToBase64Url(signature);
}

}  // namespace fhir_adapter::sync
