#include "record/content_hash.h"

#include <algorithm>
#include <vector>

#include "core/digest.h"

namespace fhir_adapter::record {
namespace {

// Texts have their length in front, so that no two contents share a form.
void AppendText(char kind, std::string_view text, std::string& out) {
  out += kind;
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

void AppendContent(const fhir::Node& node, std::string& out) {
  switch (node.kind) {
    case fhir::NodeKind::kNull:
      out += 'n';
      return;
    case fhir::NodeKind::kBoolean:
      out += node.boolean ? 't' : 'f';
      return;
    case fhir::NodeKind::kNumber:
      return AppendText('d', node.text, out);
    case fhir::NodeKind::kString:
      return AppendText('s', node.text, out);
    case fhir::NodeKind::kArray:
      out += '[';
      for (const fhir::Node* item : node.items()) AppendContent(*item, out);
      out += ']';
      return;
    case fhir::NodeKind::kObject: {
      std::vector<fhir::Member> members(node.members().begin(), node.members().end());
      std::sort(members.begin(), members.end(),
                [](const fhir::Member& a, const fhir::Member& b) { return a.name < b.name; });
      out += '{';
      for (const fhir::Member& member : members) {
        if (member.value->is_null()) continue;
        AppendText('m', member.name, out);
        AppendContent(*member.value, out);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

std::string CanonicalContent(const fhir::Node& root) {
  std::string content;
  AppendContent(root, content);
  return content;
}

std::string ContentHash(const fhir::Node& root) {
  return Sha256Hex(CanonicalContent(root));
}

}  // namespace fhir_adapter::record
