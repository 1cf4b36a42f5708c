// DeliveryLadder: on which rung plans travel, and why: what the server says of itself, what it did with what
// was sent, or what the configuration demands.
//
//   transaction ─▶ batch, with references resolved before ─▶ ordered single requests ─▶ (the work is held)
//
// A rung that the server does not speak of is tried; refused with a status that may be about the content
// (400, 404), an empty Bundle tells which. It goes down only, until the server says something else of itself.
// How new resources get there is asked of `forms`, on every rung.
// One thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "sync/audit_event_support.h"
#include "sync/create_forms.h"
#include "sync/delivery_encoder.h"
#include "sync/server_capabilities.h"

namespace fhir_adapter::sync {

enum class RungReason : std::uint8_t {
  kNotSaid,     // the server lists no interactions: tried
  kListed,      // by the server, or what it leaves when it lists nothing higher
  kRefused,     // the rung above was refused
  kTakenApart,  // a transaction was carried out entry by entry
  kConfigured,  // [endpoint] profile
};
inline constexpr int kRungReasons = 5;

constexpr std::string_view Name(RungReason reason) {
  constexpr std::array<std::string_view, kRungReasons> names = {"not-said", "listed", "refused",
                                                                "taken-apart", "configured"};
  return names[static_cast<std::size_t>(reason)];
}

struct RungChoice {
  Rung rung = Rung::kTransaction;
  RungReason reason = RungReason::kNotSaid;

  bool operator==(const RungChoice&) const = default;
};

// Where to begin with a server that says this of itself.
RungChoice ChooseRung(const ServerCapabilities& capabilities);

class DeliveryLadder {
 public:
  // `fixed`: demanded by the configuration; the server is not asked. `audit_events`: they are to be sent.
  DeliveryLadder(const std::string& base_url, std::optional<Rung> fixed, bool audit_events = false);

  void Learn(const ServerCapabilities& capabilities);

  // The server would not have what was sent on `rung`. True when there is another to go on with.
  bool StepDown(Rung rung, RungReason reason);

  // The server took a Bundle of this kind.
  void Prove(Rung rung) { proven_[static_cast<std::size_t>(rung)] = true; }
  // It did, or it says that it does, or nobody may ask.
  bool IsProven(Rung rung) const;

  const DeliveryEncoder& encoder() const { return encoder(choice_.rung); }
  const DeliveryEncoder& encoder(Rung rung) const { return *encoders_[static_cast<std::size_t>(rung)]; }
  const RungChoice& choice() const { return choice_; }
  bool HasLower(Rung rung) const { return !fixed_ && rung != Rung::kSingle; }

  CreateForms& forms() { return forms_; }
  AuditEventSupport& audit_events() { return audit_events_; }

 private:
  std::array<std::unique_ptr<const DeliveryEncoder>, kRungs> encoders_;
  std::optional<Rung> fixed_;
  std::optional<RungChoice> learned_;  // what the server said last
  std::array<bool, kRungs> proven_{};  // since then
  RungChoice choice_;
  CreateForms forms_;
  AuditEventSupport audit_events_;
};

}  // namespace fhir_adapter::sync
