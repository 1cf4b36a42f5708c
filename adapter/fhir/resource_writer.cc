// WriteResource of json_writer.h: the order of members is that of the schema.

#include <algorithm>
#include <array>
#include <vector>

#include "fhir/json_writer.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {
namespace {

// Where a member stands: resourceType first, then the schema's order with `_name` after `name`, unknown last.
using Rank = std::uint32_t;
constexpr Rank kFirst = 0;
constexpr Rank kUnknown = 0xFFFFFFFF;

struct Place {
  Rank rank = kUnknown;
  const TypeInfo* type = nullptr;  // of the member's value; null: written as it stands
};

class ResourceWriter {
 public:
  ResourceWriter(const Schema& schema, std::string& out) : schema_(schema), out_(out) {}

  void WriteObject(const Node& object, const TypeInfo* type);

 private:
  // Objects with more members than this need memory for their places.
  static constexpr std::size_t kPlacesOnStack = 48;

  Place PlaceOf(std::string_view name, const TypeInfo& type) const;
  void WriteOrdered(const Node& object, std::span<Place> places);
  void WriteMember(const Member& member, const TypeInfo* type, char separator);
  void WriteValue(const Node& value, const TypeInfo* type);
  const TypeInfo* ActualType(const Node& object, const TypeInfo* type) const;

  const Schema& schema_;
  std::string& out_;
};

Place ResourceWriter::PlaceOf(std::string_view name, const TypeInfo& type) const {
  if (name == "resourceType") return Place{kFirst, nullptr};
  const bool is_shadow = name.starts_with('_');
  if (is_shadow) name.remove_prefix(1);
  const PropertyRow* row = type.properties.Find(name);
  if (row == nullptr || row->type == nullptr) return Place{};
  return Place{Rank{2} + Rank{2} * row->element->order + (is_shadow ? 1U : 0U), row->type};
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
  if (object.is_object()) type = ActualType(object, type);
  if (type == nullptr || !object.is_object() || object.size == 0) return WriteJson(object, out_);
  std::array<Place, kPlacesOnStack> on_stack;
  std::vector<Place> on_heap;
  std::span<Place> places(on_stack);
  if (object.size > kPlacesOnStack) {
    on_heap.resize(object.size);
    places = on_heap;
  }
  places = places.first(object.size);
  for (std::uint32_t i = 0; i < object.size; ++i) places[i] = PlaceOf(object.member_data[i].name, *type);
  WriteOrdered(object, places);
}

void ResourceWriter::WriteOrdered(const Node& object, std::span<Place> places) {
  const auto by_rank = [](const Place& a, const Place& b) { return a.rank < b.rank; };
  if (std::is_sorted(places.begin(), places.end(), by_rank)) {
    for (std::uint32_t i = 0; i < object.size; ++i) {
      WriteMember(object.member_data[i], places[i].type, i == 0 ? '{' : ',');
    }
  } else {
    std::vector<std::uint32_t> order(object.size);
    for (std::uint32_t i = 0; i < object.size; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return places[a].rank != places[b].rank ? places[a].rank < places[b].rank : a < b;
    });
    char separator = '{';
    for (const std::uint32_t i : order) {
      WriteMember(object.member_data[i], places[i].type, separator);
      separator = ',';
    }
  }
  out_.push_back('}');
}

void ResourceWriter::WriteMember(const Member& member, const TypeInfo* type, char separator) {
  out_.push_back(separator);
  WriteJsonString(member.name, out_);
  out_.push_back(':');
  WriteValue(*member.value, type);
}

void ResourceWriter::WriteValue(const Node& value, const TypeInfo* type) {
  if (value.is_object()) return WriteObject(value, type);
  if (!value.is_array() || value.size == 0) return WriteJson(value, out_);
  char separator = '[';
  for (const Node* item : value.items()) {
    out_.push_back(separator);
    WriteValue(*item, type);
    separator = ',';
  }
  out_.push_back(']');
}

}  // namespace

void WriteResource(const Node& resource, const Schema& schema, std::string& out) {
  ResourceWriter(schema, out).WriteObject(resource, nullptr);
}

}  // namespace fhir_adapter::fhir
