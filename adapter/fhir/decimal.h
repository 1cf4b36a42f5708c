// Decimal: exact decimal numbers that keep their digits: 1.10 has scale 2 and is equal to 1.1 by value.
//
// Values; thread-safe. Never binary floating point. Digits and scale are bounded by
// limits::kDecimalDigitsMax; an operation whose result would need more gives no value. FHIR R4 decimal and
// integers; FHIRPath 2.0.0 section 6.6 (division to 8 fractional digits).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fhir_adapter::fhir {

class Decimal {
 public:
  // FHIRPath computes quotients to this many digits after the point.
  static constexpr int kQuotientScale = 8;

  Decimal() = default;  // 0
  explicit Decimal(std::int64_t value);

  // A JSON number: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`. No value for anything else, or beyond
  // the limit. An exponent is resolved: 1E+2 is 100 with scale 0, 1.5e-3 is 0.0015 with scale 4.
  static std::optional<Decimal> Parse(std::string_view text);

  // Plain notation with all digits of the scale; the sign of a negative zero is dropped.
  std::string ToString() const;
  // The same without zeros at the end of the fraction.
  std::string ToShortestString() const;
  // The value when it is whole (1.0 is) and fits.
  std::optional<std::int64_t> ToInt64() const;

  int scale() const { return scale_; }  // digits after the point, ≥ 0
  int precision() const;                // significant digits, zeros at the end included; ≥ 1
  bool is_zero() const { return digits_.empty(); }
  bool is_negative() const { return negative_; }
  bool is_whole() const;

  Decimal Negated() const;
  Decimal Absolute() const;
  // Half away from zero, as FHIRPath round(); `fraction_digits` ≥ 0. A smaller scale is kept.
  Decimal Rounded(int fraction_digits) const;
  Decimal Truncated() const;
  Decimal Floor() const;
  Decimal Ceiling() const;

  friend std::optional<Decimal> Add(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);
  // Rounded half away from zero at `fraction_digits`, zeros at the end removed. No value for a divisor of 0.
  friend std::optional<Decimal> Divide(const Decimal& a, const Decimal& b, int fraction_digits);
  // `div` and `mod` of FHIRPath: truncated towards zero; the remainder has the sign of `a`.
  friend std::optional<Decimal> DivideWhole(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> Remainder(const Decimal& a, const Decimal& b);

  // By value: 1.10 == 1.1.
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

 private:
  Decimal(bool negative, std::string digits, int scale);

  // value = ±digits × 10^-scale; most significant digit first, no zeros in front, empty for zero.
  std::string digits_;
  int scale_ = 0;
  bool negative_ = false;
};

std::optional<Decimal> Add(const Decimal& a, const Decimal& b);
std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);
std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);
std::optional<Decimal> Divide(const Decimal& a, const Decimal& b,
                              int fraction_digits = Decimal::kQuotientScale);
std::optional<Decimal> DivideWhole(const Decimal& a, const Decimal& b);
std::optional<Decimal> Remainder(const Decimal& a, const Decimal& b);
std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

}  // namespace fhir_adapter::fhir
