#include "sandbox/read_interaction.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "fhir/json_writer.h"
#include "fhir/temporal.h"
#include "sandbox/search.h"

namespace fhir_adapter::sandbox {

namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  fhir::WriteJsonString(text, out);
  return out;
}

std::string BundleHead(std::string_view type, std::size_t total) {
  return "{\"resourceType\":\"Bundle\",\"type\":" + Quoted(type) + ",\"total\":" + std::to_string(total);
}

std::string Links(std::string_view self, std::string_view next) {
  std::string out = ",\"link\":[{\"relation\":\"self\",\"url\":" + Quoted(self) + "}";
  if (!next.empty()) out += ",{\"relation\":\"next\",\"url\":" + Quoted(next) + "}";
  return out + "]";
}

std::string HistoryEntry(const ResourceVersion& version, const std::string& base_url) {
  const std::string url = version.type + "/" + version.id;
  std::string out = "{\"fullUrl\":" + Quoted(base_url + "/" + url);
  if (!version.content.empty()) out += ",\"resource\":" + version.content;
  const bool is_create = version.method == "POST" || (version.method == "PUT" && version.version == 1);
  out += ",\"request\":{\"method\":" + Quoted(version.method) +
         ",\"url\":" + Quoted(version.method == "POST" ? version.type : url) + "}";
  out += ",\"response\":{\"status\":" + Quoted(is_create ? "201 Created" : "200 OK") +
         ",\"etag\":" + Quoted("W/\"" + std::to_string(version.version) + "\"") +
         ",\"lastModified\":" + Quoted(InstantText(version.updated_us)) + "}}";
  return out;
}

}  // namespace

Refusable<InteractionResult> ResourceReader::Run(const Interaction& interaction) {
  if (interaction.is_history && !interaction.version) return History(interaction);
  if (!interaction.id.empty()) return Read(interaction);
  return Search(interaction);
}

Refusable<InteractionResult> ResourceReader::Read(const Interaction& interaction) {
  const std::string name = interaction.type + "/" + interaction.id;
  Result<std::optional<StoredResource>> found = store_.Find(interaction.type, interaction.id);
  if (!found) return RefusalOf(found.error());
  if (!*found) return Refuse(404, "not-found", name + " is not known");
  const auto wanted =
      interaction.version ? ParseEntityTag(*interaction.version) : std::optional((*found)->version);
  if (!wanted) return Refuse(404, "not-found", name + " has no such version");
  Result<std::optional<ResourceVersion>> version = store_.ReadVersion((*found)->key, *wanted);
  if (!version) return RefusalOf(version.error());
  if (!*version) return Refuse(404, "not-found", name + " has no such version");
  if ((*version)->content.empty()) return Refuse(410, "deleted", name + " was deleted");
  InteractionResult result;
  result.resource = std::move(**version);
  result.resource.type = interaction.type;
  const auto cached = ParseEntityTag(interaction.if_none_match);
  if (cached && *cached == result.resource.version) {
    result.status = 304;
    return result;
  }
  result.body = result.resource.content;
  return result;
}

std::string ResourceReader::Link(const Interaction& interaction, std::string_view path,
                                 std::size_t offset) const {
  std::string link = base_url_ + "/" + std::string(path);
  char separator = '?';
  for (const net::QueryParameter& parameter : interaction.query) {
    if (parameter.name == "_offset") continue;
    link += separator + net::PercentEncode(parameter.name) + "=" + net::PercentEncode(parameter.value);
    separator = '&';
  }
  if (offset > 0) link += separator + std::string("_offset=") + std::to_string(offset);
  return link;
}

Refusable<InteractionResult> ResourceReader::History(const Interaction& interaction) {
  HistoryQuery query;
  query.count = limits::kSandboxPageSizeDefault;
  std::string path;
  if (!interaction.type.empty()) query.type = interaction.type;
  if (!interaction.id.empty()) query.id = interaction.id;
  if (query.type) path += *query.type + "/";
  if (query.id) path += *query.id + "/";
  path += "_history";
  std::vector<net::QueryParameter> pages;
  for (const net::QueryParameter& parameter : interaction.query) {
    if (parameter.name == "_since") {
      const auto since = fhir::Temporal::ParseInstant(parameter.value);
      const auto since_us = since ? since->ToUtcMicroseconds() : std::nullopt;
      if (!since_us) return Refuse(400, "value", "_since is not an instant");
      query.since_us = *since_us;
    } else if (parameter.name.starts_with("_")) {
      pages.push_back(parameter);
    } else {
      return Refuse(400, "not-supported", "a history has no parameter " + parameter.name);
    }
  }
  Refusable<SearchRequest> page = ParseSearch("Patient", pages, base_url_, false);
  if (!page) return page.refusal();
  query.count = page->count;
  query.offset = page->offset;
  if (query.id) {
    Result<std::optional<StoredResource>> found = store_.Find(*query.type, *query.id);
    if (!found) return RefusalOf(found.error());
    if (!*found) return Refuse(404, "not-found", *query.type + "/" + *query.id + " is not known");
  }
  Result<std::vector<ResourceVersion>> versions = store_.History(query);
  if (!versions) return RefusalOf(versions.error());
  Result<std::int64_t> total = store_.HistoryTotal(query);
  if (!total) return RefusalOf(total.error());
  const std::size_t end = query.offset + versions->size();
  InteractionResult result;
  result.body = BundleHead("history", static_cast<std::size_t>(*total));
  result.body +=
      Links(Link(interaction, path, query.offset),
            end < static_cast<std::size_t>(*total) && !versions->empty() ? Link(interaction, path, end)
                                                                         : std::string());
  std::string separator = ",\"entry\":[";
  for (const ResourceVersion& version : *versions) {
    result.body += separator + HistoryEntry(version, base_url_);
    separator = ",";
  }
  result.body += versions->empty() ? "}" : "]}";
  return result;
}

Refusable<InteractionResult> ResourceReader::Search(const Interaction& interaction) {
  Refusable<SearchRequest> request =
      ParseSearch(interaction.type, interaction.query, base_url_,
                  interaction.lenient || !behaviour_.refuses_unknown_parameters);
  if (!request) return request.refusal();
  Result<std::vector<std::int64_t>> keys = FindKeys(store_, *request);
  if (!keys) return RefusalOf(keys.error());
  InteractionResult result;
  result.body = BundleHead("searchset", keys->size());
  const std::size_t first = std::min(request->offset, keys->size());
  const std::size_t last = request->count_only ? first : std::min(first + request->count, keys->size());
  result.body += Links(Link(interaction, interaction.type, request->offset),
                       !request->count_only && last < keys->size() ? Link(interaction, interaction.type, last)
                                                                   : std::string());
  std::string separator = ",\"entry\":[";
  for (std::size_t i = first; i < last; ++i) {
    Result<ResourceVersion> found = store_.ReadCurrent((*keys)[i]);
    if (!found) return RefusalOf(found.error());
    result.body += separator + "{\"fullUrl\":" + Quoted(base_url_ + "/" + found->type + "/" + found->id) +
                   ",\"resource\":" + found->content + ",\"search\":{\"mode\":\"match\"}}";
    separator = ",";
  }
  result.body += first == last ? "}" : "]}";
  return result;
}

}  // namespace fhir_adapter::sandbox
