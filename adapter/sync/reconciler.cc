#include "sync/reconciler.h"

#include <algorithm>
#include <array>
#include <future>
#include <set>
#include <utility>

#include "core/limits.h"
#include "sync/delivery_planner.h"
#include "sync/element_differences.h"
#include "sync/own_types.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"
#include "sync/search_page.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;
using outbox::LedgerRow;
using outbox::LedgerSubject;
using outbox::ResourceKey;

Failure TooManyPages() {
  return Fail(Code::kLimit, "the server gives more pages of one search than can be read");
}

std::vector<ResourceKey> KeysOf(const Node& resource, std::string_view system) {
  std::vector<ResourceKey> keys;
  const Node* identifier = resource.Find("identifier");
  if (identifier == nullptr) return keys;
  const auto add = [&](const Node& one) {
    if (MemberText(one, "system") != system) return;
    keys.push_back(ResourceKey{std::string(MemberText(resource, "resourceType")), std::string(system),
                               std::string(MemberText(one, "value"))});
  };
  if (identifier->is_object()) add(*identifier);
  for (const Node* one : identifier->items()) add(*one);
  return keys;
}

// `{site}.{recordId}.{revision}` of the record that a Provenance of ours names as its source.
std::string SourceOf(const Node& provenance, std::string_view record_system) {
  const Node* entities = provenance.Find("entity");
  for (const Node* entity : entities == nullptr ? std::span<Node*>() : entities->items()) {
    const Node* what = entity->Find("what");
    const Node* identifier = what == nullptr ? nullptr : what->Find("identifier");
    if (identifier != nullptr && MemberText(*entity, "role") == "source" &&
        MemberText(*identifier, "system") == record_system) {
      return std::string(MemberText(*identifier, "value"));
    }
  }
  return {};
}

std::string UrlOf(const ResourceKey& key, const std::string& server_id) {
  return key.type + "/" + server_id;
}

std::string RecordOf(const LedgerSubject& subject) {
  int generation = 1;
  for (const LedgerRow& row : subject.rows) generation = std::max(generation, row.patient_generation);
  return subject.subject_key + (generation == 1 ? "" : ".p" + std::to_string(generation));
}

}  // namespace

std::string_view Name(DifferenceKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"missing", "changed", "duplicate", "orphaned"};
  return kNames[static_cast<std::size_t>(kind)];
}

Reconciler::Reconciler(PacedClient& client, storage::Store& store, outbox::QueueReader& queue, Clock& clock,
                       Sleep sleep, ReconcileSettings settings)
    : client_(client),
      store_(store),
      queue_(queue),
      sleep_(std::move(sleep)),
      settings_(std::move(settings)),
      comparison_(client, store, queue, clock, {settings_.endpoint, settings_.patient_identifier_system}) {}

bool Reconciler::IsOurs(std::string_view value) const {
  return std::ranges::any_of(settings_.sites, [&](const std::string& site) {
    return value.starts_with(site) && value.size() > site.size() && value[site.size()] == '.';
  });
}

Result<ReconcilePage> Reconciler::Next(ReconcileProgress& progress) {
  switch (progress.phase) {
    case ReconcileProgress::Phase::kLedger:
      return NextOfLedger(progress);
    case ReconcileProgress::Phase::kServer:
      return NextOfServer(progress);
    case ReconcileProgress::Phase::kDone:
      break;
  }
  return ReconcilePage{};
}

Result<LookupResult> Reconciler::Find(std::vector<Wanted> wanted) {
  std::promise<LookupResult> promise;
  ServerLookup lookup(client_);
  lookup.Find(std::move(wanted), {},
              [&promise](LookupResult result) { promise.set_value(std::move(result)); });
  LookupResult result = promise.get_future().get();
  if (result.classification.verdict != Verdict::kSucceeded) {
    return CannotAsk(result.classification, result.answer.status);
  }
  return result;
}

Result<FhirAnswer> Reconciler::Search(const std::string& path) {
  FhirRequest request;
  request.kind = RequestKind::kLookup;
  request.path = path;
  FhirAnswer answer = client_.Ask(std::move(request));
  Arena arena;
  const auto bundle = ReadResource(answer.body, arena);
  AnswerFacts facts;
  facts.kind = RequestKind::kLookup;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  facts.body_is_readable = bundle && MemberText(**bundle, "resourceType") == "Bundle";
  const Classification classification = Classify(facts);
  if (classification.verdict == Verdict::kSucceeded || classification.verdict == Verdict::kAbsent)
    return answer;
  return CannotAsk(classification, answer.status);
}

// The ledger.

Result<ReconcilePage> Reconciler::NextOfLedger(ReconcileProgress& progress) {
  outbox::LedgerFilter filter;
  filter.endpoint = settings_.endpoint;
  filter.after = progress.after;
  filter.mrn = settings_.mrn;
  filter.since = settings_.since;
  filter.subjects_max = limits::kReconcileSubjectsPerPage;
  std::vector<LedgerSubject> subjects;
  ADAPTER_CHECK(store_.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(subjects, queue_.LedgerSubjects(snapshot, filter));
    return {};
  }));
  ReconcilePage page;
  if (subjects.empty()) {
    progress.phase = ReconcileProgress::Phase::kServer;
    return page;
  }
  ADAPTER_TRY(page.differences, Compare(subjects, settings_.wants_newer ? &page : nullptr));
  if (!page.differences.empty()) {
    ADAPTER_TRY(page.differences, CompareAgain(page.differences));
  }
  progress.after = subjects.back().subject_key;
  for (const LedgerSubject& subject : subjects) {
    progress.resources += static_cast<std::int64_t>(subject.rows.size());
  }
  return page;
}

Result<std::vector<Difference>> Reconciler::Compare(const std::vector<LedgerSubject>& subjects,
                                                    ReconcilePage* newer) {
  std::vector<Wanted> wanted;
  for (const LedgerSubject& subject : subjects) {
    for (const LedgerRow& row : subject.rows) {
      const bool by_identifier = HasIdentifierSearch(row.key.type);
      wanted.push_back(Wanted{wanted.size(), row.key, by_identifier ? std::string() : row.server_id});
    }
  }
  ADAPTER_TRY(const LookupResult found, Find(std::move(wanted)));
  std::vector<Difference> differences;
  std::size_t first_entry = 0;
  for (const LedgerSubject& subject : subjects) {
    ADAPTER_CHECK(CompareSubject(subject, found, first_entry, differences, newer));
    first_entry += subject.rows.size();
  }
  ADAPTER_CHECK(FindOrphanedProvenances(subjects, differences));
  return differences;
}

Result<void> Reconciler::CompareSubject(const LedgerSubject& subject, const LookupResult& found,
                                        std::size_t first_entry, std::vector<Difference>& differences,
                                        ReconcilePage* newer) {
  std::vector<const LedgerRow*> not_found;
  std::vector<outbox::Adoption::Version> versions;
  for (std::size_t i = 0; i < subject.rows.size(); ++i) {
    const LedgerRow& row = subject.rows[i];
    const Observed* own = nullptr;
    for (const std::vector<Observed>* list : {&found.found, &found.further}) {
      for (const Observed& observed : *list) {
        if (observed.entry != first_entry + i) continue;
        if (observed.server_id == row.server_id) {
          own = &observed;
        } else {
          differences.push_back({DifferenceKind::kDuplicate,
                                 row.key,
                                 UrlOf(row.key, observed.server_id),
                                 {},
                                 subject.subject_key});
        }
      }
    }
    if (own == nullptr) {
      not_found.push_back(&row);
      continue;
    }
    if (own->version_id == row.version_id && !own->version_id.empty()) continue;  // nobody has touched it
    ADAPTER_TRY(std::vector<std::string> paths, PathsOf(subject, row, *own));
    if (!paths.empty()) {
      differences.push_back({DifferenceKind::kChanged, row.key, UrlOf(row.key, row.server_id),
                             std::move(paths), subject.subject_key});
    }
    Arena arena;
    const auto theirs = ReadResource(own->json, arena);
    const bool nullified = theirs && IsNullified(**theirs, LocalCodeSystem(settings_.canonical_base));
    versions.push_back({row.key, row.server_id, own->version_id, own->json, nullified});
  }
  ADAPTER_CHECK(LookDirectly(subject, not_found, differences));
  if (newer == nullptr || versions.empty()) return {};
  return AddNewer(subject, std::move(versions), *newer);
}

// Not found under its identifier: removed, or its identifier was.
Result<void> Reconciler::LookDirectly(const LedgerSubject& subject, const std::vector<const LedgerRow*>& rows,
                                      std::vector<Difference>& differences) {
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (HasIdentifierSearch(rows[i]->key.type)) wanted.push_back({i, rows[i]->key, rows[i]->server_id});
  }
  LookupResult found;
  if (!wanted.empty()) {
    ADAPTER_TRY(found, Find(std::move(wanted)));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const LedgerRow& row = *rows[i];
    const auto observed =
        std::ranges::find_if(found.found, [&](const Observed& one) { return one.entry == i; });
    Difference difference{
        DifferenceKind::kMissing, row.key, UrlOf(row.key, row.server_id), {}, subject.subject_key};
    if (observed != found.found.end()) {
      difference.kind = DifferenceKind::kChanged;
      ADAPTER_TRY(difference.paths, PathsOf(subject, row, *observed));
    }
    differences.push_back(std::move(difference));
  }
  return {};
}

Result<std::vector<std::string>> Reconciler::PathsOf(const LedgerSubject& subject, const LedgerRow& row,
                                                     const Observed& observed) {
  Arena arena;
  ADAPTER_TRY(const ComparedResources compared, comparison_.Prepare(subject, row, observed.json, arena));
  if (compared.ours == nullptr)
    return std::vector<std::string>();  // erased: there is nothing to compare with
  std::vector<std::string> paths = DifferingElements(*compared.ours, *compared.theirs);
  if (paths.size() > limits::kReconcilePathsMax) paths.resize(limits::kReconcilePathsMax);
  return paths;
}

Result<void> Reconciler::AddNewer(const LedgerSubject& subject,
                                  std::vector<outbox::Adoption::Version> versions, ReconcilePage& page) {
  outbox::Adoption adoption;
  adoption.endpoint = settings_.endpoint;
  adoption.subject_key = subject.subject_key;
  adoption.versions = std::move(versions);
  std::vector<std::string> targets;
  for (const LedgerRow& row : subject.rows) {
    if (row.key.type != kProvenance) targets.push_back(UrlOf(row.key, row.server_id));
  }
  std::promise<LookupResult> promise;
  ServerLookup lookup(client_);
  lookup.FindNewestRevision(std::move(targets), settings_.canonical_base + "/sid/it-record",
                            RecordOf(subject), {},
                            [&promise](LookupResult result) { promise.set_value(std::move(result)); });
  const LookupResult result = promise.get_future().get();
  if (result.classification.verdict != Verdict::kSucceeded) {
    return CannotAsk(result.classification, result.answer.status);
  }
  adoption.newest_revision = result.newest_revision;
  page.newer.push_back(std::move(adoption));
  return {};
}

Result<void> Reconciler::FindOrphanedProvenances(const std::vector<LedgerSubject>& subjects,
                                                 std::vector<Difference>& differences) {
  std::vector<std::string> targets;
  for (const LedgerSubject& subject : subjects) {
    for (const LedgerRow& row : subject.rows) {
      if (row.key.type != kProvenance) targets.push_back(UrlOf(row.key, row.server_id));
    }
  }
  const std::string record_system = settings_.canonical_base + "/sid/it-record";
  std::set<std::string> seen;
  for (std::size_t first = 0; first < targets.size(); first += limits::kLookupTokensMax) {
    std::string path = "Provenance?target=";
    for (std::size_t i = first; i < std::min(targets.size(), first + limits::kLookupTokensMax); ++i) {
      path += (i == first ? "" : ",") + targets[i];
    }
    path += "&_count=" + std::to_string(limits::kReconcileEntriesPerPage);
    for (int pages = 0; !path.empty(); ++pages) {
      if (pages >= settings_.pages_max) return TooManyPages();
      ADAPTER_TRY(const FhirAnswer answer, Search(path));
      Arena arena;
      ADAPTER_TRY(const Node* bundle, ReadResource(answer.body, arena));
      const Node* entries = bundle->Find("entry");
      for (const Node* entry : entries == nullptr ? std::span<Node*>() : entries->items()) {
        const Node* provenance = entry->Find("resource");
        if (provenance == nullptr || MemberText(*provenance, "resourceType") != kProvenance) continue;
        const std::string id(MemberText(*provenance, "id"));
        const std::string source = SourceOf(*provenance, record_system);
        if (!IsOurs(source) || !seen.insert(id).second) continue;
        std::optional<ResourceKey> known;
        ADAPTER_CHECK(store_.Read([&](storage::Snapshot& snapshot) -> Result<void> {
          ADAPTER_TRY(known, queue_.LedgerKeyOf(snapshot, settings_.endpoint, kProvenance, id));
          return {};
        }));
        if (known) continue;
        const ResourceKey key{std::string(kProvenance), record_system, source};
        differences.push_back({DifferenceKind::kOrphaned, key, UrlOf(key, id), {}, {}});
      }
      ADAPTER_TRY(path, NextPage(*bundle, client_.base_url()));
    }
  }
  return {};
}

// What is still so a little later, with the ledger as it is then.
Result<std::vector<Difference>> Reconciler::CompareAgain(const std::vector<Difference>& first) {
  sleep_(settings_.second_look_us);
  std::set<std::string> keys;
  for (const Difference& difference : first) {
    if (!difference.subject_key.empty()) keys.insert(difference.subject_key);
  }
  std::vector<LedgerSubject> subjects;
  std::vector<Difference> lasting;
  ADAPTER_CHECK(store_.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    for (const std::string& key : keys) {
      ADAPTER_TRY(LedgerSubject subject, queue_.LedgerSubjectOf(snapshot, settings_.endpoint, key));
      subjects.push_back(std::move(subject));
    }
    for (const Difference& difference : first) {
      if (difference.kind != DifferenceKind::kOrphaned) continue;
      const ResourceLocation place = ParseLocation(difference.url, {});
      ADAPTER_TRY(const auto known, queue_.LedgerKeyOf(snapshot, settings_.endpoint, place.type, place.id));
      ADAPTER_TRY(const auto row, queue_.LedgerRowOf(snapshot, settings_.endpoint, difference.key));
      if (!known && !row) lasting.push_back(difference);
    }
    return {};
  }));
  if (subjects.empty()) return lasting;
  ADAPTER_TRY(const std::vector<Difference> second, Compare(subjects, nullptr));
  for (const Difference& difference : second) {
    const bool is_new = std::ranges::none_of(first, [&](const Difference& other) {
      return other.kind == difference.kind && other.key == difference.key && other.url == difference.url;
    });
    if (!is_new && difference.kind != DifferenceKind::kOrphaned) lasting.push_back(difference);
  }
  return lasting;
}

// The server.

Result<std::string> Reconciler::FirstPage(std::size_t type) {
  const OwnType& own = kOwnTypes[type];
  std::string path = std::string(own.type) + "?_count=" + std::to_string(limits::kReconcileEntriesPerPage);
  if (HasIdentifierSearch(own.type)) {
    path += "&identifier=" + SearchToken(settings_.canonical_base + "/sid/" + std::string(own.system), {});
  }
  if (settings_.since) {
    path += "&_lastUpdated=ge" + ToString(TimeUs{settings_.since->us}).substr(0, 19) + "Z";
  }
  if (settings_.mrn.empty()) return path;
  outbox::PatientReference patient;
  patient.key = settings_.mrn;
  patient.mrn = settings_.mrn;
  LedgerRow row;
  row.patient_key = patient.key;
  ADAPTER_TRY(const std::string reference, comparison_.PatientOf(LedgerSubject{{}, {}, {patient}}, row));
  if (reference.empty()) return std::string();
  return path + "&" + std::string(own.patient_parameter) + "=" + reference;
}

Result<ReconcilePage> Reconciler::NextOfServer(ReconcileProgress& progress) {
  ReconcilePage page;
  if (progress.type >= kOwnTypes.size()) {
    progress.phase = ReconcileProgress::Phase::kDone;
    return page;
  }
  std::string path = progress.next;
  if (path.empty()) {
    ADAPTER_TRY(path, FirstPage(progress.type));
  }
  std::string next;
  if (!path.empty()) {
    ADAPTER_TRY(const FhirAnswer answer, Search(path));
    if (answer.status >= 400) {
      if (progress.next.empty())
        return Fail(Code::kServerAnswer, "the server does not know the search " + path);
      progress.next.clear();  // it has forgotten the page: that type from its beginning
      return page;
    }
    Arena arena;
    ADAPTER_TRY(const Node* bundle, ReadResource(answer.body, arena));
    const std::string system =
        settings_.canonical_base + "/sid/" + std::string(kOwnTypes[progress.type].system);
    const Node* entries = bundle->Find("entry");
    for (const Node* entry : entries == nullptr ? std::span<Node*>() : entries->items()) {
      const Node* resource = entry->Find("resource");
      if (resource == nullptr || MemberText(*resource, "resourceType") != kOwnTypes[progress.type].type)
        continue;
      ++progress.resources;
      for (const ResourceKey& key : KeysOf(*resource, system)) {
        if (!IsOurs(key.value)) continue;
        page.differences.push_back(
            {DifferenceKind::kOrphaned, key, UrlOf(key, std::string(MemberText(*resource, "id"))), {}, {}});
      }
    }
    ADAPTER_CHECK(store_.Read([&](storage::Snapshot& snapshot) -> Result<void> {
      std::vector<Difference> unknown;
      for (Difference& difference : page.differences) {
        ADAPTER_TRY(const auto row, queue_.LedgerRowOf(snapshot, settings_.endpoint, difference.key));
        if (!row) unknown.push_back(std::move(difference));
      }
      page.differences = std::move(unknown);
      return {};
    }));
    if (!page.differences.empty()) {
      ADAPTER_TRY(page.differences, CompareAgain(page.differences));
    }
    ADAPTER_TRY(next, NextPage(*bundle, client_.base_url()));
  }
  if (++progress.pages >= settings_.pages_max && !next.empty()) return TooManyPages();
  if (next.empty()) {
    ++progress.type;
    progress.pages = 0;
  }
  progress.next = std::move(next);
  return page;
}

}  // namespace fhir_adapter::sync
