#include "sync/resource_identity.h"

#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

// python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL,
// 'https://clinic.example/fhir/sid/it-procedure|pain-clinic.P-1'))"
TEST(UuidOf, SystemAndValue_AreTheVersion5UuidOfUrls) {
  EXPECT_EQ(UuidOf("https://clinic.example/fhir/sid/it-procedure", "pain-clinic.P-1"),
            "475dcc9b-2a7b-5973-858d-5a9d2a5c7ffe");
  EXPECT_EQ(UuidOf("s", ""), "fd9449d1-b80d-5ff5-85ed-d2ceb893b19b");
}

TEST(SearchToken, SpecialCharacters_AreEscapedThenEncoded) {
  EXPECT_EQ(SearchToken("https://clinic.example/fhir/sid/mrn", "12-3"),
            "https://clinic.example/fhir/sid/mrn|12-3");
  EXPECT_EQ(SearchToken("s", "a,b|c$d\\e"), "s|a%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce");
  EXPECT_EQ(SearchToken("s", "a b&c=d+e%"), "s|a%20b%26c%3Dd%2Be%25");
  EXPECT_EQ(SearchToken("s", "r~20.1_x"), "s|r~20.1_x");
  EXPECT_EQ(SearchToken("s", "\xC3\xA9"), "s|%C3%A9");
}

TEST(VersionOfEntityTag, AllFormsSeen_GiveTheVersion) {
  EXPECT_EQ(VersionOfEntityTag("W/\"3\""), "3");
  EXPECT_EQ(VersionOfEntityTag("\"3\""), "3");
  EXPECT_EQ(VersionOfEntityTag("3"), "3");
  EXPECT_EQ(VersionOfEntityTag(""), "");
}

struct LocationRow {
  const char* location;
  const char* type;
  const char* id;
  const char* version;
};

class Location : public testing::TestWithParam<LocationRow> {};

TEST_P(Location, Text_IsTakenApart) {
  const ResourceLocation found = ParseLocation(GetParam().location, "http://h/fhir");
  EXPECT_EQ(found.type, GetParam().type);
  EXPECT_EQ(found.id, GetParam().id);
  EXPECT_EQ(found.version_id, GetParam().version);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Location,
    testing::Values(LocationRow{"Observation/7/_history/2", "Observation", "7", "2"},
                    LocationRow{"http://h/fhir/Observation/7/_history/2", "Observation", "7", "2"},
                    LocationRow{"http://h/fhir/Observation/a.b-c", "Observation", "a.b-c", ""},
                    LocationRow{"http://other/fhir/Observation/7", "", "", ""},
                    LocationRow{"Observation", "", "", ""}, LocationRow{"", "", "", ""},
                    LocationRow{"Observation/7/extra", "", "", ""},
                    LocationRow{"Observation/7?x=1", "", "", ""}));

}  // namespace
}  // namespace fhir_adapter::sync
