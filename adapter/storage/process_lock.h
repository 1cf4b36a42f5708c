// ProcessLock: one writing process for a store. An flock on `{path}.lock`, whose content names the holder.
//
// Held until destroyed or until the process ends, however it ends. Not inherited by child processes.
// Errors: kStoreLocked with the holder's process id; kStoreFailed when the lock file cannot be made.
#pragma once

#include <string>

#include "core/result.h"

namespace fhir_adapter::storage {

class ProcessLock {
 public:
  static Result<ProcessLock> Acquire(const std::string& store_path);

  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;
  ProcessLock& operator=(ProcessLock&&) = delete;
  ~ProcessLock();

 private:
  explicit ProcessLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace fhir_adapter::storage
