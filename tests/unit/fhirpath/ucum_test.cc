// UCUM: validity, dimensions and exact conversion. Expected values from the UCUM specification's definitions.
#include "fhirpath/ucum/ucum.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/limits.h"

namespace fhir_adapter::fhirpath::ucum {
namespace {

fhir::Decimal Number(std::string_view text) {
  return *fhir::Decimal::Parse(text);
}

TEST(Ucum, ValidUnits_AreAccepted) {
  for (const std::string_view unit : {"mg",
                                      "g",
                                      "mL",
                                      "mmol/L",
                                      "mg/dL",
                                      "mg/kg",
                                      "mg/mL",
                                      "wk",
                                      "d",
                                      "h",
                                      "min",
                                      "%",
                                      "mm",
                                      "kg",
                                      "{score}",
                                      "1",
                                      "10*3/uL",
                                      "10*-6",
                                      "m2",
                                      "m/s2",
                                      "ug/kg/min",
                                      "mm[Hg]",
                                      "[iU]/mL",
                                      "Cel",
                                      "[degF]",
                                      "[in_i]",
                                      "[lb_av]",
                                      "g.m/s2",
                                      "(mg/dL)/h",
                                      "mg{creat}",
                                      "/min",
                                      "kat/L",
                                      "mol",
                                      "cm[H2O]",
                                      "[in_i'H2O]",
                                      "'",
                                      "''",
                                      "KiBy",
                                      "a_j",
                                      "10^6",
                                      "4.[pi].10*-7.N/A2",
                                      "dB",
                                      "[pH]"}) {
    EXPECT_TRUE(IsValidUnit(unit)) << unit;
  }
}

TEST(Ucum, InvalidUnits_AreRefused) {
  for (const std::string_view unit :
       {"",     "milligram", "mgs",    "mg/",     "mg//mL", "(mg",       "mg)",   "mg mL",
        "kmin", "m[in_i]",   "{score", "mg{a b}", "m0",     "0",         "score", "cc",
        "mcg",  "{a}b",      "Cel2",   "Cel/h",   "mg\n",   "\xC2\xB5g", "g.",    "days"}) {
    EXPECT_FALSE(IsValidUnit(unit)) << unit;
  }
}

TEST(Ucum, UnitBytes_AreLimited) {
  const std::string longest = "g{" + std::string(limits::kUcumUnitBytesMax - 3, 'a') + "}";
  EXPECT_TRUE(IsValidUnit(longest));
  EXPECT_FALSE(IsValidUnit("m" + longest));
}

TEST(Ucum, Nesting_IsLimited) {
  EXPECT_TRUE(IsValidUnit("((((g))))"));
  EXPECT_FALSE(IsValidUnit(std::string(100, '(') + "g" + std::string(100, ')')));
}

TEST(Ucum, Conversion_IsExact) {
  struct Case {
    std::string value;
    std::string from;
    std::string to;
    std::string expected;
  };
  for (const Case& c :
       std::vector<Case>{{"0.05", "g", "mg", "50"},
                         {"500", "mg", "g", "0.5"},
                         {"1", "mg", "ug", "1000"},
                         {"123456789012345678901234567890", "ug", "kg", "123456789012345678901.23456789"},
                         {"3", "h", "min", "180"},
                         {"1", "wk", "d", "7"},
                         {"1", "a", "d", "365.25"},
                         {"1", "[in_i]", "cm", "2.54"},
                         {"1", "[lb_av]", "g", "453.59237"},
                         {"1", "L", "cm3", "1000"},
                         {"1", "mg/dL", "g/L", "0.01"},
                         {"1", "mm[Hg]", "Pa", "133.322"},
                         {"37", "Cel", "K", "310.15"},
                         {"98.6", "[degF]", "Cel", "37"},
                         {"50", "%", "1", "0.5"},
                         {"2", "KiBy", "By", "2048"},
                         {"1", "mol", "10*23", "6.02214076"},
                         {"7", "{score}", "1", "7"},
                         {"10", "dB", "B", "1"}}) {
    const auto converted = Convert(Number(c.value), c.from, c.to);
    ASSERT_TRUE(converted) << c.from << " to " << c.to;
    EXPECT_EQ(converted->ToShortestString(), c.expected) << c.from << " to " << c.to;
  }
}

TEST(Ucum, RoundTripOfAThird_ComparesExactly) {
  EXPECT_EQ(Compare(Number("1"), "min", Number("60"), "s"), std::strong_ordering::equal);
  EXPECT_EQ(Compare(Number("1"), "deg", Number("60"), "'"), std::strong_ordering::equal);
  EXPECT_EQ(Compare(Number("0.999999999999999999999"), "g", Number("1000"), "mg"),
            std::strong_ordering::less);
}

TEST(Ucum, OtherDimensions_AreNotComparable) {
  EXPECT_TRUE(Comparable("mg", "kg"));
  EXPECT_TRUE(Comparable("mmol/L", "mol/m3"));
  EXPECT_FALSE(Comparable("mg", "mL"));
  EXPECT_FALSE(Comparable("mg", "nonsense"));
  EXPECT_FALSE(Comparable("[iU]", "[arb'U]"));
  EXPECT_FALSE(Comparable("[iU]", "1"));
  EXPECT_TRUE(Comparable("[iU]/mL", "k[iU]/L"));
  EXPECT_FALSE(Comparable("[pH]", "mol/L"));
  EXPECT_TRUE(Comparable("[pH]", "[pH]"));
  EXPECT_EQ(Convert(Number("1"), "mg", "mL"), std::nullopt);
  EXPECT_EQ(Compare(Number("1"), "mg", Number("1"), "mL"), std::nullopt);
}

TEST(Ucum, ProductAndQuotient_HaveValidUnits) {
  EXPECT_EQ(ProductUnit("mg", "mL"), "mg.mL");
  EXPECT_EQ(ProductUnit("m", "m"), "m2");
  EXPECT_EQ(QuotientUnit("mg", "mL"), "mg/mL");
  EXPECT_EQ(QuotientUnit("mg", "mL/h"), "mg/(mL/h)");
  EXPECT_EQ(QuotientUnit("1", "s"), "/s");
  EXPECT_EQ(QuotientUnit("mg", "mg"), "1");
  for (const std::string_view a : {"mg", "m2", "mL/h", "{score}", "10*3"}) {
    for (const std::string_view b : {"mg", "m2", "mL/h", "{score}", "10*3"}) {
      EXPECT_TRUE(IsValidUnit(ProductUnit(a, b))) << ProductUnit(a, b);
      EXPECT_TRUE(IsValidUnit(QuotientUnit(a, b))) << QuotientUnit(a, b);
    }
  }
}

}  // namespace
}  // namespace fhir_adapter::fhirpath::ucum
