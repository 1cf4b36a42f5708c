// Values: equality, equivalence, order and hashing of items, and their conversion to System values.
//
// Stateless; thread-safe. FHIRPath N1 2.0.0, sections 6.1 (equality), 6.2 (comparison).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/arena.h"
#include "fhir/decimal.h"
#include "fhir/temporal.h"
#include "fhirpath/item.h"

namespace fhir_adapter::fhirpath::internal {

enum class Truth : std::uint8_t { kFalse, kTrue, kEmpty };

inline Truth ToTruth(bool value) {
  return value ? Truth::kTrue : Truth::kFalse;
}

// The System kind of a FHIR primitive or quantity type; kElement for any other.
ItemKind SystemKindOf(const fhir::TypeInfo& type);

// Of System items.
std::optional<fhir::Decimal> DecimalOf(const Item& item);    // kInteger, kLong, kDecimal; a kQuantity's value
std::optional<fhir::Temporal> TemporalOf(const Item& item);  // kDate, kDateTime, kTime
bool IsNumber(const Item& item);                             // kInteger, kLong, kDecimal
bool IsTemporal(const Item& item);

Truth Equal(const Item& a, const Item& b, Arena& arena);
Truth Equal(const Collection& a, const Collection& b, Arena& arena);  // kEmpty when either is empty
bool Equivalent(const Item& a, const Item& b, Arena& arena);
bool Equivalent(const Collection& a, const Collection& b, Arena& arena);

enum class Order : std::uint8_t { kLess, kEqual, kGreater, kUnknown, kIncompatible };
// Of two items that have an order: strings, numbers, dates and times, quantities.
Order Compare(const Item& a, const Item& b, Arena& arena);

// Equal items have equal hashes.
std::size_t HashOf(const Item& item, Arena& arena);

// The calendar unit of a quantity: the word, or the UCUM code of a definite duration (wk, d, h, min, s, ms).
// 'a' and 'mo' are none: a mean year is not a calendar year.
std::optional<fhir::CalendarUnit> CalendarUnitOf(const Item& quantity);
// The UCUM code of a unit that is a calendar word, where the two mean the same (week and shorter).
std::optional<std::string_view> DefiniteUnitOf(const Item& quantity);

// A set of items by FHIRPath equality; keeps the order of insertion in `items`.
class ItemSet {
 public:
  explicit ItemSet(Arena& arena) : arena_(arena) {}
  // False when an equal item is there.
  bool Insert(const Item& item);
  bool Contains(const Item& item) const;
  const Collection& items() const { return items_; }

 private:
  void Rehash(std::uint32_t buckets);
  std::uint32_t Find(const Item& item, std::size_t hash) const;

  Arena& arena_;
  Collection items_;
  // Open addressing over positions in items_ (plus one), once there are enough items to need it.
  std::uint32_t* buckets_ = nullptr;
  std::size_t* hashes_ = nullptr;
  std::uint32_t bucket_count_ = 0;
};

}  // namespace fhir_adapter::fhirpath::internal
