#include "sandbox/interaction.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fhir/schema.h"
#include "fhir/temporal.h"

namespace fhir_adapter::sandbox {

std::optional<std::int64_t> ParseEntityTag(std::string_view text) {
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return version;
}

bool IsResourceId(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

bool IsResourceType(std::string_view text) {
  const fhir::TypeInfo* type = fhir::Schema::R4().FindType(text);
  return type != nullptr && type->name == text && type->kind == fhir::TypeKind::kResource &&
         !type->is_abstract;
}

std::string InstantText(std::int64_t time_us) {
  return fhir::Temporal::FromUtcMicroseconds(time_us, 3).ToString();
}

Refusable<Interaction> ParseInteractionUrl(std::string method, std::string_view url,
                                           std::string_view base_url) {
  if (url.size() > base_url.size() && url.starts_with(base_url) && url[base_url.size()] == '/') {
    url.remove_prefix(base_url.size());
  }
  if (url.starts_with('/')) url.remove_prefix(1);
  Interaction interaction;
  interaction.method = std::move(method);
  const std::size_t question = url.find('?');
  if (question != std::string_view::npos) {
    interaction.raw_query = std::string(url.substr(question + 1));
    Result<std::vector<net::QueryParameter>> query = net::ParseQuery(interaction.raw_query);
    if (!query) return Refuse(400, "value", query.error().message);
    interaction.query = std::move(*query);
    url = url.substr(0, question);
  }
  std::vector<std::string> segments;
  while (!url.empty()) {
    const std::size_t slash = std::min(url.find('/'), url.size());
    segments.emplace_back(url.substr(0, slash));
    url.remove_prefix(std::min(slash + 1, url.size()));
  }
  std::size_t next = 0;
  if (next < segments.size() && segments[next] != "_history") interaction.type = segments[next++];
  if (next < segments.size() && segments[next] != "_history") interaction.id = segments[next++];
  if (next < segments.size() && segments[next] == "_history") {
    interaction.is_history = true;
    if (++next < segments.size()) interaction.version = segments[next++];
  }
  if (next != segments.size() || (interaction.type.empty() && !interaction.is_history)) {
    return Refuse(400, "value", "the url is not one of a resource, a type or a history");
  }
  if (!interaction.type.empty() && !IsResourceType(interaction.type)) {
    return Refuse(404, "not-supported", "the resource type is not one of FHIR R4");
  }
  return interaction;
}

}  // namespace fhir_adapter::sandbox
