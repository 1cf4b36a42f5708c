// The part of Delivery that makes AuditEvents, and reads what a server says to them. A refusal of these says
// nothing of other work: neither the ladder nor the route changes.

#include "sync/audit_event.h"
#include "sync/delivery.h"

namespace fhir_adapter::sync {
namespace {

// By a server that does not keep them, or lets nobody but itself write them.
bool MayRefuseType(int status) {
  return status == 403 || status == 404 || status == 405 || status == 501;
}

}  // namespace

std::string Delivery::AuditEventOf(const PlannedEntry& entry, const outbox::ResourceWrite& write,
                                   WriteOrigin origin) const {
  const bool is_made = services_.ladder.audit_events().is_sent() && !IsAuditEvent();
  if (!is_made || origin == WriteOrigin::kFound) return {};
  Interaction interaction;
  interaction.is_create = !entry.exists;
  interaction.type = write.key.type;
  interaction.server_id = write.server_id;
  interaction.version_id = write.version_id;
  interaction.patient = entry.patient;
  if (origin == WriteOrigin::kAnswered) interaction.request_id = trace_.request_id;
  interaction.recorded = services_.clock.Now();
  const Participants participants{services_.settings.canonical_base, services_.settings.client,
                                  services_.client.base_url(), AuthorOf(item_)};
  return MakeAuditEvent(interaction, participants);
}

// First one by one, then in the other form; then the server does not take them, or not this one.
void Delivery::TakeAuditRefusal() {
  const int status = refused_facts_.status;
  const bool is_refused = refused_facts_.transport == Transport::kAnswered &&
                          (MayRefuseType(status) || status == 400 || status == 422);
  if (is_refused && encoder_->rung() != Rung::kSingle) {
    is_single_ = true;
    return PlanAndSend();
  }
  if (is_refused && TryOtherForm()) return;
  if (is_refused && MayRefuseType(status)) {
    services_.ladder.audit_events().Refuse();
    return FinishWithoutAuditEvents();
  }
  Decide(Classify(refused_facts_));
}

void Delivery::FinishWithoutAuditEvents() {
  Finish(outbox::DeliveryOutcome::kHeld, Code::kServerLacks,
         "AuditEvents are not sent to this server (" +
             std::string(Name(services_.ladder.audit_events().state())) + ")");
}

}  // namespace fhir_adapter::sync
