#include "pipeline/push_input.h"

#include <utility>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::Node;

constexpr fhir::JsonLimits kLimits{limits::kPushBodyBytesMax, limits::kRecordDepthMax,
                                   limits::kRecordElementsMax};

Failure FailAt(Code code, std::string message, std::string place) {
  return Fail(code, std::move(message), Location{{}, 0, 0, std::move(place)});
}

// Places of an entry's Observation below the Bundle.
void MovePlaces(Issues& issues, const std::string& entry) {
  constexpr std::string_view kRoot = "Observation";
  for (Issue& issue : issues) {
    std::string& place = issue.where.pointer;
    place = place.starts_with(kRoot) ? entry + ".resource" + place.substr(kRoot.size()) : entry + ".resource";
  }
}

Result<PushBundleEntry> ReadEntry(const Node& node, const std::string& place, const MappingSet& set) {
  PushBundleEntry entry;
  const Node* request = node.Find("request");
  entry.method = MemberText(request, "method");
  entry.url = MemberText(request, "url");
  entry.if_none_exist = MemberText(request, "ifNoneExist");
  entry.if_match = MemberText(request, "ifMatch");
  if (entry.method.empty() || entry.url.empty()) {
    return FailAt(Code::kResourceInvalid, "an entry needs request.method and request.url",
                  place + ".request");
  }
  Node* resource = node.Find("resource");
  if (resource == nullptr) {
    entry.observation.issues.push_back(
        Issue{Code::kResourceInvalid, Location{{}, 0, 0, {}}, "the entry has no resource"});
  } else {
    entry.observation = ReadPushedObservation(*resource, set.maps()->schema(), set.settings());
  }
  MovePlaces(entry.observation.issues, place);
  return entry;
}

}  // namespace

Result<PushedObservation> ReadPushBody(std::string_view body, const MappingSet& set) {
  Arena arena;
  ADAPTER_TRY(Node * resource, fhir::ReadJson(body, arena, kLimits));
  return ReadPushedObservation(*resource, set.maps()->schema(), set.settings());
}

Result<PushBundle> ReadPushBundle(std::string_view body, const MappingSet& set) {
  Arena arena;
  ADAPTER_TRY(const Node* root, fhir::ReadJson(body, arena, kLimits));
  const std::string_view type = MemberText(root, "type");
  if (MemberText(root, "resourceType") != "Bundle" || (type != "transaction" && type != "batch")) {
    return FailAt(Code::kNotSupported, "only a Bundle of type transaction or batch is taken here",
                  "Bundle.type");
  }
  PushBundle bundle;
  bundle.is_transaction = type == "transaction";
  const Node* entries = root->Find("entry");
  if (entries == nullptr) return bundle;
  if (!entries->is_array()) return FailAt(Code::kResourceInvalid, "entry is a list", "Bundle.entry");
  if (entries->size > limits::kPushBundleEntriesMax) {
    return FailAt(Code::kLimit, "more than " + std::to_string(limits::kPushBundleEntriesMax) + " entries",
                  "Bundle.entry");
  }
  for (const Node* node : entries->items()) {
    const std::string place = "Bundle.entry[" + std::to_string(bundle.entries.size()) + "]";
    ADAPTER_TRY(PushBundleEntry entry, ReadEntry(*node, place, set));
    bundle.entries.push_back(std::move(entry));
  }
  return bundle;
}

}  // namespace fhir_adapter::pipeline
