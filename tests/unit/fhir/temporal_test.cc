#include "fhir/temporal.h"

#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"

namespace fhir_adapter::fhir {
namespace {

Temporal DateTime(std::string_view text) {
  const std::optional<Temporal> value = text.starts_with('@') ? Temporal::ParseTimeLiteral(text.substr(1))
                                                              : Temporal::ParseDateTimeLiteral(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Temporal{});
}

struct FormatCase {
  const char* text;
  bool date;
  bool date_time;
  bool instant;
  bool time;
};

class TemporalFormatTest : public testing::TestWithParam<FormatCase> {};

TEST_P(TemporalFormatTest, FollowsThePrimitives) {
  const FormatCase& test = GetParam();
  EXPECT_EQ(Temporal::ParseDate(test.text).has_value(), test.date) << test.text;
  EXPECT_EQ(Temporal::ParseDateTime(test.text).has_value(), test.date_time) << test.text;
  EXPECT_EQ(Temporal::ParseInstant(test.text).has_value(), test.instant) << test.text;
  EXPECT_EQ(Temporal::ParseTime(test.text).has_value(), test.time) << test.text;
  for (const auto& value : {Temporal::ParseDate(test.text), Temporal::ParseDateTime(test.text),
                            Temporal::ParseInstant(test.text), Temporal::ParseTime(test.text)}) {
    if (value.has_value()) {
      EXPECT_EQ(value->ToString(), test.text);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, TemporalFormatTest,
                         testing::Values(FormatCase{"2026", true, true, false, false},
                                         FormatCase{"2026-03", true, true, false, false},
                                         FormatCase{"2026-03-01", true, true, false, false},
                                         FormatCase{"0001-01-01", true, true, false, false},
                                         FormatCase{"9999-12-31", true, true, false, false},
                                         FormatCase{"2024-02-29", true, true, false, false},
                                         FormatCase{"2000-02-29", true, true, false, false},
                                         FormatCase{"2026-03-01T09:15:00Z", false, true, true, false},
                                         FormatCase{"2026-03-01T09:15:00.123456789+14:00", false, true, true,
                                                    false},
                                         FormatCase{"2026-03-01T23:59:60-12:00", false, true, true, false},
                                         FormatCase{"2026-03-01T09:15:00+00:00", false, true, true, false},
                                         FormatCase{"09:15:00", false, false, false, true},
                                         FormatCase{"23:59:60.5", false, false, false, true}));

class TemporalRefusedTest : public testing::TestWithParam<const char*> {};

TEST_P(TemporalRefusedTest, IsNoPrimitive) {
  EXPECT_FALSE(Temporal::ParseDate(GetParam()));
  EXPECT_FALSE(Temporal::ParseDateTime(GetParam()));
  EXPECT_FALSE(Temporal::ParseInstant(GetParam()));
  EXPECT_FALSE(Temporal::ParseTime(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Table, TemporalRefusedTest,
                         testing::Values("", "0000", "26", "20260301", "2026-3-1", "2026-13", "2026-00",
                                         "2026-02-29", "2100-02-29", "2026-04-31", "2026-01-00", "2026-",
                                         "2026-03-", "2026-03-01T", "2026T", "2026-03-01 09:15:00Z",
                                         "2026-03-01T09:15:00", "2026-03-01T09:15Z", "2026-03-01T09Z",
                                         "2026-03T09:15:00Z", "2026-03-01T24:00:00Z", "2026-03-01T09:60:00Z",
                                         "2026-03-01T09:15:61Z", "2026-03-01T09:15:00.Z",
                                         "2026-03-01T09:15:00.1234567890Z", "2026-03-01T09:15:00+14:01",
                                         "2026-03-01T09:15:00+1400", "2026-03-01T09:15:00+01:60",
                                         "2026-03-01T09:15:00z", "9:15:00", "09:15", "09:15:00Z",
                                         "2026-03-01Z", "12026-01-01", " 2026", "2026 "));

TEST(Temporal, FractionOfASecond_HasAsManyDigitsAsTheLimit) {
  const std::string most(limits::kFractionDigitsMax, '1');
  EXPECT_TRUE(Temporal::ParseInstant("2026-03-01T09:15:00." + most + "Z"));
  EXPECT_FALSE(Temporal::ParseInstant("2026-03-01T09:15:00." + most + "1Z"));
}

TEST(Temporal, MinusZeroOffset_IsReadAsZero) {
  EXPECT_EQ(Temporal::ParseInstant("2026-03-01T09:15:00-00:00")->ToString(), "2026-03-01T09:15:00+00:00");
}

TEST(Temporal, Literals_MayBePartial) {
  EXPECT_EQ(DateTime("2015T").precision, TemporalPrecision::kYear);
  EXPECT_EQ(DateTime("2015-02-04T").precision, TemporalPrecision::kDay);
  EXPECT_EQ(DateTime("2015-02-04T").kind, TemporalKind::kDateTime);
  EXPECT_EQ(DateTime("2015-02-04T14").precision, TemporalPrecision::kHour);
  EXPECT_EQ(DateTime("2015-02-04T14:34+02:00").offset_minutes, 120);
  EXPECT_EQ(DateTime("@14").precision, TemporalPrecision::kHour);
  EXPECT_EQ(DateTime("@14:34:28.1").nanosecond, 100'000'000U);
  EXPECT_FALSE(Temporal::ParseDateTimeLiteral("2015-02T14:00"));
  EXPECT_FALSE(Temporal::ParseTimeLiteral("14:34Z"));
}

struct CompareCase {
  const char* a;
  const char* b;
  Ordering order;
};

class TemporalCompareTest : public testing::TestWithParam<CompareCase> {};

TEST_P(TemporalCompareTest, IsThreeValuedAndMirrored) {
  const CompareCase& test = GetParam();
  EXPECT_EQ(Compare(DateTime(test.a), DateTime(test.b)), test.order) << test.a << " " << test.b;
  const Ordering mirrored = test.order == Ordering::kLess      ? Ordering::kGreater
                            : test.order == Ordering::kGreater ? Ordering::kLess
                                                               : test.order;
  EXPECT_EQ(Compare(DateTime(test.b), DateTime(test.a)), mirrored) << test.a << " " << test.b;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TemporalCompareTest,
    testing::Values(
        CompareCase{"2012", "2013", Ordering::kLess}, CompareCase{"2012", "2012", Ordering::kEqual},
        CompareCase{"2012", "2012-01", Ordering::kUnknown}, CompareCase{"2012", "2013-01", Ordering::kLess},
        CompareCase{"2018-03-01", "2018-03", Ordering::kUnknown},
        CompareCase{"2018-03-01T10:30:00", "2018-03-01T10:30:00.0", Ordering::kEqual},
        CompareCase{"2018-03-01T10:30", "2018-03-01T10:30:00", Ordering::kUnknown},
        CompareCase{"2018-03-01T10:30", "2018-03-01T10:31:00", Ordering::kLess},
        CompareCase{"2018-03-01T10:00:00Z", "2018-03-01T12:00:00+02:00", Ordering::kEqual},
        CompareCase{"2018-03-01T23:00:00-05:00", "2018-03-02T03:00:00Z", Ordering::kGreater},
        CompareCase{"2018-03-01T10:00:00Z", "2018-03-01T10:00:00", Ordering::kUnknown},
        CompareCase{"2018-03-01T10:00:00Z", "2018-03-03T10:00:00", Ordering::kLess},
        CompareCase{"2018-03-01", "2018-03-02T00:00:00Z", Ordering::kLess},
        CompareCase{"2018-03-01", "2018-03-01T00:00:00Z", Ordering::kUnknown},
        CompareCase{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", Ordering::kEqual},
        CompareCase{"@10:30", "@10:30", Ordering::kEqual}, CompareCase{"@10", "@11:30", Ordering::kLess},
        CompareCase{"@10:30:00.5", "@10:30:00.25", Ordering::kGreater},
        CompareCase{"@10:30", "2018", Ordering::kUnknown},
        CompareCase{"0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", Ordering::kLess}));

TEST(Temporal, Equivalence_NeedsTheSamePrecision) {
  EXPECT_TRUE(AreEquivalent(DateTime("2012"), DateTime("2012")));
  EXPECT_FALSE(AreEquivalent(DateTime("2012"), DateTime("2012-01")));
  EXPECT_TRUE(AreEquivalent(DateTime("2018-03-01T10:00:00.0Z"), DateTime("2018-03-01T11:00:00+01:00")));
}

// The moments were computed with GNU date.
TEST(Temporal, UtcMicroseconds_AreThoseOfTheCalendar) {
  EXPECT_EQ(DateTime("1970-01-01T00:00:00Z").ToUtcMicroseconds(), 0);
  EXPECT_EQ(DateTime("2026-03-01T09:15:00.25+01:00").ToUtcMicroseconds(), 1'772'352'900'250'000);
  EXPECT_EQ(DateTime("1969-12-31T23:59:59.999999Z").ToUtcMicroseconds(), -1);
  EXPECT_EQ(DateTime("0001-01-01T00:00:00Z").ToUtcMicroseconds(), -62'135'596'800'000'000);
  EXPECT_EQ(DateTime("2000-02-29T12:00:00Z").ToUtcMicroseconds(), 951'825'600'000'000);
  EXPECT_EQ(DateTime("2026-03-01T09:15:00").ToUtcMicroseconds(), std::nullopt);
  EXPECT_EQ(DateTime("2026-03-01").ToUtcMicroseconds(), std::nullopt);
}

TEST(Temporal, FromUtcMicroseconds_IsTheInverse) {
  EXPECT_EQ(Temporal::FromUtcMicroseconds(1'772'352'900'250'999).ToString(), "2026-03-01T08:15:00.250Z");
  EXPECT_EQ(Temporal::FromUtcMicroseconds(-1, 6).ToString(), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Temporal::FromUtcMicroseconds(0, 0).ToString(), "1970-01-01T00:00:00Z");
}

TEST(Temporal, EpochDay_RoundTripsOverTheCalendar) {
  const std::int64_t first = *DateTime("0001-01-01").ToEpochDay();
  const std::int64_t last = *DateTime("9999-12-31").ToEpochDay();
  EXPECT_EQ(last - first + 1, 3'652'059);  // 9999 × 365 + 2424 leap days
  for (std::int64_t day = first; day <= last; day += 13) {
    const std::optional<Temporal> date = Temporal::FromEpochDay(day);
    ASSERT_TRUE(date);
    ASSERT_EQ(date->ToEpochDay(), day);
    ASSERT_EQ(Temporal::ParseDate(date->ToString())->ToEpochDay(), day);
  }
  EXPECT_FALSE(Temporal::FromEpochDay(first - 1));
  EXPECT_FALSE(Temporal::FromEpochDay(last + 1));
}

TEST(Temporal, UtcInterval_CoversWhatItMayMean) {
  constexpr std::int64_t kHour = 3'600'000'000;
  const UtcInterval day = *DateTime("1970-01-01").ToUtcInterval(0);
  EXPECT_EQ(day.first_us, 0);
  EXPECT_EQ(day.last_us, 24 * kHour - 1);
  const UtcInterval anywhere = *DateTime("1970-01-01").ToUtcInterval();
  EXPECT_EQ(anywhere.first_us, -14 * kHour);
  EXPECT_EQ(anywhere.last_us, 36 * kHour - 1);
  const UtcInterval february = *DateTime("1972-02").ToUtcInterval(0);
  EXPECT_EQ(february.last_us - february.first_us + 1, 29 * 24 * kHour);
  const UtcInterval moment = *DateTime("1970-01-01T01:00:00+01:00").ToUtcInterval(-300);
  EXPECT_EQ(moment.first_us, 0);
  EXPECT_EQ(moment.last_us, 0);
}

TEST(Temporal, DateOnly_DropsTheTime) {
  EXPECT_EQ(DateTime("2026-03-01T09:15:00.5+01:00").DateOnly().ToString(), "2026-03-01");
  EXPECT_EQ(DateTime("2026-03").DateOnly().ToString(), "2026-03");
}

struct AddCase {
  const char* value;
  const char* quantity;
  const char* unit;
  const char* sum;  // null: none
};

class TemporalAddTest : public testing::TestWithParam<AddCase> {};

TEST_P(TemporalAddTest, FollowsFhirPath) {
  const AddCase& test = GetParam();
  const std::optional<CalendarUnit> unit = ParseCalendarUnit(test.unit);
  ASSERT_TRUE(unit);
  const std::optional<Temporal> sum =
      AddDuration(DateTime(test.value), *Decimal::Parse(test.quantity), *unit);
  EXPECT_EQ(sum ? sum->ToString() : "none", test.sum == nullptr ? "none" : test.sum);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TemporalAddTest,
    testing::Values(
        AddCase{"1973-12-25", "7", "days", "1974-01-01"}, AddCase{"1973-12-25", "7.7", "days", "1974-01-01"},
        AddCase{"1974-12-25", "-7", "day", "1974-12-18"}, AddCase{"1973-12-25", "1", "week", "1974-01-01"},
        AddCase{"2026-01-31", "1", "month", "2026-02-28"}, AddCase{"2024-02-29", "1", "year", "2025-02-28"},
        AddCase{"2024-01-31", "-11", "months", "2023-02-28"},
        AddCase{"1973-12-25T00:00:00.000+10:00", "1", "second", "1973-12-25T00:00:01.000+10:00"},
        AddCase{"1973-12-25T00:00:00.000+10:00", "10", "milliseconds", "1973-12-25T00:00:00.010+10:00"},
        AddCase{"1973-12-25T00:00:00Z", "0.1", "second", "1973-12-25T00:00:00.1Z"},
        AddCase{"1973-12-25T00:00:00Z", "-0.25", "seconds", "1973-12-24T23:59:59.75Z"},
        AddCase{"1973-12-25T23:30:00Z", "90", "minutes", "1973-12-26T01:00:00Z"},
        AddCase{"2014", "24", "months", "2016"}, AddCase{"2014", "23", "months", "2015"},
        AddCase{"2016", "365", "days", "2017"}, AddCase{"2016", "364", "days", "2016"},
        AddCase{"2016-02", "30", "days", "2016-03"}, AddCase{"2016-02", "29", "days", "2016-02"},
        AddCase{"2016-02-28", "25", "hours", "2016-02-29"},
        AddCase{"2016-02-28T10", "119", "minutes", "2016-02-28T11"}, AddCase{"@01:00", "2", "hours", "03:00"},
        AddCase{"@23:00:00", "2", "hours", "01:00:00"}, AddCase{"@01:00:00", "-3", "hours", "22:00:00"},
        AddCase{"@01", "1", "day", nullptr}, AddCase{"9999-12-31", "1", "day", nullptr},
        AddCase{"0001-01-01", "-1", "day", nullptr}, AddCase{"9999", "1", "year", nullptr},
        AddCase{"2020", "99999999999999999999", "years", nullptr},
        AddCase{"2020-01-01", "9223372036854775807", "hours", nullptr},
        AddCase{"2020-01-01T00:00:00Z", "9223372036854775807", "seconds", nullptr}));

TEST(Temporal, CalendarUnits_AreWords) {
  EXPECT_EQ(ParseCalendarUnit("year"), CalendarUnit::kYear);
  EXPECT_EQ(ParseCalendarUnit("milliseconds"), CalendarUnit::kMillisecond);
  for (const char* text : {"", "s", "a", "yearss", "mo", "Year"})
    EXPECT_FALSE(ParseCalendarUnit(text)) << text;
}

}  // namespace
}  // namespace fhir_adapter::fhir
