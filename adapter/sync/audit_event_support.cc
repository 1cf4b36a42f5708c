#include "sync/audit_event_support.h"

#include "core/log.h"
#include "sync/audit_event.h"

namespace fhir_adapter::sync {
namespace {

AuditEventState StateIn(const ServerCapabilities& capabilities) {
  if (capabilities.types.empty()) return AuditEventState::kNotSaid;
  const auto type = capabilities.types.find(std::string(kAuditEvent));
  const bool is_listed = type != capabilities.types.end() && type->second.writes.value_or(true);
  return is_listed ? AuditEventState::kListed : AuditEventState::kNotListed;
}

}  // namespace

AuditEventSupport::AuditEventSupport(bool is_configured)
    : state_(is_configured ? AuditEventState::kNotSaid : AuditEventState::kOff) {}

void AuditEventSupport::Learn(const ServerCapabilities& capabilities) {
  const AuditEventState said = StateIn(capabilities);
  if (said == said_) return;
  said_ = said;
  Become(said);
}

void AuditEventSupport::Refuse() {
  Become(AuditEventState::kRefused);
}

void AuditEventSupport::Forget() {
  if (state_ == AuditEventState::kRefused) Become(said_);
}

void AuditEventSupport::Become(AuditEventState state) {
  if (state_ == AuditEventState::kOff || state_ == state) return;
  const bool was_sent = is_sent();
  state_ = state;
  if (was_sent == is_sent()) return;
  LogEvent(is_sent() ? LogLevel::kInfo : LogLevel::kWarning, "audit-events",
           {{"sent", is_sent() ? "yes" : "no"}, {"reason", Name(state)}});
}

}  // namespace fhir_adapter::sync
