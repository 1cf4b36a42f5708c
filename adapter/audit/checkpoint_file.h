// The checkpoints of a log, one after the other, in a file that only grows. It stands beside the database, so
// that a database that was rolled back shows; or on another mount, as a witness.
//
// A note, then an empty line. What a crash left half written at the end counts as not there and is cut off by
// the next Append. One writer; readers may look at any time. Errors: kInputOutput, kDiskFull.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::audit {

class CheckpointFile {
 public:
  explicit CheckpointFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool exists() const;

  // Durable when it returns.
  Result<void> Append(std::string_view note) const;
  // After a restore: what is there goes behind `{path}.before-restore`, and the file begins with `note`, or
  // is gone when that is empty.
  Result<void> StartAgain(std::string_view note) const;
  // Each complete note from the first to the last, until `visit` fails.
  Result<void> ForEach(const std::function<Result<void>(const std::string& note)>& visit) const;
  // Empty when there is none.
  Result<std::string> Last() const;

 private:
  std::string path_;
};

}  // namespace fhir_adapter::audit
