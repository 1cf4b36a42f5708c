#include "outbox/work_state.h"

#include <array>
#include <cstddef>

namespace fhir_adapter::outbox {
namespace {

constexpr std::array<std::string_view, kWorkStates> kNames = {
    "received",  "mapped",      "queued", "sending",    "delivered", "retry",
    "ambiguous", "quarantined", "held",   "superseded", "rejected"};

constexpr unsigned Bit(WorkState state) {
  return 1U << static_cast<unsigned>(state);
}

// Which states may follow, by state.
constexpr std::array<unsigned, kWorkStates> kFollowers = {
    /* received */ Bit(WorkState::kMapped) | Bit(WorkState::kQuarantined) | Bit(WorkState::kHeld) |
        Bit(WorkState::kSuperseded),
    // Delivered at once when its rules ran again and gave what is already there.
    /* mapped */ Bit(WorkState::kQueued) | Bit(WorkState::kDelivered) | Bit(WorkState::kSuperseded),
    /* queued */ Bit(WorkState::kSending) | Bit(WorkState::kHeld) | Bit(WorkState::kQuarantined) |
        Bit(WorkState::kSuperseded),
    /* sending */ Bit(WorkState::kDelivered) | Bit(WorkState::kRetry) | Bit(WorkState::kAmbiguous) |
        Bit(WorkState::kQuarantined) | Bit(WorkState::kHeld) | Bit(WorkState::kQueued),
    /* delivered */ 0,
    // To itself: a person wants it tried at once.
    /* retry */ Bit(WorkState::kSending) | Bit(WorkState::kRetry) | Bit(WorkState::kQuarantined),
    /* ambiguous */ Bit(WorkState::kSending) | Bit(WorkState::kAmbiguous) | Bit(WorkState::kQuarantined),
    /* quarantined */ Bit(WorkState::kReceived) | Bit(WorkState::kQueued) | Bit(WorkState::kSuperseded),
    /* held */ Bit(WorkState::kReceived) | Bit(WorkState::kQueued) | Bit(WorkState::kQuarantined) |
        Bit(WorkState::kSuperseded),
    /* superseded */ 0,
    /* rejected */ 0,
};

}  // namespace

std::string_view Name(WorkState state) {
  return kNames[static_cast<std::size_t>(state)];
}

std::optional<WorkState> WorkStateFromName(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<WorkState>(i);
  }
  return std::nullopt;
}

bool MayFollow(WorkState from, WorkState to) {
  return (kFollowers[static_cast<std::size_t>(from)] & Bit(to)) != 0;
}

bool BlocksPatient(WorkState state) {
  constexpr unsigned kBlocking = Bit(WorkState::kReceived) | Bit(WorkState::kMapped) |
                                 Bit(WorkState::kQueued) | Bit(WorkState::kSending) | Bit(WorkState::kRetry) |
                                 Bit(WorkState::kAmbiguous);
  return (kBlocking & Bit(state)) != 0;
}

bool IsFinal(WorkState state) {
  return kFollowers[static_cast<std::size_t>(state)] == 0;
}

}  // namespace fhir_adapter::outbox
