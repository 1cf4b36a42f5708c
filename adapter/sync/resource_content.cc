#include "sync/resource_content.h"

#include <algorithm>
#include <array>

#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhir/schema.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

constexpr std::string_view kEnteredInErrorCode = "entered-in-error";
constexpr std::string_view kVerificationSystem = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
constexpr std::string_view kUuidPrefix = "urn:uuid:";

// Types whose R4 definition has no element that can say entered-in-error.
bool HasStatus(std::string_view type) {
  return type != "AdverseEvent" && type != "Provenance" && type != "AuditEvent";
}

Node* Coding(std::string_view system, std::string_view code, std::string_view display, Arena& arena) {
  Node* coding = Node::Object(arena);
  coding->AddMember(arena, "system", Node::String(arena, system));
  coding->AddMember(arena, "code", Node::String(arena, code));
  if (!display.empty()) coding->AddMember(arena, "display", Node::String(arena, display));
  return coding;
}

void NullifyCondition(Node& condition, Arena& arena) {
  Node* codings = Node::Array(arena);
  codings->Append(arena, Coding(kVerificationSystem, kEnteredInErrorCode, {}, arena));
  Node* concept_node = Node::Object(arena);
  concept_node->AddMember(arena, "coding", codings);
  condition.Set(arena, "verificationStatus", concept_node);
  for (const std::string_view name :
       {"clinicalStatus", "abatementDateTime", "abatementAge", "abatementPeriod", "abatementRange",
        "abatementString", "_abatementDateTime", "_abatementString"}) {
    condition.Remove(name);
  }
}

void NullifyAdverseEvent(Node& adverse_event, Arena& arena) {
  constexpr std::string_view kLead = "Entered in error: ";
  Node* event = adverse_event.Find("event");
  if (event == nullptr) {
    event = Node::Object(arena);
    adverse_event.AddMember(arena, "event", event);
  }
  const std::string_view text = MemberText(*event, "text");
  if (text.starts_with(kLead)) return;
  std::string led(kLead);
  led += text;
  while (led.ends_with(' ')) led.pop_back();
  event->Set(arena, "text", Node::String(arena, led));
}

bool IsFinalKind(std::string_view status) {
  return status == "final" || status == "amended" || status == "corrected";
}

std::string WithoutHistory(std::string_view reference) {
  return std::string(reference.substr(0, reference.find("/_history/")));
}

}  // namespace

Result<Node*> ReadResource(std::string_view json, Arena& arena) {
  ADAPTER_TRY(Node * resource, fhir::ReadJson(json, arena, fhir::kResourceLimits));
  if (!resource->is_object() || MemberText(*resource, "resourceType").empty()) {
    return Fail(Code::kServerAnswer, "not a FHIR resource");
  }
  return resource;
}

std::string WriteOrdered(const Node& resource) {
  std::string out;
  fhir::WriteResource(resource, fhir::Schema::R4(), out);
  return out;
}

std::string_view StatusOf(const Node& resource) {
  if (MemberText(resource, "resourceType") != "Condition") return MemberText(resource, "status");
  const Node* verification = resource.Find("verificationStatus");
  const Node* codings = verification == nullptr ? nullptr : verification->Find("coding");
  if (codings == nullptr) return {};
  for (const Node* coding : codings->items()) {
    if (MemberText(*coding, "system") == kVerificationSystem) return MemberText(*coding, "code");
  }
  return {};
}

bool HasTag(const Node& resource, std::string_view system, std::string_view code) {
  const Node* meta = resource.Find("meta");
  const Node* tags = meta == nullptr ? nullptr : meta->Find("tag");
  if (tags == nullptr) return false;
  return std::any_of(tags->items().begin(), tags->items().end(), [&](const Node* tag) {
    return MemberText(*tag, "system") == system && MemberText(*tag, "code") == code;
  });
}

void AddTag(Node& resource, std::string_view system, std::string_view code, std::string_view display,
            Arena& arena) {
  if (HasTag(resource, system, code)) return;
  Node* meta = resource.Find("meta");
  if (meta == nullptr) {
    meta = Node::Object(arena);
    resource.AddMember(arena, "meta", meta);
  }
  Node* tags = meta->Find("tag");
  if (tags == nullptr) {
    tags = Node::Array(arena);
    meta->AddMember(arena, "tag", tags);
  }
  tags->Append(arena, Coding(system, code, display, arena));
}

bool IsNullified(const Node& resource, std::string_view local_system) {
  const std::string_view type = MemberText(resource, "resourceType");
  if (!HasStatus(type)) return HasTag(resource, local_system, kEnteredInErrorCode);
  const std::string_view status = StatusOf(resource);
  return status == kEnteredInErrorCode || (type == "DetectedIssue" && status == "cancelled");
}

void Nullify(Node& resource, Nullification how, std::string_view local_system, Arena& arena) {
  const std::string_view type = MemberText(resource, "resourceType");
  if (type == "Condition") return NullifyCondition(resource, arena);
  if (!HasStatus(type)) {
    AddTag(resource, local_system, kEnteredInErrorCode, "Entered in error", arena);
    if (type == "AdverseEvent") NullifyAdverseEvent(resource, arena);
    return;
  }
  const bool cancelled = how == Nullification::kCancelled && type == "DetectedIssue";
  resource.Set(arena, "status", Node::String(arena, cancelled ? "cancelled" : kEnteredInErrorCode));
}

void RewriteReferences(Node& node, const ReplaceReference& replace, Arena& arena) {
  for (Node* item : node.items()) RewriteReferences(*item, replace, arena);
  for (fhir::Member& member : node.members()) {
    if (member.name != "reference" || !member.value->is_string()) {
      RewriteReferences(*member.value, replace, arena);
      continue;
    }
    const std::string replacement = replace(member.value->text);
    if (!replacement.empty()) member.value = Node::String(arena, replacement);
  }
}

void StripServerParts(Node& resource, std::string_view base_url, Arena& arena) {
  resource.Remove("id");
  resource.Remove("text");
  if (const Node* meta = resource.Find("meta")) {
    Node* tags = meta->Find("tag");
    resource.Remove("meta");
    if (tags != nullptr && tags->size > 0) {
      Node* kept = Node::Object(arena);
      kept->AddMember(arena, "tag", tags);
      resource.AddMember(arena, "meta", kept);
    }
  }
  RewriteReferences(
      resource,
      [base_url](std::string_view reference) -> std::string {
        if (!base_url.empty() && reference.starts_with(base_url) && reference.size() > base_url.size() + 1 &&
            reference[base_url.size()] == '/') {
          return WithoutHistory(reference.substr(base_url.size() + 1));
        }
        if (reference.find("/_history/") != std::string_view::npos && !reference.starts_with("http")) {
          return WithoutHistory(reference);
        }
        return {};
      },
      arena);
}

bool SameButForCorrection(const Node& a, const Node& b) {
  const bool observations =
      MemberText(a, "resourceType") == "Observation" && MemberText(b, "resourceType") == "Observation";
  if (!observations || !IsFinalKind(MemberText(a, "status")) || !IsFinalKind(MemberText(b, "status"))) {
    return fhir::SameContent(a, b);
  }
  Arena arena;
  Node* left = fhir::Clone(a, arena);
  Node* right = fhir::Clone(b, arena);
  left->Remove("status");
  right->Remove("status");
  return fhir::SameContent(*left, *right);
}

void ToServerReferences(Node& resource, const Literals& literals, std::string_view patient, Arena& arena) {
  RewriteReferences(
      resource,
      [&](std::string_view reference) -> std::string {
        if (reference.starts_with("Patient?")) return std::string(patient);
        if (!reference.starts_with(kUuidPrefix)) return {};
        const auto found = literals.find(reference.substr(kUuidPrefix.size()));
        return found == literals.end() ? std::string() : found->second;
      },
      arena);
}

}  // namespace fhir_adapter::sync
