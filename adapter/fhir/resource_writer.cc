// WriteResource of json_writer.h: the order of members is that of the schema.

#include <algorithm>
#include <array>
#include <vector>

#include "fhir/json_text.h"
#include "fhir/json_writer.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {
namespace {

// Where a member stands: resourceType first, then the schema's order with `_name` after `name`, unknown last.
using Rank = std::uint32_t;
constexpr Rank kFirst = 0;
constexpr Rank kUnknown = 0xFFFFFFFF;

// Without initial values: an object has room for many.
struct Place {
  Rank rank;
  const TypeInfo* type;  // of the member's value; null: its members stay as they stand
  const Member* member;
};

class ResourceWriter {
 public:
  ResourceWriter(const Schema& schema, JsonText& out) : schema_(schema), out_(out) {}

  void WriteValue(const Node& value, const TypeInfo* type);

 private:
  // Objects with more members than this need memory for their places.
  static constexpr std::size_t kPlacesOnStack = 48;
  // As many elements are looked at before a member is looked up by name.
  static constexpr std::size_t kElementsAhead = 8;

  Place PlaceOf(const Member& member, const TypeInfo& type, std::size_t& next) const;
  void WriteObject(const Node& object, const TypeInfo* type);
  void WriteArray(const Node& array, const TypeInfo* type);
  const TypeInfo* ActualType(const Node& object, const TypeInfo* type) const;

  const Schema& schema_;
  JsonText& out_;
};

// Members mostly come in the order of the schema: `next` is the element after that of the member before, and
// is moved on. What is not found there is looked up by name.
Place ResourceWriter::PlaceOf(const Member& member, const TypeInfo& type, std::size_t& next) const {
  for (std::size_t i = next; i < type.elements.size() && i < next + kElementsAhead; ++i) {
    const ElementInfo& element = type.elements[i];
    if (element.is_choice || !IsSameName(element.name, member.name)) continue;
    if (element.types.size() != 1 || element.types[0].type == nullptr) break;
    next = i + 1;
    return Place{Rank{2} + Rank{2} * element.order, element.types[0].type, &member};
  }
  std::string_view name = member.name;
  if (name == "resourceType") return Place{kFirst, nullptr, &member};
  const bool is_shadow = name.starts_with('_');
  if (is_shadow) name.remove_prefix(1);
  const PropertyRow* row = type.properties.Find(name);
  if (row == nullptr || row->type == nullptr) return Place{kUnknown, nullptr, &member};
  next = row->element->order + std::size_t{1};
  return Place{Rank{2} + Rank{2} * row->element->order + (is_shadow ? 1U : 0U), row->type, &member};
}

// A resource says its own type; an unknown one is written as it stands.
const TypeInfo* ResourceWriter::ActualType(const Node& object, const TypeInfo* type) const {
  if (type != nullptr && type->kind != TypeKind::kResource) return type;
  const Node* name = object.Find("resourceType");
  if (name == nullptr || !name->is_string()) return type;
  const TypeInfo* actual = schema_.FindType(name->text);
  return actual == nullptr ? type : actual;
}

void ResourceWriter::WriteObject(const Node& object, const TypeInfo* type) {
  type = ActualType(object, type);
  if (type == nullptr) return out_.AddNode(object);
  std::array<Place, kPlacesOnStack> on_stack;
  std::vector<Place> on_heap;
  std::span<Place> places(on_stack);
  if (object.size > kPlacesOnStack) {
    on_heap.resize(object.size);
    places = on_heap;
  }
  places = places.first(object.size);
  bool is_ordered = true;
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < object.size; ++i) {
    const Member& member = object.member_data[i];
    places[i] = PlaceOf(member, *type, next);
    if (i > 0 && places[i - 1].rank > places[i].rank) is_ordered = false;
  }
  if (!is_ordered) {
    // Of equal ranks (unknown names) the order stays.
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return a.rank != b.rank ? a.rank < b.rank : a.member < b.member;
    });
  }
  char separator = '{';
  for (const Place& place : places) {
    out_.AddName(separator, place.member->name);
    WriteValue(*place.member->value, place.type);
    separator = ',';
  }
  if (separator == '{') out_.Add('{');
  out_.Add('}');
}

void ResourceWriter::WriteArray(const Node& array, const TypeInfo* type) {
  char separator = '[';
  for (const Node* item : array.items()) {
    out_.Add(separator);
    WriteValue(*item, type);
    separator = ',';
  }
  if (separator == '[') out_.Add('[');
  out_.Add(']');
}

void ResourceWriter::WriteValue(const Node& value, const TypeInfo* type) {
  if (value.is_object()) return WriteObject(value, type);
  if (value.is_array()) return WriteArray(value, type);
  out_.AddNode(value);
}

}  // namespace

void WriteResource(const Node& resource, const Schema& schema, std::string& out) {
  JsonText text(out);
  ResourceWriter(schema, text).WriteValue(resource, nullptr);
}

}  // namespace fhir_adapter::fhir
