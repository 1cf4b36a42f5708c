#include "fml/bundle_assembler.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/uuid.h"
#include "fml/tree.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Member;
using fhir::Node;

constexpr std::string_view kPlaceholder = "urn:fhir-adapter:resource:";
constexpr std::string_view kIdentifierQuery = "?identifier=";

// What a search holds without an escape: unreserved characters, ':' and '/'.
constexpr std::array<bool, 256> kIsPlain = [] {
  std::array<bool, 256> is_plain{};
  for (const char c :
       std::string_view("0123456789-._~:/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    is_plain[static_cast<unsigned char>(c)] = true;
  }
  return is_plain;
}();

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kIsPlain[static_cast<unsigned char>(c)]; });
}

void AppendSearchPart(std::string_view part, std::string& out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto append = [&out](char c) {
    if (kIsPlain[static_cast<unsigned char>(c)]) {
      out += c;
      return;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  };
  for (const char c : part) {
    if (c == '\\' || c == ',' || c == '|' || c == '$') append('\\');
    append(c);
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// `Type?identifier=system|value`, in its parts.
struct ConditionalReference {
  std::string_view type;
  std::string_view system;
  std::string_view value;
};

std::optional<ConditionalReference> ParseConditional(std::string_view text, Arena& arena) {
  const std::size_t query = text.find(kIdentifierQuery);
  if (query == std::string_view::npos || text.find('&', query) != std::string_view::npos) return std::nullopt;
  ConditionalReference reference;
  reference.type = text.substr(0, query);
  const std::string_view plain = text.substr(query + kIdentifierQuery.size());
  if (plain.find_first_of("%\\") == std::string_view::npos) {
    const std::size_t bar = plain.find('|');
    if (bar == std::string_view::npos) return std::nullopt;
    reference.system = plain.substr(0, bar);
    reference.value = plain.substr(bar + 1);
    return reference;
  }
  const std::string token = PercentDecoded(plain);
  std::string system;
  std::string value;
  std::string* part = &system;
  bool has_bar = false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '\\' && i + 1 < token.size()) {
      *part += token[++i];
    } else if (token[i] == '|' && !has_bar) {
      has_bar = true;
      part = &value;
    } else {
      *part += token[i];
    }
  }
  if (!has_bar) return std::nullopt;
  reference.system = arena.Copy(system);
  reference.value = arena.Copy(value);
  return reference;
}

class Assembler {
 public:
  Assembler(Mapping& mapping, const AssemblyOptions& options, Arena& arena)
      : mapping_(mapping),
        options_(options),
        arena_(arena),
        own_systems_(arena.Join({options.canonical_base, "/sid/it-"})),
        entries_(arena),
        by_resource_(arena),
        by_search_(arena) {}

  Assembly Run(const std::vector<ExtraEntry>& extras) {
    Collect(extras);
    Identify();
    if (!has_failed_) {
      for (std::size_t i = 0; i < entries_.size(); ++i) Resolve(i);
    }
    if (!has_failed_) Finish();
    return std::move(assembly_);
  }

 private:
  struct Entry {
    AssembledEntry made;
    ArenaVector<std::size_t> refers_to;
  };
  template <class Key>
  using ArenaMap = std::unordered_map<Key, std::size_t, std::hash<Key>, std::equal_to<Key>,
                                      ArenaAllocator<std::pair<const Key, std::size_t>>>;

  void Report(std::string message) {
    Issue issue;
    issue.code = Code::kOutputInvalid;
    issue.where.file = options_.file;
    issue.where.pointer = options_.pointer_prefix;
    issue.message = std::move(message);
    assembly_.issues.push_back(std::move(issue));
    has_failed_ = true;
  }

  void Collect(const std::vector<ExtraEntry>& extras) {
    const Node* target = mapping_.target;
    if (target == nullptr || MemberText(*target, "resourceType") != "Bundle") {
      Report("the map made no Bundle");
      return;
    }
    if (const Node* list = target->Find("entry")) {
      entries_.reserve(list->items().size() + extras.size());
      for (const Node* item : list->items()) {
        Node* resource = item->Find("resource");
        if (resource == nullptr) {
          Report("an entry of the Bundle has no resource");
        } else {
          AddEntry(*resource, FindIdentity(*resource));
        }
      }
    }
    for (const ExtraEntry& extra : extras) {
      AddEntry(*extra.resource, extra.system.empty() ? FindIdentity(*extra.resource)
                                                     : std::optional(IdentityOf(extra.system, extra.value)));
    }
  }

  void AddEntry(Node& resource, std::optional<Identity> identity) {
    const std::string_view type = MemberText(resource, "resourceType");
    if (!identity) {
      Report("entry " + std::to_string(entries_.size()) + " (" + std::string(type) +
             ") has no identifier of a system that begins with " + std::string(own_systems_));
      return;
    }
    entries_.push_back(
        Entry{AssembledEntry{*identity, type, &resource, {}}, ArenaVector<std::size_t>(arena_)});
  }

  Identity IdentityOf(std::string_view system, std::string_view value) const {
    const UuidText uuid = UuidTextOfUrl(arena_.Join({system, "|", value}));
    return Identity{system, value, arena_.Copy({uuid.data(), uuid.size()})};
  }

  std::optional<Identity> FindIdentity(const Node& resource) const {
    const Node* identifiers = resource.Find("identifier");
    if (identifiers == nullptr) return std::nullopt;
    const auto identity_of = [this](const Node& identifier) -> std::optional<Identity> {
      const std::string_view system = MemberText(identifier, "system");
      const std::string_view value = MemberText(identifier, "value");
      if (!system.starts_with(own_systems_) || value.empty()) return std::nullopt;
      return IdentityOf(system, value);
    };
    if (identifiers->is_object()) return identity_of(*identifiers);
    for (const Node* identifier : identifiers->items()) {
      if (auto identity = identity_of(*identifier)) return identity;
    }
    return std::nullopt;
  }

  void Identify() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      AssembledEntry& made = entries_[i].made;
      by_resource_.emplace(made.resource, i);
      // The search for an entry is its name among the others, too: references are mostly written so already.
      made.request_url = arena_.Join(
          {made.type, kIdentifierQuery, SearchToken(made.identity.system, made.identity.value, arena_)});
      const auto [known, is_new] = by_search_.emplace(made.request_url, i);
      if (!is_new) {
        Report("entries " + std::to_string(known->second) + " and " + std::to_string(i) + " (" +
               std::string(made.type) + ") have one identity");
      }
    }
  }

  std::string_view ReferenceTo(const AssembledEntry& entry) const {
    return options_.form == AssemblyForm::kTransaction ? arena_.Join({"urn:uuid:", entry.identity.uuid})
                                                       : arena_.Join({entry.type, "/", entry.identity.uuid});
  }

  void Resolve(std::size_t index) {
    current_ = index;
    ResolveIn(*entries_[index].made.resource);
  }

  void ResolveIn(Node& node) {
    if (node.is_object()) {
      for (const Member& member : node.members()) {
        if (member.value->is_string()) {
          if (member.name == "reference" || member.value->text.starts_with(kPlaceholder)) {
            ResolveText(*member.value, node, member.name);
          }
        } else {
          ResolveIn(*member.value);
        }
      }
    } else {
      for (Node* item : node.items()) ResolveIn(*item);
    }
  }

  void ResolveText(const Node& text, Node& holder, std::string_view member) {
    if (text.text.starts_with(kPlaceholder)) return ResolvePlaceholder(text, holder, member);
    const auto same = by_search_.find(text.text);
    if (same != by_search_.end()) return LinkTo(same->second, holder, member);
    const auto conditional = ParseConditional(text.text, arena_);
    if (!conditional) return;
    const std::string_view search = arena_.Join(
        {conditional->type, kIdentifierQuery, SearchToken(conditional->system, conditional->value, arena_)});
    const auto found = by_search_.find(search);
    if (found != by_search_.end()) {
      LinkTo(found->second, holder, member);
    } else if (conditional->system.starts_with(own_systems_)) {
      Report(Here() + " refers to a " + std::string(conditional->type) + " that is not in the Bundle");
    }
  }

  std::string Here() const {
    return "entry " + std::to_string(current_) + " (" + std::string(entries_[current_].made.type) + ")";
  }

  void LinkTo(std::size_t target, Node& holder, std::string_view member) {
    auto& refers_to = entries_[current_].refers_to;
    if (target != current_ && std::find(refers_to.begin(), refers_to.end(), target) == refers_to.end()) {
      refers_to.push_back(target);
    }
    holder.Set(arena_, member, MakeText(ReferenceTo(entries_[target].made), arena_));
  }

  void ResolvePlaceholder(const Node& text, Node& holder, std::string_view member) {
    std::size_t number = 0;
    for (const char c : text.text.substr(kPlaceholder.size())) {
      number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    Node* resource = number < mapping_.referenced.size() ? mapping_.referenced[number] : nullptr;
    const auto found = by_resource_.find(resource);
    if (found != by_resource_.end()) return LinkTo(found->second, holder, member);
    const Node* contained = entries_[current_].made.resource->Find("contained");
    if (contained != nullptr && resource != nullptr) {
      for (std::size_t i = 0; i < contained->items().size(); ++i) {
        if (contained->items()[i] != resource) continue;
        holder.Set(arena_, member, MakeText(arena_.Join({"#", IdOfContained(*resource, i)}), arena_));
        return;
      }
    }
    Report(Here() + " refers to a resource that the map made and did not put into the Bundle");
  }

  std::string_view IdOfContained(Node& resource, std::size_t index) {
    if (const std::string_view id = MemberText(resource, "id"); !id.empty()) return id;
    std::string id(MemberText(resource, "resourceType"));
    for (char& c : id) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    id += "-" + std::to_string(index + 1);
    const std::string_view made = arena_.Copy(id);
    resource.AddMember(arena_, "id", MakeText(made, arena_));
    return made;
  }

  // What is referred to first; among those that may come next, the first of the map. In a circle the first
  // of the map breaks it.
  ArenaVector<std::size_t> Order() const {
    ArenaVector<std::size_t> order(arena_);
    order.reserve(entries_.size());
    ArenaVector<std::size_t> open(entries_.size(), 0, arena_);
    ArenaVector<ArenaVector<std::size_t>> referred_by(entries_.size(), ArenaVector<std::size_t>(arena_),
                                                      arena_);
    ArenaVector<std::size_t> ready(arena_);  // a heap, smallest first
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      open[i] = entries_[i].refers_to.size();
      for (const std::size_t target : entries_[i].refers_to) referred_by[target].push_back(i);
      if (open[i] == 0) ready.push_back(i);
    }
    ArenaVector<std::uint8_t> is_done(entries_.size(), 0, arena_);
    std::make_heap(ready.begin(), ready.end(), std::greater<>());
    std::size_t first_left = 0;
    while (order.size() < entries_.size()) {
      std::size_t next = 0;
      if (!ready.empty()) {
        std::pop_heap(ready.begin(), ready.end(), std::greater<>());
        next = ready.back();
        ready.pop_back();
        if (is_done[next] != 0) continue;
      } else {
        while (is_done[first_left] != 0) ++first_left;
        next = first_left;
      }
      is_done[next] = 1;
      order.push_back(next);
      for (const std::size_t waiting : referred_by[next]) {
        if (--open[waiting] > 0 || is_done[waiting] != 0) continue;
        ready.push_back(waiting);
        std::push_heap(ready.begin(), ready.end(), std::greater<>());
      }
    }
    return order;
  }

  void Finish() {
    Node* list = Node::Array(arena_);
    assembly_.entries.reserve(entries_.size());
    for (const std::size_t index : Order()) {
      AssembledEntry& made = entries_[index].made;
      const bool is_searchable = IsFoundByIdentifier(made.type);
      const bool has_id = options_.form == AssemblyForm::kResources || !is_searchable;
      made.resource->Remove("id");
      if (has_id) {
        made.resource->AddMember(arena_, "id", MakeText(made.identity.uuid, arena_));
      }
      if (!is_searchable) made.request_url = arena_.Join({made.type, "/", made.identity.uuid});
      if (options_.form == AssemblyForm::kTransaction) list->Append(arena_, MakeEntry(made));
      assembly_.entries.push_back(made);
    }
    if (options_.form != AssemblyForm::kTransaction) return;
    Node* bundle = Node::Object(arena_);
    bundle->AddMember(arena_, "resourceType", MakeText("Bundle", arena_));
    bundle->AddMember(arena_, "type", MakeText("transaction", arena_));
    if (list->size > 0) bundle->AddMember(arena_, "entry", list);
    assembly_.bundle = bundle;
  }

  Node* MakeEntry(const AssembledEntry& made) {
    Node* entry = Node::Object(arena_);
    entry->AddMember(arena_, "fullUrl", MakeText(arena_.Join({"urn:uuid:", made.identity.uuid}), arena_));
    entry->AddMember(arena_, "resource", made.resource);
    Node* request = Node::Object(arena_);
    request->AddMember(arena_, "method", MakeText("PUT", arena_));
    request->AddMember(arena_, "url", MakeText(made.request_url, arena_));
    entry->AddMember(arena_, "request", request);
    return entry;
  }

  Mapping& mapping_;
  const AssemblyOptions& options_;
  Arena& arena_;
  const std::string_view own_systems_;
  ArenaVector<Entry> entries_;
  ArenaMap<const Node*> by_resource_;
  ArenaMap<std::string_view> by_search_;  // by request_url
  std::size_t current_ = 0;
  bool has_failed_ = false;
  Assembly assembly_;
};

}  // namespace

bool IsFoundByIdentifier(std::string_view resource_type) {
  // R4 defines no search parameter `identifier` for these (AdverseEvent has the element, the others not even
  // that). Resources that a map of records does not make are left out.
  static constexpr std::string_view kOthers[] = {"AdverseEvent",     "AuditEvent", "Binary",    "Bundle",
                                                 "OperationOutcome", "Parameters", "Provenance"};
  return std::find(std::begin(kOthers), std::end(kOthers), resource_type) == std::end(kOthers);
}

std::string_view SearchToken(std::string_view system, std::string_view value, Arena& arena) {
  if (IsPlain(system) && IsPlain(value)) return arena.Join({system, "|", value});
  std::string token;
  AppendSearchPart(system, token);
  token += '|';
  AppendSearchPart(value, token);
  return arena.Copy(token);
}

Assembly AssembleBundle(Mapping& mapping, const std::vector<ExtraEntry>& extras,
                        const AssemblyOptions& options, const fhir::Schema&, Arena& arena) {
  return Assembler(mapping, options, arena).Run(extras);
}

}  // namespace fhir_adapter::fml
