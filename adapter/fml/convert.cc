#include "fml/convert.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "fhir/decimal.h"
#include "fhir/temporal.h"

namespace fhir_adapter::fml {

using fhir::Node;
using fhir::TypeInfo;
using fhirpath::Item;
using fhirpath::ItemKind;

PrimitiveClass ClassOf(const TypeInfo& type) {
  if (type.kind != fhir::TypeKind::kPrimitive) return PrimitiveClass::kNone;
  const std::string_view name = type.name;
  if (name == "boolean") return PrimitiveClass::kBoolean;
  if (name == "integer" || name == "positiveInt" || name == "unsignedInt") return PrimitiveClass::kInteger;
  if (name == "decimal") return PrimitiveClass::kDecimal;
  if (name == "date") return PrimitiveClass::kDate;
  if (name == "dateTime") return PrimitiveClass::kDateTime;
  if (name == "instant") return PrimitiveClass::kInstant;
  if (name == "time") return PrimitiveClass::kTime;
  return PrimitiveClass::kText;
}

PrimitiveClass ClassOf(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kElement: {
      const fhir::Element& element = item.element();
      if (element.type != nullptr) return ClassOf(*element.type);
      if (element.node == nullptr) return PrimitiveClass::kNone;
      if (element.node->is_string()) return PrimitiveClass::kText;
      if (element.node->is_number()) return PrimitiveClass::kDecimal;
      if (element.node->kind == fhir::NodeKind::kBoolean) return PrimitiveClass::kBoolean;
      return PrimitiveClass::kNone;
    }
    case ItemKind::kBoolean:
      return PrimitiveClass::kBoolean;
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return PrimitiveClass::kInteger;
    case ItemKind::kDecimal:
      return PrimitiveClass::kDecimal;
    case ItemKind::kString:
      return PrimitiveClass::kText;
    case ItemKind::kDate:
      return PrimitiveClass::kDate;
    case ItemKind::kDateTime:
      return PrimitiveClass::kDateTime;
    case ItemKind::kTime:
      return PrimitiveClass::kTime;
    case ItemKind::kQuantity:
    case ItemKind::kType:
      return PrimitiveClass::kNone;
  }
  return PrimitiveClass::kNone;
}

namespace {

bool IsNumberClass(PrimitiveClass kind) {
  return kind == PrimitiveClass::kInteger || kind == PrimitiveClass::kDecimal;
}

bool IsPlainInteger(std::string_view text) {
  if (text.starts_with("-")) text.remove_prefix(1);
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         (text.size() == 1 || text[0] != '0');
}

Node* MakeBoolean(bool value, Arena& arena) {
  Node* node = arena.Make<Node>();
  node->kind = fhir::NodeKind::kBoolean;
  node->boolean = value;
  return node;
}

// The primitive as text: what JSON would show, without quotes.
std::optional<std::string_view> PrimitiveText(const Item& item, Arena& arena) {
  switch (item.kind()) {
    case ItemKind::kElement: {
      const Node* node = item.element().node;
      if (node == nullptr) return std::nullopt;
      if (node->kind == fhir::NodeKind::kBoolean) return node->boolean ? "true" : "false";
      if (node->is_string() || node->is_number()) return node->text;
      return std::nullopt;
    }
    case ItemKind::kBoolean:
      return item.boolean() ? "true" : "false";
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return arena.Copy(std::to_string(item.integer()));
    case ItemKind::kQuantity:
    case ItemKind::kType:
      return std::nullopt;
    default:
      return item.text();
  }
}

Conversion ToNumber(std::string_view text, PrimitiveClass target, Arena& arena) {
  if (target == PrimitiveClass::kInteger) {
    if (IsPlainInteger(text)) return {MakeNumber(text, arena), nullptr, nullptr};
    const auto decimal = fhir::Decimal::Parse(text);
    if (decimal && decimal->is_whole()) {
      const auto whole = decimal->ToInt64();
      if (whole) return {MakeNumber(arena.Copy(std::to_string(*whole)), arena), nullptr, nullptr};
    }
    return {nullptr, nullptr, "the value is not an integer"};
  }
  if (fhir::Decimal::Parse(text)) return {MakeNumber(text, arena), nullptr, nullptr};
  return {nullptr, nullptr, "the value is not a number"};
}

Conversion ToTemporal(std::string_view text, PrimitiveClass target, Arena& arena) {
  switch (target) {
    case PrimitiveClass::kDate: {
      const std::string_view date = text.substr(0, text.find('T'));
      if (!fhir::Temporal::ParseDate(date)) return {nullptr, nullptr, "the value is not a date"};
      return {MakeText(date, arena), nullptr, nullptr};
    }
    case PrimitiveClass::kDateTime:
      if (!fhir::Temporal::ParseDateTime(text)) return {nullptr, nullptr, "the value is not a dateTime"};
      return {MakeText(text, arena), nullptr, nullptr};
    case PrimitiveClass::kInstant:
      if (!fhir::Temporal::ParseInstant(text)) return {nullptr, nullptr, "the value is not an instant"};
      return {MakeText(text, arena), nullptr, nullptr};
    default:
      if (!fhir::Temporal::ParseTime(text)) return {nullptr, nullptr, "the value is not a time"};
      return {MakeText(text, arena), nullptr, nullptr};
  }
}

// What can be put under `target` as it is: the same JSON form and no format to be checked.
bool SharesForm(PrimitiveClass source, PrimitiveClass target) {
  if (source == target) return true;
  if (target == PrimitiveClass::kDecimal) return source == PrimitiveClass::kInteger;
  if (target == PrimitiveClass::kDateTime) {
    return source == PrimitiveClass::kDate || source == PrimitiveClass::kInstant;
  }
  if (target == PrimitiveClass::kText) {
    return source != PrimitiveClass::kBoolean && !IsNumberClass(source);
  }
  return false;
}

// Whether JSON shows a value of this class in this way.
bool HasFormOf(const Node& node, PrimitiveClass kind) {
  if (kind == PrimitiveClass::kBoolean) return node.kind == fhir::NodeKind::kBoolean;
  return IsNumberClass(kind) ? node.is_number() : node.is_string();
}

Conversion ConvertPrimitive(const Item& item, PrimitiveClass target, Arena& arena) {
  const PrimitiveClass source = ClassOf(item);
  if (item.is_element()) {
    const Node* node = item.element().node;
    if (node == nullptr) return {};  // only extensions
    const bool is_typed = item.element().type != nullptr;
    if (is_typed && SharesForm(source, target) && HasFormOf(*node, target)) {
      // Primitive nodes are never changed in place, so the source's own may stand in the target.
      return {const_cast<Node*>(node), nullptr, nullptr};
    }
  }
  const auto text = PrimitiveText(item, arena);
  if (!text) return {nullptr, nullptr, "a complex value does not fit a primitive element"};
  switch (target) {
    case PrimitiveClass::kText:
      return {MakeText(*text, arena), nullptr, nullptr};
    case PrimitiveClass::kBoolean:
      if (*text == "true" || *text == "false") return {MakeBoolean(*text == "true", arena), nullptr, nullptr};
      return {nullptr, nullptr, "the value is not a boolean"};
    case PrimitiveClass::kInteger:
    case PrimitiveClass::kDecimal:
      return ToNumber(*text, target, arena);
    default:
      return ToTemporal(*text, target, arena);
  }
}

bool IsQuantity(const TypeInfo& type) {
  for (const TypeInfo* base = &type; base != nullptr; base = base->base) {
    if (base->name == "Quantity") return true;
  }
  return false;
}

// A reference written as text, a Coding as CodeableConcept: the forms that say the same.
Conversion ConvertToComplex(const Item& item, const TypeInfo& type, Arena& arena) {
  const bool is_text = ClassOf(item) == PrimitiveClass::kText;
  if (is_text && type.name == "Reference") {
    const auto text = PrimitiveText(item, arena);
    if (!text) return {nullptr, nullptr, "the value has another type than the element"};
    Node* reference = Node::Object(arena);
    reference->AddMember(arena, "reference", MakeText(*text, arena));
    return {reference, nullptr, nullptr};
  }
  if (item.kind() == ItemKind::kQuantity && IsQuantity(type)) {
    return {fhirpath::ToNode(item, arena), nullptr, nullptr};
  }
  return {nullptr, nullptr, "the value has another type than the element"};
}

bool IsSameOrNear(const TypeInfo& from, const TypeInfo& to) {
  if (&from == &to) return true;
  if (fhir::Schema::IsSubtypeOf(from, to)) return true;
  // Age, Duration, Count and the like have the content of a Quantity, and the other way round.
  return IsQuantity(from) && IsQuantity(to);
}

}  // namespace

Conversion Convert(const Item& item, const TypeInfo& type, bool may_share, Arena& arena, CopyCount& count) {
  const PrimitiveClass target = ClassOf(type);
  if (!item.is_element()) {
    return target != PrimitiveClass::kNone ? ConvertPrimitive(item, target, arena)
                                           : ConvertToComplex(item, type, arena);
  }
  const fhir::Element& element = item.element();
  Conversion result;
  if (target != PrimitiveClass::kNone) {
    result = ConvertPrimitive(item, target, arena);
  } else if (element.node == nullptr || !element.node->is_object()) {
    return ConvertToComplex(item, type, arena);
  } else if (element.type != nullptr && element.type->name == "Coding" && type.name == "CodeableConcept") {
    Node* concept_node = Node::Object(arena);
    Node* codings = Node::Array(arena);
    codings->Append(arena, CopyTree(*element.node, arena, count));
    concept_node->AddMember(arena, "coding", codings);
    return {concept_node, nullptr, nullptr};
  } else if (element.type != nullptr && !IsSameOrNear(*element.type, type)) {
    return {nullptr, nullptr, "the value has another type than the element"};
  } else {
    Node* node = const_cast<Node*>(element.node);
    result.node = may_share ? node : CopyTree(*node, arena, count);
  }
  if (element.shadow != nullptr && result.fault == nullptr) {
    result.shadow = CopyTree(*element.shadow, arena, count);
  }
  return result;
}

namespace {

const plan::Alternative* Named(std::span<const plan::Alternative> alternatives,
                               std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    for (const plan::Alternative& alternative : alternatives) {
      if (alternative.type->name == name) return &alternative;
    }
  }
  return nullptr;
}

const plan::Alternative* OfClass(std::span<const plan::Alternative> alternatives, PrimitiveClass kind) {
  switch (kind) {
    case PrimitiveClass::kBoolean:
      return Named(alternatives, {"boolean", "string"});
    case PrimitiveClass::kInteger:
      return Named(alternatives, {"integer", "positiveInt", "unsignedInt", "decimal", "string"});
    case PrimitiveClass::kDecimal:
      return Named(alternatives, {"decimal", "string"});
    case PrimitiveClass::kText:
      return Named(alternatives, {"string", "code", "uri", "markdown", "id", "url", "canonical", "oid",
                                  "uuid", "base64Binary", "Reference"});
    case PrimitiveClass::kDate:
      return Named(alternatives, {"date", "dateTime", "string"});
    case PrimitiveClass::kDateTime:
      return Named(alternatives, {"dateTime", "instant", "date", "string"});
    case PrimitiveClass::kInstant:
      return Named(alternatives, {"instant", "dateTime", "date", "string"});
    case PrimitiveClass::kTime:
      return Named(alternatives, {"time", "string"});
    case PrimitiveClass::kNone:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

const plan::Alternative* ChooseByType(std::span<const plan::Alternative> alternatives, const TypeInfo& type) {
  for (const plan::Alternative& alternative : alternatives) {
    if (alternative.type == &type) return &alternative;
  }
  if (const PrimitiveClass kind = ClassOf(type); kind != PrimitiveClass::kNone) {
    return OfClass(alternatives, kind);
  }
  for (const plan::Alternative& alternative : alternatives) {
    if (IsSameOrNear(type, *alternative.type)) return &alternative;
  }
  return type.name == "Coding" ? Named(alternatives, {"CodeableConcept"}) : nullptr;
}

const plan::Alternative* ChooseByKind(std::span<const plan::Alternative> alternatives, ItemKind kind) {
  switch (kind) {
    case ItemKind::kBoolean:
      return OfClass(alternatives, PrimitiveClass::kBoolean);
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return OfClass(alternatives, PrimitiveClass::kInteger);
    case ItemKind::kDecimal:
      return OfClass(alternatives, PrimitiveClass::kDecimal);
    case ItemKind::kString:
      return OfClass(alternatives, PrimitiveClass::kText);
    case ItemKind::kDate:
      return OfClass(alternatives, PrimitiveClass::kDate);
    case ItemKind::kDateTime:
      return OfClass(alternatives, PrimitiveClass::kDateTime);
    case ItemKind::kTime:
      return OfClass(alternatives, PrimitiveClass::kTime);
    case ItemKind::kQuantity:
      return Named(alternatives, {"Quantity", "Age", "Duration", "Count", "Distance", "Money"});
    default:
      return nullptr;
  }
}

const plan::Alternative* Choose(std::span<const plan::Alternative> alternatives, const Item& item) {
  if (alternatives.size() == 1) return alternatives.data();
  if (!item.is_element()) return ChooseByKind(alternatives, item.kind());
  if (item.element().type != nullptr) return ChooseByType(alternatives, *item.element().type);
  return OfClass(alternatives, ClassOf(item));
}

bool CanConvert(const TypeInfo& from, const TypeInfo& to) {
  const PrimitiveClass source = ClassOf(from);
  const PrimitiveClass target = ClassOf(to);
  if (target != PrimitiveClass::kNone) {
    if (source == PrimitiveClass::kNone) return false;
    if (source == target || target == PrimitiveClass::kText || source == PrimitiveClass::kText) return true;
    if (IsNumberClass(source) && IsNumberClass(target)) return true;
    const auto is_moment = [](PrimitiveClass kind) {
      return kind == PrimitiveClass::kDate || kind == PrimitiveClass::kDateTime ||
             kind == PrimitiveClass::kInstant;
    };
    return is_moment(source) && is_moment(target);
  }
  if (source != PrimitiveClass::kNone) return source == PrimitiveClass::kText && to.name == "Reference";
  return IsSameOrNear(from, to) || IsSameOrNear(to, from) ||
         (from.name == "Coding" && to.name == "CodeableConcept");
}

}  // namespace fhir_adapter::fml
