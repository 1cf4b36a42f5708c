#include "sync/delivery_ladder.h"

#include "core/log.h"
#include "sync/bundle_encoder.h"
#include "sync/single_encoder.h"

namespace fhir_adapter::sync {

RungChoice ChooseRung(const ServerCapabilities& capabilities) {
  if (!capabilities.transaction) return {Rung::kTransaction, RungReason::kNotSaid};
  if (*capabilities.transaction) return {Rung::kTransaction, RungReason::kListed};
  const bool batch = capabilities.batch.value_or(false);
  return {batch ? Rung::kBatch : Rung::kSingle, RungReason::kListed};
}

DeliveryLadder::DeliveryLadder(const std::string& base_url, std::optional<Rung> fixed, bool audit_events)
    : encoders_{std::make_unique<BundleEncoder>(base_url, Rung::kTransaction),
                std::make_unique<BundleEncoder>(base_url, Rung::kBatch),
                std::make_unique<SingleEncoder>(base_url)},
      fixed_(fixed),
      audit_events_(audit_events) {
  if (fixed) choice_ = {*fixed, RungReason::kConfigured};
}

void DeliveryLadder::Learn(const ServerCapabilities& capabilities) {
  forms_.Learn(capabilities);
  audit_events_.Learn(capabilities);
  const RungChoice said = ChooseRung(capabilities);
  if (fixed_ || said == learned_) return;
  learned_ = said;
  choice_ = said;
  proven_ = {};
}

bool DeliveryLadder::IsProven(Rung rung) const {
  const bool is_listed = choice_.rung == rung && choice_.reason == RungReason::kListed;
  return fixed_ || is_listed || proven_[static_cast<std::size_t>(rung)];
}

bool DeliveryLadder::StepDown(Rung rung, RungReason reason) {
  if (!HasLower(rung)) return false;
  if (choice_.rung > rung) return true;  // other work was told the same before
  choice_ = {static_cast<Rung>(static_cast<int>(rung) + 1), reason};
  LogEvent(LogLevel::kWarning, "delivery-rung", {{"rung", Name(choice_.rung)}, {"reason", Name(reason)}});
  return true;
}

}  // namespace fhir_adapter::sync
