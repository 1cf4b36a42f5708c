#include "audit/clock_watch.h"

#include <algorithm>

#include "audit/checkpointer.h"

namespace fhir_adapter::audit {
namespace {

constexpr std::int64_t kToleranceUs = 1'000'000;
constexpr std::string_view kTimeMember = "\"time_utc\":\"";

}  // namespace

bool ClockWatch::HasGoneBack(TimeUs now, std::int64_t monotonic_us) {
  const std::int64_t offset_us = now.us - monotonic_us;
  const bool is_back = offset_us_ && offset_us < *offset_us_ - kToleranceUs;
  offset_us_ = offset_us;
  return is_back;
}

Result<void> AppendClockSetBack(const LogPorts& ports, TimeUs now) {
  return storage::Write(ports.store, [&](storage::Transaction& transaction) -> Result<void> {
    Entry entry;
    entry.time = now;
    entry.event = EventKind::kClockSetBack;
    entry.actor = SystemPrincipal();
    ADAPTER_CHECK(ports.log.Append(transaction, entry));
    return {};
  });
}

std::optional<std::string_view> TimeTextOf(std::string_view entry) {
  const std::size_t begin = entry.find(kTimeMember);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view rest = entry.substr(begin + kTimeMember.size());
  return rest.substr(0, rest.find('"'));
}

Result<bool> IsBehindLog(const LogPorts& ports, TimeUs now) {
  return storage::ReadValue<bool>(ports.store, [&](storage::Snapshot& snapshot) -> Result<bool> {
    ADAPTER_TRY(const Sequence last, ports.log.Size(snapshot));
    std::string time;
    ADAPTER_CHECK(ports.log.ForEach(snapshot, last, last, [&](Sequence, std::string_view bytes) {
      time = TimeTextOf(bytes).value_or("");
      return true;
    }));
    // One format for all times: their order is that of their texts.
    return time > ToString(TimeUs{now.us + kToleranceUs});
  });
}

}  // namespace fhir_adapter::audit
