#include "sync/delivery_planner.h"

#include <algorithm>
#include <set>

#include "core/digest.h"
#include "sync/audit_event.h"
#include "sync/own_types.h"
#include "sync/resource_identity.h"
#include "sync/resource_merge.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;
using outbox::IntendedResource;
using outbox::LedgerRow;
using outbox::ResourceKey;
using outbox::WorkItem;
using outbox::WorkKind;

class Planner {
 public:
  Planner(const WorkItem& item, const PlanContext& context)
      : item_(item), context_(context), local_system_(LocalCodeSystem(context.canonical_base)) {
    for (const LedgerRow& row : item.ledger) rows_.emplace(row.key, &row);
    plan_.literals = LiteralsOf(item.ledger);
  }

  Result<DeliveryPlan> Make() {
    const IntendedResource* provenance = nullptr;
    for (const IntendedResource& resource : item_.resources) {
      intended_.insert(resource.key);
      if (resource.key.type == kProvenance) {
        provenance = &resource;
      } else {
        ADAPTER_CHECK(AddIntended(resource));
      }
    }
    ADAPTER_CHECK(AddVanished());
    if (provenance != nullptr) ADAPTER_CHECK(AddProvenance(*provenance));
    AddMissing();
    ADAPTER_CHECK(CheckReferences());
    return std::move(plan_);
  }

 private:
  const LedgerRow* RowOf(const ResourceKey& key) const {
    const auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : found->second;
  }

  std::string PatientOf(const std::string& patient_key) const {
    const auto found = context_.patients.find(patient_key);
    return found == context_.patients.end() ? std::string() : found->second;
  }

  Result<void> AddIntended(const IntendedResource& resource);
  bool HasVanished(const LedgerRow& row) const;
  Result<void> AddVanished();
  std::vector<std::string> WrittenBefore(const ResourceKey& provenance) const;
  Result<void> AddProvenance(const IntendedResource& provenance);
  void AddMissing();
  Result<void> CheckReferences() const;
  void Add(const ResourceKey& key, std::string uuid, std::string json, bool has_identifier_search,
           const std::string& patient_key);
  void KeepAdditions(const LedgerRow& row, PlannedEntry& entry) const;

  const WorkItem& item_;
  const PlanContext& context_;
  const std::string local_system_;
  std::map<ResourceKey, const LedgerRow*> rows_;
  std::set<ResourceKey> intended_;
  DeliveryPlan plan_;
};

Result<Node*> Read(std::string_view json, const ResourceKey& key, Arena& arena) {
  auto resource = ReadResource(json, arena);
  if (!resource) return Fail(Code::kOutputInvalid, "a resource cannot be read: " + key.type);
  return resource;
}

// What stood there beside what was sent last stays beside what is sent now.
void Planner::KeepAdditions(const LedgerRow& row, PlannedEntry& entry) const {
  Arena arena;
  const auto ours = ReadResource(entry.json, arena);
  const auto base = ReadResource(row.json, arena);
  const auto theirs = ReadResource(row.merged, arena);
  if (!ours || !base || !theirs) return;
  for (Node* resource : {*ours, *base, *theirs}) {
    ToServerReferences(*resource, plan_.literals, entry.patient, arena);
  }
  const Node* own_meta = (*ours)->Find("meta");
  const Node* own_text = (*ours)->Find("text");
  for (Node* resource : {*ours, *base}) StripServerParts(*resource, {}, arena);
  MergedResource merged = MergeResource(**base, **theirs, **ours, Contested::kKeepTheirs, arena);
  entry.contested = std::move(merged.contested);
  if (!merged.has_theirs) return;
  Node* meta = merged.resource->Find("meta");
  for (const fhir::Member& member : own_meta == nullptr ? std::span<fhir::Member>() : own_meta->members()) {
    if (member.name == "tag") continue;
    if (meta == nullptr) {
      meta = Node::Object(arena);
      merged.resource->AddMember(arena, "meta", meta);
    }
    meta->Set(arena, member.name, member.value);
  }
  if (own_text != nullptr) merged.resource->Set(arena, "text", fhir::Clone(*own_text, arena));
  entry.merged = WriteOrdered(*merged.resource);
}

void Planner::Add(const ResourceKey& key, std::string uuid, std::string json, bool has_identifier_search,
                  const std::string& patient_key) {
  PlannedEntry entry;
  entry.key = key;
  entry.uuid = std::move(uuid);
  entry.json = std::move(json);
  entry.sha256 = Sha256Hex(entry.json);
  entry.has_identifier_search = has_identifier_search;
  entry.patient = PatientOf(patient_key);
  Arena arena;
  const auto resource = ReadResource(entry.json, arena);
  entry.nullified = resource && IsNullified(**resource, local_system_);
  const LedgerRow* row = context_.gone.contains(key) ? nullptr : RowOf(key);
  if (row != nullptr) {
    entry.server_id = row->server_id;
    entry.exists = true;
    entry.if_match = EntityTag(row->version_id);
    if (!row->merged.empty()) KeepAdditions(*row, entry);
  } else {
    plan_.literals.erase(entry.uuid);
    if (context_.forms != nullptr) entry.form = context_.forms->FormOf(key.type);
    if (!has_identifier_search && !entry.is_posted()) entry.server_id = entry.uuid;
    if (entry.is_posted() && (key.type == kProvenance || key.type == kAuditEvent) && resource) {
      AddTag(**resource, key.system, key.value, {}, arena);
      entry.json = WriteOrdered(**resource);
      entry.sha256 = Sha256Hex(entry.json);
    }
  }
  plan_.entries.push_back(std::move(entry));
}

Result<void> Planner::AddIntended(const IntendedResource& resource) {
  const LedgerRow* row = RowOf(resource.key);
  std::string json = resource.json;
  // It tells of something that was; where the server names it, it also has a tag.
  if (row != nullptr && resource.key.type == kAuditEvent) return {};
  if (row != nullptr && !row->sha256.empty()) {  // without hash: reconciling found it missing
    if (row->sha256 == resource.sha256) return {};
    Arena arena;
    ADAPTER_TRY(Node * intended, Read(resource.json, resource.key, arena));
    const auto delivered = ReadResource(row->json, arena);  // empty once erased: then it is sent again
    // What the EHR pushed has the status that the EHR gave it.
    if (delivered && item_.kind != WorkKind::kObservation) {
      if (SameButForCorrection(*intended, **delivered)) return {};
      const std::string_view before = StatusOf(**delivered);
      const bool was_final = before == "final" || before == "amended" || before == "corrected";
      if (resource.key.type == "Observation" && was_final && StatusOf(*intended) == "final") {
        intended->Set(arena, "status", Node::String(arena, "corrected"));
        json = WriteOrdered(*intended);
      }
    }
  }
  Add(resource.key, resource.uuid, std::move(json), resource.has_identifier_search, item_.patient.key);
  return {};
}

bool Planner::HasVanished(const LedgerRow& row) const {
  if (row.key.type == kProvenance || row.key.type == kAuditEvent || intended_.contains(row.key)) return false;
  const bool is_issue = row.key.type == "DetectedIssue";
  switch (item_.kind) {
    case WorkKind::kRecord:
    case WorkKind::kRepair:
      break;
    case WorkKind::kIssueUpdate:  // speaks of its findings only
      if (!is_issue) return false;
      break;
    case WorkKind::kObservation:
    case WorkKind::kAuditEvent:
      return false;
  }
  if (!row.nullified) return true;
  // A finding that was cancelled before the record turned out to be an error.
  Arena arena;
  const auto delivered = is_issue && item_.record_status == "voided"
                             ? ReadResource(row.json, arena)
                             : Result<Node*>(Fail(Code::kNotFound, ""));
  return delivered && StatusOf(**delivered) == "cancelled";
}

Result<void> Planner::AddVanished() {
  for (const LedgerRow& row : item_.ledger) {
    if (!HasVanished(row)) continue;
    Arena arena;
    ADAPTER_TRY(Node * resource, Read(row.json, row.key, arena));
    const bool error = item_.record_status == "voided" || row.patient_key != item_.patient.key;
    Nullify(*resource, error ? Nullification::kEnteredInError : Nullification::kCancelled, local_system_,
            arena);
    Add(row.key, UuidOf(row.key.system, row.key.value), WriteOrdered(*resource),
        HasIdentifierSearch(row.key.type), row.patient_key);
  }
  return {};
}

// The uuids of what earlier requests of this revision wrote, while no Provenance speaks of it.
std::vector<std::string> Planner::WrittenBefore(const ResourceKey& provenance) const {
  std::vector<std::string> uuids;
  for (const LedgerRow& row : item_.ledger) {
    if (row.key.type == kProvenance) {
      const bool is_ours =
          row.key.value == provenance.value || row.key.value.starts_with(provenance.value + ".");
      if (is_ours) return {};
      continue;
    }
    const std::string uuid = UuidOf(row.key.system, row.key.value);
    const bool is_planned = std::any_of(plan_.entries.begin(), plan_.entries.end(),
                                        [&](const PlannedEntry& entry) { return entry.uuid == uuid; });
    if (row.revision == item_.revision && !row.sha256.empty() && !is_planned) uuids.push_back(uuid);
  }
  return uuids;
}

// The first write of a revision has the Provenance {r}.{revision}; later ones get a number of their own.
Result<void> Planner::AddProvenance(const IntendedResource& provenance) {
  std::vector<std::string> written = WrittenBefore(provenance.key);
  const bool is_first = !written.empty();  // its number does not depend on how many requests it took
  for (const PlannedEntry& entry : plan_.entries) written.push_back(entry.uuid);
  if (written.empty()) return {};
  Arena arena;
  ADAPTER_TRY(Node * resource, Read(provenance.json, provenance.key, arena));
  ResourceKey key = provenance.key;
  int number = is_first ? 1 : std::max(1, item_.write_number);
  for (;; ++number) {
    key.value = provenance.key.value + (number == 1 ? "" : "." + std::to_string(number));
    if (RowOf(key) == nullptr) break;
  }
  const std::string uuid = number == 1 ? provenance.uuid : UuidOf(key.system, key.value);
  Node* targets = Node::Array(arena);
  for (const std::string& written_uuid : written) {
    Node* target = Node::Object(arena);
    target->AddMember(arena, "reference", Node::String(arena, "urn:uuid:" + written_uuid));
    targets->Append(arena, target);
  }
  resource->Set(arena, "id", Node::String(arena, uuid));
  resource->Set(arena, "target", targets);
  Add(key, uuid, WriteOrdered(*resource), false, item_.patient.key);
  return {};
}

// What reconciling found missing and no revision intends, as it was sent: Provenances, and what was
// nullified.
void Planner::AddMissing() {
  for (const LedgerRow& row : item_.ledger) {
    const bool is_planned = std::any_of(plan_.entries.begin(), plan_.entries.end(),
                                        [&](const PlannedEntry& entry) { return entry.key == row.key; });
    if (!row.sha256.empty() || row.json.empty() || is_planned) continue;
    if (!context_.patients.contains(row.patient_key)) continue;  // in the chart of a patient before
    Add(row.key, UuidOf(row.key.system, row.key.value), row.json, HasIdentifierSearch(row.key.type),
        row.patient_key);
  }
}

Result<void> Planner::CheckReferences() const {
  std::set<std::string, std::less<>> here;
  for (const PlannedEntry& entry : plan_.entries) here.insert(entry.uuid);
  for (const PlannedEntry& entry : plan_.entries) {
    Arena arena;
    ADAPTER_TRY(Node * resource, Read(entry.json, entry.key, arena));
    bool dangling = false;
    RewriteReferences(
        *resource,
        [&](std::string_view reference) {
          constexpr std::string_view kPrefix = "urn:uuid:";
          if (reference.starts_with(kPrefix)) {
            const std::string_view uuid = reference.substr(kPrefix.size());
            dangling = dangling || (!here.contains(uuid) && !plan_.literals.contains(uuid));
          }
          return std::string();
        },
        arena);
    if (dangling)
      return Fail(Code::kOutputInvalid, "a reference to nothing that is sent or was sent: " + entry.key.type);
  }
  return {};
}

}  // namespace

std::string LocalCodeSystem(std::string_view canonical_base) {
  return std::string(canonical_base) + "/CodeSystem/it-local";
}

Literals LiteralsOf(const std::vector<LedgerRow>& ledger) {
  Literals literals;
  for (const LedgerRow& row : ledger) {
    literals.emplace(UuidOf(row.key.system, row.key.value), row.key.type + "/" + row.server_id);
  }
  return literals;
}

bool IsOlderThanLedger(const WorkItem& item) {
  return std::any_of(item.ledger.begin(), item.ledger.end(),
                     [&](const LedgerRow& row) { return row.revision > item.revision; });
}

Result<DeliveryPlan> PlanDelivery(const WorkItem& item, const PlanContext& context) {
  return Planner(item, context).Make();
}

}  // namespace fhir_adapter::sync
