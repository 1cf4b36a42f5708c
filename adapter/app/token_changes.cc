#include "app/token_changes.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

constexpr std::size_t kBodyBytesMax = 100'000;
constexpr std::size_t kHashCharacters = 64;
constexpr std::int64_t kDayUs = 86'400'000'000;

bool IsHash(std::string_view text) {
  return text.size() == kHashCharacters &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<void> Apply(const TokenChange& change, const outbox::Change& why, storage::Transaction& transaction,
                   outbox::AccessTokens& tokens) {
  if (change.action == "revoke") return tokens.Revoke(transaction, change.name, why);
  if (change.days < 0 || change.days > limits::kTokenDaysMax) {
    return Fail(Code::kUsage, "a token ends after 1 to " + std::to_string(limits::kTokenDaysMax) + " days");
  }
  outbox::AccessToken token;
  token.name = change.name;
  token.roles = outbox::RolesFromText(change.roles).value_or(RoleSet());
  token.sha256 = change.sha256;
  token.certificate_sha256 = change.certificate_sha256;
  if (change.days > 0) token.ends = TimeUs{why.now.us + change.days * kDayUs};
  return tokens.Create(transaction, token, why);
}

}  // namespace

std::string ToJson(const TokenChange& change) {
  return "{\"action\":" + JsonString(change.action) + ",\"name\":" + JsonString(change.name) +
         ",\"roles\":" + JsonString(change.roles) + ",\"sha256\":" + JsonString(change.sha256) +
         ",\"days\":" + std::to_string(change.days) +
         ",\"certificate_sha256\":" + JsonString(change.certificate_sha256) +
         ",\"reason\":" + JsonString(change.reason) + "}";
}

Result<TokenChange> ParseTokenChange(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  TokenChange change;
  change.action = MemberString(*root, "action");
  change.name = MemberString(*root, "name");
  change.roles = MemberString(*root, "roles");
  change.sha256 = MemberString(*root, "sha256");
  change.certificate_sha256 = MemberString(*root, "certificate_sha256");
  change.reason = MemberString(*root, "reason");
  if (const fhir::Node* days = root->Find("days")) {
    const std::string_view text = days->text;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), change.days);
    if (!days->is_number() || error != std::errc() || rest != text.data() + text.size()) {
      return Fail(Code::kUsage, "days is a whole number");
    }
  }
  if (change.action != "create" && change.action != "revoke") {
    return Fail(Code::kUsage, "action is create or revoke");
  }
  if (change.action == "create" && !IsHash(change.sha256)) return Fail(Code::kUsage, "create needs a hash");
  if (!change.certificate_sha256.empty() && !IsHash(change.certificate_sha256)) {
    return Fail(Code::kUsage, "certificate_sha256 is a hash");
  }
  return change;
}

void ApplyTokenChange(const TokenChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::AccessTokens& tokens, QueueChangeDone done) {
  const outbox::Change why{actor, change.reason, now};
  std::vector<NamedWork> works;
  works.push_back({change.name, [change, why, &tokens](storage::Transaction& transaction) {
                     return Apply(change, why, transaction, tokens);
                   }});
  SubmitEach(std::move(works), store, std::move(done));
}

net::Route TokenControlRoute(storage::Store& store, outbox::AccessTokens& tokens, Clock& clock,
                             std::function<void()> changed) {
  net::Route route{"POST", "/control/token", {Role::kOperator}, false, {}, kBodyBytesMax};
  route.handler = [&store, &tokens, &clock, changed = std::move(changed)](const net::HttpRequest& request,
                                                                          const net::Responder& responder) {
    const auto parsed = ParseTokenChange(request.body);
    if (!parsed) return responder.Send(parsed.error());
    ApplyTokenChange(*parsed, request.principal, clock.Now(), store, tokens,
                     [changed, responder](const std::vector<QueueChangeResult>& results) {
                       changed();
                       responder.Send(net::HttpResponse::WithBody(200, "application/json", ToJson(results)));
                     });
  };
  return route;
}

}  // namespace fhir_adapter::app
