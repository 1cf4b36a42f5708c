// What two outputs of one record differ in: resources that one of them has, and elements of those that both
// have. Resources are matched by their identity, whatever their order.
//
// Pure functions over values; thread-safe. The values of elements are clinical.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/issue.h"
#include "fhir/json_difference.h"
#include "outbox/delivery_plan.h"

namespace fhir_adapter::pipeline {

struct ResourceDifference {
  outbox::ResourceKey key;
  // An empty path: the whole resource, which one of the sides does not have.
  std::vector<fhir::ElementDifference> elements;
};

// In the order of `before`, then those that only `after` has.
std::vector<ResourceDifference> CompareOutputs(std::span<const outbox::IntendedResource> before,
                                               std::span<const outbox::IntendedResource> after);

// An issue that is there as often on both sides is none; path: `pointer code`, values: the issue's class.
std::vector<fhir::ElementDifference> CompareIssues(const Issues& before, const Issues& after);

}  // namespace fhir_adapter::pipeline
