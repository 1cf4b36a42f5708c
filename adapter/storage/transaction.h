// The store as others see it: work submitted to its one writer, and consistent reads beside it.
//
// Ports (outbox, audit) take a Transaction or a Snapshot and know nothing of the database behind it; what
// several of them do with one Transaction becomes durable together or not at all.
//
// Threads: Store may be used from any thread. A Transaction lives only inside the Work that received it, on
// the writer's thread; a Snapshot only inside the read that received it, on the thread of its caller.
// Errors: kDiskFull (nothing was stored; the store tries by itself and resumes), kStoreFailed (an I/O error:
// what was stored is unknown, so acknowledge nothing more and stop), kHighWater (the writer's queue is full),
// kNotReady (the store is closing).
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/result.h"

namespace fhir_adapter::storage {

// A consistent view of the store; never changes it.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 protected:
  Snapshot() = default;
};

// A view that may also be changed; sees its own changes.
class Transaction : public Snapshot {};

enum class Health {
  kReady,
  kDiskFull,  // refuses work, probes, resumes by itself
  kFailed,    // refuses work for good: the process has to stop and start again
};

class Store {
 public:
  // Runs on the writer's thread. An error undoes what this work did and nothing else.
  using Work = std::function<Result<void>(Transaction&)>;
  // Called once, on the writer's thread, after the commit is durable, or with the reason why it is not.
  // Must be short and must not wait for the store.
  using Done = std::function<void(const Result<void>&)>;

  virtual ~Store() = default;

  // Queues `work`; several share one commit. When the queue is full or the store refuses work, `done` is
  // called with the error before Submit returns, on the thread of the caller.
  virtual void Submit(Work work, Done done) = 0;

  // Runs `read` on the calling thread. Never waits for the writer.
  virtual Result<void> Read(const std::function<Result<void>(Snapshot&)>& read) = 0;

  virtual Health health() const = 0;
};

// Submits and waits until it is durable. Never call it on the writer's thread (that is, in Work or Done).
Result<void> Write(Store& store, Store::Work work);

template <class T>
Result<T> WriteValue(Store& store, std::function<Result<T>(Transaction&)> work) {
  std::optional<T> value;
  ADAPTER_CHECK(Write(store, [&](Transaction& transaction) -> Result<void> {
    ADAPTER_TRY(T made, work(transaction));
    value.emplace(std::move(made));
    return {};
  }));
  return std::move(*value);
}

template <class T>
Result<T> ReadValue(Store& store, const std::function<Result<T>(Snapshot&)>& read) {
  std::optional<T> value;
  ADAPTER_CHECK(store.Read([&](Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(T found, read(snapshot));
    value.emplace(std::move(found));
    return {};
  }));
  return std::move(*value);
}

}  // namespace fhir_adapter::storage
