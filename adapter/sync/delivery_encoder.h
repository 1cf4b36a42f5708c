// DeliveryEncoder: how a plan travels. A port: each way of sending that a server may allow is one encoder, a
// rung of the ladder.
//
// An encoder says which entries of a plan go next, gives the request for them, and reads its answer. What has
// been written leaves the plan, so that a way that needs several requests goes on where it stands, after a
// lost answer and after a restart too. Encoders keep no state. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sync/delivery_planner.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

// From the top: what a server should take, down to what every server that can be written to does.
enum class Rung : std::uint8_t {
  kTransaction,
  kBatch,   // bundles of entries that do not refer to each other
  kSingle,  // one request a resource, what is referred to first
};
inline constexpr int kRungs = 3;

constexpr std::string_view Name(Rung rung) {
  constexpr std::array<std::string_view, kRungs> names = {"transaction", "batch", "single"};
  return names[static_cast<std::size_t>(rung)];
}

// What an answer says of one entry of the step.
struct EntryAnswer {
  std::size_t entry = 0;  // index in the step
  int status = 0;
  std::string server_id;   // empty: not said
  std::string version_id;  // empty: not said
};

struct EncodedAnswer {
  // The entries that the answer speaks of beyond doubt. Others were sent too: look them up.
  std::vector<EntryAnswer> entries;
  // The first status of an entry that failed; 0 when none did.
  int failed_status = 0;
  std::string failed_outcome;  // the OperationOutcome of that entry; empty: none was given
  // Sent as a whole and carried out entry by entry: references between the entries may lead nowhere, and
  // nothing of it can be taken for done without looking.
  bool was_taken_apart = false;
};

class DeliveryEncoder {
 public:
  virtual ~DeliveryEncoder() = default;

  virtual Rung rung() const = 0;

  // The entries of the next request, in the order of the plan. Empty, and the plan is not: what is left
  // refers to itself in a circle, which this way cannot send.
  virtual std::vector<std::size_t> NextEntries(const DeliveryPlan& plan) const = 0;

  // `step`: the entries of NextEntries, with the literals of the plan.
  virtual FhirRequest Encode(const DeliveryPlan& step) const = 0;

  // Of a 2xx answer. Error kServerAnswer: it cannot be read, so what happened is not known.
  virtual Result<EncodedAnswer> Read(const DeliveryPlan& step, const FhirAnswer& answer) const = 0;
};

}  // namespace fhir_adapter::sync
