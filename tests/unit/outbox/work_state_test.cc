#include "outbox/work_state.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace fhir_adapter::outbox {
namespace {

std::string FollowersOf(WorkState from) {
  std::string names;
  for (int i = 0; i < kWorkStates; ++i) {
    const auto to = static_cast<WorkState>(i);
    if (!MayFollow(from, to)) continue;
    if (!names.empty()) names += ' ';
    names += Name(to);
  }
  return names;
}

struct Row {
  WorkState from;
  const char* followers;
  bool blocks;
};

// The diagram of work_state.h, line by line.
constexpr Row kDiagram[] = {
    {WorkState::kReceived, "mapped quarantined held superseded", true},
    {WorkState::kMapped, "queued delivered superseded", true},
    {WorkState::kQueued, "sending quarantined held superseded", true},
    {WorkState::kSending, "queued delivered retry ambiguous quarantined held", true},
    {WorkState::kDelivered, "", false},
    {WorkState::kRetry, "sending retry quarantined", true},
    {WorkState::kAmbiguous, "sending ambiguous quarantined", true},
    {WorkState::kQuarantined, "received queued superseded", false},
    {WorkState::kHeld, "received queued quarantined superseded", false},
    {WorkState::kSuperseded, "", false},
    {WorkState::kRejected, "", false},
};

TEST(WorkState, Transitions_AreThoseOfTheDiagram) {
  std::set<WorkState> seen;
  for (const Row& row : kDiagram) {
    EXPECT_EQ(FollowersOf(row.from), row.followers) << Name(row.from);
    EXPECT_EQ(BlocksPatient(row.from), row.blocks) << Name(row.from);
    EXPECT_EQ(IsFinal(row.from), std::string(row.followers).empty()) << Name(row.from);
    seen.insert(row.from);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kWorkStates));
}

TEST(WorkState, Names_ReadBack) {
  for (int i = 0; i < kWorkStates; ++i) {
    const auto state = static_cast<WorkState>(i);
    EXPECT_EQ(WorkStateFromName(Name(state)), state);
  }
  EXPECT_EQ(WorkStateFromName("nothing"), std::nullopt);
}

// An older revision that may be on the server is never dropped from the line.
TEST(WorkState, InFlight_IsNeverSuperseded) {
  for (const WorkState state : {WorkState::kSending, WorkState::kRetry, WorkState::kAmbiguous}) {
    EXPECT_FALSE(MayFollow(state, WorkState::kSuperseded)) << Name(state);
  }
}

}  // namespace
}  // namespace fhir_adapter::outbox
