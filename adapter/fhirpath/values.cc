#include "fhirpath/values.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "fhirpath/ucum/ucum.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

struct PrimitiveKind {
  std::string_view name;
  ItemKind kind;
};

constexpr std::array<PrimitiveKind, 20> kPrimitiveKinds = {
    {{"boolean", ItemKind::kBoolean},     {"code", ItemKind::kString},
     {"string", ItemKind::kString},       {"uri", ItemKind::kString},
     {"dateTime", ItemKind::kDateTime},   {"decimal", ItemKind::kDecimal},
     {"integer", ItemKind::kInteger},     {"date", ItemKind::kDate},
     {"instant", ItemKind::kDateTime},    {"id", ItemKind::kString},
     {"canonical", ItemKind::kString},    {"url", ItemKind::kString},
     {"positiveInt", ItemKind::kInteger}, {"unsignedInt", ItemKind::kInteger},
     {"integer64", ItemKind::kLong},      {"time", ItemKind::kTime},
     {"markdown", ItemKind::kString},     {"oid", ItemKind::kString},
     {"uuid", ItemKind::kString},         {"base64Binary", ItemKind::kString}}};

// System values of the same family; kElement for what is neither.
enum class Family : std::uint8_t { kElement, kBoolean, kNumber, kString, kTemporal, kTime, kQuantity, kType };

Family FamilyOf(ItemKind kind) {
  switch (kind) {
    case ItemKind::kElement:
      return Family::kElement;
    case ItemKind::kBoolean:
      return Family::kBoolean;
    case ItemKind::kInteger:
    case ItemKind::kLong:
    case ItemKind::kDecimal:
      return Family::kNumber;
    case ItemKind::kString:
      return Family::kString;
    case ItemKind::kDate:
    case ItemKind::kDateTime:
      return Family::kTemporal;
    case ItemKind::kTime:
      return Family::kTime;
    case ItemKind::kQuantity:
      return Family::kQuantity;
    case ItemKind::kType:
      break;
  }
  return Family::kType;
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

// Lower case (ASCII), runs of white space as one blank, none at the ends.
std::string Normalize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsSpace(c)) {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
    } else {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool NodesEqual(const fhir::Node& a, const fhir::Node& b, bool equivalent);

bool TextsEqual(const fhir::Node& a, const fhir::Node& b, bool equivalent) {
  if (a.is_number()) {
    const auto left = fhir::Decimal::Parse(a.text);
    const auto right = fhir::Decimal::Parse(b.text);
    if (!left || !right) return a.text == b.text;
    if (!equivalent) return *left == *right;
    const int scale = std::min(left->scale(), right->scale());
    return left->Rounded(scale) == right->Rounded(scale);
  }
  return a.text == b.text || (equivalent && Normalize(a.text) == Normalize(b.text));
}

bool ArraysEqual(const fhir::Node& a, const fhir::Node& b, bool equivalent) {
  const auto left = a.items();
  const auto right = b.items();
  if (left.size() != right.size()) return false;
  if (!equivalent) {
    return std::equal(left.begin(), left.end(), right.begin(),
                      [](const fhir::Node* x, const fhir::Node* y) { return NodesEqual(*x, *y, false); });
  }
  std::vector<bool> taken(right.size(), false);
  for (const fhir::Node* item : left) {
    bool found = false;
    for (std::size_t i = 0; i < right.size() && !found; ++i) {
      if (taken[i] || !NodesEqual(*item, *right[i], true)) continue;
      taken[i] = true;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

// Recursion is bounded by the depth limit of the readers. Equivalence of complex values does not look at ids.
bool NodesEqual(const fhir::Node& a, const fhir::Node& b, bool equivalent) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case fhir::NodeKind::kNull:
      return true;
    case fhir::NodeKind::kBoolean:
      return a.boolean == b.boolean;
    case fhir::NodeKind::kNumber:
    case fhir::NodeKind::kString:
      return TextsEqual(a, b, equivalent);
    case fhir::NodeKind::kArray:
      return ArraysEqual(a, b, equivalent);
    case fhir::NodeKind::kObject:
      break;
  }
  if (&a == &b) return true;
  if (a.size != b.size) return false;
  for (const fhir::Member& member : a.members()) {
    const fhir::Node* other = b.Find(member.name);
    if (other == nullptr || !NodesEqual(*member.value, *other, equivalent)) return false;
  }
  return true;
}

Truth ElementsEqual(const fhir::Element& a, const fhir::Element& b, bool equivalent) {
  if (a.node == nullptr || b.node == nullptr) {
    if (a.node != b.node) return Truth::kFalse;
    return ToTruth(a.shadow != nullptr && b.shadow != nullptr &&
                   NodesEqual(*a.shadow, *b.shadow, equivalent));
  }
  return ToTruth(NodesEqual(*a.node, *b.node, equivalent));
}

// Two quantities with units as UCUM codes, when both can be so written.
struct Definite {
  std::string_view a;
  std::string_view b;
};

std::optional<Definite> DefiniteUnits(const Item& a, const Item& b) {
  const auto unit = [](const Item& item) -> std::optional<std::string_view> {
    return item.unit_kind() == UnitKind::kUcum ? std::optional(item.unit()) : DefiniteUnitOf(item);
  };
  const auto left = unit(a);
  const auto right = unit(b);
  if (!left || !right) return std::nullopt;
  return Definite{*left, *right};
}

// "years" and "year" are one unit.
std::string_view Singular(std::string_view word) {
  return word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
}

// Calendar durations among themselves. A year is 12 months; in days a year has 365 to 366 and a month 28 to
// 31, so that against days and shorter only what holds for each of them is decided (FHIRPath 3.0.0, calendar
// units).
std::optional<std::strong_ordering> CompareCalendar(const Item& a, const Item& b, const fhir::Decimal& left,
                                                    const fhir::Decimal& right) {
  if (a.unit_kind() != UnitKind::kCalendar || b.unit_kind() != UnitKind::kCalendar) return std::nullopt;
  const std::string_view unit_a = Singular(a.unit());
  const std::string_view unit_b = Singular(b.unit());
  if (unit_a == unit_b) return left <=> right;
  const auto is_long = [](std::string_view unit) { return unit == "year" || unit == "month"; };
  if (!is_long(unit_a) && !is_long(unit_b)) return std::nullopt;  // as their UCUM units
  const bool in_months = is_long(unit_a) && is_long(unit_b);
  // In months, or in days: the fewest or the most.
  const auto scaled = [&](const Item& item, std::string_view unit, const fhir::Decimal& value,
                          bool most) -> std::optional<fhir::Decimal> {
    if (unit == "year") return Multiply(value, fhir::Decimal(in_months ? 12 : (most ? 366 : 365)));
    if (unit == "month") return Multiply(value, fhir::Decimal(in_months ? 1 : (most ? 31 : 28)));
    const auto code = DefiniteUnitOf(item);
    return code ? ucum::Convert(value, *code, "d") : std::nullopt;
  };
  std::optional<std::strong_ordering> order;
  for (const bool most : {false, true}) {
    const auto scaled_a = scaled(a, unit_a, left, most);
    const auto scaled_b = scaled(b, unit_b, right, most);
    if (!scaled_a || !scaled_b) return std::nullopt;
    const std::strong_ordering own = *scaled_a <=> *scaled_b;
    if (order && *order != own) return std::nullopt;
    order = own;
  }
  return order;
}

std::optional<std::strong_ordering> CompareQuantities(const Item& a, const Item& b) {
  const auto left = DecimalOf(a);
  const auto right = DecimalOf(b);
  if (!left || !right) return std::nullopt;
  if (auto order = CompareCalendar(a, b, *left, *right)) return order;
  const auto units = DefiniteUnits(a, b);
  if (!units) return std::nullopt;
  return ucum::Compare(*left, units->a, *right, units->b);
}

bool QuantitiesEquivalent(const Item& a, const Item& b) {
  auto left = DecimalOf(a);
  auto right = DecimalOf(b);
  if (!left || !right) return false;
  // A calendar year is equivalent, though not equal, to 'a', and a month to 'mo'.
  const auto code = [](const Item& item) -> std::string_view {
    if (item.unit_kind() == UnitKind::kUcum) return item.unit();
    if (const auto definite = DefiniteUnitOf(item)) return *definite;
    return Singular(item.unit()) == "year" ? "a" : "mo";
  };
  const std::string_view unit_a = code(a);
  const std::string_view unit_b = code(b);
  // In the larger unit, at the precision of the less precise of the two as written.
  const int scale = std::min(left->scale(), right->scale());
  if (unit_a != unit_b) {
    const auto larger = ucum::IsLarger(unit_a, unit_b);
    if (!larger) return false;
    std::optional<fhir::Decimal>& moved = *larger ? right : left;
    moved = *larger ? ucum::Convert(*right, unit_b, unit_a) : ucum::Convert(*left, unit_a, unit_b);
    if (!moved) return false;
  }
  return left->Rounded(scale) == right->Rounded(scale);
}

Order ToOrder(std::strong_ordering order) {
  return order < 0 ? Order::kLess : (order > 0 ? Order::kGreater : Order::kEqual);
}

Order ToOrder(fhir::Ordering order) {
  switch (order) {
    case fhir::Ordering::kLess:
      return Order::kLess;
    case fhir::Ordering::kEqual:
      return Order::kEqual;
    case fhir::Ordering::kGreater:
      return Order::kGreater;
    case fhir::Ordering::kUnknown:
      break;
  }
  return Order::kUnknown;
}

Order CompareTemporals(const Item& a, const Item& b) {
  const auto left = TemporalOf(a);
  const auto right = TemporalOf(b);
  if (!left || !right) return Order::kIncompatible;
  return ToOrder(fhir::Compare(*left, *right));
}

Order CompareNumbers(const Item& a, const Item& b) {
  if (a.kind() != ItemKind::kDecimal && b.kind() != ItemKind::kDecimal) {
    return ToOrder(a.integer() <=> b.integer());
  }
  const auto left = DecimalOf(a);
  const auto right = DecimalOf(b);
  if (!left || !right) return Order::kUnknown;
  return ToOrder(*left <=> *right);
}

// A number beside a quantity is a quantity with the unit '1'.
Item AsQuantity(const Item& item, Arena& arena) {
  if (!IsNumber(item)) return item;
  const std::string_view text =
      item.kind() == ItemKind::kDecimal ? item.text() : arena.Copy(std::to_string(item.integer()));
  return Item::Quantity(text, "1");
}

Truth EqualSystem(const Item& a, const Item& b) {
  switch (FamilyOf(a.kind())) {
    case Family::kBoolean:
      return ToTruth(a.boolean() == b.boolean());
    case Family::kNumber: {
      const Order order = CompareNumbers(a, b);
      return ToTruth(order == Order::kEqual);
    }
    case Family::kString:
      return ToTruth(a.text() == b.text());
    case Family::kTemporal:
    case Family::kTime: {
      const Order order = CompareTemporals(a, b);
      if (order == Order::kIncompatible) return ToTruth(a.text() == b.text());
      return order == Order::kUnknown ? Truth::kEmpty : ToTruth(order == Order::kEqual);
    }
    case Family::kQuantity: {
      const auto order = CompareQuantities(a, b);
      if (order) return ToTruth(*order == 0);
      if (a.unit() == b.unit() && a.unit_kind() == b.unit_kind()) {  // the same unit outside UCUM
        const auto left = DecimalOf(a);
        const auto right = DecimalOf(b);
        return left && right ? ToTruth(*left == *right) : Truth::kEmpty;
      }
      return Truth::kEmpty;
    }
    case Family::kType:
      return ToTruth(a.type_namespace() == b.type_namespace() && a.type_name() == b.type_name());
    case Family::kElement:
      break;
  }
  return Truth::kFalse;
}

}  // namespace

ItemKind SystemKindOf(const fhir::TypeInfo& type) {
  if (type.kind == fhir::TypeKind::kPrimitive) {
    for (const PrimitiveKind& primitive : kPrimitiveKinds) {
      if (primitive.name == type.name) return primitive.kind;
    }
    return ItemKind::kString;
  }
  if (type.kind != fhir::TypeKind::kComplex) return ItemKind::kElement;
  for (const fhir::TypeInfo* ancestor = &type; ancestor != nullptr; ancestor = ancestor->base) {
    if (ancestor->name == "Quantity") return ItemKind::kQuantity;
  }
  return ItemKind::kElement;
}

std::optional<fhir::Decimal> DecimalOf(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return fhir::Decimal(item.integer());
    case ItemKind::kDecimal:
    case ItemKind::kQuantity:
      return fhir::Decimal::Parse(item.text());
    default:
      return std::nullopt;
  }
}

std::optional<fhir::Temporal> TemporalOf(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kDate:
      return fhir::Temporal::ParseDate(item.text());
    case ItemKind::kDateTime:
      return fhir::Temporal::ParseDateTimeLiteral(item.text());
    case ItemKind::kTime:
      return fhir::Temporal::ParseTimeLiteral(item.text());
    default:
      return std::nullopt;
  }
}

bool IsNumber(const Item& item) {
  return FamilyOf(item.kind()) == Family::kNumber;
}

bool IsTemporal(const Item& item) {
  return FamilyOf(item.kind()) == Family::kTemporal || item.kind() == ItemKind::kTime;
}

Truth Equal(const Item& a, const Item& b, Arena& arena) {
  Item left = ToSystem(a, arena);
  Item right = ToSystem(b, arena);
  if (left.kind() == ItemKind::kQuantity || right.kind() == ItemKind::kQuantity) {
    left = AsQuantity(left, arena);
    right = AsQuantity(right, arena);
  }
  const Family family = FamilyOf(left.kind());
  if (family != FamilyOf(right.kind())) return Truth::kFalse;
  return family == Family::kElement ? ElementsEqual(left.element(), right.element(), false)
                                    : EqualSystem(left, right);
}

Truth Equal(const Collection& a, const Collection& b, Arena& arena) {
  if (a.empty() || b.empty()) return Truth::kEmpty;
  if (a.size() != b.size()) return Truth::kFalse;
  Truth result = Truth::kTrue;
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    const Truth truth = Equal(a[i], b[i], arena);
    if (truth == Truth::kFalse) return truth;
    if (truth == Truth::kEmpty) result = truth;
  }
  return result;
}

bool Equivalent(const Item& a, const Item& b, Arena& arena) {
  const Item left = ToSystem(a, arena);
  const Item right = ToSystem(b, arena);
  const Family family = FamilyOf(left.kind());
  if (family != FamilyOf(right.kind())) return false;
  switch (family) {
    case Family::kElement:
      return ElementsEqual(left.element(), right.element(), true) == Truth::kTrue;
    case Family::kString:
      return left.text() == right.text() || Normalize(left.text()) == Normalize(right.text());
    case Family::kNumber: {
      const auto x = DecimalOf(left);
      const auto y = DecimalOf(right);
      if (!x || !y) return false;
      const int scale = std::min(x->scale(), y->scale());
      return x->Rounded(scale) == y->Rounded(scale);
    }
    case Family::kTemporal:
    case Family::kTime: {
      const auto x = TemporalOf(left);
      const auto y = TemporalOf(right);
      return x && y ? fhir::AreEquivalent(*x, *y) : left.text() == right.text();
    }
    case Family::kQuantity:
      return QuantitiesEquivalent(left, right);
    default:
      return EqualSystem(left, right) == Truth::kTrue;
  }
}

bool Equivalent(const Collection& a, const Collection& b, Arena& arena) {
  if (a.size() != b.size()) return false;
  std::vector<bool> taken(b.size(), false);
  for (const Item& item : a) {
    bool found = false;
    for (std::uint32_t i = 0; i < b.size() && !found; ++i) {
      if (taken[i] || !Equivalent(item, b[i], arena)) continue;
      taken[i] = true;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

Order Compare(const Item& a, const Item& b, Arena& arena) {
  Item left = ToSystem(a, arena);
  Item right = ToSystem(b, arena);
  if (left.kind() == ItemKind::kQuantity || right.kind() == ItemKind::kQuantity) {
    left = AsQuantity(left, arena);
    right = AsQuantity(right, arena);
  }
  const Family family = FamilyOf(left.kind());
  if (family != FamilyOf(right.kind())) return Order::kIncompatible;
  switch (family) {
    case Family::kNumber:
      return CompareNumbers(left, right);
    case Family::kString:
      return ToOrder(left.text() <=> right.text());
    case Family::kTemporal:
    case Family::kTime:
      return CompareTemporals(left, right);
    case Family::kQuantity: {
      const auto order = CompareQuantities(left, right);
      return order ? ToOrder(*order) : Order::kUnknown;
    }
    default:
      return Order::kIncompatible;
  }
}

std::size_t HashOf(const Item& item, Arena& arena) {
  const Item value = ToSystem(item, arena);
  const std::size_t family = static_cast<std::size_t>(FamilyOf(value.kind())) * 0x9E3779B97F4A7C15ULL;
  switch (FamilyOf(value.kind())) {
    case Family::kBoolean:
      return family + (value.boolean() ? 1 : 0);
    case Family::kString:
      return family ^ std::hash<std::string_view>()(value.text());
    case Family::kNumber: {
      if (value.kind() != ItemKind::kDecimal) return 7 ^ std::hash<std::int64_t>()(value.integer());
      const auto decimal = DecimalOf(value);
      if (!decimal) return 7;
      if (const auto integer = decimal->ToInt64()) return 7 ^ std::hash<std::int64_t>()(*integer);
      return 7 ^ std::hash<std::string>()(decimal->ToShortestString());
    }
    case Family::kElement: {
      const fhir::Node* node = value.element().node;
      std::size_t hash = family + (node == nullptr ? 0 : node->size);
      // Members come in any order: an order-free mix of the texts at the first level.
      if (node != nullptr && node->is_object()) {
        for (const fhir::Member& member : node->members()) {
          if (member.value->is_string()) hash += std::hash<std::string_view>()(member.value->text);
        }
      }
      return hash;
    }
    case Family::kTemporal:
    case Family::kTime: {
      // Equal across offsets: the moment, where there is one; else what is equal is written alike, but for an
      // offset on hours and minutes, which all share a hash.
      const auto temporal = TemporalOf(value);
      if (!temporal) return family ^ std::hash<std::string_view>()(value.text());
      if (const auto moment = temporal->ToUtcMicroseconds())
        return family ^ std::hash<std::int64_t>()(*moment);
      if (temporal->has_offset) return family;
      return family + static_cast<std::size_t>(temporal->year) * 372 + temporal->month * 31U + temporal->day +
             temporal->hour * 3'600'000U + temporal->minute * 60'000U + temporal->second * 1'000U;
    }
    default:
      return 7;  // quantities are equal across units
  }
}

std::optional<fhir::CalendarUnit> CalendarUnitOf(const Item& quantity) {
  using fhir::CalendarUnit;
  if (auto unit = fhir::ParseCalendarUnit(quantity.unit())) return unit;
  static constexpr std::array<std::pair<std::string_view, CalendarUnit>, 6> kDefinite = {
      {{"wk", CalendarUnit::kWeek},
       {"d", CalendarUnit::kDay},
       {"h", CalendarUnit::kHour},
       {"min", CalendarUnit::kMinute},
       {"s", CalendarUnit::kSecond},
       {"ms", CalendarUnit::kMillisecond}}};
  for (const auto& [code, unit] : kDefinite) {
    if (code == quantity.unit()) return unit;
  }
  return std::nullopt;
}

std::optional<std::string_view> DefiniteUnitOf(const Item& quantity) {
  const auto unit = fhir::ParseCalendarUnit(quantity.unit());
  if (!unit) return std::nullopt;
  switch (*unit) {
    case fhir::CalendarUnit::kYear:
    case fhir::CalendarUnit::kMonth:
      return std::nullopt;
    case fhir::CalendarUnit::kWeek:
      return "wk";
    case fhir::CalendarUnit::kDay:
      return "d";
    case fhir::CalendarUnit::kHour:
      return "h";
    case fhir::CalendarUnit::kMinute:
      return "min";
    case fhir::CalendarUnit::kSecond:
      return "s";
    case fhir::CalendarUnit::kMillisecond:
      return "ms";
  }
  return std::nullopt;
}

std::uint32_t ItemSet::Find(const Item& item, std::size_t hash) const {
  if (bucket_count_ == 0) {
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      if (Equal(items_[i], item, arena_) == Truth::kTrue) return i;
    }
    return items_.size();
  }
  for (std::size_t bucket = hash & (bucket_count_ - 1); buckets_[bucket] != 0;
       bucket = (bucket + 1) & (bucket_count_ - 1)) {
    const std::uint32_t position = buckets_[bucket] - 1;
    if (hashes_[position] == hash && Equal(items_[position], item, arena_) == Truth::kTrue) return position;
  }
  return items_.size();
}

bool ItemSet::Contains(const Item& item) const {
  return Find(item, bucket_count_ == 0 ? 0 : HashOf(item, arena_)) < items_.size();
}

bool ItemSet::Insert(const Item& item) {
  constexpr std::uint32_t kLinearMax = 12;
  const bool hashed = bucket_count_ != 0;
  const std::size_t hash = hashed ? HashOf(item, arena_) : 0;
  if (Find(item, hash) < items_.size()) return false;
  items_.Append(item, arena_);
  if (!hashed) {
    if (items_.size() > kLinearMax) Rehash(64);
    return true;
  }
  if (items_.size() * 2 > bucket_count_) {
    Rehash(bucket_count_ * 2);
    return true;
  }
  hashes_[items_.size() - 1] = hash;
  std::size_t bucket = hash & (bucket_count_ - 1);
  while (buckets_[bucket] != 0) bucket = (bucket + 1) & (bucket_count_ - 1);
  buckets_[bucket] = items_.size();
  return true;
}

void ItemSet::Rehash(std::uint32_t buckets) {
  bucket_count_ = buckets;
  buckets_ = arena_.MakeArray<std::uint32_t>(buckets);
  hashes_ = arena_.MakeArray<std::size_t>(buckets);
  std::fill_n(buckets_, buckets, 0U);
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    hashes_[i] = HashOf(items_[i], arena_);
    std::size_t bucket = hashes_[i] & (buckets - 1);
    while (buckets_[bucket] != 0) bucket = (bucket + 1) & (buckets - 1);
    buckets_[bucket] = i + 1;
  }
}

}  // namespace fhir_adapter::fhirpath::internal
