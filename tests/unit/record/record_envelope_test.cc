#include "record/record_envelope.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "record/content_hash.h"

namespace fhir_adapter::record {
namespace {

class Envelope : public ::testing::Test {
 protected:
  const fhir::Node& Parse(std::string_view text) {
    auto node = fhir::ReadJson(text, arena_);
    EXPECT_TRUE(node.has_value());
    return **node;
  }
  Arena arena_;
};

TEST_F(Envelope, CompleteRecord_GivesEveryField) {
  const auto envelope = ReadEnvelope(Parse(
      R"({"recordId":"MG-3","revision":2,"site":"pain-clinic","status":"corrected","recorded":"2014-05-06T21:10:00+09:00",
          "correction":{"reason":"amount mistaken"},"patient":{"mrn":"100003","sex":"male","birthDate":"1968-04"}})"));
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(envelope->key, (RecordKey{"pain-clinic", "MG-3", 2}));
  EXPECT_EQ(envelope->status, RecordStatus::kCorrected);
  EXPECT_EQ(envelope->recorded, "2014-05-06T21:10:00+09:00");
  EXPECT_EQ(envelope->patient_mrn, "100003");
  EXPECT_EQ(envelope->patient_sex, "male");
  EXPECT_EQ(envelope->patient_birth_date, "1968-04");
  EXPECT_EQ(envelope->reason, "amount mistaken");
}

TEST_F(Envelope, KeyOfAnUnusableRecord_CanBeRead) {
  EXPECT_EQ(ReadKey(Parse(R"({"recordId":"R","revision":1,"site":"s","status":7})")),
            (RecordKey{"s", "R", 1}));
  EXPECT_FALSE(ReadKey(Parse(R"({"recordId":"R","revision":0,"site":"s"})")));
  EXPECT_FALSE(ReadKey(Parse(R"({"recordId":"R","revision":1.5,"site":"s"})")));
  EXPECT_FALSE(ReadKey(Parse(R"({"recordId":"R","revision":1})")));
  EXPECT_FALSE(ReadKey(Parse(R"([1])")));
}

TEST_F(Envelope, Statuses_HaveTheirNames) {
  for (const std::string_view name : {"in-progress", "completed", "corrected", "not-done", "voided"}) {
    const auto status = ParseRecordStatus(name);
    ASSERT_TRUE(status.has_value()) << name;
    EXPECT_EQ(Name(*status), name);
  }
  EXPECT_FALSE(ParseRecordStatus("done"));
}

TEST_F(Envelope, ContentHash_IgnoresOrderWhiteSpaceAndNull) {
  const std::string hash = ContentHash(Parse(R"({"a":1.10,"b":{"c":"x","d":[true,2]}})"));
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(ContentHash(Parse("{ \"b\": {\"d\":[ true,2], \"c\":\"\\u0078\"},\n \"e\":null, \"a\":1.10 }")),
            hash);
}

TEST_F(Envelope, ContentHash_TellsDifferentContentsApart) {
  const std::vector<std::string_view> contents = {
      R"({"a":1.1})",   R"({"a":1.10})",   R"({"a":"1.1"})",   R"({"a":[1.1]})",     R"({"a":11e-1})",
      R"({"a":[1,2]})", R"({"a":[2,1]})",  R"({"a":{"b":1}})", R"({"a":"","b":1})",  R"({"ab":1})",
      R"({"a":true})",  R"({"a":false})",  R"({"a":"xs1:y"})", R"({"a":["x","y"]})", R"({"a":["xy"]})",
      R"({})",          R"({"a":[null]})", R"({"a":[]})",      R"({"a":{}})"};
  std::vector<std::string> hashes;
  for (const std::string_view content : contents) hashes.push_back(ContentHash(Parse(content)));
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

TEST_F(Envelope, ContentHash_IsSha256OfTheCanonicalContent) {
  // printf '{m1:ad4:1.10m1:bs2:xy}' | sha256sum
  EXPECT_EQ(CanonicalContent(Parse(R"({"b":"xy","a":1.10})")), "{m1:ad4:1.10m1:bs2:xy}");
  EXPECT_EQ(ContentHash(Parse(R"({"b":"xy","a":1.10})")),
            "853bf2c3aca58962b0402a4440c1403345046a2dea6e1085065557c1ed0a972c");
}

}  // namespace
}  // namespace fhir_adapter::record
