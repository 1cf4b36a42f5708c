#include "fml/structure_map.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "fml/structure_map_decoder.h"
#include "fml/structure_map_encoder.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Node;
using internal::ItemsOf;
using internal::PositionOf;
using internal::StructureMapDecoder;
using internal::StructureMapEncoder;
using internal::TextMember;

constexpr std::string_view kMapTextUrl = "https://clinic.example/fhir/StructureDefinition/map-text";
constexpr std::string_view kGroupAround = "group g(source s) {";

void AddMapText(Node& node, const std::string& text, Arena& arena) {
  Node* extension = Node::Object(arena);
  extension->AddMember(arena, "url", Node::String(arena, kMapTextUrl));
  // A head without anything is a comment: FHIR has no empty texts.
  extension->AddMember(arena, "valueString", Node::String(arena, text.empty() ? "//" : text));
  Node* extensions = node.Find("extension");
  if (extensions == nullptr) {
    extensions = Node::Array(arena);
    node.AddMember(arena, "extension", extensions);
  }
  extensions->Append(arena, extension);
}

std::string MapTextOf(const Node& node) {
  for (const Node* extension : ItemsOf(node, "extension")) {
    if (TextMember(*extension, "url") == kMapTextUrl) return TextMember(*extension, "valueString");
  }
  return "";
}

bool SameHead(const ast::Map& a, const ast::Map& b) {
  return a.url == b.url && a.name == b.name && a.metadata == b.metadata;
}

// The rule without what is nested in it, so that its text is one line.
ast::Rule HeadOf(const ast::Rule& rule) {
  ast::Rule head = rule;
  head.rules.clear();
  return head;
}

std::string TextOf(const ast::Rule& head) {
  std::string text = PrintRules({head});
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.find_first_not_of(' '));
}

Node* WriteRule(const ast::Rule& rule, StructureMapEncoder& encoder, Arena& arena) {
  const ast::Rule head = HeadOf(rule);
  Node* node = Node::Object(arena);
  encoder.RuleHead(head, *node);
  Node* nested = Node::Array(arena);
  for (Node* identity : encoder.IdentityRules(head)) nested->Append(arena, identity);
  for (const ast::Rule& child : rule.rules) nested->Append(arena, WriteRule(child, encoder, arena));
  if (!nested->items().empty()) node->AddMember(arena, "rule", nested);
  const auto read = StructureMapDecoder("").RuleHead(*node);
  if (!read || !(*read == head)) AddMapText(*node, TextOf(head), arena);
  return node;
}

// Whether `node` says what `expected` does; members that only describe are left out.
bool SaysTheSame(const Node& node, const Node& expected, Arena& arena) {
  Node* plain = Node::Object(arena);
  for (const fhir::Member& member : node.members()) {
    static constexpr std::array<std::string_view, 4> kAside = {"extension", "rule", "documentation", "id"};
    const bool is_aside =
        std::ranges::find(kAside, member.name) != kAside.end() && expected.Find(member.name) == nullptr;
    if (!is_aside) plain->AddMember(arena, member.name, member.value);
  }
  return fhir::SameContent(*plain, expected);
}

void Place(std::vector<ast::Parameter>& parameters, ast::Position at) {
  for (ast::Parameter& parameter : parameters) {
    parameter.at = at;
    if (auto* expression = std::get_if<ast::Expression>(&parameter.value)) expression->at = at;
  }
}

// Everything in the rule stands at `at`.
void Place(ast::Rule& rule, ast::Position at) {
  rule.at = at;
  for (ast::Source& source : rule.sources) {
    source.at = source.path_at = at;
    for (auto* part : {&source.default_value, &source.where, &source.check, &source.log}) {
      if (*part) (*part)->at = at;
    }
  }
  for (ast::Target& target : rule.targets) {
    target.at = target.path_at = at;
    if (!target.transform) continue;
    target.transform->at = at;
    Place(target.transform->parameters, at);
  }
  for (ast::GroupCall& call : rule.calls) {
    call.at = at;
    Place(call.parameters, at);
  }
}

void Place(ast::InlineConceptMap& concept_map, ast::Position at) {
  concept_map.at = at;
  for (ast::ConceptMapPrefix& prefix : concept_map.prefixes) prefix.at = at;
  for (ast::ConceptMapUnmapped& unmapped : concept_map.unmapped) unmapped.at = at;
  for (ast::ConceptMapRow& row : concept_map.rows) row.at = at;
}

class Reader {
 public:
  explicit Reader(std::string_view file) : decoder_(file) {}

  Result<ast::Map> Run(const Node& root) {
    ast::Map map;
    ADAPTER_CHECK(Head(root, map));
    for (const Node* contained : ItemsOf(root, "contained")) {
      if (TextMember(*contained, "resourceType") != "ConceptMap") continue;
      ADAPTER_TRY(ast::InlineConceptMap concept_map, ConceptMap(*contained));
      map.concept_maps.push_back(std::move(concept_map));
    }
    ADAPTER_CHECK(decoder_.Models(root, map));
    ADAPTER_CHECK(decoder_.Constants(root, map));
    for (const Node* node : ItemsOf(root, "group")) {
      ADAPTER_TRY(ast::Group group, decoder_.GroupHead(*node));
      ADAPTER_TRY(group.rules, Rules(*node, 0));
      map.groups.push_back(std::move(group));
    }
    if (map.groups.empty()) return decoder_.FaultAt(root, "a StructureMap needs a group");
    return map;
  }

 private:
  Failure Contradiction(const Node& node) const {
    return decoder_.FaultAt(node, "the extension map-text says otherwise than the elements; take it out");
  }

  // The map that `text` is a part of.
  Result<ast::Map> Parse(const Node& node, const std::string& text) const {
    auto parsed = ParseMap(text, "");
    if (!parsed) return decoder_.FaultAt(node, "the extension map-text: " + parsed.error().message);
    return std::move(*parsed);
  }

  Result<void> Head(const Node& root, ast::Map& map) {
    const std::string text = MapTextOf(root);
    if (text.empty()) return decoder_.Head(root, map);
    ADAPTER_TRY(ast::Map parsed, Parse(root, text + "\n" + std::string(kGroupAround) + "}"));
    Node* expected = Node::Object(arena_);
    StructureMapEncoder(StructureMapRelease::kR4, arena_).Head(parsed, *expected);
    Node* actual = Node::Object(arena_);
    for (const fhir::Member& member : root.members()) {
      if (internal::IsMetadataElement(member.name)) actual->AddMember(arena_, member.name, member.value);
    }
    if (!fhir::SameContent(*actual, *expected)) return Contradiction(root);
    map.url = std::move(parsed.url);
    map.name = std::move(parsed.name);
    map.metadata = std::move(parsed.metadata);
    for (ast::Metadata& metadata : map.metadata) metadata.at = PositionOf(root);
    return {};
  }

  Result<ast::InlineConceptMap> ConceptMap(const Node& node) {
    const std::string text = MapTextOf(node);
    if (text.empty()) return decoder_.ConceptMap(node);
    ADAPTER_TRY(ast::Map parsed, Parse(node, text + "\n" + std::string(kGroupAround) + "}"));
    if (parsed.concept_maps.size() != 1) return Contradiction(node);
    ast::InlineConceptMap& concept_map = parsed.concept_maps.front();
    bool is_same = false;
    for (const auto release : {StructureMapRelease::kR4, StructureMapRelease::kR5}) {
      Node* expected = StructureMapEncoder(release, arena_).ConceptMap(concept_map);
      is_same = is_same || SaysTheSame(node, *expected, arena_);
    }
    if (!is_same) return Contradiction(node);
    Place(concept_map, PositionOf(node));
    return std::move(concept_map);
  }

  Result<std::vector<ast::Rule>> Rules(const Node& parent, std::size_t depth, std::size_t first = 0) {
    if (depth >= limits::kMapNestingMax) {
      return decoder_.FaultAt(parent, "rules are nested deeper than kMapNestingMax");
    }
    std::vector<ast::Rule> rules;
    const std::vector<const Node*> items = ItemsOf(parent, "rule");
    for (std::size_t i = first; i < items.size(); ++i) {
      ADAPTER_TRY(ast::Rule rule, RuleHead(*items[i]));
      // What stands for `src -> tgt: a, b` comes first.
      ADAPTER_TRY(rule.rules, Rules(*items[i], depth + 1, rule.identity_fields.size()));
      rules.push_back(std::move(rule));
    }
    return rules;
  }

  Result<ast::Rule> RuleHead(const Node& node) {
    const std::string text = MapTextOf(node);
    if (text.empty()) return decoder_.RuleHead(node);
    ADAPTER_TRY(ast::Map parsed, Parse(node, std::string(kGroupAround) + "\n" + text + "\n}"));
    if (parsed.groups.size() != 1 || parsed.groups.front().rules.size() != 1) return Contradiction(node);
    ast::Rule& rule = parsed.groups.front().rules.front();
    if (!rule.rules.empty() || !SaysWhatTheElementsSay(rule, node)) return Contradiction(node);
    Place(rule, PositionOf(node));
    return std::move(rule);
  }

  bool SaysWhatTheElementsSay(const ast::Rule& rule, const Node& node) {
    const std::vector<const Node*> nested = ItemsOf(node, "rule");
    if (nested.size() > rule.identity_fields.size() && !rule.has_block) return false;
    for (const auto release : {StructureMapRelease::kR4, StructureMapRelease::kR5}) {
      StructureMapEncoder encoder(release, arena_);
      Node* expected = Node::Object(arena_);
      encoder.RuleHead(rule, *expected);
      const std::vector<Node*> identities = encoder.IdentityRules(rule);
      bool is_same = SaysTheSame(node, *expected, arena_) && nested.size() >= identities.size();
      for (std::size_t i = 0; is_same && i < identities.size(); ++i) {
        is_same = fhir::SameContent(*nested[i], *identities[i]);
      }
      if (is_same) return true;
    }
    return false;
  }

  StructureMapDecoder decoder_;
  Arena arena_;  // what is expected, for comparisons
};

}  // namespace

Result<ast::Map> ReadStructureMap(const Node& resource, std::string_view file) {
  return Reader(file).Run(resource);
}

Node* WriteStructureMap(const ast::Map& map, StructureMapRelease release, Arena& arena) {
  StructureMapEncoder encoder(release, arena);
  const StructureMapDecoder decoder("");
  Node* root = Node::Object(arena);
  root->AddMember(arena, "resourceType", Node::String(arena, "StructureMap"));
  encoder.Head(map, *root);
  ast::Map head;
  if (!decoder.Head(*root, head) || !SameHead(head, map)) AddMapText(*root, PrintHead(map), arena);
  if (!map.concept_maps.empty()) {
    Node* contained = Node::Array(arena);
    for (const ast::InlineConceptMap& concept_map : map.concept_maps) {
      Node* node = encoder.ConceptMap(concept_map);
      const auto read = decoder.ConceptMap(*node);
      if (!read || !(*read == concept_map)) AddMapText(*node, PrintConceptMap(concept_map), arena);
      contained->Append(arena, node);
    }
    root->AddMember(arena, "contained", contained);
  }
  encoder.Models(map, *root);
  encoder.Constants(map, *root);
  Node* groups = Node::Array(arena);
  for (const ast::Group& group : map.groups) {
    Node* node = Node::Object(arena);
    encoder.GroupHead(group, *node);
    Node* rules = Node::Array(arena);
    for (const ast::Rule& rule : group.rules) rules->Append(arena, WriteRule(rule, encoder, arena));
    if (!rules->items().empty()) node->AddMember(arena, "rule", rules);
    groups->Append(arena, node);
  }
  root->AddMember(arena, "group", groups);
  return root;
}

}  // namespace fhir_adapter::fml
