// Codes: translate, cc, c.

#include <algorithm>
#include <array>

#include "fml/transforms.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Node;

// What is translated: a code of a system, or of none that is known.
struct Source {
  std::string_view system;
  std::string_view code;
  std::string_view display;
  const Node* node = nullptr;
};

Source SourceOf(const Node& coding) {
  return Source{MemberText(coding, "system"), MemberText(coding, "code"), MemberText(coding, "display"),
                &coding};
}

ArenaVector<Source> SourcesOf(const TransformCall& call) {
  ArenaVector<Source> sources(call.machine.arena());
  const fhirpath::Item& item = call.arguments[0].front();
  const Node* node = item.is_element() ? item.element().node : nullptr;
  if (node == nullptr || !node->is_object()) {
    if (const auto text = call.Text(0)) sources.push_back(Source{{}, *text, {}, node});
    return sources;
  }
  if (const Node* codings = node->Find("coding")) {
    sources.reserve(codings->items().size());
    for (const Node* coding : codings->items()) sources.push_back(SourceOf(*coding));
    if (!sources.empty()) sources.front().display = MemberText(*node, "text");
  } else {
    sources.push_back(SourceOf(*node));
  }
  return sources;
}

void AddText(Node& object, std::string_view name, std::string_view text, Arena& arena) {
  if (!text.empty()) object.AddMember(arena, name, MakeText(text, arena));
}

Node* MakeCodingNode(const ConceptTarget& target, Arena& arena) {
  Node* coding = Node::Object(arena);
  AddText(*coding, "system", target.system, arena);
  AddText(*coding, "version", target.version, arena);
  AddText(*coding, "code", target.code, arena);
  AddText(*coding, "display", target.display, arena);
  return coding;
}

bool IsProduct(const TransformCall& call) {
  return call.transform.output == plan::TranslateOutput::kProduct;
}

plan::TranslateOutput OutputOf(const TransformCall& call) {
  if (call.transform.output != plan::TranslateOutput::kByTarget && !IsProduct(call))
    return call.transform.output;
  const std::string_view type = call.target_type == nullptr ? "" : call.target_type->name;
  if (type == "CodeableConcept") return plan::TranslateOutput::kCodeableConcept;
  if (type == "Coding") return plan::TranslateOutput::kCoding;
  return plan::TranslateOutput::kCode;
}

void GiveText(const TransformCall& call, std::string_view text, std::string_view type) {
  if (!text.empty()) call.Give(MakeText(text, call.machine.arena()), type);
}

// Whether every dependency of the target is what its variable says. The variables' values follow the code in
// the arguments, in the order of ConceptMapIndex::dependencies().
bool Holds(const TransformCall& call, const ConceptMapIndex& index, const ConceptTarget& target) {
  if (target.depends_on.empty()) return true;
  if (&index != call.transform.concept_map) return false;  // of another map, whose variables are not here
  const std::span<const std::string> known = index.dependencies();
  for (const ConceptDependency& dependency : target.depends_on) {
    const auto at =
        static_cast<std::size_t>(std::find(known.begin(), known.end(), dependency.property) - known.begin());
    if (1 + at >= call.arguments.size() || call.arguments[1 + at].size() != 1) return false;
    const auto value = call.Text(1 + at);
    if (!value || *value != dependency.value) return false;
  }
  return true;
}

// The value that `targets` stand for; `text` is for people.
bool GiveTargets(const TransformCall& call, std::span<const ConceptTarget* const> targets,
                 std::string_view text) {
  Arena& arena = call.machine.arena();
  const ConceptTarget* first = targets.empty() ? nullptr : targets.front();
  switch (OutputOf(call)) {
    case plan::TranslateOutput::kCode:
      if (first != nullptr) GiveText(call, first->code, "code");
      return true;
    case plan::TranslateOutput::kSystem:
      if (first != nullptr) GiveText(call, first->system, "uri");
      return true;
    case plan::TranslateOutput::kDisplay:
      GiveText(call, first != nullptr && !first->display.empty() ? std::string_view(first->display) : text,
               "string");
      return true;
    case plan::TranslateOutput::kCoding: {
      if (first == nullptr && text.empty()) return true;
      Node* coding = first != nullptr ? MakeCodingNode(*first, arena) : Node::Object(arena);
      if (first == nullptr) AddText(*coding, "display", text, arena);
      call.Give(coding, "Coding");
      return call.machine.Count(4, 64);
    }
    case plan::TranslateOutput::kCodeableConcept:
    case plan::TranslateOutput::kByTarget:
    case plan::TranslateOutput::kProduct:
      break;
  }
  if (first == nullptr && text.empty()) return true;
  Node* concept_node = Node::Object(arena);
  if (first != nullptr) {
    Node* codings = Node::Array(arena);
    for (const ConceptTarget* target : targets) codings->Append(arena, MakeCodingNode(*target, arena));
    concept_node->AddMember(arena, "coding", codings);
  }
  AddText(*concept_node, "text", text, arena);
  call.Give(concept_node, "CodeableConcept");
  return call.machine.Count(2 + 4 * targets.size(), 64 + 64 * targets.size());
}

void RecordRow(const TransformCall& call, const ConceptMapIndex& index, const Source& source,
               const ConceptTarget* target, std::string_view policy) {
  if (call.rows == nullptr) return;
  ConceptMapRow row{index.url(), index.file(), 0, source.system, source.code, {}, {}, policy};
  if (target != nullptr) {
    if (!target->file.empty()) row.file = target->file;
    row.line = target->line;
    row.target_system = target->system;
    row.target_code = target->code;
  }
  call.rows->push_back(row);
}

std::string NameOf(const ConceptMapIndex& index) {
  return index.url().empty() ? index.id() : index.url();
}

constexpr int kOtherMapsMax = 8;

// What the row's targets produce under the name that the map asks for.
bool GiveProducts(const TransformCall& call, std::span<const ConceptTarget* const> targets) {
  std::vector<const ConceptTarget*> found;
  for (const ConceptTarget* target : targets) {
    for (const ConceptProduct& product : target->products) {
      if (product.property == call.transform.product) found.push_back(&product.value);
    }
  }
  return found.empty() || GiveTargets(call, found, {});
}

// The code as it came.
void GiveProvided(const TransformCall& call, const Source& source) {
  Arena& arena = call.machine.arena();
  const plan::TranslateOutput output = OutputOf(call);
  if (output == plan::TranslateOutput::kCode) return GiveText(call, source.code, "code");
  if (output == plan::TranslateOutput::kSystem) return GiveText(call, source.system, "uri");
  if (output == plan::TranslateOutput::kDisplay) return GiveText(call, source.display, "string");
  Node* coding = Node::Object(arena);
  AddText(*coding, "system", source.system, arena);
  AddText(*coding, "code", source.code, arena);
  if (output == plan::TranslateOutput::kCoding) return call.Give(coding, "Coding");
  Node* concept_node = Node::Object(arena);
  Node* codings = Node::Array(arena);
  codings->Append(arena, coding);
  concept_node->AddMember(arena, "coding", codings);
  call.Give(concept_node, "CodeableConcept");
}

bool GiveUnmapped(const TransformCall& call, const ConceptMapIndex& index, const Source& source) {
  const ConceptUnmapped& unmapped = index.UnmappedFor(source.system);
  const std::string_view text = source.display.empty() ? source.code : source.display;
  const Node* where = source.node != nullptr && source.node->line > 0 ? source.node : nullptr;
  const auto message = [&index] { return "a code that " + NameOf(index) + " does not have"; };
  RecordRow(call, index, source, nullptr, Name(unmapped.policy));
  if (unmapped.policy != UnmappedPolicy::kOptional) {
    call.machine.mapping().unmapped.push_back(
        {NameOf(index), std::string(source.system), std::string(source.code), unmapped.policy});
  }
  switch (unmapped.policy) {
    case UnmappedPolicy::kOptional:
      return true;
    case UnmappedPolicy::kProvided:
      if (!IsProduct(call)) GiveProvided(call, source);
      return true;
    case UnmappedPolicy::kFixed: {
      call.machine.Report(Code::kUnmappedText, message() + ": its fixed code is sent", where);
      const std::array<const ConceptTarget*, 1> fixed = {&unmapped.fixed};
      return GiveTargets(call, fixed, {});
    }
    case UnmappedPolicy::kTextOnly:
      call.machine.Report(Code::kUnmappedText, message() + ": sent as text only", where);
      return IsProduct(call) || GiveTargets(call, {}, text);
    case UnmappedPolicy::kQuarantine:
      call.machine.Report(Code::kUnmappedCode, message(), where);
      return GiveTargets(call, {}, text);
    case UnmappedPolicy::kUnset:
    case UnmappedPolicy::kReject:
    case UnmappedPolicy::kOtherMap:
      break;
  }
  if (where != nullptr) call.machine.source = where;
  return call.Stop(Code::kUnmappedCode, message());
}

}  // namespace

bool Translate(const TransformCall& call) {
  if (call.arguments[0].empty()) return true;
  const ArenaVector<Source> sources = SourcesOf(call);
  if (sources.empty()) return true;
  const ConceptMapIndex* index = call.transform.concept_map;
  for (int hops = 0; index != nullptr && hops < kOtherMapsMax; ++hops) {
    for (const Source& source : sources) {
      const ConceptRow* row = index->Find(source.system, source.code);
      if (row == nullptr) continue;
      ArenaVector<const ConceptTarget*> targets(call.machine.arena());
      targets.reserve(row->targets.size());
      bool is_conditional = false;  // there are targets, whether or not one of them holds here
      for (const ConceptTarget& target : row->targets) {
        const bool holds =
            source.system.empty() || target.source_system.empty() || target.source_system == source.system;
        if (!holds) continue;
        is_conditional = true;
        if (!Holds(call, *index, target)) continue;
        targets.push_back(&target);
        RecordRow(call, *index, source, &target, {});
      }
      // Each depends on something that is otherwise here: nothing is known of the code.
      if (targets.empty() && is_conditional) return GiveUnmapped(call, *index, source);
      if (targets.empty()) RecordRow(call, *index, source, nullptr, {});
      if (IsProduct(call)) return GiveProducts(call, targets);
      std::string_view text = row->display;
      if (text.empty() && targets.empty()) text = source.display.empty() ? source.code : source.display;
      return GiveTargets(call, targets, text);
    }
    if (index->UnmappedFor(sources.front().system).policy != UnmappedPolicy::kOtherMap) break;
    index = index->other();
  }
  if (index == nullptr) return call.Stop(Code::kMapFailed, "translate: the other map is not there");
  return GiveUnmapped(call, *index, sources.front());
}

bool MakeCodeableConcept(const TransformCall& call) {
  Arena& arena = call.machine.arena();
  Node* concept_node = Node::Object(arena);
  if (call.arguments.size() == 1) {
    const auto text = call.Text(0);
    if (!text || text->empty()) return true;
    AddText(*concept_node, "text", *text, arena);
  } else {
    const auto code = call.Text(1);
    if (!code || code->empty()) return true;
    Node* coding = Node::Object(arena);
    AddText(*coding, "system", call.Text(0).value_or(""), arena);
    AddText(*coding, "code", *code, arena);
    AddText(*coding, "display", call.Text(2).value_or(""), arena);
    Node* codings = Node::Array(arena);
    codings->Append(arena, coding);
    concept_node->AddMember(arena, "coding", codings);
  }
  call.Give(concept_node, "CodeableConcept");
  return call.machine.Count(5, 128);
}

bool MakeCoding(const TransformCall& call) {
  Arena& arena = call.machine.arena();
  const auto code = call.Text(1);
  if (!code || code->empty()) return true;
  Node* coding = Node::Object(arena);
  AddText(*coding, "system", call.Text(0).value_or(""), arena);
  AddText(*coding, "code", *code, arena);
  AddText(*coding, "display", call.Text(2).value_or(""), arena);
  call.Give(coding, "Coding");
  return call.machine.Count(4, 96);
}

}  // namespace fhir_adapter::fml
