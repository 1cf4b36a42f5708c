// The states of a piece of work and which may follow which.
//
//   received ──▶ mapped ──▶ queued ──▶ sending ──▶ delivered
//      │            │         ▲  │ ▲       │ │
//      │            │         │  │ └───────┘ ├──▶ retry ───────▶ sending
//      │            │         │  │ (deferred)├──▶ ambiguous ───▶ sending (searches first)
//      │            │         │  ├───────────┼──▶ held ────────▶ queued (patient found, conflict decided)
//      ├────────────│─────────│──┴───────────┴──▶ quarantined ─▶ queued, or received to be mapped again
//      │            │         └───────────────────────┘
//      └────────────┴──▶ superseded ◀── queued, held, quarantined; never from sending, retry, ambiguous
//
// mapped ──▶ delivered without sending when rules ran again and changed nothing. queued ──▶ held when what it
// depends on is parked. received ──▶ held, and back, while the administration that a pushed Observation
// speaks of is not known. A person may quarantine what is queued, held, in retry or ambiguous.
//
// `rejected` is the state of a record that never entered the queue. Every transition is one commit with its
// audit entry; the one function that makes it stands in the backend.
//
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fhir_adapter::outbox {

enum class WorkState : std::uint8_t {
  kReceived,
  kMapped,
  kQueued,
  kSending,
  kDelivered,
  kRetry,
  kAmbiguous,
  kQuarantined,
  kHeld,
  kSuperseded,
  kRejected,
};
inline constexpr int kWorkStates = 11;

std::string_view Name(WorkState state);
std::optional<WorkState> WorkStateFromName(std::string_view name);

bool MayFollow(WorkState from, WorkState to);

// True while the work keeps later work of its patient waiting (FIFO).
bool BlocksPatient(WorkState state);

// True when nothing more will happen by itself or by a person.
bool IsFinal(WorkState state);

}  // namespace fhir_adapter::outbox
