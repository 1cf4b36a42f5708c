// ReferenceChecker: the references of a resource or Bundle, for the checker.
//
// Holds what the walk has to remember: the entries of the Bundle, and for each resource with contained ones
// which of them are referred to. Not thread-safe; one check uses one ReferenceChecker. FHIR R4 (4.0.1),
// References (2.3); ref-1, dom-2 to dom-5.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "fhir/check_report.h"
#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

// A resource while it is walked. A contained resource shares the references of its container.
struct ResourceScope {
  const Node* resource = nullptr;
  ResourceScope* container = nullptr;              // null unless contained
  std::vector<std::string_view> local_references;  // "#…", of the resource and its contained ones
};

class ReferenceChecker {
 public:
  ReferenceChecker(const Schema& schema, CheckReport& report) : schema_(schema), report_(report) {}

  // From here on urn:uuid references are to entries of this Bundle. Gives what held before, for Leave.
  const Node* EnterBundle(const Node& bundle);
  void LeaveBundle(const Node* outer);

  // `allowed` is the type of the element with its targets.
  void CheckReference(const Node& reference, const ElementType& allowed, const Place& place,
                      ResourceScope& scope);
  // Notes "#…" in elements of type uri, url and canonical: they count as use of a contained resource.
  void NoteLocal(std::string_view uri, ResourceScope& scope);
  // After the walk of a resource: are its contained resources as they must be?
  void CheckContained(const Place& place, const ResourceScope& scope);

 private:
  void CheckLocal(const Node& text, const ElementType& allowed, const Place& place, ResourceScope& scope);
  void CheckUrn(const Node& text, const ElementType& allowed, const Place& place);
  void CheckUrl(const Node& text, const ElementType& allowed, const Place& place, const ResourceScope& scope);
  void CheckTarget(std::string_view type_name, const Node& node, const ElementType& allowed,
                   const Place& place);
  bool IsResourceType(std::string_view name) const;

  const Schema& schema_;
  CheckReport& report_;
  const Node* bundle_ = nullptr;
  std::unordered_map<std::string_view, const Node*> resource_by_full_url_;
  std::vector<const Node*> resources_without_full_url_;
};

}  // namespace fhir_adapter::fhir
