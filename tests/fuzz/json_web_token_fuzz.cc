// JSON Web Tokens: a line with a key set, then the token. What is accepted is signed: with one character of
// header or payload changed, for another issuer or audience, after its end, or without its key it is refused.
#include "app/json_web_token.h"
#include "core/limits.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

constexpr std::int64_t kNowS = 1'800'000'000;
constexpr std::size_t kChangesMax = 3;
const app::JwtExpectation kExpectation{"https://issuer.example", "https://adapter.example"};

bool IsGood(std::string_view token, const app::JsonWebKeySet& keys, const app::JwtExpectation& expectation,
            std::int64_t now_s) {
  return app::VerifyJwt(token, keys, expectation, now_s).has_value();
}

void DemandThatItIsBound(std::string_view token, const app::JsonWebKeySet& keys) {
  const std::string key_id = app::UnverifiedKeyId(token);
  const app::JsonWebKey* key = keys.Find(key_id);
  Demand(key != nullptr, "the key that a good token names is in the set");
  app::JwtExpectation other = kExpectation;
  other.issuer += "/";
  Demand(!IsGood(token, keys, other, kNowS), "a token is of one issuer");
  Demand(!IsGood(token, keys, {kExpectation.issuer, ""}, kNowS), "a token is for us");
  constexpr std::int64_t kAfterEveryCalendar = 2'000'000'000'000;
  Demand(!IsGood(token, keys, kExpectation, kAfterEveryCalendar), "a token ends");
  const std::size_t signed_bytes = token.rfind('.');
  std::string changed(token);
  for (std::size_t i = 0; i < kChangesMax; ++i) {
    char& character = changed[signed_bytes * (i + 1) / (kChangesMax + 2)];
    const char before = character;
    character = before == 'A' ? 'B' : 'A';
    Demand(!IsGood(changed, keys, kExpectation, kNowS), "what is signed cannot be changed");
    character = before;
  }
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view input = fuzz::TextOf(data, size);
  const std::size_t end = input.find('\n');
  const auto keys = app::JsonWebKeySet::Parse(input.substr(0, end));
  if (!keys) return 0;
  fuzz::Demand((*keys)->size() > 0 && (*keys)->size() <= limits::kJwtKeysMax,
               "a set has keys, and not too many");
  std::string_view token = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  while (token.ends_with('\n')) token.remove_suffix(1);
  const auto claims = app::VerifyJwt(token, **keys, fuzz::kExpectation, fuzz::kNowS);
  if (!claims) {
    // What is refused is not repeated to whoever reads the log. Our own words have no dot; what has none is
    // no token, and may be a piece of them.
    const bool is_token = token.find('.') != std::string_view::npos && token.size() > 16;
    const bool is_told = is_token && claims.error().message.find(token) != std::string::npos;
    fuzz::Demand(!is_told, "a refusal does not hold the token");
    return 0;
  }
  fuzz::Demand(!claims->subject.empty() && claims->subject.size() <= limits::kJwtSubjectBytesMax,
               "a good token has a subject");
  fuzz::Demand(claims->certificate_sha256.empty() || claims->certificate_sha256.size() == 64,
               "a thumbprint is a SHA-256");
  fuzz::DemandThatItIsBound(token, **keys);
  return 0;
}
