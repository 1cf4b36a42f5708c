#include "app/signals.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace fhir_adapter::app {
namespace {

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t set = Handled();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

std::optional<int> WaitForSignal(std::int64_t timeout_ms) {
  const sigset_t set = Handled();
  const timespec timeout{timeout_ms / 1'000, (timeout_ms % 1'000) * 1'000'000};
  const int signal = sigtimedwait(&set, nullptr, &timeout);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

}  // namespace fhir_adapter::app
