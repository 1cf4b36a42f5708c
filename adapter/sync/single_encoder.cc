#include "sync/single_encoder.h"

#include "sync/planned_request.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {

std::vector<std::size_t> SingleEncoder::NextEntries(const DeliveryPlan& plan) const {
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    if (!HasOpenReference(plan.entries[i], plan.literals)) return {i};
  }
  return {};
}

FhirRequest SingleEncoder::Encode(const DeliveryPlan& step) const {
  const PlannedEntry& entry = step.entries.front();
  FhirRequest request;
  request.kind = RequestKind::kWrite;
  request.method = MethodOf(entry);
  request.path = RequestUrl(entry);
  request.body = ServerForm(entry, step.literals);
  request.if_match = entry.if_match;
  request.if_none_exist = IfNoneExist(entry);
  return request;
}

// The headers say where it is; a server may leave out each of them.
Result<EncodedAnswer> SingleEncoder::Read(const DeliveryPlan& step, const FhirAnswer& answer) const {
  const PlannedEntry& entry = step.entries.front();
  EntryAnswer one;
  one.status = answer.status;
  one.server_id = entry.server_id;
  one.version_id = VersionOfEntityTag(answer.etag);
  for (const std::string& text : {answer.location, answer.content_location}) {
    const ResourceLocation location = ParseLocation(text, base_url_);
    if (location.type != entry.key.type) continue;
    if (one.server_id.empty()) one.server_id = location.id;
    if (one.version_id.empty() && one.server_id == location.id) one.version_id = location.version_id;
  }
  EncodedAnswer read;
  read.entries.push_back(std::move(one));
  return read;
}

}  // namespace fhir_adapter::sync
