#include "fhirpath/ucum/ucum.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace fhir_adapter::fhirpath::ucum {
namespace {

using fhir::Decimal;

constexpr std::size_t kBases = 7;
using Powers = std::array<std::int8_t, kBases>;

struct UnitRow {
  std::string_view code;
  std::string_view numerator;
  std::string_view denominator;
  Powers powers;
  bool metric;
  bool arbitrary;
  std::string_view function;
};

struct PrefixRow {
  std::string_view code;
  int exponent;
  bool of_two;
};

#define UCUM_POWERS(...) \
  Powers {               \
    __VA_ARGS__          \
  }
#define UCUM_PREFIX(...)
#define UCUM_UNIT(...) UnitRow{__VA_ARGS__},
constexpr UnitRow kUnits[] = {
#include "fhirpath/ucum/ucum_table.inc"
};
#undef UCUM_PREFIX
#undef UCUM_UNIT
#define UCUM_PREFIX(...) PrefixRow{__VA_ARGS__},
#define UCUM_UNIT(...)
constexpr PrefixRow kPrefixes[] = {
#include "fhirpath/ucum/ucum_table.inc"
};
#undef UCUM_PREFIX
#undef UCUM_UNIT
#undef UCUM_POWERS

const UnitRow* FindUnit(std::string_view code) {
  const auto* row = std::lower_bound(std::begin(kUnits), std::end(kUnits), code,
                                     [](const UnitRow& a, std::string_view b) { return a.code < b; });
  return row != std::end(kUnits) && row->code == code ? row : nullptr;
}

struct Atom {
  const UnitRow* unit = nullptr;
  const PrefixRow* prefix = nullptr;
};

std::optional<Atom> FindAtom(std::string_view code) {
  if (const UnitRow* unit = FindUnit(code)) return Atom{unit, nullptr};
  for (const PrefixRow& prefix : kPrefixes) {
    if (!code.starts_with(prefix.code)) continue;
    const UnitRow* unit = FindUnit(code.substr(prefix.code.size()));
    if (unit != nullptr && unit->metric) return Atom{unit, &prefix};
  }
  return std::nullopt;
}

// A unit reduced to base units: value in base units = value × numerator ÷ denominator.
struct Canonical {
  Decimal numerator{1};
  Decimal denominator{1};
  std::array<int, kBases> powers{};
  std::vector<std::pair<std::string_view, int>> arbitrary;  // by code, sorted
  std::string_view function;                                // of a special unit
  bool overflow = false;
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Reads `main-term` of the UCUM grammar into a Canonical.
class UnitParser {
 public:
  explicit UnitParser(std::string_view text) : text_(text) {}

  std::optional<Canonical> Parse() {
    if (text_.empty() || text_.size() > limits::kUcumUnitBytesMax) return std::nullopt;
    if (!ParseTerm(1, 0) || position_ != text_.size() || result_.overflow) return std::nullopt;
    if (!result_.function.empty() && components_ != 1) return std::nullopt;  // special units stand alone
    std::erase_if(result_.arbitrary, [](const auto& entry) { return entry.second == 0; });
    std::sort(result_.arbitrary.begin(), result_.arbitrary.end());
    return std::move(result_);
  }

 private:
  char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  bool ParseTerm(int sign, int depth) {
    if (depth > 20) return false;
    int direction = 1;
    if (Peek() == '/') {
      direction = -1;
      ++position_;
    }
    while (true) {
      if (!ParseComponent(sign * direction, depth)) return false;
      if (Peek() != '.' && Peek() != '/') return true;
      direction = Peek() == '.' ? 1 : -1;
      ++position_;
    }
  }

  bool ParseComponent(int sign, int depth) {
    ++components_;
    if (Peek() == '(') {
      ++position_;
      if (!ParseTerm(sign, depth + 1) || Peek() != ')') return false;
      ++position_;
      return true;
    }
    if (Peek() == '{') return SkipAnnotation();
    const std::string_view symbol = ReadSymbol();
    if (symbol.empty() || !AddSymbol(symbol, sign)) return false;
    return Peek() != '{' || SkipAnnotation();
  }

  bool SkipAnnotation() {
    const std::size_t close = text_.find('}', position_);
    if (close == std::string_view::npos) return false;
    for (std::size_t i = position_ + 1; i < close; ++i) {
      if (text_[i] == '{' || static_cast<unsigned char>(text_[i]) < 0x21 ||
          static_cast<unsigned char>(text_[i]) > 0x7E) {
        return false;
      }
    }
    position_ = close + 1;
    return Peek() == '\0' || Peek() == '.' || Peek() == '/' || Peek() == ')';
  }

  std::string_view ReadSymbol() {
    const std::size_t begin = position_;
    bool bracket = false;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '[') bracket = true;
      if (c == ']') bracket = false;
      if (!bracket && (c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '}')) break;
      ++position_;
    }
    return text_.substr(begin, position_ - begin);
  }

  // An integer, or an atom with an optional exponent.
  bool AddSymbol(std::string_view symbol, int sign) {
    if (std::all_of(symbol.begin(), symbol.end(), IsDigit)) return AddInteger(symbol, sign);
    std::size_t split = symbol.size();
    while (split > 0 && IsDigit(symbol[split - 1])) --split;
    const bool has_exponent = split < symbol.size();
    if (has_exponent && split > 0 && (symbol[split - 1] == '+' || symbol[split - 1] == '-')) --split;
    int exponent = 1;
    if (has_exponent) {
      exponent = 0;
      const bool signed_exponent = !IsDigit(symbol[split]);
      for (const char c : symbol.substr(split + (signed_exponent ? 1 : 0))) {
        exponent = std::min(exponent * 10 + (c - '0'), 1000);
      }
      if (symbol[split] == '-') exponent = -exponent;
    }
    const auto atom = FindAtom(symbol.substr(0, split));
    if (!atom || exponent == 0 || exponent > 99 || exponent < -99) return false;
    return AddAtom(*atom, exponent * sign);
  }

  bool AddInteger(std::string_view digits, int sign) {
    const auto value = Decimal::Parse(digits);
    if (!value || value->is_zero()) return false;
    Scale(sign > 0 ? result_.numerator : result_.denominator, *value, 1);
    return true;
  }

  bool AddAtom(const Atom& atom, int exponent) {
    const UnitRow& unit = *atom.unit;
    if (!unit.function.empty()) {
      if (exponent != 1 || !result_.function.empty()) return false;
      // A prefixed degree has its zero elsewhere than the plain one: comparable with its own kind only.
      result_.function = atom.prefix != nullptr && unit.code == "Cel" ? "prefixed Cel" : unit.code;
    }
    const int size = exponent < 0 ? -exponent : exponent;
    Decimal& up = exponent > 0 ? result_.numerator : result_.denominator;
    Decimal& down = exponent > 0 ? result_.denominator : result_.numerator;
    Scale(up, *Decimal::Parse(unit.numerator), size);
    Scale(down, *Decimal::Parse(unit.denominator), size);
    if (atom.prefix != nullptr) {
      const int power = atom.prefix->exponent * size;
      Scale(power > 0 ? up : down, Decimal(atom.prefix->of_two ? 2 : 10), power < 0 ? -power : power);
    }
    for (std::size_t i = 0; i < kBases; ++i) result_.powers[i] += unit.powers[i] * exponent;
    if (unit.arbitrary) {
      const auto known = std::find_if(result_.arbitrary.begin(), result_.arbitrary.end(),
                                      [&](const auto& entry) { return entry.first == unit.code; });
      if (known == result_.arbitrary.end()) {
        result_.arbitrary.emplace_back(unit.code, exponent);
      } else {
        known->second += exponent;
      }
    }
    return true;
  }

  void Scale(Decimal& target, const Decimal& factor, int times) {
    if (factor == Decimal(1)) return;
    for (int i = 0; i < times && !result_.overflow; ++i) {
      if (const auto product = Multiply(target, factor)) {
        target = *product;
      } else {
        result_.overflow = true;
      }
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
  int components_ = 0;
  Canonical result_;
};

// What is added before scaling: kelvin = (celsius + 273.15) × factor, and its kin.
std::optional<Decimal> OffsetOf(std::string_view function) {
  if (function.empty()) return Decimal(0);
  if (function == "Cel") return Decimal::Parse("273.15");
  if (function == "[degF]") return Decimal::Parse("459.67");
  if (function == "[degRe]") return Decimal::Parse("218.52");
  return std::nullopt;
}

bool SameDimension(const Canonical& a, const Canonical& b) {
  if (a.powers != b.powers || a.arbitrary != b.arbitrary) return false;
  // Units on a scale that is neither linear nor shifted are comparable with themselves only.
  return a.function == b.function || (OffsetOf(a.function) && OffsetOf(b.function));
}

// value in base units, as a fraction.
struct Fraction {
  Decimal numerator;
  Decimal denominator;
};

std::optional<Fraction> ToBase(const Decimal& value, const Canonical& unit) {
  const auto offset = OffsetOf(unit.function);
  const auto shifted = offset ? Add(value, *offset) : std::optional<Decimal>(value);
  const auto numerator = shifted ? Multiply(*shifted, unit.numerator) : std::nullopt;
  if (!numerator) return std::nullopt;
  return Fraction{*numerator, unit.denominator};
}

struct Units {
  Canonical a;
  Canonical b;
};

std::optional<Units> ParseComparable(std::string_view a, std::string_view b) {
  auto left = UnitParser(a).Parse();
  auto right = UnitParser(b).Parse();
  if (!left || !right || !SameDimension(*left, *right)) return std::nullopt;
  return Units{std::move(*left), std::move(*right)};
}

// To 28 significant digits where the quotient does not end.
std::optional<Decimal> Quotient(const Decimal& a, const Decimal& b) {
  if (a.is_zero()) return Decimal(0);
  constexpr int kSignificant = 28;
  const int magnitude = (a.precision() - a.scale()) - (b.precision() - b.scale());
  return Divide(a, b, std::clamp(kSignificant - magnitude, 0, limits::kDecimalDigitsMax / 2));
}

bool IsSimple(std::string_view unit) {
  return unit.find_first_of("./") == std::string_view::npos;
}

}  // namespace

bool IsValidUnit(std::string_view unit) {
  return UnitParser(unit).Parse().has_value();
}

bool Comparable(std::string_view a, std::string_view b) {
  return ParseComparable(a, b).has_value();
}

std::optional<Decimal> Convert(const Decimal& value, std::string_view from, std::string_view to) {
  if (from == to) return IsValidUnit(from) ? std::optional<Decimal>(value) : std::nullopt;
  const auto units = ParseComparable(from, to);
  if (!units) return std::nullopt;
  const auto base = ToBase(value, units->a);
  const auto offset = OffsetOf(units->b.function);
  if (!base) return std::nullopt;
  const auto numerator = Multiply(base->numerator, units->b.denominator);
  const auto denominator = Multiply(base->denominator, units->b.numerator);
  if (!numerator || !denominator) return std::nullopt;
  const auto shifted = Quotient(*numerator, *denominator);
  return shifted && offset ? Subtract(*shifted, *offset) : shifted;
}

std::optional<std::strong_ordering> Compare(const Decimal& a, std::string_view unit_a, const Decimal& b,
                                            std::string_view unit_b) {
  if (unit_a == unit_b) return a <=> b;
  const auto units = ParseComparable(unit_a, unit_b);
  if (!units) return std::nullopt;
  const auto left = ToBase(a, units->a);
  const auto right = ToBase(b, units->b);
  if (!left || !right) return std::nullopt;
  const auto scaled_left = Multiply(left->numerator, right->denominator);
  const auto scaled_right = Multiply(right->numerator, left->denominator);
  if (!scaled_left || !scaled_right) return std::nullopt;
  return *scaled_left <=> *scaled_right;
}

std::optional<bool> IsLarger(std::string_view a, std::string_view b) {
  const auto units = ParseComparable(a, b);
  if (!units) return std::nullopt;
  const auto left = Multiply(units->a.numerator, units->b.denominator);
  const auto right = Multiply(units->b.numerator, units->a.denominator);
  if (!left || !right) return std::nullopt;
  return *left > *right;
}

std::string ProductUnit(std::string_view a, std::string_view b) {
  if (a == "1") return std::string(b);
  if (b == "1") return std::string(a);
  const bool ends_in_letter = !a.empty() && !IsDigit(a.back()) && a.back() != '*' && a.back() != '}';
  if (a == b && IsSimple(a) && ends_in_letter) return std::string(a) + "2";
  std::string unit(a);
  unit += '.';
  unit += IsSimple(b) ? std::string(b) : "(" + std::string(b) + ")";
  return unit;
}

std::string QuotientUnit(std::string_view a, std::string_view b) {
  if (a == b) return "1";
  if (b == "1") return std::string(a);
  std::string unit = a == "1" ? "" : std::string(a);
  unit += '/';
  unit += IsSimple(b) ? std::string(b) : "(" + std::string(b) + ")";
  return unit;
}

}  // namespace fhir_adapter::fhirpath::ucum
