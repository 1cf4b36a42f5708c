#include "app/json_web_key.h"

#include <array>
#include <cstdlib>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <optional>
#include <utility>
#include <vector>

#include "core/arena.h"
#include "core/base64.h"
#include "core/limits.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Key = std::shared_ptr<EVP_PKEY>;

constexpr int kRsaBitsMin = 2'048;  // RFC 7518 section 3.3
constexpr int kRsaBitsMax = 8'192;  // larger ones cost more than a request is worth
constexpr std::size_t kExponentBytesMax = 8;

struct Curve {
  std::string_view name;  // RFC 7518 section 6.2.1.1
  const char* group;      // as OpenSSL calls it
  std::size_t coordinate_bytes;
  JwtAlgorithm algorithm;
};
constexpr std::array<Curve, 2> kCurves = {
    {{"P-256", "prime256v1", 32, JwtAlgorithm::kEs256}, {"P-384", "secp384r1", 48, JwtAlgorithm::kEs384}}};

bool IsElliptic(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kEs256 || algorithm == JwtAlgorithm::kEs384;
}

std::size_t CoordinateBytes(JwtAlgorithm algorithm) {
  return algorithm == JwtAlgorithm::kEs256 ? kCurves[0].coordinate_bytes : kCurves[1].coordinate_bytes;
}

const EVP_MD* DigestOf(JwtAlgorithm algorithm) {
  const bool is_256 = algorithm == JwtAlgorithm::kRs256 || algorithm == JwtAlgorithm::kEs256;
  return is_256 ? EVP_sha256() : EVP_sha384();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number NumberOf(std::string_view bytes) {
  return {BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr), &BN_free};
}

// A public key from its parameters; null when OpenSSL finds that they make none.
Key KeyFrom(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(builder),
                                                                           &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free);
  if (parameters == nullptr || context == nullptr) std::abort();  // out of memory
  EVP_PKEY* key = nullptr;
  const bool is_made = EVP_PKEY_fromdata_init(context.get()) == 1 &&
                       EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  Key made(key, &EVP_PKEY_free);
  if (!is_made) return nullptr;
  // The point is on the curve and not at infinity; the modulus is odd.
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> check(
      EVP_PKEY_CTX_new_from_pkey(nullptr, made.get(), nullptr), &EVP_PKEY_CTX_free);
  return check != nullptr && EVP_PKEY_public_check(check.get()) == 1 ? made : nullptr;
}

Key RsaKey(const Node& jwk) {
  const auto modulus = FromBase64Url(MemberText(jwk, "n"));
  const auto exponent = FromBase64Url(MemberText(jwk, "e"));
  if (!modulus || !exponent || modulus->empty() || exponent->empty() ||
      modulus->size() > static_cast<std::size_t>(kRsaBitsMax) / 8 || exponent->size() > kExponentBytesMax) {
    return nullptr;
  }
  const Number n = NumberOf(*modulus);
  const Number e = NumberOf(*exponent);
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                &OSSL_PARAM_BLD_free);
  if (builder == nullptr || n == nullptr || e == nullptr) std::abort();  // out of memory
  const bool is_usable = BN_num_bits(n.get()) >= kRsaBitsMin && BN_num_bits(n.get()) <= kRsaBitsMax &&
                         BN_is_odd(e.get()) == 1 && BN_is_one(e.get()) == 0;
  if (!is_usable) return nullptr;
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return KeyFrom("RSA", builder.get());
}

Key EllipticKey(const Node& jwk, const Curve& curve) {
  const auto x = FromBase64Url(MemberText(jwk, "x"));
  const auto y = FromBase64Url(MemberText(jwk, "y"));
  // RFC 7518 section 6.2.1.2: the full size of a coordinate.
  if (!x || !y || x->size() != curve.coordinate_bytes || y->size() != curve.coordinate_bytes) return nullptr;
  const std::string point = "\x04" + *x + *y;
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                &OSSL_PARAM_BLD_free);
  if (builder == nullptr) std::abort();  // out of memory
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return KeyFrom("EC", builder.get());
}

bool IsForVerifying(const Node& jwk) {
  const std::string_view use = MemberText(jwk, "use");
  if (!use.empty() && use != "sig") return false;
  const Node* operations = jwk.Find("key_ops");
  if (operations == nullptr) return true;
  for (const Node* operation : operations->items()) {
    if (operation->is_string() && operation->text == "verify") return true;
  }
  return false;
}

// The one algorithm of an RSA key.
std::optional<JwtAlgorithm> RsaAlgorithm(std::string_view alg) {
  if (alg.empty() || alg == "RS256") return JwtAlgorithm::kRs256;
  if (alg == "RS384") return JwtAlgorithm::kRs384;
  return std::nullopt;
}

// Nothing for a key that is for something else.
std::optional<JsonWebKey> ReadKey(const Node& jwk) {
  if (!IsForVerifying(jwk)) return std::nullopt;
  const std::string_view type = MemberText(jwk, "kty");
  const std::string_view alg = MemberText(jwk, "alg");
  if (type == "RSA") {
    const auto algorithm = RsaAlgorithm(alg);
    Key key = algorithm ? RsaKey(jwk) : nullptr;
    return key ? std::optional(JsonWebKey(std::move(key), *algorithm)) : std::nullopt;
  }
  if (type != "EC") return std::nullopt;
  for (const Curve& curve : kCurves) {
    if (curve.name != MemberText(jwk, "crv")) continue;
    if (!alg.empty() && alg != Name(curve.algorithm)) return std::nullopt;
    Key key = EllipticKey(jwk, curve);
    return key ? std::optional(JsonWebKey(std::move(key), curve.algorithm)) : std::nullopt;
  }
  return std::nullopt;
}

// OpenSSL wants DER where JWS has r and s side by side (RFC 7518 section 3.4). Empty: not of this size.
std::string DerOf(std::string_view signature, std::size_t coordinate_bytes) {
  if (signature.size() != 2 * coordinate_bytes) return {};
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  Number r = NumberOf(signature.substr(0, coordinate_bytes));
  Number s = NumberOf(signature.substr(coordinate_bytes));
  if (pair == nullptr || r == nullptr || s == nullptr) std::abort();  // out of memory
  ECDSA_SIG_set0(pair.get(), r.release(), s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

std::string_view Name(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kRs256:
      return "RS256";
    case JwtAlgorithm::kRs384:
      return "RS384";
    case JwtAlgorithm::kEs256:
      return "ES256";
    case JwtAlgorithm::kEs384:
      return "ES384";
  }
  return "";
}

bool JsonWebKey::Verify(std::string_view text, std::string_view signature) const {
  const std::string bytes =
      IsElliptic(algorithm_) ? DerOf(signature, CoordinateBytes(algorithm_)) : std::string(signature);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (context == nullptr) std::abort();  // out of memory
  const bool is_good =
      !bytes.empty() &&
      EVP_DigestVerifyInit(context.get(), nullptr, DigestOf(algorithm_), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), Bytes(bytes), bytes.size(), Bytes(text), text.size()) == 1;
  ERR_clear_error();
  return is_good;
}

const JsonWebKey* JsonWebKeySet::Find(std::string_view key_id) const {
  const auto found = keys_.find(key_id);
  return found == keys_.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<const JsonWebKeySet>> JsonWebKeySet::Parse(std::string_view json) {
  Arena arena;
  const fhir::JsonLimits json_limits{limits::kJwtKeySetBytesMax, limits::kRecordDepthMax,
                                     limits::kRecordElementsMax};
  const auto root = fhir::ReadJson(json, arena, json_limits);
  const Node* keys = root ? (*root)->Find("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) {
    return Fail(Code::kServerAnswer,
                "no JSON Web Key Set of at most " + std::to_string(limits::kJwtKeySetBytesMax) + " bytes");
  }
  if (keys->items().size() > limits::kJwtKeysMax) {
    return Fail(Code::kServerAnswer,
                "the JSON Web Key Set has more than " + std::to_string(limits::kJwtKeysMax) + " keys");
  }
  auto set = std::make_shared<JsonWebKeySet>();
  for (const Node* jwk : keys->items()) {
    const std::string id = MemberString(*jwk, "kid");
    if (id.empty() || id.size() > limits::kJwtKeyIdBytesMax) continue;
    auto key = ReadKey(*jwk);
    if (key && !set->keys_.emplace(id, std::move(*key)).second) {
      return Fail(Code::kServerAnswer, "two keys of the JSON Web Key Set have one kid");
    }
  }
  ERR_clear_error();
  if (set->keys_.empty()) {
    return Fail(Code::kServerAnswer,
                "the JSON Web Key Set has no key with kid for RS256, RS384, ES256 or ES384");
  }
  return std::shared_ptr<const JsonWebKeySet>(std::move(set));
}

}  // namespace fhir_adapter::app
