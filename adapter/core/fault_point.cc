#include "core/fault_point.h"

#ifdef FHIR_ADAPTER_FAULT_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace fhir_adapter {
namespace {

struct Plan {
  std::string name;
  long pass = 1;  // at which it dies
  int log = -1;
};

const Plan& ReadPlan() {
  static const Plan plan = [] {
    Plan read;
    if (const char* fault = std::getenv("FHIR_ADAPTER_FAULT")) {
      read.name = fault;
      if (const std::size_t at = read.name.find('@'); at != std::string::npos) {
        read.pass = std::strtol(read.name.c_str() + at + 1, nullptr, 10);
        read.name.resize(at);
      }
    }
    if (const char* log = std::getenv("FHIR_ADAPTER_FAULT_LOG")) {
      read.log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    return read;
  }();
  return plan;
}

}  // namespace

void PassFaultPoint(const char* name) {
  const Plan& plan = ReadPlan();
  if (plan.log >= 0) {
    const std::string line = std::string(name) + "\n";
    static_cast<void>(write(plan.log, line.data(), line.size()) == 0);
  }
  static std::atomic<long> passed{0};
  if (plan.name == name && passed.fetch_add(1) + 1 == plan.pass) {
    raise(SIGKILL);
  }
}

}  // namespace fhir_adapter

#endif
