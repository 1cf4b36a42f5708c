#include "fhir/decimal.h"

#include <algorithm>
#include <charconv>

#include "core/limits.h"

namespace fhir_adapter::fhir {
namespace {

// Magnitudes are strings of digits, most significant first, without zeros in front; zero is empty.

constexpr std::size_t kDigitsMax = static_cast<std::size_t>(limits::kDecimalDigitsMax);

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string WithoutLeadingZeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

std::strong_ordering CompareMagnitude(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::string AddMagnitude(const std::string& a, const std::string& b) {
  std::string sum(std::max(a.size(), b.size()) + 1, '0');
  int carry = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const int digit_a = i < a.size() ? a[a.size() - 1 - i] - '0' : 0;
    const int digit_b = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    const int total = digit_a + digit_b + carry;
    sum[sum.size() - 1 - i] = static_cast<char>('0' + total % 10);
    carry = total / 10;
  }
  return WithoutLeadingZeros(std::move(sum));
}

// a - b, where a ≥ b; in place.
void SubtractFrom(std::string& a, std::string_view b) {
  int borrow = 0;
  for (std::size_t i = 0; i < a.size() && (i < b.size() || borrow != 0); ++i) {
    const int digit_b = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    int total = a[a.size() - 1 - i] - '0' - digit_b - borrow;
    borrow = total < 0 ? 1 : 0;
    if (total < 0) total += 10;
    a[a.size() - 1 - i] = static_cast<char>('0' + total);
  }
  a = WithoutLeadingZeros(std::move(a));
}

std::string MultiplyMagnitude(const std::string& a, const std::string& b) {
  std::string product(a.size() + b.size(), 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    int carry = 0;
    for (std::size_t j = b.size(); j-- > 0;) {
      const int total = product[i + j + 1] + (a[i] - '0') * (b[j] - '0') + carry;
      product[i + j + 1] = static_cast<char>(total % 10);
      carry = total / 10;
    }
    product[i] = static_cast<char>(product[i] + carry);
  }
  for (char& digit : product) digit = static_cast<char>(digit + '0');
  return WithoutLeadingZeros(std::move(product));
}

struct Quotient {
  std::string quotient;
  std::string remainder;
};

// Long division; `divisor` is not zero.
Quotient DivideMagnitude(const std::string& dividend, const std::string& divisor) {
  Quotient result;
  for (const char digit : dividend) {
    if (!result.remainder.empty() || digit != '0') result.remainder.push_back(digit);
    char count = '0';
    while (CompareMagnitude(result.remainder, divisor) >= 0) {
      SubtractFrom(result.remainder, divisor);
      ++count;
    }
    result.quotient.push_back(count);
  }
  result.quotient = WithoutLeadingZeros(std::move(result.quotient));
  return result;
}

// The magnitude at a larger scale.
std::string Scaled(const std::string& digits, int zeros) {
  if (digits.empty()) return digits;
  std::string scaled;
  scaled.reserve(digits.size() + static_cast<std::size_t>(zeros));
  scaled.append(digits).append(static_cast<std::size_t>(zeros), '0');
  return scaled;
}

// Reads the exponent of `text` from `at` on, which stands after the e. Far exponents are cut off: they are
// beyond every limit anyway.
std::optional<int> ParseExponent(std::string_view text, std::size_t at) {
  bool negative = false;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) negative = text[at++] == '-';
  if (at == text.size()) return std::nullopt;
  int exponent = 0;
  for (; at < text.size(); ++at) {
    if (!IsDigit(text[at])) return std::nullopt;
    exponent = std::min(exponent * 10 + (text[at] - '0'), 1'000'000);
  }
  return negative ? -exponent : exponent;
}

}  // namespace

Decimal::Decimal(std::int64_t value) {
  std::string text = std::to_string(value);
  negative_ = value < 0;
  if (negative_) text.erase(0, 1);
  digits_ = WithoutLeadingZeros(std::move(text));
}

Decimal::Decimal(bool negative, std::string digits, int scale) : scale_(scale) {
  digits_ = WithoutLeadingZeros(std::move(digits));
  negative_ = negative && !digits_.empty();
}

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  const std::size_t whole = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  const std::size_t whole_length = at - whole;
  if (whole_length == 0 || (whole_length > 1 && text[whole] == '0')) return std::nullopt;
  std::string digits(text.substr(whole, whole_length));
  int scale = 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    while (at < text.size() && IsDigit(text[at])) ++at;
    if (at == fraction || at - fraction > 2 * kDigitsMax) return std::nullopt;
    digits.append(text.substr(fraction, at - fraction));
    scale = static_cast<int>(at - fraction);
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::optional<int> exponent = ParseExponent(text, at + 1);
    if (!exponent || scale - *exponent < -limits::kDecimalDigitsMax) return std::nullopt;
    scale -= *exponent;
    at = text.size();
  }
  if (at != text.size() || scale > limits::kDecimalDigitsMax) return std::nullopt;
  digits = WithoutLeadingZeros(std::move(digits));
  if (scale < 0) digits = Scaled(digits, -scale);
  if (digits.size() > kDigitsMax) return std::nullopt;
  return Decimal(negative, std::move(digits), std::max(scale, 0));
}

std::string Decimal::ToString() const {
  const auto scale = static_cast<std::size_t>(scale_);
  std::string text = digits_;
  if (text.size() <= scale) text.insert(0, scale + 1 - text.size(), '0');
  if (scale > 0) text.insert(text.size() - scale, 1, '.');
  return negative_ ? "-" + text : text;
}

std::string Decimal::ToShortestString() const {
  std::string text = ToString();
  if (scale_ > 0) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

std::optional<std::int64_t> Decimal::ToInt64() const {
  if (!is_whole()) return std::nullopt;
  const std::string text = Truncated().ToString();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

int Decimal::precision() const {
  return std::max<int>(1, static_cast<int>(digits_.size()));
}

bool Decimal::is_whole() const {
  const std::size_t fraction = std::min(digits_.size(), static_cast<std::size_t>(scale_));
  return digits_.find_first_not_of('0', digits_.size() - fraction) == std::string::npos;
}

Decimal Decimal::Negated() const {
  return Decimal(!negative_, digits_, scale_);
}

Decimal Decimal::Absolute() const {
  return Decimal(false, digits_, scale_);
}

Decimal Decimal::Rounded(int fraction_digits) const {
  if (scale_ <= fraction_digits) return *this;
  const auto dropped = static_cast<std::size_t>(scale_ - fraction_digits);
  if (digits_.size() < dropped) return Decimal(false, "", fraction_digits);
  const std::size_t kept = digits_.size() - dropped;
  std::string digits = digits_.substr(0, kept);
  if (digits_[kept] >= '5') digits = AddMagnitude(digits, "1");
  return Decimal(negative_, std::move(digits), fraction_digits);
}

Decimal Decimal::Truncated() const {
  const std::size_t fraction = std::min(digits_.size(), static_cast<std::size_t>(scale_));
  return Decimal(negative_, digits_.substr(0, digits_.size() - fraction), 0);
}

Decimal Decimal::Floor() const {
  Decimal whole = Truncated();
  if (!negative_ || is_whole()) return whole;
  return Decimal(true, AddMagnitude(whole.digits_, "1"), 0);
}

Decimal Decimal::Ceiling() const {
  return Negated().Floor().Negated();
}

std::optional<Decimal> Add(const Decimal& a, const Decimal& b) {
  const int scale = std::max(a.scale_, b.scale_);
  std::string left = Scaled(a.digits_, scale - a.scale_);
  std::string right = Scaled(b.digits_, scale - b.scale_);
  bool negative = a.negative_;
  if (a.negative_ == b.negative_) {
    left = AddMagnitude(left, right);
  } else if (CompareMagnitude(left, right) >= 0) {
    SubtractFrom(left, right);
  } else {
    SubtractFrom(right, left);
    left = std::move(right);
    negative = b.negative_;
  }
  if (left.size() > kDigitsMax) return std::nullopt;
  return Decimal(negative, std::move(left), scale);
}

std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b) {
  return Add(a, b.Negated());
}

std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  std::string digits = MultiplyMagnitude(a.digits_, b.digits_);
  const int scale = a.scale_ + b.scale_;
  if (digits.size() > kDigitsMax || scale > limits::kDecimalDigitsMax) return std::nullopt;
  return Decimal(a.negative_ != b.negative_, std::move(digits), scale);
}

std::optional<Decimal> Divide(const Decimal& a, const Decimal& b, int fraction_digits) {
  if (b.is_zero() || fraction_digits < 0 || fraction_digits > limits::kDecimalDigitsMax) return std::nullopt;
  const std::string divisor = Scaled(b.digits_, a.scale_);
  Quotient result = DivideMagnitude(Scaled(a.digits_, fraction_digits + b.scale_), divisor);
  if (CompareMagnitude(AddMagnitude(result.remainder, result.remainder), divisor) >= 0) {
    result.quotient = AddMagnitude(result.quotient, "1");
  }
  int scale = fraction_digits;
  while (scale > 0 && !result.quotient.empty() && result.quotient.back() == '0') {
    result.quotient.pop_back();
    --scale;
  }
  if (result.quotient.empty()) scale = 0;
  if (result.quotient.size() > kDigitsMax) return std::nullopt;
  return Decimal(a.negative_ != b.negative_, std::move(result.quotient), scale);
}

std::optional<Decimal> DivideWhole(const Decimal& a, const Decimal& b) {
  if (b.is_zero()) return std::nullopt;
  Quotient result = DivideMagnitude(Scaled(a.digits_, b.scale_), Scaled(b.digits_, a.scale_));
  if (result.quotient.size() > kDigitsMax) return std::nullopt;
  return Decimal(a.negative_ != b.negative_, std::move(result.quotient), 0);
}

std::optional<Decimal> Remainder(const Decimal& a, const Decimal& b) {
  if (b.is_zero()) return std::nullopt;
  const int scale = std::max(a.scale_, b.scale_);
  Quotient result = DivideMagnitude(Scaled(a.digits_, scale - a.scale_), Scaled(b.digits_, scale - b.scale_));
  if (result.remainder.size() > kDigitsMax) return std::nullopt;
  return Decimal(a.negative_, std::move(result.remainder), scale);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  if (a.negative_ != b.negative_) return b.negative_ <=> a.negative_;
  const auto compare = [](const Decimal& x, const Decimal& y) -> std::strong_ordering {
    if (x.digits_.empty() || y.digits_.empty()) return y.digits_.empty() <=> x.digits_.empty();
    const int whole_x = static_cast<int>(x.digits_.size()) - x.scale_;
    const int whole_y = static_cast<int>(y.digits_.size()) - y.scale_;
    if (whole_x != whole_y) return whole_x <=> whole_y;
    const std::size_t shared = std::min(x.digits_.size(), y.digits_.size());
    const int order = x.digits_.compare(0, shared, y.digits_, 0, shared);
    if (order != 0) return order <=> 0;
    if (x.digits_.find_first_not_of('0', shared) != std::string::npos) return std::strong_ordering::greater;
    if (y.digits_.find_first_not_of('0', shared) != std::string::npos) return std::strong_ordering::less;
    return std::strong_ordering::equal;
  };
  return a.negative_ ? compare(b, a) : compare(a, b);
}

}  // namespace fhir_adapter::fhir
