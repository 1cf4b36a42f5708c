#include "core/base64.h"

#include <gtest/gtest.h>

namespace fhir_adapter {
namespace {

struct Vector {
  const char* bytes;
  const char* text;
};

class Base64 : public testing::TestWithParam<Vector> {};

TEST_P(Base64, RfcVector_GoesBothWays) {
  EXPECT_EQ(ToBase64(GetParam().bytes), GetParam().text);
  EXPECT_EQ(FromBase64(GetParam().text), GetParam().bytes);
}

// RFC 4648 section 10.
INSTANTIATE_TEST_SUITE_P(Rfc4648, Base64,
                         testing::Values(Vector{"", ""}, Vector{"f", "Zg=="}, Vector{"fo", "Zm8="},
                                         Vector{"foo", "Zm9v"}, Vector{"foob", "Zm9vYg=="},
                                         Vector{"fooba", "Zm9vYmE="}, Vector{"foobar", "Zm9vYmFy"}));

TEST(Base64Text, AllBytes_ComeBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(FromBase64(ToBase64(bytes)), bytes);
}

class BrokenBase64 : public testing::TestWithParam<const char*> {};

TEST_P(BrokenBase64, GivesNothing) {
  EXPECT_EQ(FromBase64(GetParam()), std::nullopt);
}

// Missing padding, padding alone, other alphabets, bits beyond the end, padding inside.
INSTANTIATE_TEST_SUITE_P(Texts, BrokenBase64,
                         testing::Values("Zg", "Zg=", "====", "Z===", "Zm-v", "Zm9v\n",
                                         "Zh==", "Zm9=", "Zg==Zg=="));

// RFC 7515 appendix C, and the vectors above without padding.
TEST(Base64Url, GoesBothWaysWithoutPadding) {
  const std::string example = "\x03\xec\xff\xe0\xc1";
  EXPECT_EQ(ToBase64Url(example), "A-z_4ME");
  EXPECT_EQ(FromBase64Url("A-z_4ME"), example);
  EXPECT_EQ(FromBase64Url("Zm9vYg"), "foob");
  EXPECT_EQ(FromBase64Url(""), "");
  for (const char* text : {"A+z/4ME", "A-z_4ME=", "Zg==", "Z", "Zh", "Zm9vY", "Zm 9"}) {
    EXPECT_EQ(FromBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fhir_adapter
