#include "sandbox/references.h"

#include <algorithm>

#include "fhir/json_reader.h"

namespace fhir_adapter::sandbox {

using fhir::Node;

MaybeRefusal ForEachReference(Node& resource, const std::function<MaybeRefusal(Node&)>& visit) {
  for (Node* item : resource.items()) {
    if (auto refusal = ForEachReference(*item, visit)) return refusal;
  }
  for (const fhir::Member& member : resource.members()) {
    if (member.name == "reference" && member.value->is_string()) {
      if (auto refusal = visit(*member.value)) return refusal;
    } else if (auto refusal = ForEachReference(*member.value, visit)) {
      return refusal;
    }
  }
  return std::nullopt;
}

std::string ExpressionOf(const Node& root, const Node& node, std::string_view prefix) {
  std::string expression(prefix);
  std::string pointer = fhir::PointerTo(root, node);
  std::string_view rest = pointer;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    const bool is_index = !token.empty() && std::all_of(token.begin(), token.end(),
                                                        [](char c) { return c >= '0' && c <= '9'; });
    expression += is_index ? "[" + std::string(token) + "]" : "." + std::string(token);
  }
  return expression;
}

bool IsUrn(std::string_view reference) {
  return reference.starts_with("urn:uuid:") || reference.starts_with("urn:oid:");
}

bool IsConditional(std::string_view reference) {
  const std::size_t question = reference.find('?');
  return question != std::string_view::npos && question > 0 &&
         reference.substr(0, question).find_first_of(":/#") == std::string_view::npos;
}

std::vector<ReferenceTarget> LiteralReferences(Node& resource, std::string_view base_url) {
  std::vector<ReferenceTarget> targets;
  ForEachReference(resource, [&](Node& reference) -> MaybeRefusal {
    ReferenceTarget target;
    if (ParseReference(reference.text, base_url, target)) targets.push_back(std::move(target));
    return std::nullopt;
  });
  return targets;
}

}  // namespace fhir_adapter::sandbox
