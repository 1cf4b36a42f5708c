#include "database/mark.h"

#include <gtest/gtest.h>

namespace fhir_adapter::database {
namespace {

struct Case {
  const char* mark;
  std::int64_t overlap;
  const char* before;  // or the name of a code
};

class Marks : public testing::TestWithParam<Case> {};

TEST_P(Marks, Overlap_BeginsInTheFormOfTheMarkAndNeverLater) {
  const auto before = MarkBefore({CellKind::kText, GetParam().mark}, GetParam().overlap);
  EXPECT_EQ(before ? before->text : std::string(Name(before.error().code)), GetParam().before);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Marks,
    testing::Values(Case{"1000", 600, "400"}, Case{"5", 600, "-595"}, Case{"anything", 0, "anything"},
                    Case{"-9223372036854775808", 1, "-9223372036854775808"},
                    Case{"-9223372036854775807", 1, "-9223372036854775808"},
                    Case{"2014-05-06 10:00:00", 600, "2014-05-06 09:50:00"},
                    Case{"2014-03-01T00:00:01.123456+09:00", 2, "2014-02-28T23:59:59.123456+09:00"},
                    Case{"2012-03-01 00:05:00+00", 600, "2012-02-29 23:55:00+00"},
                    Case{"2014-01-01 00:00", 61, "2013-12-31 23:58"}, Case{"2014-05-06", 1, "2014-05-05"},
                    Case{"2014-05-06", 86'401, "2014-05-04"}, Case{"2014-05-06", 0, "2014-05-06"},
                    Case{"2014-02-30 10:00:00", 1, "configuration"}, Case{"1.5", 1, "configuration"},
                    Case{"06.05.2014 10:00", 1, "configuration"}, Case{"", 1, "configuration"},
                    Case{"2014-05-06x", 1, "configuration"}, Case{"2014-05-06 10", 1, "configuration"}));

}  // namespace
}  // namespace fhir_adapter::database
