#include "sync/token_server.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <set>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "sync/resource_content.h"
#include "sync/web_document.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

// RFC 6749 section 5.1: what a server that does not say how long leaves open.
constexpr std::int64_t kLifetimeUnsaidSeconds = 300;
constexpr std::int64_t kLifetimeSecondsMax = 86'400;

Result<const Node*> ReadObject(std::string_view body, Arena& arena) {
  const auto read = fhir::ReadJson(body, arena, fhir::kRecordLimits);
  if (!read || !(*read)->is_object()) return Fail(Code::kServerAnswer, "the answer is not a JSON object");
  return *read;
}

std::set<std::string> Words(std::string_view text) {
  std::set<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// An error code of RFC 6749, so that no other text of the server gets into a message.
std::string ErrorWord(std::string_view body) {
  Arena arena;
  const auto object = ReadObject(body, arena);
  if (!object) return {};
  const std::string_view word = MemberText(**object, "error");
  const bool is_code = word.size() <= 40 && std::ranges::all_of(word, [](unsigned char c) {
                         return std::islower(c) != 0 || c == '_';
                       });
  return is_code && !word.empty() ? ", " + std::string(word) : std::string();
}

std::string Encoded(const std::string& text) {
  const std::unique_ptr<char, decltype(&curl_free)> escaped(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), &curl_free);
  return escaped == nullptr ? std::string() : std::string(escaped.get());
}

std::int64_t LifetimeOf(const Node& answer) {
  const Node* lifetime = answer.Find("expires_in");
  if (lifetime == nullptr) return kLifetimeUnsaidSeconds;
  std::int64_t seconds = 0;
  std::from_chars(lifetime->text.data(), lifetime->text.data() + lifetime->text.size(), seconds);
  return std::clamp<std::int64_t>(seconds, 0, kLifetimeSecondsMax);
}

bool IsBearer(std::string_view type) {
  constexpr std::string_view kBearer = "bearer";
  return std::ranges::equal(type, kBearer,
                            [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

}  // namespace

Result<std::string> ReadSmartConfiguration(std::string_view body, std::string_view base_url) {
  Arena arena;
  ADAPTER_TRY(const Node* configuration, ReadObject(body, arena));
  const std::string url(MemberText(*configuration, "token_endpoint"));
  const bool is_safe =
      url.starts_with("https://") || (url.starts_with("http://") && base_url.starts_with("http://"));
  if (!is_safe || url.find_first_of(" \r\n\t#@") != std::string::npos) {
    return Fail(
        Code::kServerAnswer,
        "the server's smart-configuration names no https token_endpoint: set [endpoint.auth] token_url");
  }
  return url;
}

Result<AccessToken> ReadTokenAnswer(std::string_view body, std::string_view wanted_scope) {
  Arena arena;
  ADAPTER_TRY(const Node* answer, ReadObject(body, arena));
  AccessToken token;
  token.value = MemberText(*answer, "access_token");
  token.lifetime_s = LifetimeOf(*answer);
  const bool is_visible =
      std::ranges::all_of(token.value, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (token.value.empty() || !is_visible || token.value.size() > limits::kSecretBytesMax ||
      !IsBearer(MemberText(*answer, "token_type"))) {
    return Fail(Code::kServerAnswer, "the token server's answer holds no bearer token");
  }
  if (token.lifetime_s == 0) return Fail(Code::kServerAnswer, "the token server gave a token that has ended");
  const std::set<std::string> granted = Words(MemberText(*answer, "scope"));
  std::string missing;
  for (const std::string& word : Words(wanted_scope)) {
    if (!granted.contains(word)) missing += (missing.empty() ? "" : " ") + word;
  }
  if (!missing.empty()) {
    return Fail(Code::kUnauthorized,
                "the token server did not grant all of [endpoint.auth] scope; missing: " + missing +
                    ". Have it granted, or ask for what is granted");
  }
  return token;
}

Result<std::string> DiscoverTokenUrl(const std::string& base_url, const TlsSettings& tls) {
  const std::string url = base_url + "/.well-known/smart-configuration";
  ADAPTER_TRY(const WebDocument reply, Fetch({url, {}, limits::kTokenAnswerBytesMax}, tls));
  if (reply.status != 200) {
    return Fail(Code::kServerAnswer,
                "HTTP " + std::to_string(reply.status) + " from " + url + ": set [endpoint.auth] token_url");
  }
  return ReadSmartConfiguration(reply.body, base_url);
}

Result<AccessToken> RequestToken(const std::string& token_url, const std::string& assertion,
                                 const std::string& scope, const TlsSettings& tls) {
  const std::string form = "grant_type=client_credentials&client_assertion_type=" +
                           Encoded("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") +
                           "&client_assertion=" + assertion + "&scope=" + Encoded(scope);
  ADAPTER_TRY(const WebDocument reply, Fetch({token_url, form, limits::kTokenAnswerBytesMax}, tls));
  if (reply.status == 200) return ReadTokenAnswer(reply.body, scope);
  const std::string what =
      "HTTP " + std::to_string(reply.status) + ErrorWord(reply.body) + " from " + token_url;
  if (reply.status == 400 || reply.status == 401 || reply.status == 403) {
    return Fail(Code::kUnauthorized,
                what +
                    ": check client_id, key_id, scope, this machine's clock, and that the token server has "
                    "the public key of private_key_file");
  }
  return Fail(reply.status >= 500 ? Code::kServerBusy : Code::kServerAnswer, what);
}

}  // namespace fhir_adapter::sync
