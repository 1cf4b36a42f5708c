// The generated tables behind Schema: constant data, ready without any work at start.
//
// Only adapter/fhir includes this. The slots of a name table hold index + 1 of a row, 0 for an empty slot:
// open addressing with linear probing over FNV-1a, a power of two of slots, at most half full. The generator
// (fhir/generator) and SlotsOf compute the same.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fhir/schema.h"

namespace fhir_adapter::fhir {

struct SchemaTables {
  std::string_view fhir_version;
  std::span<const TypeInfo> types;  // each followed by its backbones
  std::span<const std::uint16_t> type_slots;
  std::span<const ValueSetInfo> value_sets;  // by url; codes by code
};

extern const SchemaTables kR4Tables;

constexpr std::uint32_t HashName(std::string_view name) {
  std::uint32_t value = 2166136261U;
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
  return value;
}

// The index of the row called `name`, or -1. `name_at(index)` gives the name of a row.
template <class NameAt>
int FindSlot(std::span<const std::uint16_t> slots, std::string_view name, NameAt name_at) {
  if (slots.empty()) return -1;
  const std::size_t mask = slots.size() - 1;
  for (std::size_t at = HashName(name) & mask; slots[at] != 0; at = (at + 1) & mask) {
    const int index = slots[at] - 1;
    if (name_at(static_cast<std::size_t>(index)) == name) return index;
  }
  return -1;
}

// The slots for rows with these names, which are unique.
std::vector<std::uint16_t> SlotsOf(std::span<const PropertyRow> rows);

}  // namespace fhir_adapter::fhir
