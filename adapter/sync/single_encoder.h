// SingleEncoder: a plan as one PUT or POST a resource, what is referred to before what refers to it. FHIR
// R4 http.html#update, #cond-update, #create, #ccreate.
#pragma once

#include <string>
#include <utility>

#include "sync/delivery_encoder.h"

namespace fhir_adapter::sync {

class SingleEncoder final : public DeliveryEncoder {
 public:
  explicit SingleEncoder(std::string base_url) : base_url_(std::move(base_url)) {}

  Rung rung() const override { return Rung::kSingle; }
  std::vector<std::size_t> NextEntries(const DeliveryPlan& plan) const override;
  FhirRequest Encode(const DeliveryPlan& step) const override;
  Result<EncodedAnswer> Read(const DeliveryPlan& step, const FhirAnswer& answer) const override;

 private:
  std::string base_url_;
};

}  // namespace fhir_adapter::sync
