#include "app/reconcile_changes.h"

#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;

// Builds and reads the small documents of the control socket.
Node* Text(Arena& arena, std::string_view text) {
  return Node::String(arena, text);
}

std::int64_t NumberOf(const Node& object, std::string_view name) {
  const Node* member = object.Find(name);
  std::int64_t number = 0;
  if (member != nullptr)
    std::from_chars(member->text.data(), member->text.data() + member->text.size(), number);
  return number;
}

std::span<Node*> ItemsOf(const Node& object, std::string_view name) {
  const Node* list = object.Find(name);
  return list == nullptr ? std::span<Node*>() : list->items();
}

Node* KeyNode(const outbox::ResourceKey& key, Arena& arena) {
  Node* node = Node::Object(arena);
  node->AddMember(arena, "type", Text(arena, key.type));
  node->AddMember(arena, "system", Text(arena, key.system));
  node->AddMember(arena, "value", Text(arena, key.value));
  return node;
}

outbox::ResourceKey KeyOf(const Node& node) {
  return {MemberString(node, "type"), MemberString(node, "system"), MemberString(node, "value")};
}

Node* KeyList(const std::vector<outbox::ResourceKey>& keys, Arena& arena) {
  Node* list = Node::Array(arena);
  for (const outbox::ResourceKey& key : keys) list->Append(arena, KeyNode(key, arena));
  return list;
}

Node* RepairNode(const outbox::Repair& repair, Arena& arena) {
  Node* node = Node::Object(arena);
  node->AddMember(arena, "endpoint", Text(arena, repair.endpoint));
  node->AddMember(arena, "subject", Text(arena, repair.subject_key));
  node->AddMember(arena, "missing", KeyList(repair.missing, arena));
  node->AddMember(arena, "duplicates", KeyList(repair.duplicates, arena));
  return node;
}

Node* AdoptionNode(const outbox::Adoption& adoption, Arena& arena) {
  Node* versions = Node::Array(arena);
  for (const outbox::Adoption::Version& version : adoption.versions) {
    Node* node = KeyNode(version.key, arena);
    node->AddMember(arena, "id", Text(arena, version.server_id));
    node->AddMember(arena, "version", Text(arena, version.version_id));
    node->AddMember(arena, "nullified", Node::Boolean(arena, version.nullified));
    node->AddMember(arena, "content", Text(arena, version.json));
    versions->Append(arena, node);
  }
  Node* node = Node::Object(arena);
  node->AddMember(arena, "endpoint", Text(arena, adoption.endpoint));
  node->AddMember(arena, "subject", Text(arena, adoption.subject_key));
  node->AddMember(arena, "newestRevision", Node::Number(arena, std::to_string(adoption.newest_revision)));
  node->AddMember(arena, "versions", versions);
  return node;
}

outbox::Repair RepairOf(const Node& node) {
  outbox::Repair repair{MemberString(node, "endpoint"), MemberString(node, "subject"), {}, {}};
  for (const Node* key : ItemsOf(node, "missing")) repair.missing.push_back(KeyOf(*key));
  for (const Node* key : ItemsOf(node, "duplicates")) repair.duplicates.push_back(KeyOf(*key));
  return repair;
}

outbox::Adoption AdoptionOf(const Node& node) {
  outbox::Adoption adoption{
      MemberString(node, "endpoint"), MemberString(node, "subject"), NumberOf(node, "newestRevision"), {}};
  for (const Node* one : ItemsOf(node, "versions")) {
    const Node* nullified = one->Find("nullified");
    adoption.versions.push_back({KeyOf(*one), MemberString(*one, "id"), MemberString(*one, "version"),
                                 MemberString(*one, "content"), nullified != nullptr && nullified->boolean});
  }
  return adoption;
}

}  // namespace

void ApplyReconcileChange(ReconcileChange change, const Principal& actor, TimeUs now, storage::Store& store,
                          outbox::Outbox& outbox, QueueChangeDone done) {
  const outbox::Change why{actor, change.reason, now};
  std::vector<NamedWork> works;
  for (outbox::Repair& repair : change.repairs) {
    std::string name = repair.subject_key;
    works.push_back({std::move(name), [&outbox, why, repair = std::move(repair)](storage::Transaction& t) {
                       return outbox.QueueRepair(t, repair, why);
                     }});
  }
  for (outbox::Adoption& adoption : change.adoptions) {
    std::string name = adoption.subject_key;
    works.push_back(
        {std::move(name), [&outbox, why, adoption = std::move(adoption)](storage::Transaction& t) {
           return outbox.Adopt(t, adoption, why);
         }});
  }
  SubmitEach(std::move(works), store, std::move(done));
}

std::string ToJson(const ReconcileChange& change) {
  Arena arena;
  Node* repairs = Node::Array(arena);
  for (const outbox::Repair& repair : change.repairs) repairs->Append(arena, RepairNode(repair, arena));
  Node* adoptions = Node::Array(arena);
  for (const outbox::Adoption& adoption : change.adoptions) {
    adoptions->Append(arena, AdoptionNode(adoption, arena));
  }
  Node* root = Node::Object(arena);
  root->AddMember(arena, "reason", Text(arena, change.reason));
  root->AddMember(arena, "repairs", repairs);
  root->AddMember(arena, "adoptions", adoptions);
  return fhir::ToJson(*root);
}

Result<ReconcileChange> ParseReconcileChange(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const Node* root, fhir::ReadJson(json, arena));
  ReconcileChange change;
  change.reason = MemberString(*root, "reason");
  if (change.reason.empty()) return Fail(Code::kUsage, "a change needs a reason");
  for (const Node* repair : ItemsOf(*root, "repairs")) change.repairs.push_back(RepairOf(*repair));
  for (const Node* adoption : ItemsOf(*root, "adoptions")) change.adoptions.push_back(AdoptionOf(*adoption));
  if (change.repairs.empty() && change.adoptions.empty()) {
    return Fail(Code::kUsage, "a change needs repairs or adoptions");
  }
  return change;
}

std::vector<outbox::Repair> RepairsOf(const std::string& endpoint,
                                      const std::vector<sync::Difference>& differences) {
  std::map<std::string, outbox::Repair> by_record;
  for (const sync::Difference& difference : differences) {
    const bool is_missing = difference.kind == sync::DifferenceKind::kMissing;
    if (!is_missing && difference.kind != sync::DifferenceKind::kDuplicate) continue;
    outbox::Repair& repair = by_record[difference.subject_key];
    repair.endpoint = endpoint;
    repair.subject_key = difference.subject_key;
    (is_missing ? repair.missing : repair.duplicates).push_back(difference.key);
  }
  std::vector<outbox::Repair> repairs;
  for (auto& [subject_key, repair] : by_record) repairs.push_back(std::move(repair));
  return repairs;
}

}  // namespace fhir_adapter::app
