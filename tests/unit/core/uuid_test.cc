#include "core/uuid.h"

#include <gtest/gtest.h>
#include <string>

namespace fhir_adapter {
namespace {

// Expected values from Python's uuid.uuid5(uuid.NAMESPACE_URL, name).
TEST(UuidOfUrl, KnownNames_GiveVersionFive) {
  EXPECT_EQ(UuidOfUrl("http://www.example.com/"), "fcde3c85-2270-590f-9e7c-ee003d65e0e2");
  EXPECT_EQ(UuidOfUrl(""), "1b4db7eb-4057-5ddf-91e0-36dec72071f5");
  EXPECT_EQ(UuidOfUrl("https://clinic.example/fhir/sid/it-procedure|pain-clinic.MG-3"),
            "fcb191d9-8bab-5776-93ee-5eada3d05893");
}

TEST(UuidOfUrl, NamesAroundABlockOfTheHash_AreTakenWhole) {
  // 16 bytes of namespace: the padding just fits, and just does not.
  EXPECT_EQ(UuidOfUrl(std::string(39, 'a')), "615eac0e-03db-567b-8580-916c1aca1cc2");
  EXPECT_EQ(UuidOfUrl(std::string(40, 'a')), "c5c985c8-6875-5a42-b6e3-2872703afed4");
  EXPECT_EQ(UuidOfUrl(std::string(200, 'a')), "7f4631a0-b493-5760-92a5-27e642bfb142");
}

}  // namespace
}  // namespace fhir_adapter
