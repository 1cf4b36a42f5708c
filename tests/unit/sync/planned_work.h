// Pieces of work and ledgers for tests of the planner and of what follows it.
#pragma once

#include <string>
#include <string_view>

#include "core/digest.h"
#include "outbox/delivery_plan.h"
#include "sync/delivery_planner.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {

inline const std::string kBase = "https://clinic.example/fhir";

inline outbox::ResourceKey Key(std::string type, std::string kind, std::string value) {
  return {std::move(type), kBase + "/sid/" + std::move(kind), std::move(value)};
}

// `json` without its closing brace gets resourceType in front: Intended(key, R"("status":"final")").
inline std::string Json(const std::string& type, const std::string& members) {
  return R"({"resourceType":")" + type + "\"" + (members.empty() ? "" : "," + members) + "}";
}

inline outbox::IntendedResource Intended(const outbox::ResourceKey& key, const std::string& members) {
  outbox::IntendedResource resource;
  resource.key = key;
  resource.uuid = UuidOf(key.system, key.value);
  resource.has_identifier_search = HasIdentifierSearch(key.type);
  const std::string id = resource.has_identifier_search ? "" : "\"id\":\"" + resource.uuid + "\",";
  resource.json = Json(key.type, id + members);
  resource.sha256 = Sha256Hex(resource.json);
  return resource;
}

inline outbox::LedgerRow Row(const outbox::ResourceKey& key, const std::string& server_id,
                             const std::string& version_id, const std::string& members,
                             const std::string& patient_key = "pk") {
  outbox::LedgerRow row;
  row.endpoint = "http://h/fhir";
  row.key = key;
  row.server_id = server_id;
  row.version_id = version_id;
  row.etag = EntityTag(version_id);
  row.json = Json(key.type, members);
  row.sha256 = Sha256Hex(row.json);
  row.revision = 1;
  row.patient_key = patient_key;
  return row;
}

inline outbox::WorkItem Work(std::int64_t revision = 1) {
  outbox::WorkItem item;
  item.id = {"w1"};
  item.subject_key = "clinic.r1";
  item.site = "clinic";
  item.record_id = "r1";
  item.revision = revision;
  item.record_status = revision == 1 ? "completed" : "corrected";
  item.patient.key = "pk";
  item.patient.mrn = "100";
  item.lease.owner = "me";
  item.lease.until = TimeUs{1'000'000'000};
  return item;
}

inline outbox::IntendedResource ProvenanceOf(std::int64_t revision) {
  return Intended(Key("Provenance", "it-provenance", "clinic.r1." + std::to_string(revision)),
                  R"("target":[{"reference":"urn:uuid:everything"}],"recorded":"2026-03-01T12:00:00Z",)"
                  R"("agent":[{"who":{"display":"a"}}],"entity":[{"role":"source","what":{"identifier":{)"
                  R"("system":"https://clinic.example/fhir/sid/it-record","value":"clinic.r1.)" +
                      std::to_string(revision) + R"("}}}])");
}

inline PlanContext Context() {
  return {kBase, {{"pk", "Patient/7"}, {"former", "Patient/8"}}};
}

// Of a server that gives each resource its id.
inline CreateForms ServerNamed() {
  ServerCapabilities capabilities;
  for (const char* type : {"AdverseEvent", "Observation", "Procedure", "Provenance"}) {
    capabilities.types[type] = {false, {}, false, {}, {}};
  }
  CreateForms forms;
  forms.Learn(capabilities);
  return forms;
}

}  // namespace fhir_adapter::sync
