// Time zones: what clocks of known places showed, and the same as the C library says.
#include "core/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>

namespace fhir_adapter {
namespace {

std::string ZoneBytes(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TimeZone Zone(const std::string& name) {
  auto zone = TimeZone::Parse(ZoneBytes(name), name);
  EXPECT_TRUE(zone.has_value()) << name;
  return std::move(zone).value();
}

// Seconds of a calendar date and time, as if it were UTC.
std::int64_t Seconds(int year, int month, int day, int hour, int minute) {
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  return timegm(&parts);
}

using Offsets = std::vector<std::int32_t>;
constexpr std::int32_t kHour = 3'600;

TEST(TimeZone, OrdinaryTime_HasOneOffset) {
  EXPECT_EQ(Zone("Europe/Berlin").OffsetsOf(Seconds(2014, 1, 10, 12, 0)), Offsets{kHour});
  EXPECT_EQ(Zone("Europe/Berlin").OffsetsOf(Seconds(2014, 7, 10, 12, 0)), Offsets{2 * kHour});
  EXPECT_EQ(Zone("Asia/Tokyo").OffsetsOf(Seconds(2014, 5, 6, 10, 0)), Offsets{9 * kHour});
  EXPECT_EQ(Zone("Asia/Kolkata").OffsetsOf(Seconds(2014, 5, 6, 10, 0)), Offsets{5 * kHour + kHour / 2});
  EXPECT_EQ(Zone("America/New_York").OffsetsOf(Seconds(2024, 7, 4, 9, 0)), Offsets{-4 * kHour});
  EXPECT_EQ(Zone("Etc/UTC").OffsetsOf(Seconds(2024, 7, 4, 9, 0)), Offsets{0});
}

// Clocks of Berlin went from 2:00 to 3:00 on 30 March 2014, and from 3:00 back to 2:00 on 26 October.
TEST(TimeZone, SkippedHour_HasNoOffset) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 3, 30, 1, 59)), Offsets{kHour});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 3, 30, 2, 0)), Offsets{});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 3, 30, 2, 59)), Offsets{});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 3, 30, 3, 0)), Offsets{2 * kHour});
}

TEST(TimeZone, RepeatedHour_HasTwoTheEarlierFirst) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 10, 26, 1, 59)), Offsets{2 * kHour});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 10, 26, 2, 0)), (Offsets{2 * kHour, kHour}));
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 10, 26, 2, 59)), (Offsets{2 * kHour, kHour}));
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2014, 10, 26, 3, 0)), Offsets{kHour});
}

// Beyond the transitions of the file the footer's rule holds: last Sundays of March and October in Berlin,
// first Sundays of October and April in Sydney, and half an hour on Lord Howe.
TEST(TimeZone, YearsBeyondTheTransitions_FollowTheFooter) {
  const TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2050, 3, 27, 2, 30)), Offsets{});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2050, 7, 1, 2, 30)), Offsets{2 * kHour});
  EXPECT_EQ(berlin.OffsetsOf(Seconds(2050, 10, 30, 2, 30)), (Offsets{2 * kHour, kHour}));
  const TimeZone sydney = Zone("Australia/Sydney");
  EXPECT_EQ(sydney.OffsetsOf(Seconds(2050, 1, 1, 0, 0)), Offsets{11 * kHour});
  EXPECT_EQ(sydney.OffsetsOf(Seconds(2050, 7, 1, 0, 0)), Offsets{10 * kHour});
  EXPECT_EQ(sydney.OffsetsOf(Seconds(2050, 10, 2, 2, 30)), Offsets{});
  EXPECT_EQ(Zone("Australia/Lord_Howe").OffsetsOf(Seconds(2050, 1, 1, 0, 0)), Offsets{11 * kHour});
}

// The C library reads the same files with a reader of its own.
TEST(TimeZone, RandomMoments_HaveTheOffsetOfTheCLibrary) {
  std::mt19937_64 random(20261127);
  std::uniform_int_distribution<std::int64_t> moments(Seconds(1900, 1, 1, 0, 0), Seconds(2090, 1, 1, 0, 0));
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe",
                           "Asia/Tokyo", "Africa/Casablanca", "America/Sao_Paulo", "Asia/Tehran",
                           "Pacific/Apia", "Europe/Dublin", "Etc/GMT+5"}) {
    const TimeZone zone = Zone(name);
    setenv("TZ", name, 1);  // NOLINT(concurrency-mt-unsafe): a test program of one thread
    tzset();
    for (int i = 0; i < 500; ++i) {
      const std::int64_t moment = moments(random);
      const std::time_t seconds = moment;
      std::tm local{};
      localtime_r(&seconds, &local);
      ASSERT_EQ(zone.OffsetAt(moment), local.tm_gmtoff) << name << " " << moment;
      const auto offsets = zone.OffsetsOf(moment + local.tm_gmtoff);
      const auto found = std::ranges::find(offsets, static_cast<std::int32_t>(local.tm_gmtoff));
      ASSERT_NE(found, offsets.end()) << name << " " << moment;
    }
  }
  unsetenv("TZ");  // NOLINT(concurrency-mt-unsafe)
}

TEST(TimeZone, DamagedBytes_AreRefusedOrReadWithoutHarm) {
  EXPECT_FALSE(TimeZone::Parse("", "x").has_value());
  EXPECT_FALSE(TimeZone::Parse("TZif2", "x").has_value());
  const std::string bytes = ZoneBytes("Europe/Berlin");
  const std::size_t footer = bytes.rfind("\nCET");
  for (std::size_t size = 0; size < footer; size += 7) {
    EXPECT_FALSE(TimeZone::Parse(bytes.substr(0, size), "x").has_value()) << size;
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (const auto zone = TimeZone::Parse(damaged, "x")) (void)zone->OffsetsOf(Seconds(2050, 3, 27, 2, 30));
  }
}

}  // namespace
}  // namespace fhir_adapter
