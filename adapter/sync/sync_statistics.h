// What delivery counts, for /metrics and people. Values; labels are closed sets, so their number is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "sync/audit_event_support.h"
#include "sync/circuit_breaker.h"
#include "sync/create_forms.h"
#include "sync/delivery_ladder.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

enum class AnswerClass : std::uint8_t { kSuccess, kClientError, kServerError, kOther, kLost };
inline constexpr int kAnswerClasses = 5;
constexpr std::string_view Name(AnswerClass answer_class) {
  constexpr std::array<std::string_view, kAnswerClasses> names = {"2xx", "4xx", "5xx", "other", "lost"};
  return names[static_cast<std::size_t>(answer_class)];
}

// Upper bounds of the duration buckets in microseconds; the last bucket is without bound.
inline constexpr std::array<std::int64_t, 8> kDurationBoundsUs = {5'000,   20'000,    50'000,    100'000,
                                                                  500'000, 1'000'000, 5'000'000, 30'000'000};

struct RequestStatistics {
  std::array<std::int64_t, kAnswerClasses> answers{};
  std::array<std::int64_t, kDurationBoundsUs.size() + 1> durations{};  // not cumulative
  std::int64_t duration_sum_us = 0;
};

inline constexpr int kDeliveryOutcomes = 6;  // outbox::DeliveryOutcome

struct SyncStatistics {
  std::array<RequestStatistics, kRequestKinds> requests{};  // index: RequestKind
  std::array<std::int64_t, kDeliveryOutcomes> outcomes{};   // index: outbox::DeliveryOutcome
  std::int64_t resources_written = 0;
  std::int64_t resources_adopted = 0;
  std::int64_t patients_released = 0;
  std::int64_t leases_lost = 0;
  std::int64_t lacking_released = 0;  // held since the server lacked something, tried again
  std::int64_t in_flight = 0;
  std::int64_t concurrency = 0;  // patients that may be sent at a time now
  RouteState route = RouteState::kProbing;
  std::int64_t troubles = 0;       // how often the endpoint could no longer be used
  bool has_trouble = false;        // an alert is due while this holds
  Code trouble = Code::kInternal;  // its reason
  RungChoice rung;                 // how plans travel, and why
  std::vector<PostedType> posted;  // types whose new resources the server names, and why
  AuditEventState audit_events = AuditEventState::kOff;
  std::string server_software;  // from /metadata; empty before
};

}  // namespace fhir_adapter::sync
