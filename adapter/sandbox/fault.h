// Faults that the sandbox commits on purpose, so that a client can be tried on bad days.
//
// Grammar of a specification:
//
//   SPEC  = KIND *( ":" OPTION )
//   KIND  = "status:" CODE      answer with this status and do nothing     (400 to 599)
//         | "delay:" MS         do it, answer so many milliseconds later
//         | "drop"              do it, then close the connection without an answer
//         | "reset"             do nothing, reset the connection
//   OPTION = COUNT              only the first COUNT requests that match
//         | "every=" N          only every Nth request that matches
//         | "p=" P [ "/" SEED ] only with this probability; the same seed gives the same requests
//         | "retry-after=" S    send Retry-After with a status
//         | METHOD [ " " PATH ] only this method ("*" for any), only paths below the base with this prefix
//
// Examples: "status:503:3:POST /", "drop:every=10:POST", "delay:200:p=0.1/7", "status:422:PUT /Observation".
// Parsing is pure; a FaultInjector counts, and belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter::sandbox {

enum class FaultKind : std::uint8_t { kStatus, kDelay, kDrop, kReset };

struct FaultSpec {
  FaultKind kind = FaultKind::kStatus;
  int status = 503;
  std::int64_t delay_ms = 0;
  std::optional<std::uint64_t> first;        // only the first so many
  std::optional<std::uint64_t> every;        // only every Nth
  std::optional<std::uint32_t> per_million;  // only with this probability
  std::uint64_t seed = 1;
  std::optional<std::int64_t> retry_after_s;
  std::string method;       // empty: any
  std::string path_prefix;  // below the base: "/Observation"; empty: any
};

// Error: kUsage with the part that is wrong.
Result<FaultSpec> ParseFault(std::string_view text);

class FaultInjector {
 public:
  explicit FaultInjector(std::vector<FaultSpec> faults);

  // The first fault that hits this request, or none. `path` is relative to the base: "/Patient/1".
  const FaultSpec* Next(std::string_view method, std::string_view path);

 private:
  struct Armed {
    FaultSpec fault;
    std::uint64_t seen = 0;
    std::uint64_t random_state = 0;
  };
  std::vector<Armed> armed_;
};

}  // namespace fhir_adapter::sandbox
