// RetentionThread: takes away what [retention] says is no longer kept, and measures what the disk holds.
//
// A pass begins at the start and each hour after; it works in batches, each a piece of work of its own, so
// that intake and delivery go on between them. The disk is measured each kMeasureIntervalUs.
//
// Owns its thread. Start once; Stop may be called from any thread and is what the destructor does too. Look
// is what the thread does each second, on the clock given; `disk_use` may be called from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/disk_use.h"
#include "core/clock.h"
#include "outbox/retention.h"

namespace fhir_adapter::app {

struct RetentionSettings {
  std::int64_t done_days = 0;    // 0: for good; so the next
  std::int64_t record_days = 0;  // bytes and mapped resources of delivered records
  DiskPlaces places;
};

class RetentionThread {
 public:
  RetentionThread(storage::Store& store, outbox::Retention& retention, Clock& clock,
                  RetentionSettings settings);
  ~RetentionThread();

  void Start();
  void Stop();
  void Look();

  DiskUse disk_use() const;

 private:
  void Run();
  bool is_stopping() const;
  void Pass();
  Result<void> ExpireRecords();
  Result<void> ExpireFiles(const std::string& folder);

  storage::Store& store_;
  outbox::Retention& retention_;
  Clock& clock_;
  const RetentionSettings settings_;
  std::int64_t next_pass_us_ = 0;  // monotonic; so the next
  std::int64_t next_measure_us_ = 0;

  mutable std::mutex mutex_;  // guards the next two
  bool stopping_ = false;
  DiskUse disk_use_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace fhir_adapter::app
