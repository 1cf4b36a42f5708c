#include "fhirpath/item.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "fhirpath/values.h"

namespace fhir_adapter::fhirpath {
namespace {

constexpr std::string_view kUcumSystem = "http://unitsofmeasure.org";

std::string_view TextMember(const fhir::Node& object, std::string_view name) {
  const fhir::Node* value = object.Find(name);
  return value != nullptr && (value->is_string() || value->is_number()) ? value->text : std::string_view();
}

Item QuantityOf(const Item& item) {
  const fhir::Node* node = item.element().node;
  if (node == nullptr || !node->is_object()) return item;
  const std::string_view value = TextMember(*node, "value");
  if (value.empty() || !TextMember(*node, "comparator").empty()) return item;
  const std::string_view code = TextMember(*node, "code");
  if (!code.empty()) {
    const std::string_view system = TextMember(*node, "system");
    if (system.empty() || system == kUcumSystem) return Item::Quantity(value, code);
  }
  const std::string_view unit = TextMember(*node, "unit");
  return Item::Quantity(value, unit.empty() ? "1" : unit);
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number of a tree without type: Integer when it is written as one and fits.
Item NumberOf(std::string_view text) {
  const auto integer = ParseInteger(text);
  if (integer && *integer >= INT32_MIN && *integer <= INT32_MAX) return Item::Integer(*integer);
  return Item::Decimal(text);
}

Item PrimitiveOf(const Item& item, ItemKind kind) {
  const fhir::Node& node = *item.element().node;
  switch (node.kind) {
    case fhir::NodeKind::kBoolean:
      return Item::Boolean(node.boolean);
    case fhir::NodeKind::kNumber:
      if (kind == ItemKind::kDecimal) return Item::Decimal(node.text);
      return NumberOf(node.text);
    case fhir::NodeKind::kString:
      break;
    default:
      return item;
  }
  switch (kind) {
    case ItemKind::kDate:
      return Item::Date(node.text);
    case ItemKind::kDateTime:
      return Item::DateTime(node.text);
    case ItemKind::kTime:
      return Item::Time(node.text);
    default:
      return Item::String(node.text);
  }
}

}  // namespace

void Collection::Append(const Collection& other, Arena& arena) {
  if (other.empty()) return;
  if (empty() && capacity_ == 0) {
    *this = other;
    return;
  }
  if (size_ + other.size_ > capacity_) Grow(arena, size_ + other.size_);
  const Item* source = other.begin();
  for (std::uint32_t i = 0; i < other.size_; ++i) many_[size_++] = source[i];
}

void Collection::Grow(Arena& arena, std::uint32_t capacity_min) {
  const std::uint32_t capacity = std::max({capacity_min, size_ * 2, std::uint32_t{4}});
  Item* items = static_cast<Item*>(arena.Allocate(sizeof(Item) * capacity, alignof(Item)));
  std::uninitialized_copy_n(begin(), size_, items);
  std::uninitialized_fill_n(items + size_, capacity - size_, Item());
  many_ = items;
  capacity_ = capacity;
}

Item ToSystem(const Item& item, Arena&) {
  if (!item.is_element()) return item;
  const fhir::Element& element = item.element();
  if (element.node == nullptr) return item;
  if (element.type == nullptr) return PrimitiveOf(item, ItemKind::kElement);
  const ItemKind kind = internal::SystemKindOf(*element.type);
  if (kind == ItemKind::kQuantity) return QuantityOf(item);
  if (kind == ItemKind::kElement && element.node->is_object()) return item;
  return PrimitiveOf(item, kind);
}

std::optional<std::string_view> TextOf(const Item& item, Arena& arena) {
  const Item value = ToSystem(item, arena);
  switch (value.kind()) {
    case ItemKind::kBoolean:
      return value.boolean() ? "true" : "false";
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return arena.Copy(std::to_string(value.integer()));
    case ItemKind::kDecimal:
    case ItemKind::kString:
    case ItemKind::kDate:
    case ItemKind::kDateTime:
    case ItemKind::kTime:
      return value.text();
    case ItemKind::kElement:
    case ItemKind::kQuantity:
    case ItemKind::kType:
      break;
  }
  return std::nullopt;
}

fhir::Node* ToNode(const Item& item, Arena& arena) {
  using fhir::Node;
  switch (item.kind()) {
    case ItemKind::kElement:
      return item.element().node == nullptr ? nullptr : fhir::Clone(*item.element().node, arena);
    case ItemKind::kBoolean:
      return Node::Boolean(arena, item.boolean());
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return Node::Number(arena, arena.Copy(std::to_string(item.integer())));
    case ItemKind::kDecimal:
      return Node::Number(arena, arena.Copy(item.text()));
    case ItemKind::kString:
    case ItemKind::kDate:
    case ItemKind::kDateTime:
    case ItemKind::kTime:
      return Node::String(arena, item.text());
    case ItemKind::kQuantity: {
      Node* quantity = Node::Object(arena);
      quantity->Set(arena, "value", Node::Number(arena, arena.Copy(item.text())));
      quantity->Set(arena, "unit", Node::String(arena, item.unit()));
      if (item.unit_kind() == UnitKind::kUcum) {
        quantity->Set(arena, "system", Node::String(arena, kUcumSystem));
        quantity->Set(arena, "code", Node::String(arena, item.unit()));
      }
      return quantity;
    }
    case ItemKind::kType:
      break;
  }
  return nullptr;
}

std::string_view TypeNameOf(const Item& item, Arena& arena) {
  switch (item.kind()) {
    case ItemKind::kBoolean:
      return "System.Boolean";
    case ItemKind::kInteger:
      return "System.Integer";
    case ItemKind::kLong:
      return "System.Long";
    case ItemKind::kDecimal:
      return "System.Decimal";
    case ItemKind::kString:
      return "System.String";
    case ItemKind::kDate:
      return "System.Date";
    case ItemKind::kDateTime:
      return "System.DateTime";
    case ItemKind::kTime:
      return "System.Time";
    case ItemKind::kQuantity:
      return "System.Quantity";
    case ItemKind::kType:
      return "System.SimpleTypeInfo";
    case ItemKind::kElement:
      break;
  }
  const fhir::TypeInfo* type = item.element().type;
  if (type == nullptr) {
    const Item value = ToSystem(item, arena);
    return value.is_element() ? std::string_view("System.Any") : TypeNameOf(value, arena);
  }
  std::string_view name = type->name;
  if (type->kind == fhir::TypeKind::kBackbone) {
    const bool below_resource = type->base == nullptr || type->base->name != "Element";
    name = below_resource ? "BackboneElement" : "Element";
  }
  if (type->kind == fhir::TypeKind::kLogical) return name;
  return arena.Copy("FHIR." + std::string(name));
}

}  // namespace fhir_adapter::fhirpath
