#include "outbox/queue_reader.h"

namespace fhir_adapter::outbox {

std::int64_t QueueStatistics::undelivered() const {
  std::int64_t total = 0;
  for (int i = 0; i < kWorkStates; ++i) {
    if (!IsFinal(static_cast<WorkState>(i))) total += by_state[static_cast<std::size_t>(i)];
  }
  return total;
}

}  // namespace fhir_adapter::outbox
