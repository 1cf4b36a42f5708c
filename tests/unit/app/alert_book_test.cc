#include "app/alert_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{us}; }
  std::int64_t MonotonicUs() override { return us; }
  std::int64_t us = 0;
};

class AlertBookTest : public testing::Test {
 protected:
  void Look(AlertKind kind, const std::string& reason) {
    AlertBook::Troubles troubles;
    troubles[static_cast<std::size_t>(kind)] = reason;
    book_.Look(troubles);
  }
  FakeClock clock_;
  std::vector<std::string> told_;
  AlertBook book_{clock_, [this](const Alert& alert) {
                    told_.push_back((alert.has_started ? "started " : "ended ") +
                                    std::string(Name(alert.kind)) + " " + alert.reason);
                  }};
};

TEST_F(AlertBookTest, TroubleThatLasts_IsToldOnceWhenItStartsAndOnceWhenItEnds) {
  Look(AlertKind::kEndpoint, "");
  for (int i = 0; i < 1'000; ++i) {
    Look(AlertKind::kEndpoint, i < 500 ? "unreachable" : "timeout");
    clock_.us += 250'000;
  }
  EXPECT_THAT(told_, ElementsAre("started endpoint unreachable"));
  EXPECT_TRUE(book_.is_on(AlertKind::kEndpoint));
  for (int i = 0; i < 10; ++i) Look(AlertKind::kEndpoint, "");
  EXPECT_THAT(told_, ElementsAre("started endpoint unreachable", "ended endpoint unreachable"));
  EXPECT_FALSE(book_.is_on(AlertKind::kEndpoint));
  Look(AlertKind::kEndpoint, "timeout");
  EXPECT_EQ(told_.size(), 3U);
}

TEST_F(AlertBookTest, HeldWork_IsToldAfterAQuarterOfAnHourWithoutABreak) {
  Look(AlertKind::kHeld, "1");
  clock_.us += 899'000'000;
  Look(AlertKind::kHeld, "1");
  EXPECT_THAT(told_, IsEmpty());
  Look(AlertKind::kHeld, "");
  Look(AlertKind::kHeld, "1");
  clock_.us += 899'999'999;
  Look(AlertKind::kHeld, "1");
  EXPECT_THAT(told_, IsEmpty());
  clock_.us += 1;
  Look(AlertKind::kHeld, "1");
  EXPECT_THAT(told_, ElementsAre("started held 1"));
}

TEST_F(AlertBookTest, Metrics_HaveASampleForEachKind) {
  Look(AlertKind::kAudit, "x");
  MetricsPage page;
  AddAlerts(page, book_);
  const std::string text = std::move(page).Finish();
  EXPECT_NE(text.find("fhir_adapter_alert{kind=\"audit\"} 1\n"), std::string::npos);
  for (int i = 0; i < kAlertKinds; ++i) {
    const auto kind = static_cast<AlertKind>(i);
    if (kind == AlertKind::kAudit) continue;
    EXPECT_NE(text.find("fhir_adapter_alert{kind=\"" + std::string(Name(kind)) + "\"} 0\n"),
              std::string::npos)
        << Name(kind);
  }
}

// Each kind has a rule of Prometheus and a paragraph of the runbook, and neither has another.
TEST(AlertKinds, RulesAndRunbook_NameEachKind) {
  const std::string rules = test::ReadFile(FHIR_ADAPTER_SOURCE_DIR "/deploy/alerts.yml");
  const std::string runbook = test::ReadFile(FHIR_ADAPTER_SOURCE_DIR "/deploy/README.md");
  for (int i = 0; i < kAlertKinds; ++i) {
    const std::string kind(Name(static_cast<AlertKind>(i)));
    EXPECT_NE(rules.find("fhir_adapter_alert{kind=\"" + kind + "\"}"), std::string::npos) << kind;
    EXPECT_NE(runbook.find("\n**`" + kind + "`** "), std::string::npos) << kind;
  }
  int named = 0;
  for (std::size_t at = rules.find("fhir_adapter_alert{"); at != std::string::npos;
       at = rules.find("fhir_adapter_alert{", at + 1)) {
    ++named;
  }
  EXPECT_EQ(named, kAlertKinds);
}

}  // namespace
}  // namespace fhir_adapter::app
