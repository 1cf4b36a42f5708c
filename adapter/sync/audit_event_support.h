// AuditEventSupport: whether the server is sent AuditEvents, and why (not). Sending them is configured, and a
// server need not take them: one that does not list the type, or refuses it, is sent none, which is said
// once.
//
// A value of the ladder's thread. FHIR R4 auditevent.html; IHE BALP.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sync/server_capabilities.h"

namespace fhir_adapter::sync {

enum class AuditEventState : std::uint8_t {
  kOff,        // not configured
  kNotSaid,    // the server does not say what it takes: tried
  kListed,     // it says that it takes them
  kNotListed,  // it says what it takes, and they are not among it
  kRefused,    // it took none
};
inline constexpr int kAuditEventStates = 5;

constexpr std::string_view Name(AuditEventState state) {
  constexpr std::array<std::string_view, kAuditEventStates> names = {"off", "not-said", "listed",
                                                                     "not-listed", "refused"};
  return names[static_cast<std::size_t>(state)];
}

class AuditEventSupport {
 public:
  explicit AuditEventSupport(bool is_configured = false);

  // What the server says of itself. Says it something else than before, its refusal no longer counts.
  void Learn(const ServerCapabilities& capabilities);
  void Refuse();
  // A person wants what it refused to be tried again.
  void Forget();

  AuditEventState state() const { return state_; }
  bool is_sent() const { return state_ == AuditEventState::kNotSaid || state_ == AuditEventState::kListed; }

 private:
  void Become(AuditEventState state);

  AuditEventState state_;
  AuditEventState said_ = AuditEventState::kNotSaid;
};

}  // namespace fhir_adapter::sync
