// TransactionEncoder: a whole plan as one transaction Bundle. FHIR R4 http.html#transaction.
//
// What the server already holds is referred to by literal `Type/id`, what comes with the same Bundle by
// fullUrl. The patient is a literal reference, not a conditional one: the match was made and compared with
// the record before, and a second search by the server could find somebody else, or nobody, in between.
//
// Answers are read with distrust: some servers leave out entries, Location or the quotes of an ETag.
#pragma once

#include <string>

#include "sync/delivery_encoder.h"

namespace fhir_adapter::sync {

class TransactionEncoder final : public DeliveryEncoder {
 public:
  explicit TransactionEncoder(std::string base_url) : base_url_(std::move(base_url)) {}

  std::string_view operation() const override { return "transaction"; }
  FhirRequest Encode(const DeliveryPlan& plan) const override;
  Result<EncodedAnswer> Read(const DeliveryPlan& plan, std::string_view body) const override;

 private:
  std::string base_url_;
};

}  // namespace fhir_adapter::sync
