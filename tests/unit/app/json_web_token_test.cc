// Access tokens as their server makes them, and as attackers do (RFC 8725; CVE-2015-9235 and its kin).
#include "app/json_web_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "core/base64.h"
#include "core/limits.h"
#include "token_mint.h"

namespace fhir_adapter::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;
const JwtExpectation kExpected{"https://ehr.example/oauth", "https://intake.clinic.example"};

std::shared_ptr<const JsonWebKeySet> KeysOf(const std::vector<std::string>& jwks) {
  std::string json;
  for (const std::string& jwk : jwks) json += (json.empty() ? "" : ",") + jwk;
  const auto keys = JsonWebKeySet::Parse("{\"keys\":[" + json + "]}");
  EXPECT_TRUE(keys) << keys.error().message;
  return keys ? *keys : nullptr;
}

// One set for all tests: RSA keys take their time to be made.
struct Issuer {
  SigningKey rs256{"RS256"};
  SigningKey rs384{"RS384"};
  SigningKey es256{"ES256"};
  SigningKey es384{"ES384"};
  std::shared_ptr<const JsonWebKeySet> keys = KeysOf(
      {rs256.Jwk(R"("kid":"RS256","alg":"RS256","use":"sig")"), rs384.Jwk(R"("kid":"RS384","alg":"RS384")"),
       es256.Jwk(R"("kid":"ES256")"), es384.Jwk(R"("kid":"ES384","alg":"ES384","key_ops":["verify"])")});
  const SigningKey& key(const std::string& algorithm) const {
    return algorithm == "RS256" ? rs256 : algorithm == "RS384" ? rs384 : algorithm == "ES256" ? es256 : es384;
  }
};
const Issuer& TheIssuer() {
  static const Issuer issuer;
  return issuer;
}

std::string HeaderOf(const std::string& alg, const std::string& kid, const std::string& more = {}) {
  return R"({"alg":")" + alg + R"(","kid":")" + kid + "\"" + more + "}";
}

// Good claims, but for what is said; an empty text leaves a claim out.
struct ClaimTexts {
  std::string iss = R"("https://ehr.example/oauth")";
  std::string aud = R"("https://intake.clinic.example")";
  std::string sub = R"("ehr-client")";
  std::string exp = std::to_string(kNow + 300);
  std::string nbf;
  std::string iat;
  std::string scope = R"("system/Observation.cruds openid")";
  std::string cnf;

  std::string Json() const {
    std::string json = "{\"jti\":\"1\"";
    for (const auto& [name, text] :
         {std::pair("iss", iss), std::pair("aud", aud), std::pair("sub", sub), std::pair("exp", exp),
          std::pair("nbf", nbf), std::pair("iat", iat), std::pair("scope", scope), std::pair("cnf", cnf)}) {
      if (!text.empty()) json += ",\"" + std::string(name) + "\":" + text;
    }
    return json + "}";
  }
};

Result<JwtClaims> Verify(const std::string& token, std::int64_t now_s = kNow) {
  return VerifyJwt(token, *TheIssuer().keys, kExpected, now_s);
}

std::string TokenWith(const ClaimTexts& claims) {
  return Token(HeaderOf("ES256", "ES256"), claims.Json(), TheIssuer().es256);
}

// What is said against it; empty: nothing.
std::string Refusal(const std::string& token, std::int64_t now_s = kNow) {
  const auto claims = Verify(token, now_s);
  if (claims) return "";
  EXPECT_TRUE(claims.error().code == Code::kUnauthorized || claims.error().code == Code::kNotFound);
  return claims.error().message;
}

TEST(JsonWebToken, EachAlgorithm_IsVerifiedWithItsKey) {
  for (const char* algorithm : {"RS256", "RS384", "ES256", "ES384"}) {
    const SigningKey& key = TheIssuer().key(algorithm);
    const auto claims = Verify(Token(HeaderOf(algorithm, algorithm), ClaimTexts().Json(), key));
    ASSERT_TRUE(claims) << algorithm << ": " << claims.error().message;
    EXPECT_EQ(claims->subject, "ehr-client");
    EXPECT_THAT(claims->scopes, ElementsAre("system/Observation.cruds", "openid"));
    std::string changed = Token(HeaderOf(algorithm, algorithm), ClaimTexts().Json(), key);
    changed[changed.find('.') + 5] ^= 1;
    EXPECT_NE(Refusal(changed), "") << algorithm;
    EXPECT_THAT(Refusal(Token(HeaderOf(algorithm, algorithm), ClaimTexts().Json(), SigningKey(algorithm))),
                HasSubstr("signature"))
        << algorithm;
  }
}

// RFC 7515, appendices A.2 and A.3: keys and signatures that others published.
TEST(JsonWebKey, PublishedExamples_AreVerified) {
  const std::string text =
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const auto keys = KeysOf(
      {R"({"kty":"EC","kid":"a3","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
       R"({"kty":"RSA","kid":"a2","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})"});
  ASSERT_NE(keys, nullptr);
  ASSERT_EQ(keys->size(), 2U);
  const auto es256 =
      FromBase64Url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(keys->Find("a3")->Verify("eyJhbGciOiJFUzI1NiJ9." + text, es256.value_or("")));
  EXPECT_FALSE(keys->Find("a3")->Verify("eyJhbGciOiJFUzI1NiJ9." + text + "A", es256.value_or("")));
  const auto rs256 = FromBase64Url(
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CU"
      "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
      "eSN9383LcOLn6_d"
      "O--xi12jzDwusC-"
      "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
      "cN_IoypGlUPQGe77Rw");
  EXPECT_TRUE(keys->Find("a2")->Verify("eyJhbGciOiJSUzI1NiJ9." + text, rs256.value_or("")));
}

TEST(JsonWebToken, AttackOnTheAlgorithm_IsRefused) {
  const Issuer& issuer = TheIssuer();
  const std::string claims = ClaimTexts().Json();
  for (const char* alg : {"none", "None", "NONE", "nOnE", ""}) {
    EXPECT_NE(Refusal(UnsignedToken(HeaderOf(alg, "RS256"), claims)), "") << alg;
  }
  EXPECT_NE(Refusal(UnsignedToken(HeaderOf("RS256", "RS256"), claims)), "");
  // The public key as the secret of an HMAC.
  for (const char* alg : {"HS256", "RS256"}) {
    EXPECT_NE(Refusal(HmacToken(HeaderOf(alg, "RS256"), claims, issuer.rs256.Pem())), "") << alg;
    EXPECT_NE(Refusal(HmacToken(HeaderOf(alg, "RS256"), claims, issuer.rs256.Jwk(""))), "") << alg;
  }
  // A good signature under another algorithm than the key's own.
  EXPECT_THAT(Refusal(Token(HeaderOf("RS384", "RS256"), claims, issuer.rs256)), HasSubstr("algorithm"));
  EXPECT_THAT(Refusal(Token(HeaderOf("ES256", "RS256"), claims, issuer.es256)), HasSubstr("algorithm"));
  EXPECT_THAT(Refusal(Token(HeaderOf("RS256", "ES256"), claims, issuer.rs256)), HasSubstr("algorithm"));
  // A signature of the wrong length, and r = s = 0 (CVE-2022-21449).
  const std::string text = Base64Url(HeaderOf("ES256", "ES256")) + "." + Base64Url(claims) + ".";
  EXPECT_THAT(Refusal(text + Base64Url(std::string(64, '\0'))), HasSubstr("signature"));
  EXPECT_THAT(Refusal(text + Base64Url(std::string(63, 'a'))), HasSubstr("signature"));
  EXPECT_THAT(Refusal(text), HasSubstr("signature"));
}

TEST(JsonWebToken, KeyThatTheTokenBrings_IsNotUsed) {
  const SigningKey own("ES256");
  const std::string claims = ClaimTexts().Json();
  const std::string jwk = R"(,"jwk":)" + own.Jwk(R"("kid":"ES256")");
  for (const std::string& more :
       {jwk, std::string(R"(,"jku":"https://evil.example/keys")"),
        std::string(R"(,"x5u":"https://evil.example/c")"), std::string(R"(,"x5c":["MIIB"])")}) {
    EXPECT_THAT(Refusal(Token(HeaderOf("ES256", "ES256", more), claims, own)), HasSubstr("signature"))
        << more;
    EXPECT_EQ(Refusal(Token(HeaderOf("ES256", "ES256", more), claims, TheIssuer().es256)), "")
        << "ignored: " << more;
  }
}

TEST(JsonWebToken, KeyIdThatIsNotKnown_IsToldApartAndNeverAPath) {
  for (const char* kid :
       {"other", "../../../../dev/null", "/etc/passwd", "RS256' OR '1'='1", "RS256\\u0000", "rs256"}) {
    const auto refused = Verify(Token(HeaderOf("ES256", kid), ClaimTexts().Json(), TheIssuer().es256));
    ASSERT_FALSE(refused) << kid;
    EXPECT_EQ(refused.error().code, Code::kNotFound) << kid;
  }
  EXPECT_THAT(Refusal(Token(R"({"alg":"ES256"})", ClaimTexts().Json(), TheIssuer().es256)), HasSubstr("kid"));
  EXPECT_THAT(Refusal(Token(R"({"alg":"ES256","kid":["ES256"]})", ClaimTexts().Json(), TheIssuer().es256)),
              HasSubstr("kid"));
  const std::string longest(limits::kJwtKeyIdBytesMax, 'a');
  EXPECT_EQ(Verify(Token(HeaderOf("ES256", longest), "{}", TheIssuer().es256)).error().code, Code::kNotFound);
  EXPECT_EQ(Verify(Token(HeaderOf("ES256", longest + "a"), "{}", TheIssuer().es256)).error().code,
            Code::kUnauthorized);
}

TEST(JsonWebToken, Header_HasNothingCriticalAndTheTypeOfAnAccessToken) {
  const std::string claims = ClaimTexts().Json();
  const SigningKey& key = TheIssuer().es256;
  for (const char* type : {"JWT", "jwt", "at+jwt", "application/at+jwt"}) {
    EXPECT_EQ(
        Refusal(Token(HeaderOf("ES256", "ES256", R"(,"typ":")" + std::string(type) + "\""), claims, key)),
        "");
  }
  EXPECT_NE(Refusal(Token(HeaderOf("ES256", "ES256", R"(,"typ":"logout+jwt")"), claims, key)), "");
  EXPECT_NE(Refusal(Token(HeaderOf("ES256", "ES256", R"(,"crit":["b64"],"b64":false)"), claims, key)), "");
  EXPECT_NE(Refusal(Token(R"({"alg":"ES256","kid":"ES256","alg":"none"})", claims, key)), "");
}

TEST(JsonWebToken, IssuerAndAudience_AreComparedAsTheyAre) {
  ClaimTexts claims;
  for (const char* iss : {"", R"("https://ehr.example")", R"("https://ehr.example/oauth/")",
                          R"("https://EHR.example/oauth")", R"(["https://ehr.example/oauth"])", "5"}) {
    claims.iss = iss;
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(iss)")) << iss;
  }
  claims = {};
  for (const char* aud :
       {"", R"("https://intake.clinic.example/")", R"("https://intake.clinic.example.evil.example")",
        R"(["https://other.example"])", "[]", "{}", R"([["https://intake.clinic.example"]])"}) {
    claims.aud = aud;
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(aud)")) << aud;
  }
  std::string many = R"(["https://intake.clinic.example")";
  for (std::size_t i = 1; i < limits::kJwtAudiencesMax; ++i) many += R"(,"https://other.example")";
  claims.aud = many + "]";
  EXPECT_EQ(Refusal(TokenWith(claims)), "");
  claims.aud = many + R"(,"https://other.example"])";
  EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(aud)"));
}

TEST(JsonWebToken, Times_HaveTheSkewThatIsAllowedAndNoMore) {
  const std::int64_t skew = limits::kJwtSkewSeconds;
  ClaimTexts claims;
  claims.exp = std::to_string(kNow);
  EXPECT_EQ(Refusal(TokenWith(claims), kNow + skew - 1), "");
  EXPECT_THAT(Refusal(TokenWith(claims), kNow + skew), HasSubstr("(exp)"));
  for (const char* exp :
       {"", "\"1900000000\"", "1e12", "-1", "null", "99999999999999999999", "9223372036854775807"}) {
    claims.exp = exp;
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(exp)")) << exp;
  }
  claims.exp = std::to_string(kNow + 300) + ".75";
  EXPECT_EQ(Refusal(TokenWith(claims)), "") << "a NumericDate may have a fraction";
  for (std::string ClaimTexts::* begin : {&ClaimTexts::nbf, &ClaimTexts::iat}) {
    claims = {};
    claims.*begin = std::to_string(kNow + skew);
    EXPECT_EQ(Refusal(TokenWith(claims)), "");
    claims.*begin = std::to_string(kNow + skew + 1);
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("not valid yet"));
    claims.*begin = "\"now\"";
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("not valid yet"));
  }
}

TEST(JsonWebToken, Subject_IsVisibleTextOfLimitedLength) {
  ClaimTexts claims;
  for (const std::string& sub :
       {std::string(), std::string("\"\""), std::string("5"), std::string(R"("a\nb")"),
        std::string(R"("a b")"), "\"" + std::string(limits::kJwtSubjectBytesMax + 1, 'a') + "\""}) {
    claims.sub = sub;
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(sub)")) << sub;
  }
  claims.sub = "\"" + std::string(limits::kJwtSubjectBytesMax, 'a') + "\"";
  EXPECT_EQ(Refusal(TokenWith(claims)), "");
}

TEST(JsonWebToken, Confirmation_IsACertificateOrNothing) {
  ClaimTexts claims;
  claims.cnf = R"({"x5t#S256":")" + Base64Url(std::string(32, '\x1F')) + "\"}";
  const auto bound = Verify(TokenWith(claims));
  ASSERT_TRUE(bound);
  std::string hash;
  for (int i = 0; i < 32; ++i) hash += "1f";
  EXPECT_EQ(bound->certificate_sha256, hash);
  for (const char* cnf : {R"({"jkt":"abc"})", R"({"jwk":{}})", "{}", "5", R"({"x5t#S256":"AAAA"})"}) {
    claims.cnf = cnf;
    EXPECT_THAT(Refusal(TokenWith(claims)), HasSubstr("(cnf)")) << cnf;
  }
}

TEST(JsonWebToken, Shape_IsThreePartsOfLimitedLength) {
  const std::string good = TokenWith({});
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), good + ".", good + ".a.b",
        good + "=", " " + good, good.substr(0, good.size() - 1), std::string("e30.e30.e30"),
        Base64Url("[]") + ".e30.e30"}) {
    EXPECT_NE(Refusal(token), "") << token;
  }
  // Parts of base64url have not every length, so header and claims are made longer together.
  std::string longest;
  for (std::size_t more = 0; more < 4 && longest.size() != limits::kJwtBytesMax; ++more) {
    const std::string header = HeaderOf("ES256", "ES256", R"(,"x":")" + std::string(more, 'a') + "\"");
    ClaimTexts claims;
    claims.scope = "\"" + std::string((limits::kJwtBytesMax - good.size()) / 4 * 3 - 100, 'a') + "\"";
    do {
      claims.scope.insert(1, "a");
      longest = Token(header, claims.Json(), TheIssuer().es256);
    } while (longest.size() < limits::kJwtBytesMax);
  }
  ASSERT_EQ(longest.size(), limits::kJwtBytesMax);
  EXPECT_EQ(Refusal(longest), "");
  EXPECT_THAT(Refusal(longest + "a"), HasSubstr("longer"));
}

// Nothing of a token is repeated where a log could hold it.
TEST(JsonWebToken, Refusal_HoldsNothingOfTheToken) {
  ClaimTexts claims;
  claims.sub = R"("canary canary")";
  EXPECT_EQ(Refusal(TokenWith(claims)).find("canary"), std::string::npos);
  EXPECT_EQ(Refusal(Token(HeaderOf("canary", "canary"), "{}", TheIssuer().es256)).find("canary"),
            std::string::npos);
}

TEST(JsonWebKeySet, KeysForSomethingElse_AreLeftOut) {
  const SigningKey& es256 = TheIssuer().es256;
  const SigningKey& rs256 = TheIssuer().rs256;
  const auto keys =
      KeysOf({es256.Jwk(R"("kid":"good")"), es256.Jwk(""), es256.Jwk(R"("kid":"enc","use":"enc")"),
              es256.Jwk(R"("kid":"ops","key_ops":["encrypt"])"), es256.Jwk(R"("kid":"alg","alg":"ES384")"),
              rs256.Jwk(R"("kid":"pss","alg":"PS256")"), rs256.Jwk(R"("kid":"hs","alg":"HS256")"),
              SigningKey("RS256", 1'024).Jwk(R"("kid":"weak")"), R"({"kty":"oct","kid":"oct","k":"AAAA"})",
              R"({"kty":"EC","kid":"off","crv":"P-256","x":")" + Base64Url(std::string(32, '\1')) +
                  R"(","y":")" + Base64Url(std::string(32, '\1')) + "\"}",
              R"({"kty":"OKP","kid":"okp","crv":"Ed25519","x":"AAAA"})", "5"});
  ASSERT_NE(keys, nullptr);
  EXPECT_EQ(keys->size(), 1U);
  EXPECT_NE(keys->Find("good"), nullptr);
}

TEST(JsonWebKeySet, UnusableSets_AreRefused) {
  const SigningKey& key = TheIssuer().es256;
  for (const std::string& json :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":[]})"),
        std::string(R"({"keys":{}})"), std::string("<html>"),
        "{\"keys\":[" + key.Jwk(R"("kid":"a")") + "," + key.Jwk(R"("kid":"a")") + "]}"}) {
    EXPECT_FALSE(JsonWebKeySet::Parse(json)) << json;
  }
}

TEST(JsonWebKeySet, BytesAndKeys_HaveALimit) {
  const SigningKey& key = TheIssuer().es256;
  std::string list = key.Jwk(R"("kid":"0")");
  for (std::size_t i = 1; i < limits::kJwtKeysMax; ++i)
    list += "," + key.Jwk(R"("kid":")" + std::to_string(i) + "\"");
  EXPECT_TRUE(JsonWebKeySet::Parse("{\"keys\":[" + list + "]}"));
  EXPECT_FALSE(JsonWebKeySet::Parse("{\"keys\":[" + list + "," + key.Jwk(R"("kid":"more")") + "]}"));
  std::string json = "{\"keys\":[" + key.Jwk(R"("kid":"0")") + "]}";
  json.resize(limits::kJwtKeySetBytesMax, ' ');
  EXPECT_TRUE(JsonWebKeySet::Parse(json));
  EXPECT_FALSE(JsonWebKeySet::Parse(json + " "));
}

}  // namespace
}  // namespace fhir_adapter::app
