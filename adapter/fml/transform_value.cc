// Values of several parts: qty, id, cp. And what names a resource: reference, pointer, uuid.

#include <string>

#include "core/uuid.h"
#include "fhir/decimal.h"
#include "fml/transforms.h"

namespace fhir_adapter::fml {
namespace {

using fhir::Node;

void AddText(Node& object, std::string_view name, std::string_view text, Arena& arena) {
  if (!text.empty()) object.AddMember(arena, name, MakeText(text, arena));
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// `[comparator]value[space]unit`.
bool MakeQuantityOfText(const TransformCall& call) {
  const auto given = call.Text(0);
  if (!given) return true;
  std::string_view text = Trim(*given);
  if (text.empty()) return true;
  Arena& arena = call.machine.arena();
  Node* quantity = Node::Object(arena);
  std::string_view comparator;
  for (const std::string_view sign : {"<=", ">=", "<", ">"}) {
    if (!comparator.empty() || !text.starts_with(sign)) continue;
    comparator = text.substr(0, sign.size());
    text = Trim(text.substr(sign.size()));
  }
  std::size_t digits = text.starts_with('-') ? 1 : 0;
  while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) {
    ++digits;
  }
  const std::string_view number = text.substr(0, digits);
  if (!fhir::Decimal::Parse(number)) {
    return call.Stop(Code::kMapFailed, "qty: the text does not begin with a number");
  }
  quantity->AddMember(arena, "value", MakeNumber(number, arena));
  AddText(*quantity, "comparator", comparator, arena);
  AddText(*quantity, "unit", Trim(text.substr(digits)), arena);
  call.Give(quantity, "Quantity");
  return call.machine.Count(4, 64);
}

std::string_view ContactSystem(std::string_view value) {
  if (value.starts_with("http:") || value.starts_with("https:")) return "url";
  if (value.find('@') != std::string_view::npos || value.starts_with("mailto:")) return "email";
  return "phone";
}

}  // namespace

bool MakeQuantity(const TransformCall& call) {
  if (call.arguments.size() == 1) return MakeQuantityOfText(call);
  const auto value = call.Text(0);
  if (!value) return true;
  if (!fhir::Decimal::Parse(*value)) return call.Stop(Code::kMapFailed, "qty: the value is not a number");
  Arena& arena = call.machine.arena();
  Node* quantity = Node::Object(arena);
  quantity->AddMember(arena, "value", MakeNumber(*value, arena));
  AddText(*quantity, "unit", call.Text(1).value_or(""), arena);
  AddText(*quantity, "system", call.Text(2).value_or(""), arena);
  AddText(*quantity, "code", call.Text(3).value_or(""), arena);
  call.Give(quantity, "Quantity");
  return call.machine.Count(5, 96);
}

bool MakeIdentifier(const TransformCall& call) {
  const auto value = call.Text(1);
  if (!value || value->empty()) return true;
  Arena& arena = call.machine.arena();
  Node* identifier = Node::Object(arena);
  AddText(*identifier, "system", call.Text(0).value_or(""), arena);
  AddText(*identifier, "value", *value, arena);
  if (const auto type = call.Text(2); type && !type->empty()) {
    Node* coding = Node::Object(arena);
    AddText(*coding, "system", "http://terminology.hl7.org/CodeSystem/v2-0203", arena);
    AddText(*coding, "code", *type, arena);
    Node* codings = Node::Array(arena);
    codings->Append(arena, coding);
    Node* concept_node = Node::Object(arena);
    concept_node->AddMember(arena, "coding", codings);
    identifier->AddMember(arena, "type", concept_node);
  }
  call.Give(identifier, "Identifier");
  return call.machine.Count(6, 128);
}

bool MakeContactPoint(const TransformCall& call) {
  const bool is_inferred = call.arguments.size() == 1;
  const auto value = call.Text(is_inferred ? 0 : 1);
  if (!value || value->empty()) return true;
  Arena& arena = call.machine.arena();
  Node* contact = Node::Object(arena);
  AddText(*contact, "system", is_inferred ? ContactSystem(*value) : call.Text(0).value_or(""), arena);
  AddText(*contact, "value", *value, arena);
  call.Give(contact, "ContactPoint");
  return call.machine.Count(3, 64);
}

bool MakeReference(const TransformCall& call) {
  if (call.arguments[0].empty()) return true;
  const fhirpath::Item& item = call.arguments[0].front();
  Arena& arena = call.machine.arena();
  const Node* node = item.is_element() ? item.element().node : nullptr;
  const fhir::TypeInfo* type = item.is_element() ? item.element().type : nullptr;
  if (node == nullptr || !node->is_object()) {
    return call.Stop(Code::kMapFailed, "reference: the argument is not a resource");
  }
  const bool is_made_here = node->line == 0;
  if (is_made_here && type != nullptr && type->kind == fhir::TypeKind::kResource) {
    const std::size_t index = call.machine.ReferenceTo(*const_cast<Node*>(node));
    call.Give(MakeText(ReferencePlaceholder(index, arena), arena), "string");
    return true;
  }
  // A resource of the source, or an instance of a logical model, is named by type and id.
  const Node* name = node->Find("resourceType");
  const Node* id = node->Find("id");
  std::string_view type_name;
  if (name != nullptr && name->is_string()) {
    type_name = name->text;
  } else if (type != nullptr) {
    type_name = type->name;
  }
  if (id == nullptr || !id->is_string() || type_name.empty()) {
    return call.Stop(Code::kMapFailed, "reference: the source has no type and id to be referred to by");
  }
  call.Give(MakeText(arena.Join({type_name, "/", id->text}), arena), "string");
  return true;
}

bool MakeUuid(const TransformCall& call) {
  const std::uint64_t count = call.machine.NextCall(call.transform.call_site);
  std::string name = "uuid|" + std::string(call.machine.request().seed) + "|";
  name += std::to_string(call.transform.call_site) + "|" + std::to_string(count);
  Arena& arena = call.machine.arena();
  call.Give(MakeText(arena.Copy(UuidOfUrl(name)), arena), "string");
  return true;
}

}  // namespace fhir_adapter::fml
