// A child process of a test: its output is collected, and it is killed and reaped with the object.
//
// Methods may be called from one thread; two threads of its own read the output.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace fhir_adapter::test {

struct ProcessOptions {
  std::vector<std::string> arguments;                            // the first is the program, found by PATH
  std::vector<std::pair<std::string, std::string>> environment;  // added to the test's own
  std::string working_directory;
  std::string input;  // standard input
};

class Process {
 public:
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // The first line of standard output or standard error, not yet returned by this method, that holds `text`.
  // Empty when the process ended or the deadline passed without one.
  std::optional<std::string> WaitForLine(std::string_view text, std::int64_t deadline_ms = 30'000);

  void Signal(int signal) const;
  // The exit code, or 128 plus the signal; empty when it still runs at the deadline.
  std::optional<int> Wait(std::int64_t deadline_ms = 30'000);

  std::string StandardOutput() const;
  std::string StandardError() const;

 private:
  struct Output;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::unique_ptr<Output> output_;
};

// Runs to the end; the exit code is -1 when the deadline passed.
struct ProcessResult {
  int exit_code = -1;
  std::string standard_output;
  std::string standard_error;
};
ProcessResult RunProcess(const ProcessOptions& options, std::int64_t deadline_ms = 60'000);

}  // namespace fhir_adapter::test
