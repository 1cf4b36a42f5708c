#include "app/json_web_token.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/arena.h"
#include "core/base64.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;

constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kElementsMax = 1'000;
constexpr std::size_t kSha256Bytes = 32;

Failure Refuse(std::string message) {
  return Fail(Code::kUnauthorized, "the access token is refused: " + std::move(message));
}

// The compact serialisation (RFC 7515 section 3.1), still encoded.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header and payload with the dot
};

Result<Parts> Split(std::string_view token) {
  if (token.size() > limits::kJwtBytesMax) {
    return Refuse("it is longer than " + std::to_string(limits::kJwtBytesMax) + " bytes");
  }
  if (std::ranges::count(token, '.') != 2) return Refuse("it is not a signed JSON Web Token");
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

Result<const Node*> ReadPart(std::string_view encoded, Arena& arena) {
  const auto text = FromBase64Url(encoded);
  if (!text) return Refuse("a part of it is not base64url");
  const fhir::JsonLimits json_limits{limits::kJwtBytesMax, kDepthMax, kElementsMax};
  const auto root = fhir::ReadJson(*text, arena, json_limits);
  if (!root || !(*root)->is_object()) return Refuse("a part of it is not a JSON object");
  return *root;
}

bool IsTokenType(std::string_view type) {
  constexpr std::array<std::string_view, 4> kTypes = {"", "JWT", "at+jwt", "application/at+jwt"};
  return std::ranges::any_of(kTypes,
                             [&](std::string_view known) { return net::EqualIgnoringCase(known, type); });
}

Result<const JsonWebKey*> KeyOf(const Node& header, const JsonWebKeySet& keys) {
  if (header.Find("crit") != nullptr)
    return Refuse("it has critical header parameters, and none is understood");
  if (!IsTokenType(MemberText(header, "typ"))) return Refuse("it is not an access token");
  const std::string_view key_id = MemberText(header, "kid");
  if (key_id.empty() || key_id.size() > limits::kJwtKeyIdBytesMax) return Refuse("it names no key (kid)");
  const JsonWebKey* key = keys.Find(key_id);
  if (key == nullptr) return Fail(Code::kNotFound, "the access token is refused: its key (kid) is not known");
  if (MemberText(header, "alg") != Name(key->algorithm()))
    return Refuse("its algorithm is not that of the key");
  return key;
}

// RFC 7519 section 2, NumericDate. Fractions of a second are dropped; exponents are refused.
std::optional<std::int64_t> SecondsOf(const Node& date) {
  if (!date.is_number()) return std::nullopt;
  std::int64_t seconds = 0;
  const std::string_view text = date.text;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const char* end = text.data() + text.size();
  const bool has_fraction =
      rest != end && *rest == '.' && std::all_of(rest + 1, end, [](char c) { return c >= '0' && c <= '9'; });
  // What is out of reach of every calendar would overflow where the skew is added.
  constexpr std::int64_t kSecondsMax = 1'000'000'000'000;
  if (error != std::errc() || (rest != end && !has_fraction) || seconds < 0 || seconds > kSecondsMax) {
    return std::nullopt;
  }
  return seconds;
}

Result<void> CheckTime(const Node& claims, std::int64_t now_s) {
  const Node* exp = claims.Find("exp");
  const auto ends_s = exp == nullptr ? std::nullopt : SecondsOf(*exp);
  if (!ends_s) return Refuse("it does not say when it ends (exp)");
  if (now_s >= *ends_s + limits::kJwtSkewSeconds) return Refuse("it has ended (exp)");
  for (const char* name : {"nbf", "iat"}) {
    const Node* begin = claims.Find(name);
    if (begin == nullptr) continue;
    const auto begins_s = SecondsOf(*begin);
    if (!begins_s || now_s + limits::kJwtSkewSeconds < *begins_s) {
      return Refuse("it is not valid yet (" + std::string(name) + ")");
    }
  }
  return {};
}

Result<void> CheckAudience(const Node& claims, std::string_view audience) {
  const Node* named = claims.Find("aud");
  if (named != nullptr && named->is_string() && named->text == audience) return {};
  const std::span<Node*> items = named == nullptr ? std::span<Node*>() : named->items();
  if (items.size() > limits::kJwtAudiencesMax) {
    return Refuse("it is for more than " + std::to_string(limits::kJwtAudiencesMax) + " audiences (aud)");
  }
  const bool is_for_us = std::ranges::any_of(
      items, [&](const Node* item) { return item->is_string() && item->text == audience; });
  if (!is_for_us) return Refuse("it is not for us (aud)");
  return {};
}

// RFC 8705. Another way of confirmation (DPoP, a key) cannot be proved here, and to leave it out would be to
// use the token without its proof.
Result<std::string> CertificateOf(const Node& claims) {
  const Node* confirmation = claims.Find("cnf");
  if (confirmation == nullptr) return std::string();
  const auto thumbprint = FromBase64Url(MemberText(*confirmation, "x5t#S256"));
  if (confirmation->members().size() != 1 || !thumbprint || thumbprint->size() != kSha256Bytes) {
    return Refuse("it is bound to a proof that is not understood (cnf)");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : *thumbprint) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

std::vector<std::string> ScopesOf(const Node& claims) {
  std::vector<std::string> scopes;
  std::string_view text = MemberText(claims, "scope");
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

}  // namespace

Result<JwtClaims> VerifyJwt(std::string_view token, const JsonWebKeySet& keys,
                            const JwtExpectation& expectation, std::int64_t now_s) {
  ADAPTER_TRY(const Parts parts, Split(token));
  Arena arena;
  ADAPTER_TRY(const Node* header, ReadPart(parts.header, arena));
  ADAPTER_TRY(const JsonWebKey* key, KeyOf(*header, keys));
  const auto signature = FromBase64Url(parts.signature);
  if (!signature || !key->Verify(parts.signed_text, *signature)) return Refuse("its signature is wrong");
  ADAPTER_TRY(const Node* claims, ReadPart(parts.payload, arena));
  if (MemberText(*claims, "iss") != expectation.issuer) return Refuse("it is from another issuer (iss)");
  ADAPTER_CHECK(CheckAudience(*claims, expectation.audience));
  ADAPTER_CHECK(CheckTime(*claims, now_s));
  JwtClaims good;
  good.subject = MemberString(*claims, "sub");
  const bool is_visible =
      std::ranges::all_of(good.subject, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (good.subject.empty() || good.subject.size() > limits::kJwtSubjectBytesMax || !is_visible) {
    return Refuse("it does not say whom it is for (sub)");
  }
  good.scopes = ScopesOf(*claims);
  ADAPTER_TRY(good.certificate_sha256, CertificateOf(*claims));
  return good;
}

std::string UnverifiedKeyId(std::string_view token) {
  const auto parts = Split(token);
  if (!parts) return {};
  Arena arena;
  const auto header = ReadPart(parts->header, arena);
  return header ? MemberString(**header, "kid").substr(0, limits::kJwtKeyIdBytesMax) : std::string();
}

}  // namespace fhir_adapter::app
