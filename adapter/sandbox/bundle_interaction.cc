#include "sandbox/bundle_interaction.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fhir/json_writer.h"
#include "net/http_message.h"
#include "sandbox/references.h"
#include "sandbox/search.h"

namespace fhir_adapter::sandbox {

using fhir::Node;

namespace {

// Ends the store's transaction without keeping anything, unless it was committed.
class RollbackGuard {
 public:
  explicit RollbackGuard(ResourceStore& store) : store_(store) {}
  ~RollbackGuard() { store_.Rollback(); }
  RollbackGuard(const RollbackGuard&) = delete;
  RollbackGuard& operator=(const RollbackGuard&) = delete;

 private:
  ResourceStore& store_;
};

std::string Quoted(std::string_view text) {
  std::string out;
  fhir::WriteJsonString(text, out);
  return out;
}

std::string StatusText(int status) {
  return std::to_string(status) + " " + std::string(net::ReasonPhrase(status));
}

bool IsWrite(const Interaction& interaction) {
  return interaction.method != "GET" && interaction.method != "HEAD";
}

}  // namespace

Refusable<InteractionResult> RunAlone(ResourceStore& store, ResourceReader& reader, ResourceWriter& writer,
                                      const Interaction& interaction) {
  if (!IsWrite(interaction)) return reader.Run(interaction);
  if (auto begun = store.Begin(); !begun) return RefusalOf(begun.error());
  const RollbackGuard guard(store);
  Refusable<WritePlan> plan = writer.Plan(interaction);
  if (!plan) return plan.refusal();
  const bool changes_content =
      plan->action == WritePlan::Action::kCreate || plan->action == WritePlan::Action::kUpdate;
  if (changes_content) {
    if (auto refusal = writer.PrepareReferences(interaction)) return *refusal;
  }
  Refusable<InteractionResult> result = writer.Apply(interaction, *plan);
  if (!result) return result;
  if (changes_content) {
    if (auto refusal = writer.CheckReferences(interaction)) return *refusal;
  }
  if (auto refusal = writer.CheckNotReferenced(*plan)) return *refusal;
  if (auto done = store.Commit(); !done) return RefusalOf(done.error());
  return result;
}

Refusable<std::string> BundleRunner::Run(Node& bundle, Arena& arena, bool returns_representation) {
  const std::string type = MemberString(bundle, "type");
  if (MemberString(bundle, "resourceType") != "Bundle" || (type != "transaction" && type != "batch")) {
    return Refuse(400, "value", "the base takes a Bundle of type transaction or batch", "Bundle.type");
  }
  if (type == "transaction" ? !behaviour_.transactions : !behaviour_.batches) {
    return Refuse(behaviour_.bundle_refusal_status, "not-supported", "this server takes no " + type,
                  "Bundle.type");
  }
  const bool in_transaction = type == "transaction" && !behaviour_.transaction_becomes_batch;
  Refusable<std::vector<Entry>> entries = ReadEntries(bundle, arena, in_transaction);
  if (!entries) return entries.refusal();
  return in_transaction ? RunTransaction(*entries, returns_representation)
                        : RunBatch(*entries, returns_representation);
}

Refusable<std::vector<BundleRunner::Entry>> BundleRunner::ReadEntries(Node& bundle, Arena& arena,
                                                                      bool in_transaction) {
  std::vector<Entry> entries;
  const Node* list = bundle.Find("entry");
  if (list == nullptr) return entries;
  if (list->items().size() > behaviour_.bundle_entries_max) {
    return Refuse(413, "too-costly",
                  "a Bundle has at most " + std::to_string(behaviour_.bundle_entries_max) + " entries",
                  "Bundle.entry");
  }
  std::set<std::string> full_urls;
  for (const Node* node : list->items()) {
    Entry entry;
    if (auto refusal = ReadRequest(*node, entries.size(), arena, entry)) return *refusal;
    entry.interaction.in_transaction = in_transaction;
    if (!entry.full_url.empty() && !full_urls.insert(entry.full_url).second) {
      return Refuse(400, "duplicate", "two entries have this fullUrl",
                    entry.interaction.expression + ".fullUrl");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

MaybeRefusal BundleRunner::ReadRequest(const Node& node, std::size_t index, Arena& arena, Entry& entry) {
  const std::string expression = "Bundle.entry[" + std::to_string(index) + "]";
  const Node* request = node.Find("request");
  const std::string method = request != nullptr ? MemberString(*request, "method") : std::string();
  const std::string url = request != nullptr ? MemberString(*request, "url") : std::string();
  static constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "POST", "PUT", "DELETE"};
  if (std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end()) {
    return Refuse(400, method.empty() ? "required" : "not-supported",
                  "an entry needs a request with method GET, HEAD, POST, PUT or DELETE",
                  expression + ".request.method");
  }
  if (url.empty()) return Refuse(400, "required", "a request needs a url", expression + ".request.url");
  Refusable<Interaction> interaction = ParseInteractionUrl(method, url, writer_.base_url());
  if (!interaction) {
    interaction.refusal().issues.front().expression = expression + ".request.url";
    return interaction.refusal();
  }
  entry.interaction = std::move(*interaction);
  entry.interaction.expression = expression;
  entry.interaction.arena = &arena;
  entry.interaction.if_match = MemberString(*request, "ifMatch");
  entry.interaction.if_none_match = MemberString(*request, "ifNoneMatch");
  const std::string if_none_exist = MemberString(*request, "ifNoneExist");
  if (!if_none_exist.empty()) entry.interaction.if_none_exist = if_none_exist;
  entry.full_url = MemberString(node, "fullUrl");
  Node* resource = node.Find("resource");
  const bool needs_resource = method == "POST" || method == "PUT";
  if (needs_resource && (resource == nullptr || !resource->is_object())) {
    return Refuse(400, "required", "an entry with this method needs a resource", expression + ".resource");
  }
  if (needs_resource) entry.interaction.resource = resource;
  const bool has_target = !entry.interaction.id.empty() || !entry.interaction.raw_query.empty();
  if ((method == "POST" && !entry.interaction.id.empty()) ||
      ((method == "PUT" || method == "DELETE") && (!has_target || entry.interaction.is_history))) {
    return Refuse(400, "value", "the url does not fit the method", expression + ".request.url");
  }
  return std::nullopt;
}

Refusable<std::string> BundleRunner::RunBatch(std::vector<Entry>& entries, bool returns_representation) {
  std::string body = R"({"resourceType":"Bundle","type":"batch-response","entry":[)";
  bool is_first = true;
  for (Entry& entry : entries) {
    if (!is_first) body += ',';
    is_first = false;
    Refusable<InteractionResult> result = RunAlone(store_, reader_, writer_, entry.interaction);
    if (result) {
      entry.result = std::move(*result);
      body += ResponseEntry(entry, returns_representation);
    } else {
      body += "{\"response\":{\"status\":" + Quoted(StatusText(result.refusal().status)) +
              ",\"outcome\":" + OutcomeJson(result.refusal().issues) + "}}";
    }
  }
  if (entries.empty()) return std::string(R"({"resourceType":"Bundle","type":"batch-response"})");
  return body + "]}";
}

Refusable<std::string> BundleRunner::RunTransaction(std::vector<Entry>& entries,
                                                    bool returns_representation) {
  if (auto begun = store_.Begin(); !begun) return RefusalOf(begun.error());
  const RollbackGuard guard(store_);
  if (auto refusal = PlanAll(entries)) return *refusal;
  if (auto refusal = CheckOverlap(entries)) return *refusal;
  if (auto refusal = ResolveReferences(entries)) return *refusal;
  if (auto refusal = ApplyAll(entries)) return *refusal;
  if (auto done = store_.Commit(); !done) return RefusalOf(done.error());
  std::string body = R"({"resourceType":"Bundle","type":"transaction-response")";
  std::string separator = ",\"entry\":[";
  for (const Entry& entry : entries) {
    if (entry.is_dropped) continue;
    body += separator + ResponseEntry(entry, returns_representation);
    separator = ",";
  }
  return body + (separator == "," ? "]}" : "}");
}

MaybeRefusal BundleRunner::PlanAll(std::vector<Entry>& entries) {
  for (Entry& entry : entries) {
    if (!IsWrite(entry.interaction)) continue;
    Refusable<WritePlan> plan = writer_.Plan(entry.interaction);
    if (!plan) return plan.refusal();
    entry.plan = std::move(*plan);
    if (entry.interaction.resource != nullptr) {
      entry.search_entries = SearchEntriesOf(*entry.interaction.resource);
    }
  }
  return CheckCriteriaOverlap(entries);
}

// Two entries whose criteria are the same and find nothing would each create: they mean one resource.
MaybeRefusal BundleRunner::CheckCriteriaOverlap(std::vector<Entry>& entries) {
  std::map<std::string, std::size_t> first_with;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    const Interaction& interaction = entry.interaction;
    const bool is_update = interaction.method == "PUT" && interaction.id.empty();
    const bool is_create = interaction.method == "POST" && interaction.if_none_exist;
    if ((!is_update && !is_create) || entry.plan.action != WritePlan::Action::kCreate) continue;
    const std::string criteria = interaction.method + " " + interaction.type + "?" +
                                 (is_update ? interaction.raw_query : *interaction.if_none_exist);
    const auto [earlier, is_new] = first_with.emplace(criteria, i);
    if (is_new) continue;
    if (is_create) {
      entry.same_as = earlier->second;
      entry.is_dropped = behaviour_.repeated_create == Behaviour::RepeatedCreate::kDropSecond;
    } else if (behaviour_.repeated_update == Behaviour::RepeatedUpdate::kDropSecond &&
               !entry.full_url.empty()) {
      entry.same_as = earlier->second;
      entry.is_dropped = true;
    } else if (behaviour_.repeated_update != Behaviour::RepeatedUpdate::kStoreBoth) {
      return Refuse(400, "duplicate", "an earlier entry has the same criteria", interaction.expression);
    }
    if (entry.same_as != SIZE_MAX) entry.plan.id = entries[entry.same_as].plan.id;
  }
  return std::nullopt;
}

MaybeRefusal BundleRunner::CheckOverlap(std::vector<Entry>& entries) {
  std::set<std::string> identities;
  for (Entry& entry : entries) {
    if (!IsWrite(entry.interaction) || entry.is_dropped || entry.same_as != SIZE_MAX) continue;
    if (entry.plan.action == WritePlan::Action::kKeep || entry.plan.id.empty()) continue;
    if (identities.insert(entry.plan.type + "/" + entry.plan.id).second) continue;
    if (entry.plan.was_found_by_criteria &&
        behaviour_.repeated_update == Behaviour::RepeatedUpdate::kDropSecond) {
      entry.is_dropped = true;
      continue;
    }
    return Refuse(400, "duplicate", "an earlier entry changes the same resource",
                  entry.interaction.expression);
  }
  return std::nullopt;
}

MaybeRefusal BundleRunner::ResolveReferences(std::vector<Entry>& entries) {
  std::map<std::string, std::string> by_full_url;
  for (const Entry& entry : entries) {
    if (!entry.full_url.empty() && !entry.plan.id.empty()) {
      by_full_url[entry.full_url] = entry.plan.type + "/" + entry.plan.id;
    }
  }
  for (Entry& entry : entries) {
    if (entry.interaction.resource == nullptr || entry.is_dropped || entry.same_as != SIZE_MAX) continue;
    if (entry.plan.action == WritePlan::Action::kKeep) continue;
    auto refusal = ForEachReference(*entry.interaction.resource, [&](Node& reference) {
      return ResolveReference(entries, by_full_url, entry, reference);
    });
    if (refusal) return refusal;
  }
  return std::nullopt;
}

MaybeRefusal BundleRunner::ResolveReference(const std::vector<Entry>& entries,
                                            const std::map<std::string, std::string>& by_full_url,
                                            const Entry& entry, Node& reference) {
  const auto expression = [&] {
    return ExpressionOf(*entry.interaction.resource, reference, entry.interaction.expression + ".resource");
  };
  Arena& arena = *entry.interaction.arena;
  if (const auto found = by_full_url.find(std::string(reference.text)); found != by_full_url.end()) {
    reference.text = arena.Copy(found->second);
    return std::nullopt;
  }
  if (IsUrn(reference.text)) {
    if (!behaviour_.refuses_unresolved_urn) return std::nullopt;
    return Refuse(400, "value", "the urn is the fullUrl of no entry", expression());
  }
  if (!IsConditional(reference.text)) {
    writer_.StripVersion(reference, arena);
    return std::nullopt;
  }
  Refusable<std::string> target = writer_.ResolveConditional(reference.text, expression());
  if (target) {
    reference.text = arena.Copy(*target);
    return std::nullopt;
  }
  if (!behaviour_.conditional_reference_sees_bundle || target.refusal().issues.front().code != "not-found") {
    return target.refusal();
  }
  const std::size_t question = reference.text.find('?');
  const std::string_view type = reference.text.substr(0, question);
  Refusable<SearchRequest> criteria = writer_.Criteria(type, reference.text.substr(question + 1));
  if (!criteria) return criteria.refusal();
  const Entry* found = nullptr;
  for (const Entry& other : entries) {
    if (other.plan.type != type || other.is_dropped || other.same_as != SIZE_MAX) continue;
    if (!Meets(*criteria, other.plan.id, other.search_entries)) continue;
    if (found != nullptr) {
      return Refuse(behaviour_.reference_with_matches_status, "multiple-matches",
                    "the conditional reference finds more than one entry", expression());
    }
    found = &other;
  }
  if (found == nullptr) return target.refusal();
  reference.text = arena.Copy(found->plan.type + "/" + found->plan.id);
  return std::nullopt;
}

MaybeRefusal BundleRunner::ApplyAll(std::vector<Entry>& entries) {
  for (const std::string_view method : {"DELETE", "POST", "PUT", "GET"}) {
    for (Entry& entry : entries) {
      const bool is_read = !IsWrite(entry.interaction);
      if (entry.is_dropped || entry.same_as != SIZE_MAX) continue;
      if (is_read ? method != "GET" : entry.interaction.method != method) continue;
      Refusable<InteractionResult> result =
          is_read ? reader_.Run(entry.interaction) : writer_.Apply(entry.interaction, entry.plan);
      if (!result) {
        if (result.refusal().issues.front().expression.empty()) {
          result.refusal().issues.front().expression = entry.interaction.expression;
        }
        return result.refusal();
      }
      entry.result = std::move(*result);
    }
  }
  for (Entry& entry : entries) {
    if (!IsWrite(entry.interaction) || entry.is_dropped) continue;
    if (entry.same_as != SIZE_MAX) {
      entry.result = entries[entry.same_as].result;
      entry.result.status = 200;
      continue;
    }
    if (entry.plan.action != WritePlan::Action::kKeep) {
      if (auto refusal = writer_.CheckReferences(entry.interaction)) return refusal;
    }
    if (auto refusal = writer_.CheckNotReferenced(entry.plan)) {
      refusal->issues.front().expression = entry.interaction.expression;
      return refusal;
    }
  }
  return std::nullopt;
}

std::string BundleRunner::ResponseEntry(const Entry& entry, bool returns_representation) const {
  const InteractionResult& result = entry.result;
  const ResourceVersion& resource = result.resource;
  const bool is_read = !IsWrite(entry.interaction);
  const std::string& content = is_read ? result.body : resource.content;
  std::string out = "{";
  if ((is_read || returns_representation) && !content.empty()) out += "\"resource\":" + content + ",";
  out += "\"response\":{\"status\":" + Quoted(StatusText(result.status));
  if (!resource.id.empty()) {
    const std::string version = std::to_string(resource.version);
    if (!is_read && !resource.content.empty()) {
      out += ",\"location\":" + Quoted(resource.type + "/" + resource.id + "/_history/" + version);
    }
    out += ",\"etag\":" + Quoted(behaviour_.weak_etag_in_entries ? "W/\"" + version + "\"" : version);
    out += ",\"lastModified\":" + Quoted(InstantText(resource.updated_us));
  }
  if (!result.notes.empty()) out += ",\"outcome\":" + OutcomeJson(result.notes);
  return out + "}}";
}

}  // namespace fhir_adapter::sandbox
