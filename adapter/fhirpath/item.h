// Item: one value of a FHIRPath collection: an element of a FHIR or record tree, or a System value.
// Collection: an ordered list of Items; one item needs no memory of its own.
//
// Small values that view texts and nodes of an Arena (and a Schema) that must outlive them. Not thread-safe
// while being built. FHIRPath N1 2.0.0, sections 2 (navigation model) and 4 (literals).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.h"
#include "fhir/element.h"

namespace fhir_adapter::fhirpath {

enum class ItemKind : std::uint8_t {
  kElement,  // of a tree: FHIR primitive, complex value, resource or part of a local record
  kBoolean,
  kInteger,
  kLong,
  kDecimal,  // its digits as text
  kString,
  kDate,      // YYYY[-MM[-DD]]
  kDateTime,  // YYYY[-MM[-DD]][Thh[:mm[:ss[.fff]]][Z|±hh:mm]]; without a time part it has no trailing T
  kTime,      // hh[:mm[:ss[.fff]]], no leading T
  kQuantity,  // value as decimal text, unit as UCUM code or calendar word ("days")
  kType       // what type() returns: namespace and name
};

// Where the unit of a quantity comes from: UCUM ('mg') or a calendar duration keyword (4 days).
enum class UnitKind : std::uint8_t { kUcum, kCalendar };

class Item {
 public:
  Item() : Item(fhir::Element{}) {}
  Item(const fhir::Element& element) : kind_(ItemKind::kElement), element_(element) {}  // NOLINT: implicit
  static Item Boolean(bool value) {
    Item item;
    item.kind_ = ItemKind::kBoolean;
    item.integer_ = value ? 1 : 0;
    return item;
  }
  static Item Integer(std::int64_t value, ItemKind kind = ItemKind::kInteger) {
    Item item;
    item.kind_ = kind;
    item.integer_ = value;
    return item;
  }
  // The texts are not copied: they must live as long as the arena.
  static Item Decimal(std::string_view digits) { return OfText(ItemKind::kDecimal, digits); }
  static Item String(std::string_view text) { return OfText(ItemKind::kString, text); }
  static Item Date(std::string_view text) { return OfText(ItemKind::kDate, text); }
  static Item DateTime(std::string_view text) { return OfText(ItemKind::kDateTime, text); }
  static Item Time(std::string_view text) { return OfText(ItemKind::kTime, text); }
  static Item Quantity(std::string_view value, std::string_view unit, UnitKind unit_kind = UnitKind::kUcum) {
    Item item = OfText(ItemKind::kQuantity, value);
    item.texts_.second = unit;
    item.unit_kind_ = unit_kind;
    return item;
  }
  static Item Type(std::string_view name_space, std::string_view name) {
    Item item = OfText(ItemKind::kType, name_space);
    item.texts_.second = name;
    return item;
  }

  ItemKind kind() const { return kind_; }
  bool is_element() const { return kind_ == ItemKind::kElement; }

  // Each of these demands the kind it names.
  const fhir::Element& element() const { return element_; }
  bool boolean() const { return integer_ != 0; }
  std::int64_t integer() const { return integer_; }                 // kInteger, kLong
  std::string_view text() const { return texts_.first; }            // kDecimal … kQuantity (its value)
  std::string_view unit() const { return texts_.second; }           // kQuantity
  UnitKind unit_kind() const { return unit_kind_; }                 // kQuantity
  std::string_view type_namespace() const { return texts_.first; }  // kType
  std::string_view type_name() const { return texts_.second; }      // kType

 private:
  struct Texts {
    std::string_view first;
    std::string_view second;
  };
  static Item OfText(ItemKind kind, std::string_view text) {
    Item item;
    item.kind_ = kind;
    item.texts_ = Texts{text, {}};
    return item;
  }

  ItemKind kind_;
  UnitKind unit_kind_ = UnitKind::kUcum;
  union {
    fhir::Element element_;
    Texts texts_;
    std::int64_t integer_;
  };
};

// A list of items. One item lies inside; more lie in the arena given to Append. A copy shares them.
class Collection {
 public:
  Collection() : one_() {}
  Collection(const Item& item) : size_(1), one_(item) {}  // NOLINT: a single item is a collection
  Collection(const Collection& other) { CopyFrom(other); }
  Collection& operator=(const Collection& other) {
    CopyFrom(other);
    return *this;
  }

  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Item* begin() const { return capacity_ == 0 ? &one_ : many_; }
  const Item* end() const { return begin() + size_; }
  const Item& operator[](std::size_t index) const { return begin()[index]; }
  const Item& front() const { return *begin(); }
  const Item& back() const { return begin()[size_ - 1]; }
  std::span<const Item> items() const { return {begin(), size_}; }

  void Clear() {
    size_ = 0;
    capacity_ = 0;
  }
  void Append(const Item& item, Arena& arena) {
    if (size_ == 0 && capacity_ == 0) {
      std::construct_at(&one_, item);
      size_ = 1;
      return;
    }
    if (size_ >= capacity_) Grow(arena, size_ + 1);
    many_[size_++] = item;
  }
  void Append(const Collection& other, Arena& arena);
  void Reserve(std::uint32_t capacity, Arena& arena) {
    if (capacity > 1 && capacity > capacity_) Grow(arena, capacity);
  }
  // Only for a collection that no copy shares.
  Item* mutable_begin() { return capacity_ == 0 ? &one_ : many_; }

 private:
  void CopyFrom(const Collection& other) {
    size_ = other.size_;
    // No spare room: an Append to the copy must not write into the original's memory.
    capacity_ = other.capacity_ == 0 ? 0 : other.size_;
    if (other.capacity_ == 0) {
      std::construct_at(&one_, other.one_);
    } else {
      many_ = other.many_;
    }
    if (size_ == 0) capacity_ = 0;
  }
  void Grow(Arena& arena, std::uint32_t capacity_min);

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;  // 0: the item, if any, is one_
  union {
    Item one_;
    Item* many_;
  };
};

// The System value of an item: a FHIR primitive (or a string, number or boolean of a record) becomes Boolean,
// Integer, Decimal, String, Date, DateTime or Time by its type; a FHIR Quantity (and Age, Duration, …) a
// Quantity. Anything else, and a primitive without value, stays as it is. FHIR R4 "Using FHIR Types in
// expressions".
Item ToSystem(const Item& item, Arena& arena);

// The text of a string-like item (string, code, uri, …, date, number as written); nothing for other kinds.
std::optional<std::string_view> TextOf(const Item& item, Arena& arena);

// A node with the item's content in `arena`, for a tree that is being built. An element is copied deeply
// (without `_name`); a Quantity becomes an object with value, unit, system and code; nothing: null.
fhir::Node* ToNode(const Item& item, Arena& arena);

// "FHIR.string", "System.Integer", "FHIR.Observation"; a backbone gives "FHIR.BackboneElement", a type of a
// logical model its name without namespace.
std::string_view TypeNameOf(const Item& item, Arena& arena);

}  // namespace fhir_adapter::fhirpath
