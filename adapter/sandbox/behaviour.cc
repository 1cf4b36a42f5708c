#include "sandbox/behaviour.h"

#include <string>

namespace fhir_adapter::sandbox {

namespace {

Behaviour LikeHapi() {
  Behaviour behaviour;
  behaviour.update_create_announced = false;
  behaviour.batches_announced = false;
  behaviour.location = Behaviour::LocationStyle::kOnPost;
  behaviour.stale_version_status = 409;
  behaviour.stale_version_status_in_transaction = 409;
  behaviour.conditional_update_checks_version = false;
  behaviour.update_checks_if_none_match = false;
  behaviour.if_match_creates_absent = true;
  behaviour.repeated_update = Behaviour::RepeatedUpdate::kDropSecond;
  behaviour.repeated_create = Behaviour::RepeatedCreate::kDropSecond;
  behaviour.conditional_reference_outside_transaction = true;
  behaviour.strips_reference_versions = true;
  behaviour.weak_etag_in_entries = false;
  return behaviour;
}

Behaviour LikeHelios() {
  Behaviour behaviour;
  behaviour.same_content_keeps_version = false;
  behaviour.location = Behaviour::LocationStyle::kOnCreateUnversioned;
  behaviour.stale_version_status_in_transaction = 400;
  behaviour.conditional_update_checks_body = false;
  behaviour.repeated_update = Behaviour::RepeatedUpdate::kStoreBoth;
  behaviour.several_matches_status_in_transaction = 400;
  behaviour.reference_without_match_status = 400;
  behaviour.reference_with_matches_status = 400;
  behaviour.conditional_reference_sees_bundle = false;
  behaviour.refuses_unresolved_urn = false;
  behaviour.checks_references = false;
  behaviour.validates = false;
  behaviour.stores_audit_events = false;
  behaviour.refuses_unknown_parameters = false;
  behaviour.delete_status = 204;
  return behaviour;
}

Behaviour SingleOnly() {
  Behaviour behaviour;
  behaviour.transactions = false;
  behaviour.batches = false;
  return behaviour;
}

Behaviour BatchOnly() {
  Behaviour behaviour;
  behaviour.transactions = false;
  return behaviour;
}

Behaviour ServerIds() {
  Behaviour behaviour;
  behaviour.update_create = false;
  behaviour.conditional_updates = false;
  return behaviour;
}

Behaviour Silent() {
  Behaviour behaviour = SingleOnly();
  behaviour.interactions_announced = false;
  behaviour.bundle_refusal_status = 404;
  return behaviour;
}

Behaviour Lying() {
  Behaviour behaviour;
  behaviour.transaction_becomes_batch = true;
  return behaviour;
}

}  // namespace

Result<Behaviour> BehaviourLike(std::string_view server) {
  if (server == "hapi") return LikeHapi();
  if (server == "helios") return LikeHelios();
  if (server == "single-only") return SingleOnly();
  if (server == "batch-only") return BatchOnly();
  if (server == "server-ids") return ServerIds();
  if (server == "silent") return Silent();
  if (server == "lying") return Lying();
  return Fail(Code::kUsage, "no server profile \"" + std::string(server) +
                                "\": use hapi, helios, batch-only, single-only, server-ids, silent or lying");
}

}  // namespace fhir_adapter::sandbox
