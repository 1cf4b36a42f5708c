#include "app/since_option.h"

#include "fhir/temporal.h"

namespace fhir_adapter::app {

Result<std::optional<TimeUs>> ParseSince(const std::string& text) {
  if (text.empty()) return std::optional<TimeUs>();
  const auto time = fhir::Temporal::ParseDateTime(text);
  const auto interval = time ? time->ToUtcInterval(0) : std::nullopt;
  if (!interval) {
    return Fail(Code::kUsage, "--since is a date or a time with offset: 2026-03-01 or 2026-03-01T08:00:00Z");
  }
  return std::optional(TimeUs{interval->first_us});
}

}  // namespace fhir_adapter::app
