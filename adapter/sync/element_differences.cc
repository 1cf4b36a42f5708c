#include "sync/element_differences.h"

#include <algorithm>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

std::string Joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

void Compare(const Node& ours, const Node& theirs, const std::string& path, std::vector<std::string>& paths);

void CompareItems(const Node& ours, const Node& theirs, const std::string& path,
                  std::vector<std::string>& paths) {
  const std::size_t count = std::max(ours.items().size(), theirs.items().size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string item = count == 1 ? path : path + "[" + std::to_string(i) + "]";
    if (i < ours.items().size() && i < theirs.items().size()) {
      Compare(*ours.items()[i], *theirs.items()[i], item, paths);
    } else {
      paths.push_back(item);
    }
  }
}

void Compare(const Node& ours, const Node& theirs, const std::string& path, std::vector<std::string>& paths) {
  if (fhir::SameContent(ours, theirs)) return;
  if (ours.is_array() && theirs.is_array()) return CompareItems(ours, theirs, path, paths);
  if (!ours.is_object() || !theirs.is_object()) {
    paths.push_back(path);
    return;
  }
  for (const fhir::Member& member : ours.members()) {
    const Node* other = theirs.Find(member.name);
    if (other == nullptr) {
      paths.push_back(Joined(path, member.name));
    } else {
      Compare(*member.value, *other, Joined(path, member.name), paths);
    }
  }
  for (const fhir::Member& member : theirs.members()) {
    if (ours.Find(member.name) == nullptr) paths.push_back(Joined(path, member.name));
  }
}

}  // namespace

std::vector<std::string> DifferingElements(const Node& ours, const Node& theirs) {
  std::vector<std::string> paths;
  Compare(ours, theirs, std::string(MemberText(ours, "resourceType")), paths);
  return paths;
}

}  // namespace fhir_adapter::sync
