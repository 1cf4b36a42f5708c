#include "core/digest.h"

#include <gtest/gtest.h>
#include <string>

namespace fhir_adapter {
namespace {

// FIPS 180-4 examples.
TEST(Sha256Hex, ExamplesOfTheStandard_GiveItsDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231, test cases 1 and 2.
TEST(HmacSha256Hex, CasesOfRfc4231_GiveItsDigests) {
  EXPECT_EQ(HmacSha256Hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// Test case 6: a key longer than a block is hashed first. A block of 64 bytes is used as it is.
TEST(HmacSha256Hex, KeyOfABlockAndLonger_AreTaken) {
  EXPECT_EQ(HmacSha256Hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_NE(HmacSha256Hex(std::string(64, 'k'), "x"), HmacSha256Hex(std::string(65, 'k'), "x"));
  EXPECT_EQ(HmacSha256Hex("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Sha256, Parts_AreHashedAsOneText) {
  EXPECT_EQ(Sha256({"a", "", "bc"}), Sha256({"abc"}));
}

}  // namespace
}  // namespace fhir_adapter
