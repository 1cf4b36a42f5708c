// Random arrays of random records: cutting them up and reading the pieces gives what reading the whole gives.
#include <gtest/gtest.h>
#include <random>

#include "fhir/json_reader.h"
#include "record/record_splitter.h"

namespace fhir_adapter::record {
namespace {

class RandomJson {
 public:
  explicit RandomJson(std::uint32_t seed) : random_(seed) {}

  std::uint32_t Below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_()) % bound; }

  std::string Space() {
    static const char* const spaces[] = {"", "", "", " ", "\n", "\r\n", "\t "};
    return spaces[Below(7)];
  }

  std::string Text() {
    static const char* const parts[] = {"a", "\\\"", "\\\\", "{",       "}",   "[", "]",
                                        ",", ":",    "ä",    "\\u005d", "\\n", " "};
    std::string text = "\"";
    for (std::uint32_t i = Below(6); i > 0; --i) text += parts[Below(13)];
    return text + "\"";
  }

  std::string Value(int depth) {
    switch (Below(depth > 4 ? 5 : 7)) {
      case 0:
        return "null";
      case 1:
        return "true";
      case 2:
        return "-1.50e+3";
      case 3:
      case 4:
        return Text();
      case 5:
        return List('[', ']', depth);
      default:
        return List('{', '}', depth);
    }
  }

  std::string List(char open, char close, int depth) {
    std::string text(1, open);
    const std::uint32_t count = Below(4);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i > 0) text += Space() + ",";
      text += Space();
      if (open == '{') text += "\"k" + std::to_string(i) + "\"" + Space() + ":" + Space();
      text += Value(depth + 1) + Space();
    }
    return text + close;
  }

 private:
  std::mt19937 random_;
};

constexpr std::uint32_t kSeeds = 300;

void ExpectPiecesAreElements(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomJson random(seed);
  std::string text = random.Space() + "[";
  const std::uint32_t count = random.Below(6);
  for (std::uint32_t i = 0; i < count; ++i) {
    text += (i > 0 ? "," : "") + random.Space() + random.Value(0) + random.Space();
  }
  text += "]" + random.Space();

  Arena arena;
  const auto whole = fhir::ReadJson(text, arena);
  ASSERT_TRUE(whole.has_value()) << text;
  RecordSplitter splitter(RecordFormat::kJson);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t chunk = 1 + random.Below(20);
    splitter.Push(std::string_view(text).substr(at, chunk));
    at += chunk;
  }
  splitter.Finish();
  for (const fhir::Node* element : (*whole)->items()) {
    const auto piece = splitter.Next();
    ASSERT_TRUE(piece.has_value()) << text;
    const auto read = fhir::ReadJson(piece->bytes, arena);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_TRUE(fhir::SameContent(**read, *element)) << text;
    EXPECT_EQ(piece->line, element->line) << text;
    EXPECT_EQ(piece->column, element->column) << text;
  }
  EXPECT_FALSE(splitter.Next().has_value()) << text;
}

void ExpectCuttingEnds(std::uint32_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomJson random(seed);
  std::string text = "[" + random.Value(0) + "," + random.Value(0) + "," + random.Value(0) + "]";
  for (std::uint32_t i = 1 + random.Below(4); i > 0; --i) {
    const std::size_t at = random.Below(static_cast<std::uint32_t>(text.size()));
    text[at] = "[]{},:\"\\ 1x\n"[random.Below(12)];
  }
  for (const RecordFormat format : {RecordFormat::kJson, RecordFormat::kNdjson}) {
    RecordSplitter splitter(format);
    splitter.Push(text);
    splitter.Finish();
    std::size_t pieces = 0;
    while (splitter.Next()) ++pieces;
    EXPECT_LE(pieces, text.size() + 1) << text;
  }
}

TEST(RecordSplitter, RandomArray_IsCutIntoItsElementsAtTheirPlaces) {
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) ExpectPiecesAreElements(seed);
}

TEST(RecordSplitter, DamagedArray_IsCutIntoPiecesAndCuttingEnds) {
  for (std::uint32_t seed = kSeeds; seed < 2 * kSeeds; ++seed) ExpectCuttingEnds(seed);
}

}  // namespace
}  // namespace fhir_adapter::record
