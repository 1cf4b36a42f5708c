#include "app/reconcile_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/reconcile_changes.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using sync::DifferenceKind;

ReconcileState Example() {
  ReconcileState state;
  state.scope = "abc";
  state.progress = {sync::ReconcileProgress::Phase::kServer, "pain-clinic.R\"1", 3, "?page=2", 4, 500};
  state.differences = {{DifferenceKind::kChanged,
                        {"Procedure", "s", "v.1"},
                        "Procedure/1",
                        {"Procedure.status"},
                        "pain-clinic.R1"},
                       {DifferenceKind::kMissing, {"Device", "s", "v.2"}, "Device/2", {}, "pain-clinic.R1"},
                       {DifferenceKind::kDuplicate, {"Device", "s", "v.3"}, "Device/3", {}, "pain-clinic.R2"},
                       {DifferenceKind::kOrphaned, {"Device", "s", "v.4"}, "Device/4", {}, ""}};
  return state;
}

TEST(ReconcileState, SavedAndLoaded_IsTheSame) {
  test::TemporaryDirectory folder;
  const std::string file = folder.File("state");
  ASSERT_TRUE(SaveReconcileState(file, Example()));
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const ReconcileState loaded = LoadReconcileState(file, "abc");
  EXPECT_EQ(loaded.progress.phase, sync::ReconcileProgress::Phase::kServer);
  EXPECT_EQ(loaded.progress.after, "pain-clinic.R\"1");
  EXPECT_EQ(loaded.progress.type, 3U);
  EXPECT_EQ(loaded.progress.next, "?page=2");
  EXPECT_EQ(loaded.progress.pages, 4);
  EXPECT_EQ(loaded.progress.resources, 500);
  EXPECT_EQ(loaded.differences, Example().differences);
}

TEST(ReconcileState, OfAnotherQuestionOrUnreadable_IsBegunAnew) {
  test::TemporaryDirectory folder;
  const std::string file = folder.File("state");
  EXPECT_EQ(LoadReconcileState(file, "abc").progress.resources, 0);
  ASSERT_TRUE(SaveReconcileState(file, Example()));
  EXPECT_TRUE(LoadReconcileState(file, "other").differences.empty());
  folder.Write("state", "{\"scope\":\"abc\",\"phase\":9}");
  EXPECT_EQ(LoadReconcileState(file, "abc").progress.phase, sync::ReconcileProgress::Phase::kLedger);
}

TEST(ReconcileChange, Json_BringsEverythingBack) {
  ReconcileChange change;
  change.reason = "why";
  change.repairs = RepairsOf("http://h/fhir", Example().differences);
  change.adoptions = {{"http://h/fhir",
                       "pain-clinic.R1",
                       7,
                       {{{"Device", "s", "v"}, "1", "2", "{\"a\":\"\\u00e9\"}", true}}}};
  ASSERT_EQ(change.repairs.size(), 2U);
  EXPECT_EQ(change.repairs[0].missing.size(), 1U);
  EXPECT_EQ(change.repairs[1].duplicates.size(), 1U);
  const auto read = ParseReconcileChange(ToJson(change));
  ASSERT_TRUE(read) << ToString(read.error());
  EXPECT_EQ(read->reason, "why");
  EXPECT_EQ(read->repairs[0].missing, change.repairs[0].missing);
  EXPECT_EQ(read->repairs[1].duplicates, change.repairs[1].duplicates);
  ASSERT_EQ(read->adoptions.size(), 1U);
  EXPECT_EQ(read->adoptions[0].newest_revision, 7);
  EXPECT_EQ(read->adoptions[0].versions[0].json, change.adoptions[0].versions[0].json);
  EXPECT_TRUE(read->adoptions[0].versions[0].nullified);
  EXPECT_FALSE(ParseReconcileChange(R"({"reason":"","repairs":[{}]})"));
  EXPECT_FALSE(ParseReconcileChange(R"({"reason":"x"})"));
}

}  // namespace
}  // namespace fhir_adapter::app
