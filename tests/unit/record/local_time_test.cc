// Times of a clinic's system as FHIR writes them.
#include "record/local_time.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace fhir_adapter::record {
namespace {

const TimeZone& Berlin() {
  static const TimeZone zone = [] {
    std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return TimeZone::Parse(bytes, "Europe/Berlin").value();
  }();
  return zone;
}

std::string DateTime(std::string_view text, DateForm form = DateForm::kDayMonthDots,
                     ValueType type = ValueType::kDateTime) {
  return ToFhirTime(text, type, form, &Berlin());
}

TEST(LocalTime, TimeWithoutOffset_GetsThatOfTheZone) {
  EXPECT_EQ(DateTime("06.05.2014 10:00"), "2014-05-06T10:00:00+02:00");
  EXPECT_EQ(DateTime("6.1.2014 9:05"), "2014-01-06T09:05:00+01:00");
  EXPECT_EQ(DateTime("06.05.2014T10:00:30.250"), "2014-05-06T10:00:30.250+02:00");
  EXPECT_EQ(DateTime("06.05.2014 10:00", DateForm::kDayMonthDots, ValueType::kInstant),
            "2014-05-06T10:00:00+02:00");
}

TEST(LocalTime, EachForm_ReadsItsOwnOrder) {
  EXPECT_EQ(DateTime("2014-05-06 10:00", DateForm::kIso), "2014-05-06T10:00:00+02:00");
  EXPECT_EQ(DateTime("2014-05-06T10:00:00", DateForm::kIso), "2014-05-06T10:00:00+02:00");
  EXPECT_EQ(DateTime("06/05/2014", DateForm::kDayMonthSlashes), "2014-05-06");
  EXPECT_EQ(DateTime("06/05/2014", DateForm::kMonthDaySlashes), "2014-06-05");
  EXPECT_EQ(DateTime("2014/05/06", DateForm::kYearSlashes), "2014-05-06");
  for (const DateForm form : {DateForm::kIso, DateForm::kDayMonthDots, DateForm::kDayMonthSlashes,
                              DateForm::kMonthDaySlashes, DateForm::kYearSlashes}) {
    EXPECT_EQ(ParseDateForm(Name(form)), form);
  }
  EXPECT_EQ(ParseDateForm("YY-MM-DD"), std::nullopt);
}

TEST(LocalTime, Precision_StaysAsItCame) {
  EXPECT_EQ(DateTime("06.05.2014"), "2014-05-06");
  EXPECT_EQ(DateTime("05.2014"), "2014-05");
  EXPECT_EQ(DateTime("05/2014", DateForm::kMonthDaySlashes), "2014-05");
  EXPECT_EQ(DateTime("2014"), "2014");
  EXPECT_EQ(DateTime("2014-05"), "2014-05");
}

TEST(LocalTime, TimeWithItsOffset_KeepsIt) {
  EXPECT_EQ(DateTime("2014-05-06T10:00:00+09:00"), "2014-05-06T10:00:00+09:00");
  EXPECT_EQ(DateTime("06.05.2014 10:00 +09:00"), "2014-05-06T10:00:00+09:00");
  EXPECT_EQ(DateTime("06.05.2014 10:00:00Z"), "2014-05-06T10:00:00Z");
}

TEST(LocalTime, HourThatWasSkippedOrCameTwice_IsLeftUnsettled) {
  EXPECT_EQ(DateTime("30.03.2014 02:30"), "2014-03-30T02:30:00[Europe/Berlin]");
  EXPECT_EQ(DateTime("26.10.2014 02:30"), "2014-10-26T02:30:00[Europe/Berlin]");
  EXPECT_TRUE(IsUnsettledTime("2014-10-26T02:30:00[Europe/Berlin]"));
  EXPECT_EQ(DateTime("26.10.2014 02:30 +01:00"), "2014-10-26T02:30:00+01:00");
}

TEST(LocalTime, OtherTexts_AreNotUnsettled) {
  for (const char* text :
       {"2014-10-26T02:30:00", "2014-10-26T02:30:00[]", "2014-10-26[Europe/Berlin]",
        "2014-10-26T02:30:00+01:00[Europe/Berlin]", "2014-13-26T02:30:00[Europe/Berlin]", ""}) {
    EXPECT_FALSE(IsUnsettledTime(text)) << text;
  }
}

TEST(LocalTime, WhatCannotBeRead_StaysAsItIs) {
  for (const char* text : {"yesterday", "06-05-2014", "06.05.14", "06.05.2014 10", "06.05.2014 10:0", "",
                           "06.05.2014 10:00:00.", "6.5.", "06.05.2014  10:00"}) {
    EXPECT_EQ(DateTime(text), text);
  }
}

TEST(LocalTime, ImpossibleDate_GetsNoOffset) {
  EXPECT_EQ(DateTime("31.02.2014 10:00"), "2014-02-31T10:00:00");
  EXPECT_EQ(DateTime("31.02.2014"), "2014-02-31");
}

TEST(LocalTime, WithoutZone_HasNoOffset) {
  EXPECT_EQ(ToFhirTime("06.05.2014 10:00", ValueType::kDateTime, DateForm::kDayMonthDots, nullptr),
            "2014-05-06T10:00:00");
}

}  // namespace
}  // namespace fhir_adapter::record
