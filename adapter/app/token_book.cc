#include "app/token_book.h"

#include "core/base64.h"
#include "core/clock.h"
#include "core/digest.h"

namespace fhir_adapter::app {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr int kTokenWords = 4;  // of 8 bytes

}  // namespace

void TokenBook::Replace(const std::vector<outbox::AccessToken>& tokens) {
  std::map<std::string, Holder> by_hash;
  for (const outbox::AccessToken& token : tokens) {
    if (token.revoked) continue;
    by_hash[token.sha256] = Holder{token.name, token.roles, token.ends, token.certificate_sha256};
  }
  const std::scoped_lock lock(mutex_);
  by_hash_ = std::move(by_hash);
}

Result<std::string_view> BearerToken(const net::HttpRequest& head) {
  const std::string_view header = head.headers.Get("Authorization");
  if (header.empty() || head.headers.Count("Authorization") != 1) {
    return Fail(Code::kUnauthorized, "send one Authorization: Bearer <token>");
  }
  if (header.size() <= kScheme.size() || !net::EqualIgnoringCase(header.substr(0, kScheme.size()), kScheme)) {
    return Fail(Code::kUnauthorized, "the scheme of Authorization is Bearer");
  }
  return header.substr(kScheme.size());
}

Result<Principal> TokenBook::Authenticate(const net::HttpRequest& head) const {
  ADAPTER_TRY(const std::string_view token, BearerToken(head));
  const std::string hash = HashOfToken(token);
  const std::scoped_lock lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return Fail(Code::kUnauthorized, "the token is not known, or was revoked");
  const Holder& holder = found->second;
  if (holder.ends && clock_.Now().us >= holder.ends->us) {
    return Fail(Code::kUnauthorized, "the token has ended");
  }
  if (!holder.certificate_sha256.empty() && holder.certificate_sha256 != head.client_certificate_sha256) {
    return Fail(Code::kUnauthorized, "the token is bound to a client certificate that was not shown");
  }
  Principal principal;
  principal.kind = ActorKind::kCredential;
  principal.id = holder.name;
  principal.roles = holder.roles;
  principal.authentication = "token";
  return principal;
}

std::string NewToken() {
  std::string bytes;
  for (int i = 0; i < kTokenWords; ++i) {
    const std::uint64_t word = SystemRandom().Next();
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((word >> shift) & 0xFF);
  }
  return ToBase64Url(bytes);
}

std::string HashOfToken(std::string_view token) {
  return Sha256Hex(token);
}

}  // namespace fhir_adapter::app
