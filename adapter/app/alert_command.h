// AlertCommand: runs the program of [alert] command for each alert, so that somebody is called.
//
// Not through a shell: the configured words are its arguments, followed by `started` or `ended`, the kind of
// the alert and its reason, none of which holds anything of a patient. One run at a time, in the order of the
// alerts; standard input and output are /dev/null. One that runs for too long is ended with all that it
// started. Owns its thread; Run may be called from any thread and does not wait. The destructor lets what is
// running come to its end or its limit, and drops the rest.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/alert_book.h"

namespace fhir_adapter::app {

inline constexpr std::int64_t kAlertCommandMs = 10'000;

class AlertCommand {
 public:
  // Empty words: nothing is ever run.
  explicit AlertCommand(std::vector<std::string> words, std::int64_t limit_ms = kAlertCommandMs);
  ~AlertCommand();
  AlertCommand(const AlertCommand&) = delete;
  AlertCommand& operator=(const AlertCommand&) = delete;

  void Run(const Alert& alert);

 private:
  void Work();
  void RunOne(const Alert& alert) const;

  const std::vector<std::string> words_;
  const std::int64_t limit_ms_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Alert> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace fhir_adapter::app
