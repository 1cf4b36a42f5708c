#include "sync/planned_request.h"

#include <string_view>

#include "sync/resource_identity.h"

namespace fhir_adapter::sync {

using fhir::Node;

Method MethodOf(const PlannedEntry& entry) {
  return entry.is_posted() ? Method::kPost : Method::kPut;
}

std::string RequestUrl(const PlannedEntry& entry) {
  if (entry.is_posted()) return entry.key.type;
  if (!entry.server_id.empty()) return entry.key.type + "/" + entry.server_id;
  return entry.key.type + "?identifier=" + SearchToken(entry.key.system, entry.key.value);
}

std::string IfNoneExist(const PlannedEntry& entry) {
  if (entry.form != CreateForm::kConditionalCreate) return {};
  return "identifier=" + SearchToken(entry.key.system, entry.key.value);
}

std::string ServerForm(const PlannedEntry& entry, const Literals& literals) {
  Arena arena;
  auto resource = ReadResource(entry.body(), arena);
  if (!resource) return entry.json;  // the planner has read it before
  ToServerReferences(**resource, literals, entry.patient, arena);
  if (entry.server_id.empty()) {
    (*resource)->Remove("id");
  } else {
    (*resource)->Set(arena, "id", Node::String(arena, entry.server_id));
  }
  return WriteOrdered(**resource);
}

bool HasOpenReference(const PlannedEntry& entry, const Literals& literals) {
  constexpr std::string_view kPrefix = "urn:uuid:";
  Arena arena;
  const auto resource = ReadResource(entry.body(), arena);
  bool open = false;
  if (!resource) return open;
  RewriteReferences(
      **resource,
      [&](std::string_view reference) {
        open =
            open || (reference.starts_with(kPrefix) && !literals.contains(reference.substr(kPrefix.size())));
        return std::string();
      },
      arena);
  return open;
}

}  // namespace fhir_adapter::sync
