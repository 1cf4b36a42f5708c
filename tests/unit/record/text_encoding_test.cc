// Character sets of tables. Expected characters: unicode.org, CP1252.TXT and 8859-1.TXT.
#include "record/text_encoding.h"

#include <gtest/gtest.h>

namespace fhir_adapter::record {
namespace {

std::string Decoded(std::string bytes, TextEncoding encoding) {
  const DecodedText decoded = DecodeText(std::move(bytes), encoding);
  return decoded.bad_at ? "bad at " + std::to_string(*decoded.bad_at) : decoded.text;
}

TEST(TextEncoding, Names_AreThoseOfMime) {
  EXPECT_EQ(ParseTextEncoding("UTF-8"), TextEncoding::kUtf8);
  EXPECT_EQ(ParseTextEncoding("windows-1252"), TextEncoding::kWindows1252);
  EXPECT_EQ(ParseTextEncoding("ISO-8859-1"), TextEncoding::kLatin1);
  EXPECT_EQ(ParseTextEncoding("utf-16"), std::nullopt);
  EXPECT_EQ(ParseTextEncoding(""), std::nullopt);
}

TEST(TextEncoding, Windows1252_GivesItsCharacters) {
  EXPECT_EQ(Decoded("a\xE4\xDF", TextEncoding::kWindows1252), "aäß");
  EXPECT_EQ(Decoded("\x80 \x96 \x99 \x9F", TextEncoding::kWindows1252), "€ – ™ Ÿ");
  EXPECT_EQ(Decoded("\xFF", TextEncoding::kWindows1252), "ÿ");
}

TEST(TextEncoding, Windows1252_HasFiveBytesThatAreNone) {
  for (const char byte : {'\x81', '\x8D', '\x8F', '\x90', '\x9D'}) {
    EXPECT_EQ(Decoded(std::string("ab") + byte, TextEncoding::kWindows1252), "bad at 2");
  }
}

TEST(TextEncoding, Latin1_GivesItsCharactersAndNoControls) {
  EXPECT_EQ(Decoded("\xB5g \xE4", TextEncoding::kLatin1), "µg ä");
  EXPECT_EQ(Decoded("5 \x80", TextEncoding::kLatin1), "bad at 2");
}

TEST(TextEncoding, Utf8_IsCheckedAndLosesItsMark) {
  EXPECT_EQ(Decoded("\xEF\xBB\xBFµg", TextEncoding::kUtf8), "µg");
  EXPECT_EQ(Decoded("x\xB5g", TextEncoding::kUtf8), "bad at 1");
}

TEST(TextEncoding, MarkOfUtf8_GoesBeforeWhatWasDeclared) {
  EXPECT_EQ(Decoded("\xEF\xBB\xBFµg", TextEncoding::kWindows1252), "µg");
}

TEST(TextEncoding, Utf16_IsRefused) {
  EXPECT_EQ(Decoded("\xFF\xFE"
                    "a",
                    TextEncoding::kWindows1252),
            "bad at 0");
  EXPECT_EQ(Decoded("\xFE\xFF", TextEncoding::kUtf8), "bad at 0");
}

}  // namespace
}  // namespace fhir_adapter::record
