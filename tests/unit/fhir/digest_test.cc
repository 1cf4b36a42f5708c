#include <gtest/gtest.h>
#include <string>

#include "fhir/sha256.h"
#include "fhir/uuid.h"

namespace fhir_adapter::fhir {
namespace {

// Computed with Python: uuid.uuid5(uuid.NAMESPACE_URL, name).
TEST(Uuid, OfUrl_IsVersionFive) {
  EXPECT_EQ(UuidOfUrl("http://www.example.com/"), "fcde3c85-2270-590f-9e7c-ee003d65e0e2");
  EXPECT_EQ(UuidOfUrl("https://clinic.example/fhir/sid/it-procedure|a.1"),
            "7c99f185-87fe-5b7f-acb9-688e2a827450");
  EXPECT_EQ(UuidOfUrl(""), "1b4db7eb-4057-5ddf-91e0-36dec72071f5");
}

// FIPS 180-4 examples.
TEST(Sha256, Examples_HaveTheirDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256("abc")[0], 0xBA);
}

}  // namespace
}  // namespace fhir_adapter::fhir
