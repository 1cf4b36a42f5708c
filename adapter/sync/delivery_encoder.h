// DeliveryEncoder: how a plan travels. A port: each way of sending that a server may allow is one encoder.
//
// An encoder gives one request at a time and is told the answer, so that ways that need several requests fit
// in. Encoders keep no state of their own beyond the plan they encode. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sync/delivery_planner.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

// What an answer says of one entry of the plan.
struct EntryAnswer {
  std::size_t entry = 0;  // index in the plan
  int status = 0;
  std::string server_id;   // empty: not said
  std::string version_id;  // empty: not said
};

struct EncodedAnswer {
  // The entries that the answer speaks of beyond doubt. Others were sent too: look them up.
  std::vector<EntryAnswer> entries;
  // The gravest status among the entries; 0 when none failed. Not 0 only where entries can fail alone.
  int failed_status = 0;
};

class DeliveryEncoder {
 public:
  virtual ~DeliveryEncoder() = default;

  virtual std::string_view operation() const = 0;  // "transaction", "batch", "single"

  virtual FhirRequest Encode(const DeliveryPlan& plan) const = 0;

  // `body` of a 2xx answer. Error kServerAnswer: it cannot be read, so what happened is not known.
  virtual Result<EncodedAnswer> Read(const DeliveryPlan& plan, std::string_view body) const = 0;
};

}  // namespace fhir_adapter::sync
