#include "sync/server_lookup.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/limits.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"
#include "sync/search_page.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

bool Carries(const Node& resource, const outbox::ResourceKey& key) {
  if (MemberText(resource, "resourceType") != key.type) return false;
  if (key.type == "Provenance" || key.type == "AuditEvent") return HasTag(resource, key.system, key.value);
  const Node* identifier = resource.Find("identifier");
  if (identifier == nullptr) return false;
  const auto is_it = [&](const Node* node) {
    return MemberText(*node, "system") == key.system && MemberText(*node, "value") == key.value;
  };
  if (identifier->is_object()) return is_it(identifier);
  return std::any_of(identifier->items().begin(), identifier->items().end(), is_it);
}

bool HasNextPage(const Node& bundle) {
  const Node* links = bundle.Find("link");
  if (links == nullptr) return false;
  return std::any_of(links->items().begin(), links->items().end(),
                     [](const Node* link) { return MemberText(*link, "relation") == "next"; });
}

}  // namespace

void ServerLookup::Find(std::vector<Wanted> wanted, RequestTrace trace, Done done) {
  wanted_ = std::move(wanted);
  std::vector<Query> queries;
  std::map<std::string, std::vector<std::size_t>> by_type;
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const Wanted& one = wanted_[i];
    if (!one.server_id.empty()) {
      queries.push_back(Query{one.key.type + "/" + one.server_id, {i}, Query::Kind::kRead});
    } else if (HasIdentifierSearch(one.key.type)) {
      by_type[one.key.type].push_back(i);
    } else {
      AddReferenceQueries(i, queries);
    }
  }
  for (const auto& [type, indices] : by_type) {
    for (std::size_t first = 0; first < indices.size(); first += limits::kLookupTokensMax) {
      const std::size_t end = std::min(indices.size(), first + limits::kLookupTokensMax);
      Query query{type + "?identifier=", {}, Query::Kind::kIdentifiers};
      for (std::size_t i = first; i < end; ++i) {
        const outbox::ResourceKey& key = wanted_[indices[i]].key;
        if (i != first) query.path += ',';
        query.path += SearchToken(key.system, key.value);
        query.wanted.push_back(indices[i]);
      }
      query.path += "&_count=" + std::to_string(2 * limits::kLookupTokensMax);
      queries.push_back(std::move(query));
    }
  }
  Begin(std::move(queries), std::move(trace), std::move(done));
}

// What several look for in one place is asked once.
void ServerLookup::AddReferenceQueries(std::size_t i, std::vector<Query>& queries) const {
  const Wanted& one = wanted_[i];
  for (std::size_t first = 0; first < one.references.size(); first += limits::kLookupTokensMax) {
    const std::size_t end = std::min(one.references.size(), first + limits::kLookupTokensMax);
    Query query{one.key.type + "?" + one.parameter + "=", {i}, Query::Kind::kReferences};
    for (std::size_t r = first; r < end; ++r) query.path += (r == first ? "" : ",") + one.references[r];
    query.path += "&_count=500";
    const auto same = std::find_if(queries.begin(), queries.end(),
                                   [&](const Query& other) { return other.path == query.path; });
    if (same == queries.end()) {
      queries.push_back(std::move(query));
    } else {
      same->wanted.push_back(i);
    }
  }
}

void ServerLookup::FindNewestRevision(std::vector<std::string> targets, std::string record_system,
                                      std::string record, RequestTrace trace, Done done) {
  wanted_.clear();
  record_system_ = std::move(record_system);
  record_ = std::move(record);
  std::vector<Query> queries;
  for (std::size_t first = 0; first < targets.size(); first += limits::kLookupTokensMax) {
    const std::size_t end = std::min(targets.size(), first + limits::kLookupTokensMax);
    Query query{"Provenance?target=", {}, Query::Kind::kRevisions};
    for (std::size_t i = first; i < end; ++i) query.path += (i == first ? "" : ",") + targets[i];
    query.path += "&_count=500";
    queries.push_back(std::move(query));
  }
  Begin(std::move(queries), std::move(trace), std::move(done));
}

void ServerLookup::Begin(std::vector<Query> queries, RequestTrace trace, Done done) {
  queries_ = std::move(queries);
  trace_ = std::move(trace);
  done_ = std::move(done);
  next_ = 0;
  pages_ = 0;
  result_ = {};
  SendNext();
}

void ServerLookup::SendNext() {
  if (next_ == queries_.size()) return Finish();
  FhirRequest request;
  request.kind = RequestKind::kLookup;
  request.path = queries_[next_].path;
  request.request_id = trace_.request_id;
  request.traceparent = trace_.traceparent;
  client_.Send(std::move(request), [this](FhirAnswer answer) { Take(std::move(answer)); });
}

void ServerLookup::Take(FhirAnswer answer) {
  const Query query = queries_[next_];
  Arena arena;
  const auto body = ReadResource(answer.body, arena);
  const bool is_bundle = body && MemberText(**body, "resourceType") == "Bundle";
  AnswerFacts facts;
  facts.kind = RequestKind::kLookup;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  const bool is_read = query.kind == Query::Kind::kRead;
  facts.body_is_readable = is_read ? body.has_value() && !is_bundle : is_bundle;
  const Classification classification = Classify(facts);
  const bool absent = is_read && classification.verdict == Verdict::kAbsent;
  if (classification.verdict != Verdict::kSucceeded && !absent) {
    // A search that is answered 404 is no answer to the question.
    result_.classification = classification.verdict == Verdict::kAbsent
                                 ? Classification{Verdict::kQuarantine, Code::kServerRefused}
                                 : classification;
    result_.answer = std::move(answer);
    return Finish();
  }
  ++next_;
  if (absent) return SendNext();
  if (is_read) {
    TakeResource(query, **body);
    return SendNext();
  }
  const Node* entries = (*body)->Find("entry");
  for (std::size_t i = 0; entries != nullptr && i < entries->items().size(); ++i) {
    Node* resource = entries->items()[i]->Find("resource");
    if (resource == nullptr) continue;
    if (query.kind == Query::Kind::kRevisions) {
      TakeProvenance(*resource);
    } else {
      TakeResource(query, *resource);
    }
  }
  if (query.kind != Query::Kind::kIdentifiers) return TakeNextPage(query, **body);
  // A server with small pages: ask for each one by itself rather than follow links.
  if (query.wanted.size() > 1 && HasNextPage(**body)) {
    for (const std::size_t i : query.wanted) {
      const outbox::ResourceKey& key = wanted_[i].key;
      queries_.push_back(Query{key.type + "?identifier=" + SearchToken(key.system, key.value) + "&_count=10",
                               {i},
                               Query::Kind::kIdentifiers});
    }
  }
  SendNext();
}

// A revision on a page that is not read would let an older one go out, and a resource would be made twice:
// all pages are read.
void ServerLookup::TakeNextPage(const Query& query, const Node& bundle) {
  auto next = NextPage(bundle, client_.base_url());
  if (next && next->empty()) return SendNext();
  if (!next || ++pages_ >= limits::kRevisionPagesMax) {
    result_.classification = {Verdict::kQuarantine, Code::kServerAnswer};
    return Finish();
  }
  queries_.insert(queries_.begin() + static_cast<std::ptrdiff_t>(next_),
                  Query{std::move(next).value(), query.wanted, query.kind});
  SendNext();
}

void ServerLookup::TakeResource(const Query& query, Node& resource) {
  for (const std::size_t i : query.wanted) {
    const Wanted& wanted = wanted_[i];
    const bool is_read = query.kind == Query::Kind::kRead;
    if (!is_read && !Carries(resource, wanted.key)) continue;
    if (is_read && MemberText(resource, "resourceType") != wanted.key.type) continue;
    Observed observed;
    observed.entry = wanted.entry;
    observed.server_id = MemberText(resource, "id");
    if (const Node* meta = resource.Find("meta")) observed.version_id = MemberText(*meta, "versionId");
    const auto same = std::find_if(result_.found.begin(), result_.found.end(),
                                   [&](const Observed& other) { return other.entry == wanted.entry; });
    const auto is_it = [&](const Observed& other) {
      return other.entry == observed.entry && other.server_id == observed.server_id;
    };
    if (same != result_.found.end() && (is_it(*same) || std::ranges::any_of(result_.further, is_it))) {
      continue;
    }
    Arena arena;
    Node* copy = fhir::Clone(resource, arena);
    StripServerParts(*copy, client_.base_url(), arena);
    observed.json = WriteOrdered(*copy);
    (same == result_.found.end() ? result_.found : result_.further).push_back(std::move(observed));
  }
}

void ServerLookup::TakeProvenance(const Node& provenance) {
  const Node* entities = provenance.Find("entity");
  if (entities == nullptr) return;
  for (const Node* entity : entities->items()) {
    const Node* what = entity->Find("what");
    const Node* identifier = what == nullptr ? nullptr : what->Find("identifier");
    if (identifier == nullptr || MemberText(*entity, "role") != "source") continue;
    if (MemberText(*identifier, "system") != record_system_) continue;
    std::string_view value = MemberText(*identifier, "value");
    if (!value.starts_with(record_ + ".")) continue;
    value.remove_prefix(record_.size() + 1);
    std::int64_t revision = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), revision);
    if (error == std::errc() && end == value.data() + value.size()) {
      result_.newest_revision = std::max(result_.newest_revision, revision);
    }
  }
}

// `done` may begin the next lookup.
void ServerLookup::Finish() {
  const Done done = std::move(done_);
  LookupResult result = std::move(result_);
  done(std::move(result));
}

}  // namespace fhir_adapter::sync
