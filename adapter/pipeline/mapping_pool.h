// MappingPool: threads that map what was received. Records of one patient are mapped by one thread, in the
// order they came; patients go in parallel. What a stopped process left behind is picked up at Start.
//
// Start once, Wake from any thread, Stop (or the destructor) waits for the record in hand. A store that fails
// ends the threads; `failed` tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/result.h"
#include "outbox/inbox.h"
#include "pipeline/record_mapper.h"
#include "storage/transaction.h"

namespace fhir_adapter::pipeline {

class MappingPool {
 public:
  struct Settings {
    std::size_t threads = 2;
    std::int64_t scan_ms = 1'000;  // looks for work at least that often
  };

  MappingPool(storage::Store& store, outbox::Inbox& inbox, Clock& clock, Settings settings);
  ~MappingPool();
  MappingPool(const MappingPool&) = delete;
  MappingPool& operator=(const MappingPool&) = delete;

  // The mapper may be replaced while the pool runs; a record is mapped by one of them from end to end.
  // shared_ptr: the pool's threads finish their record with the mapper they began with.
  void SetMapper(std::shared_ptr<const RecordMapper> mapper);

  void Start();
  void Wake();
  void Stop();

  // Maps everything that waits on the calling thread, as a command without a daemon and tests do. Not between
  // Start and Stop.
  Result<void> Drain();

  bool failed() const;

  // Called on the writer's thread after work was queued for delivery: wakes the sender.
  void OnQueued(std::function<void()> notify);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::pipeline
