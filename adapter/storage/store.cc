#include <condition_variable>
#include <mutex>
#include <optional>

#include "storage/transaction.h"

namespace fhir_adapter::storage {

Result<void> Write(Store& store, Store::Work work) {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<Result<void>> outcome;
  store.Submit(std::move(work), [&](const Result<void>& result) {
    // Notified under the lock: the waiting frame, with the condition variable, may end right after it.
    const std::scoped_lock lock(mutex);
    outcome.emplace(result);
    finished.notify_one();
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return outcome.has_value(); });
  return std::move(*outcome);
}

}  // namespace fhir_adapter::storage
