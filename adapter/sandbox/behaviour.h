// Behaviour: where FHIR servers differ, one switch for each difference.
//
// The default is what the specification says and, where it leaves a choice, what HAPI FHIR does. A value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/limits.h"
#include "core/result.h"

namespace fhir_adapter::sandbox {

struct Behaviour {
  enum class LocationStyle : std::uint8_t {
    kOnCreate,  // on every 201, with version (R4 http 3.1.0.8)
    kOnPost,    // on POST only
    kOnCreateUnversioned,
  };
  // Two conditional updates with the same criteria in one transaction, neither of which finds anything.
  enum class RepeatedUpdate : std::uint8_t {
    kRefuse,      // R4 http 3.1.0.11.2: overlapping identities fail the transaction
    kDropSecond,  // in silence, when it has a fullUrl; else refused
    kStoreBoth,
  };
  // Two creates with the same If-None-Exist in one transaction.
  enum class RepeatedCreate : std::uint8_t { kSecondFindsFirst, kDropSecond };

  bool update_create = true;            // PUT of an unknown id creates
  bool update_create_announced = true;  // in the CapabilityStatement
  int update_create_refusal_status = 405;
  bool creates = true;              // POST of a resource; else 405
  bool conditional_updates = true;  // else 405
  bool conditional_updates_announced = true;
  bool transactions = true;
  bool batches = true;
  bool interactions_announced = true;  // of the whole system, in the CapabilityStatement
  bool batches_announced = true;
  int bundle_refusal_status = 501;  // of a Bundle of a kind that is not taken
  bool transaction_becomes_batch = false;
  std::size_t bundle_entries_max = limits::kSandboxBundleEntriesMax;
  bool same_content_keeps_version = true;
  LocationStyle location = LocationStyle::kOnCreate;
  int stale_version_status = 412;  // If-Match names another version
  int stale_version_status_in_transaction = 412;
  bool conditional_update_checks_version = true;  // If-Match counts on a conditional update
  bool update_checks_if_none_match = true;        // If-None-Match: * on a PUT of what exists
  bool if_match_creates_absent = false;
  bool conditional_update_checks_body = true;  // the body must itself match the criteria
  RepeatedUpdate repeated_update = RepeatedUpdate::kRefuse;
  RepeatedCreate repeated_create = RepeatedCreate::kSecondFindsFirst;
  int several_matches_status_in_transaction = 412;
  int reference_without_match_status = 404;       // conditional reference, nothing found
  int reference_with_matches_status = 412;        // conditional reference, several found
  bool conditional_reference_sees_bundle = true;  // finds resources of its own transaction
  bool conditional_reference_outside_transaction = false;
  bool refuses_unresolved_urn = true;
  bool checks_references = true;  // a literal reference must find its resource
  bool strips_reference_versions = false;
  bool validates = true;
  bool stores_audit_events = true;  // else 405
  bool refuses_unknown_parameters = true;
  int delete_status = 200;           // with OperationOutcome; 204 without
  bool weak_etag_in_entries = true;  // W/"1"; else 1
};

// "hapi", "helios"; "batch-only", "single-only"; "server-ids": names every resource itself (no
// update-as-create, no conditional update); "silent": takes no Bundles and does not say so; "lying": carries
// a transaction out entry by entry. Error: kUsage with the names.
Result<Behaviour> BehaviourLike(std::string_view server);

}  // namespace fhir_adapter::sandbox
