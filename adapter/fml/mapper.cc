#include "fml/mapper.h"

#include <algorithm>

#include "core/uuid.h"
#include "fml/executor.h"
#include "fml/linked_set.h"

namespace fhir_adapter::fml {

using fhir::Node;

struct Mapper::State {
  explicit State(std::shared_ptr<const MapSet> set) : maps(std::move(set)), machine(maps->schema()) {}

  std::shared_ptr<const MapSet> maps;
  Machine machine;
  NoObserver nobody;
  LineageObserver lineage;
  Executor<NoObserver> executor{machine, nobody};
  Executor<LineageObserver> observed{machine, lineage};
};

Mapper::Mapper(std::shared_ptr<const MapSet> maps) : state_(std::make_unique<State>(std::move(maps))) {}
Mapper::~Mapper() = default;
Mapper::Mapper(Mapper&&) noexcept = default;

const MapSet& Mapper::maps() const {
  return *state_->maps;
}
Arena& Mapper::arena() {
  return state_->machine.arena();
}

Result<Mapping> Mapper::Map(const MapInfo& map, const Node& record, const MapRequest& request) {
  const std::vector<MapInfo>& infos = state_->maps->maps();
  if (infos.empty() || &map < infos.data() || &map >= infos.data() + infos.size()) {
    return Fail(Code::kInternal, "the map is not of this set");
  }
  const auto index = static_cast<std::size_t>(&map - infos.data());
  const plan::EntryPlan& entry = state_->maps->linked_->linked[index].entry;
  Mapping mapping;
  Machine& machine = state_->machine;
  machine.Begin(request, record, entry.source_type, mapping);
  const fhirpath::Item item(fhir::RootElement(record, state_->maps->schema(), entry.source_type));
  Node* target = nullptr;
  bool done = false;
  if (request.lineage != nullptr) {
    state_->lineage.sink = request.lineage;
    state_->lineage.rules.clear();
    state_->lineage.sources.clear();
    state_->lineage.translated.clear();
    done = state_->observed.Run(entry, item, target);
  } else {
    done = state_->executor.Run(entry, item, target);
  }
  if (target == nullptr) return mapping;
  (void)Prune(*target, machine.arena());
  if (!done || machine.has_failed()) {
    mapping.begun = target;
    return mapping;
  }
  mapping.target = target;
  mapping.target_type = entry.target_type;
  return mapping;
}

namespace {

constexpr std::string_view kPlaceholder = "urn:fhir-adapter:resource:";

struct Found {
  Node* text = nullptr;  // the string that stands for a resource
  std::size_t index = 0;
};

void FindPlaceholders(Node& node, std::vector<Found>& found) {
  if (node.is_string()) {
    if (!node.text.starts_with(kPlaceholder)) return;
    std::size_t index = 0;
    for (const char c : node.text.substr(kPlaceholder.size())) {
      index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    found.push_back(Found{&node, index});
    return;
  }
  if (IsFrozen(node)) return;
  for (const fhir::Member& member : node.members()) FindPlaceholders(*member.value, found);
  for (Node* item : node.items()) FindPlaceholders(*item, found);
}

bool IsContained(const Node& node, const Node& resource) {
  for (const fhir::Member& member : node.members()) {
    if (member.name == "contained") {
      const auto items = member.value->items();
      if (std::find(items.begin(), items.end(), &resource) != items.end()) return true;
    }
    if (member.value->is_object() && IsContained(*member.value, resource)) return true;
    for (const Node* item : member.value->items()) {
      if (IsContained(*item, resource)) return true;
    }
  }
  return false;
}

}  // namespace

std::string_view ReferencePlaceholder(std::size_t index, Arena& arena) {
  return arena.Join({kPlaceholder, std::to_string(index)});
}

void ResolveReferences(Mapping& mapping, const fhir::Schema&, std::string_view seed, Arena& arena) {
  if (mapping.target == nullptr || mapping.referenced.empty()) return;
  std::vector<Found> found;
  FindPlaceholders(*mapping.target, found);
  for (const Found& place : found) {
    if (place.index >= mapping.referenced.size()) continue;
    Node& resource = *mapping.referenced[place.index];
    Node* id = resource.Find("id");
    if (id == nullptr) {
      id = Node::String(arena,
                        UuidOfUrl("reference|" + std::string(seed) + "|" + std::to_string(place.index)));
      resource.AddMember(arena, "id", id);
    }
    const Node* type = resource.Find("resourceType");
    const std::string prefix = IsContained(*mapping.target, resource) ? "#"
                               : type == nullptr                      ? ""
                                                                      : std::string(type->text) + "/";
    place.text->text = arena.Copy(prefix + std::string(id->text));
  }
}

}  // namespace fhir_adapter::fml
