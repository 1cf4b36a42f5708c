// BundleEncoder: a plan as one transaction, or as batches of what does not refer to each other. FHIR R4
// http.html#transaction.
//
// An entry is a PUT by id with ifMatch where the resource is known, a conditional update by identifier where
// it is not, and a PUT by its uuid for types that cannot be found by identifier; to a server that does not
// have these, a POST, with ifNoneExist where the type has an identifier.
#pragma once

#include <string>
#include <utility>

#include "sync/delivery_encoder.h"

namespace fhir_adapter::sync {

class BundleEncoder final : public DeliveryEncoder {
 public:
  // `rung`: kTransaction or kBatch.
  BundleEncoder(std::string base_url, Rung rung) : base_url_(std::move(base_url)), rung_(rung) {}

  Rung rung() const override { return rung_; }
  std::vector<std::size_t> NextEntries(const DeliveryPlan& plan) const override;
  FhirRequest Encode(const DeliveryPlan& step) const override;
  Result<EncodedAnswer> Read(const DeliveryPlan& step, const FhirAnswer& answer) const override;

 private:
  std::string base_url_;
  Rung rung_;
};

}  // namespace fhir_adapter::sync
