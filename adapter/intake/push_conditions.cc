#include "intake/push_conditions.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "net/http_message.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::string_view kType = "Observation";

// W/"3", or "3"; the number of our version.
Result<std::int64_t> ReadEntityTag(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  std::int64_t version = 0;
  if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"') {
    tag = tag.substr(1, tag.size() - 2);
    const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
    if (error == std::errc() && end == tag.data() + tag.size() && version > 0) return version;
  }
  return Fail(Code::kUsage, "If-Match is one entity tag of a version, as W/\"3\"");
}

outbox::IdentifierToken TokenOf(std::string_view text) {
  outbox::IdentifierToken token;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      token.value += text[++i];
    } else if (text[i] == '|' && !token.system) {
      token.system = std::move(token.value);
      token.value.clear();
    } else {
      token.value += text[i];
    }
  }
  return token;
}

// One that does not would not be found by it the next time.
bool Carries(const pipeline::PushedObservation& observation, const outbox::IdentifierToken& token) {
  return std::ranges::any_of(observation.identifiers, [&](const outbox::PushedIdentifier& identifier) {
    return identifier.value == token.value && (!token.system || identifier.system == *token.system);
  });
}

}  // namespace

Result<outbox::IdentifierToken> ReadIdentifierSearch(std::string_view query) {
  if (const std::size_t mark = query.find('?'); mark != std::string_view::npos) query.remove_prefix(mark + 1);
  ADAPTER_TRY(const std::vector<net::QueryParameter> parameters, net::ParseQuery(query));
  std::optional<outbox::IdentifierToken> token;
  for (const net::QueryParameter& parameter : parameters) {
    if (parameter.name != "identifier" || token) {
      return Fail(Code::kNotSupported, "the only search here is by one identifier");
    }
    token = TokenOf(parameter.value);
  }
  if (!token || token->value.empty()) return Fail(Code::kUsage, "the search names no identifier");
  return std::move(*token);
}

Result<Target> ReadTarget(std::string_view method, std::string_view url) {
  Target target;
  target.method = method;
  if (method != "POST" && method != "PUT") {
    return Fail(Code::kNotSupported, "only POST and PUT of an Observation are taken here");
  }
  const std::size_t mark = url.find('?');
  const std::string_view path = url.substr(0, mark);
  if (mark != std::string_view::npos) target.query = url.substr(mark + 1);
  const bool is_of_type =
      path.starts_with(kType) && (path.size() == kType.size() || path[kType.size()] == '/');
  if (!is_of_type) return Fail(Code::kNotSupported, "only resources of type Observation are taken here");
  if (path.size() > kType.size()) target.id = path.substr(kType.size() + 1);
  if (method == "POST" && (!target.id.empty() || !target.query.empty())) {
    return Fail(Code::kNotSupported, "a POST goes to Observation");
  }
  return target;
}

Result<pipeline::PushRequest> MakePushRequest(const Target& target, pipeline::PushedObservation observation) {
  pipeline::PushRequest request;
  request.is_update = target.method == "PUT";
  request.id = target.id;
  if (!target.if_match.empty()) {
    ADAPTER_TRY(request.if_match, ReadEntityTag(target.if_match));
  }
  if (request.is_update && request.id.empty()) {
    ADAPTER_TRY(request.identifier, ReadIdentifierSearch(target.query));
    if (!Carries(observation, *request.identifier)) {
      return Fail(Code::kUsage, "the body does not carry the identifier of the request",
                  Location{{}, 0, 0, "Observation.identifier"});
    }
  }
  if (!request.is_update && !target.if_none_exist.empty()) {
    ADAPTER_TRY(request.identifier, ReadIdentifierSearch(target.if_none_exist));
  }
  if (!request.id.empty() && observation.body_id != request.id) {
    return Fail(Code::kUsage, "the id of the body is not that of the request",
                Location{{}, 0, 0, "Observation.id"});
  }
  request.observation = std::move(observation);
  return request;
}

Preference ReadPreference(std::string_view prefer) {
  if (prefer.find("return=minimal") != std::string_view::npos) return Preference::kMinimal;
  if (prefer.find("return=OperationOutcome") != std::string_view::npos) return Preference::kOperationOutcome;
  return Preference::kRepresentation;
}

}  // namespace fhir_adapter::intake
