#include "pipeline/output_difference.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/arena.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::ElementDifference;
using outbox::IntendedResource;

std::vector<ElementDifference> CompareResource(const std::string& before, const std::string& after) {
  if (before == after) return {};
  Arena arena;
  const auto was = fhir::ReadJson(before, arena, fhir::kResourceLimits);
  const auto is = fhir::ReadJson(after, arena, fhir::kResourceLimits);
  // What was erased cannot be read, and differs as a whole.
  if (!was || !is) return {{"", before, after}};
  return fhir::ElementDifferences(**was, **is);
}

const IntendedResource* Find(std::span<const IntendedResource> in, const outbox::ResourceKey& key) {
  const auto found = std::ranges::find(in, key, &IntendedResource::key);
  return found == in.end() ? nullptr : &*found;
}

}  // namespace

std::vector<ResourceDifference> CompareOutputs(std::span<const IntendedResource> before,
                                               std::span<const IntendedResource> after) {
  std::vector<ResourceDifference> differences;
  for (const IntendedResource& was : before) {
    const IntendedResource* is = Find(after, was.key);
    auto elements = is == nullptr ? std::vector<ElementDifference>{{"", was.json, ""}}
                                  : CompareResource(was.json, is->json);
    if (!elements.empty()) differences.push_back({was.key, std::move(elements)});
  }
  for (const IntendedResource& is : after) {
    if (Find(before, is.key) == nullptr) differences.push_back({is.key, {{"", "", is.json}}});
  }
  return differences;
}

std::vector<ElementDifference> CompareIssues(const Issues& before, const Issues& after) {
  std::map<std::pair<std::string, std::string>, int> counts;  // by path and class: after less before
  const auto count = [&counts](const Issues& issues, int by) {
    for (const Issue& issue : issues) {
      const std::string path = issue.where.pointer + " " + std::string(Name(issue.code));
      counts[{path, std::string(Name(issue.disposition()))}] += by;
    }
  };
  count(before, -1);
  count(after, 1);
  std::vector<ElementDifference> differences;
  for (const auto& [issue, more] : counts) {
    for (int i = 0; i < more; ++i) differences.push_back({issue.first, "", issue.second});
    for (int i = 0; i < -more; ++i) differences.push_back({issue.first, issue.second, ""});
  }
  return differences;
}

}  // namespace fhir_adapter::pipeline
