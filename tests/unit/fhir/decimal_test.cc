#include "fhir/decimal.h"

#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"

namespace fhir_adapter::fhir {
namespace {

Decimal D(std::string_view text) {
  const std::optional<Decimal> value = Decimal::Parse(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Decimal());
}

std::string Text(const std::optional<Decimal>& value) {
  return value ? value->ToString() : "none";
}

struct ParseCase {
  const char* input;
  const char* text;
  const char* shortest;
  int scale;
  int precision;
};

class DecimalParseTest : public testing::TestWithParam<ParseCase> {};

TEST_P(DecimalParseTest, KeepsDigits) {
  const ParseCase& test = GetParam();
  const Decimal value = D(test.input);
  EXPECT_EQ(value.ToString(), test.text);
  EXPECT_EQ(value.ToShortestString(), test.shortest);
  EXPECT_EQ(value.scale(), test.scale);
  EXPECT_EQ(value.precision(), test.precision);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DecimalParseTest,
    testing::Values(ParseCase{"0", "0", "0", 0, 1}, ParseCase{"-0", "0", "0", 0, 1},
                    ParseCase{"1.10", "1.10", "1.1", 2, 3}, ParseCase{"-0.50", "-0.50", "-0.5", 2, 2},
                    ParseCase{"0.00", "0.00", "0", 2, 1}, ParseCase{"100", "100", "100", 0, 3},
                    ParseCase{"100.0", "100.0", "100", 1, 4}, ParseCase{"1E+2", "100", "100", 0, 3},
                    ParseCase{"1e2", "100", "100", 0, 3}, ParseCase{"1.5e-3", "0.0015", "0.0015", 4, 2},
                    ParseCase{"1.25E1", "12.5", "12.5", 1, 3}, ParseCase{"0e5", "0", "0", 0, 1},
                    ParseCase{"123456789012345678901234567890.5", "123456789012345678901234567890.5",
                              "123456789012345678901234567890.5", 1, 31}));

TEST(Decimal, OtherTexts_AreRefused) {
  for (const char* text : {"",   "-",  "+1",  "01",  "-01", ".5",       "1.",    "1.e2", "1e",    "1e+",
                           "1 ", " 1", "1,5", "0x1", "NaN", "Infinity", "1.2.3", "--1",  "1e1.5", "1-"}) {
    EXPECT_FALSE(Decimal::Parse(text)) << text;
  }
}

TEST(Decimal, Digits_LimitIsTheMostAllowed) {
  const auto max = static_cast<std::size_t>(limits::kDecimalDigitsMax);
  EXPECT_TRUE(Decimal::Parse(std::string(max, '9')));
  EXPECT_FALSE(Decimal::Parse(std::string(max + 1, '9')));
  EXPECT_TRUE(Decimal::Parse("0." + std::string(max, '1')));
  EXPECT_FALSE(Decimal::Parse("0." + std::string(max + 1, '1')));
  EXPECT_TRUE(Decimal::Parse("1e" + std::to_string(max - 1)));
  EXPECT_FALSE(Decimal::Parse("1e" + std::to_string(max)));
  EXPECT_TRUE(Decimal::Parse("1e-" + std::to_string(max)));
  EXPECT_FALSE(Decimal::Parse("1e-" + std::to_string(max + 1)));
  EXPECT_FALSE(Decimal::Parse("1e99999999999999999999"));
  const Decimal big = D(std::string(max, '9'));
  EXPECT_FALSE(Add(big, Decimal(1)));
  EXPECT_FALSE(Multiply(big, Decimal(10)));
  EXPECT_TRUE(Subtract(big, Decimal(1)));
  EXPECT_FALSE(Multiply(D("1e-" + std::to_string(max)), D("0.1")));
}

struct Operation {
  const char* a;
  const char* b;
  const char* sum;
  const char* difference;
  const char* product;
  const char* quotient;
  const char* whole;
  const char* remainder;
};

class DecimalArithmeticTest : public testing::TestWithParam<Operation> {};

TEST_P(DecimalArithmeticTest, IsExact) {
  const Decimal a = D(GetParam().a);
  const Decimal b = D(GetParam().b);
  EXPECT_EQ(Text(Add(a, b)), GetParam().sum);
  EXPECT_EQ(Text(Subtract(a, b)), GetParam().difference);
  EXPECT_EQ(Text(Multiply(a, b)), GetParam().product);
  EXPECT_EQ(Text(Divide(a, b)), GetParam().quotient);
  EXPECT_EQ(Text(DivideWhole(a, b)), GetParam().whole);
  EXPECT_EQ(Text(Remainder(a, b)), GetParam().remainder);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DecimalArithmeticTest,
    testing::Values(Operation{"0.1", "0.2", "0.3", "-0.1", "0.02", "0.5", "0", "0.1"},
                    Operation{"1.10", "1.1", "2.20", "0.00", "1.210", "1", "1", "0.00"},
                    Operation{"5", "2", "7", "3", "10", "2.5", "2", "1"},
                    Operation{"-5", "2", "-3", "-7", "-10", "-2.5", "-2", "-1"},
                    Operation{"5", "-2", "3", "7", "-10", "-2.5", "-2", "1"},
                    Operation{"-5", "-2", "-7", "-3", "10", "2.5", "2", "-1"},
                    Operation{"2", "3", "5", "-1", "6", "0.66666667", "0", "2"},
                    Operation{"1", "3", "4", "-2", "3", "0.33333333", "0", "1"},
                    Operation{"0", "7", "7", "-7", "0", "0", "0", "0"},
                    Operation{"3", "0", "3", "3", "0", "none", "none", "none"},
                    Operation{"5.5", "0.7", "6.2", "4.8", "3.85", "7.85714286", "7", "0.6"},
                    Operation{"999999999999999999999", "1", "1000000000000000000000", "999999999999999999998",
                              "999999999999999999999", "999999999999999999999", "999999999999999999999", "0"},
                    Operation{"0.5", "1000", "1000.5", "-999.5", "500.0", "0.0005", "0", "0.5"}));

// Against machine integers, over values small enough for them.
TEST(Decimal, Arithmetic_AgreesWithIntegers) {
  for (std::int64_t a = -37; a <= 37; ++a) {
    for (std::int64_t b = -37; b <= 37; ++b) {
      const Decimal x(a);
      const Decimal y(b);
      EXPECT_EQ(Add(x, y)->ToInt64(), a + b);
      EXPECT_EQ(Subtract(x, y)->ToInt64(), a - b);
      EXPECT_EQ(Multiply(x, y)->ToInt64(), a * b);
      EXPECT_EQ(x <=> y, a <=> b);
      if (b == 0) continue;
      EXPECT_EQ(DivideWhole(x, y)->ToInt64(), a / b);
      EXPECT_EQ(Remainder(x, y)->ToInt64(), a % b);
    }
  }
}

TEST(Decimal, Comparison_IsByValue) {
  EXPECT_EQ(D("1.10"), D("1.1"));
  EXPECT_EQ(D("0.00"), D("0"));
  EXPECT_EQ(D("1E+2"), D("100.0"));
  EXPECT_LT(D("-1"), D("-0.99"));
  EXPECT_LT(D("-0.01"), D("0"));
  EXPECT_LT(D("0.099"), D("0.1"));
  EXPECT_LT(D("9"), D("10"));
  EXPECT_LT(D("9.99"), D("10.0"));
  EXPECT_GT(D("10.01"), D("10"));
  EXPECT_LT(D("0"), D("0.0001"));
  EXPECT_GT(D("123456789012345678901.2"), D("123456789012345678901.19"));
}

struct RoundCase {
  const char* value;
  int digits;
  const char* rounded;
};

TEST(Decimal, Rounding_IsHalfAwayFromZero) {
  for (const RoundCase& test :
       {RoundCase{"1.5", 0, "2"}, RoundCase{"-1.5", 0, "-2"}, RoundCase{"1.4999", 0, "1"},
        RoundCase{"0.5", 0, "1"}, RoundCase{"-0.5", 0, "-1"}, RoundCase{"0.49", 0, "0"},
        RoundCase{"3.14159", 3, "3.142"}, RoundCase{"9.995", 2, "10.00"}, RoundCase{"0.004", 2, "0.00"},
        RoundCase{"0.005", 2, "0.01"}, RoundCase{"0.0005", 2, "0.00"}, RoundCase{"1.1", 3, "1.1"}}) {
    EXPECT_EQ(D(test.value).Rounded(test.digits).ToString(), test.rounded) << test.value;
  }
}

struct WholeCase {
  const char* value;
  const char* truncated;
  const char* floor;
  const char* ceiling;
};

TEST(Decimal, WholeParts_FollowTheSign) {
  for (const WholeCase& test :
       {WholeCase{"1.1", "1", "1", "2"}, WholeCase{"-1.1", "-1", "-2", "-1"}, WholeCase{"2.0", "2", "2", "2"},
        WholeCase{"-2.0", "-2", "-2", "-2"}, WholeCase{"0.1", "0", "0", "1"},
        WholeCase{"-0.1", "0", "-1", "0"}, WholeCase{"-9.5", "-9", "-10", "-9"}}) {
    EXPECT_EQ(D(test.value).Truncated().ToString(), test.truncated) << test.value;
    EXPECT_EQ(D(test.value).Floor().ToString(), test.floor) << test.value;
    EXPECT_EQ(D(test.value).Ceiling().ToString(), test.ceiling) << test.value;
  }
}

TEST(Decimal, ToInt64_NeedsAWholeValueThatFits) {
  EXPECT_EQ(D("9223372036854775807").ToInt64(), INT64_MAX);
  EXPECT_EQ(D("-9223372036854775808").ToInt64(), INT64_MIN);
  EXPECT_EQ(Decimal(INT64_MIN).ToString(), "-9223372036854775808");
  EXPECT_EQ(D("9223372036854775808").ToInt64(), std::nullopt);
  EXPECT_EQ(D("2.0").ToInt64(), 2);
  EXPECT_EQ(D("2.5").ToInt64(), std::nullopt);
  EXPECT_EQ(D("0.001").ToInt64(), std::nullopt);
  EXPECT_EQ(D("0.000").ToInt64(), 0);
}

TEST(Decimal, NegativeZero_DoesNotExist) {
  EXPECT_FALSE(D("-0.0").is_negative());
  EXPECT_FALSE(Decimal(0).Negated().is_negative());
  EXPECT_FALSE(Add(D("-1"), D("1"))->is_negative());
  EXPECT_FALSE(D("-0.4").Rounded(0).is_negative());
}

}  // namespace
}  // namespace fhir_adapter::fhir
