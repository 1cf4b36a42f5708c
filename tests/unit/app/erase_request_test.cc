// What a request to erase may ask for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "app/record_eraser.h"

namespace fhir_adapter::app {
namespace {

using testing::HasSubstr;

Result<EraseRequest> Asked(std::size_t records, const std::string& reason = "asked by the patient") {
  EraseRequest request;
  request.reason = reason;
  for (std::size_t i = 0; i < records; ++i) request.records.push_back("R-" + std::to_string(i));
  return ParseEraseRequest(ToJson(request));
}

TEST(EraseRequest, Records_AreOneToTheLimit) {
  EXPECT_EQ(Asked(1)->records.front(), "R-0");
  EXPECT_EQ(Asked(100)->records.size(), 100U);
  for (const std::size_t records : {std::size_t{0}, std::size_t{101}}) {
    const auto refused = Asked(records);
    ASSERT_FALSE(refused) << records;
    EXPECT_EQ(refused.error().code, Code::kUsage);
    EXPECT_THAT(refused.error().message, HasSubstr("1 to 100 records"));
  }
}

TEST(EraseRequest, WithoutAReason_IsRefused) {
  const auto refused = Asked(1, "");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("reason"));
}

}  // namespace
}  // namespace fhir_adapter::app
