#include "sync/server_capabilities.h"

#include <algorithm>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

std::optional<bool> BooleanOf(const Node& object, std::string_view member) {
  const Node* value = object.Find(member);
  if (value == nullptr || value->kind != fhir::NodeKind::kBoolean) return std::nullopt;
  return value->boolean;
}

void ReadSystemInteractions(const Node& rest, ServerCapabilities& capabilities) {
  const Node* interactions = rest.Find("interaction");
  if (interactions == nullptr || interactions->items().empty()) return;
  bool transaction = false;
  bool batch = false;
  for (const Node* interaction : interactions->items()) {
    transaction = transaction || MemberText(*interaction, "code") == "transaction";
    batch = batch || MemberText(*interaction, "code") == "batch";
  }
  capabilities.transaction = transaction;
  capabilities.batch = batch;
}

std::optional<bool> ReadWrites(const Node& resource) {
  const Node* interactions = resource.Find("interaction");
  if (interactions == nullptr || interactions->items().empty()) return std::nullopt;
  return std::any_of(interactions->items().begin(), interactions->items().end(), [](const Node* one) {
    const std::string_view code = MemberText(*one, "code");
    return code == "create" || code == "update";
  });
}

}  // namespace

Result<ServerCapabilities> ReadCapabilities(std::string_view body) {
  Arena arena;
  const auto read = ReadResource(body, arena);
  if (!read || MemberText(**read, "resourceType") != "CapabilityStatement") {
    return Fail(Code::kServerAnswer, "/metadata is not a CapabilityStatement");
  }
  const Node& statement = **read;
  ServerCapabilities capabilities;
  capabilities.fhir_version = MemberText(statement, "fhirVersion");
  if (const Node* software = statement.Find("software")) {
    capabilities.software = std::string(MemberText(*software, "name"));
    const std::string_view version = MemberText(*software, "version");
    if (!version.empty()) capabilities.software.append(" ").append(version);
  }
  const Node* rests = statement.Find("rest");
  if (rests == nullptr) return capabilities;
  for (const Node* rest : rests->items()) {
    if (MemberText(*rest, "mode") != "server") continue;
    ReadSystemInteractions(*rest, capabilities);
    const Node* resources = rest->Find("resource");
    if (resources == nullptr) continue;
    for (const Node* resource : resources->items()) {
      TypeCapabilities& type = capabilities.types[std::string(MemberText(*resource, "type"))];
      type.update_create = BooleanOf(*resource, "updateCreate");
      type.conditional_create = BooleanOf(*resource, "conditionalCreate");
      type.conditional_update = BooleanOf(*resource, "conditionalUpdate");
      type.versioning = MemberText(*resource, "versioning");
      type.writes = ReadWrites(*resource);
    }
  }
  return capabilities;
}

}  // namespace fhir_adapter::sync
