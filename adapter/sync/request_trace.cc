#include "sync/request_trace.h"

namespace fhir_adapter::sync {
namespace {

std::string RandomHex(Random& random, int words) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < words; ++i) {
    std::uint64_t value = random.Next();
    for (int digit = 0; digit < 16; ++digit, value >>= 4) text += kDigits[value & 0xF];
  }
  return text;
}

}  // namespace

RequestTrace NewRequestTrace(Random& random, std::string_view trace_id) {
  RequestTrace trace;
  trace.request_id = RandomHex(random, 2);
  const std::string id = trace_id.empty() ? RandomHex(random, 2) : std::string(trace_id);
  trace.traceparent = "00-" + id + "-" + RandomHex(random, 1) + "-01";
  return trace;
}

}  // namespace fhir_adapter::sync
