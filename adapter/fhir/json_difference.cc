#include "fhir/json_difference.h"

#include <algorithm>
#include <string_view>

#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::size_t kLineBytesMax = 150;
constexpr std::size_t kValueBytesMax = 200;

struct Finding {
  std::string path;
  std::string expected;  // JSON; empty: nothing
  std::string found;
  bool is_order = false;  // the same content in another order
};

std::string Short(const std::string& json) {
  if (json.empty()) return "nothing";
  return json.size() <= kValueBytesMax ? json : json.substr(0, kValueBytesMax) + "…";
}

class Comparison {
 public:
  void Compare(const Node& expected, const Node& found, const std::string& path) {
    if (expected.is_object() && found.is_object()) return CompareObjects(expected, found, path);
    if (expected.is_array() && found.is_array()) return CompareArrays(expected, found, path);
    const std::string was = ToJson(expected);
    const std::string is = ToJson(found);
    if (was != is) Add({path, was, is, false});
  }

  std::vector<Finding> TakeFindings() && { return std::move(findings_); }

 private:
  void Add(Finding finding) { findings_.push_back(std::move(finding)); }

  static std::string Below(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  }

  void CompareObjects(const Node& expected, const Node& found, const std::string& path) {
    bool same_members = expected.members().size() == found.members().size();
    for (const Member& member : expected.members()) {
      const Node* other = found.Find(member.name);
      if (other == nullptr) {
        Add({Below(path, member.name), ToJson(*member.value), {}, false});
        same_members = false;
      } else {
        Compare(*member.value, *other, Below(path, member.name));
      }
    }
    for (const Member& member : found.members()) {
      if (expected.Find(member.name) != nullptr) continue;
      Add({Below(path, member.name), {}, ToJson(*member.value), false});
      same_members = false;
    }
    for (std::size_t i = 0; same_members && i < expected.members().size(); ++i) {
      if (expected.members()[i].name == found.members()[i].name) continue;
      Add({path.empty() ? "the document" : path, "members", {}, true});
      return;
    }
  }

  static std::string ItemPath(const std::string& path, std::size_t index, const Node& item) {
    std::string text = path + "[" + std::to_string(index) + "]";
    const Node* resource = item.is_object() ? item.Find("resource") : nullptr;
    if (resource != nullptr) text += "(" + std::string(MemberText(*resource, "resourceType")) + ")";
    return text;
  }

  static bool AreEntries(const Node& array) {
    return !array.items().empty() && std::ranges::all_of(array.items(), [](const Node* item) {
      return item->is_object() && !MemberText(*item, "fullUrl").empty();
    });
  }

  void CompareEntries(const Node& expected, const Node& found, const std::string& path) {
    const auto find = [](const Node& in, const Node& entry) {
      const auto items = in.items();
      return std::ranges::find(items, MemberText(entry, "fullUrl"),
                               [](const Node* item) { return MemberText(*item, "fullUrl"); }) -
             items.begin();
    };
    std::ptrdiff_t last = -1;
    bool is_in_order = true;
    for (std::size_t i = 0; i < expected.size; ++i) {
      const Node& entry = *expected.items()[i];
      const std::ptrdiff_t place = find(found, entry);
      if (place == static_cast<std::ptrdiff_t>(found.size)) {
        Add({ItemPath(path, i, entry), ToJson(entry), {}, false});
        continue;
      }
      is_in_order = is_in_order && place > last;
      last = place;
      Compare(entry, *found.items()[static_cast<std::size_t>(place)], ItemPath(path, i, entry));
    }
    for (std::size_t i = 0; i < found.size; ++i) {
      const Node& entry = *found.items()[i];
      if (find(expected, entry) != static_cast<std::ptrdiff_t>(expected.size)) continue;
      Add({ItemPath(path, i, entry), {}, ToJson(entry), false});
    }
    if (!is_in_order) Add({path, "entries", {}, true});
  }

  void CompareArrays(const Node& expected, const Node& found, const std::string& path) {
    if (AreEntries(expected) && AreEntries(found)) return CompareEntries(expected, found, path);
    const std::size_t count = std::max(expected.size, found.size);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string item = path + "[" + std::to_string(i) + "]";
      if (i >= found.size) {
        Add({item, ToJson(*expected.items()[i]), {}, false});
      } else if (i >= expected.size) {
        Add({item, {}, ToJson(*found.items()[i]), false});
      } else {
        Compare(*expected.items()[i], *found.items()[i], item);
      }
    }
  }

  std::vector<Finding> findings_;
};

void WriteShort(const Node& node, std::string& out) {
  if (node.is_object()) {
    out += '{';
    for (const Member& member : node.members()) {
      if (out.back() != '{') out += ", ";
      WriteJsonString(member.name, out);
      out += ": ";
      WriteShort(*member.value, out);
    }
    out += '}';
  } else if (node.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < node.size; ++i) {
      if (i > 0) out += ", ";
      WriteShort(*node.items()[i], out);
    }
    out += ']';
  } else {
    WriteJson(node, out);
  }
}

void WriteLaidOut(const Node& node, const std::string& indent, std::string& out) {
  const bool is_resource = node.is_object() && node.Find("resourceType") != nullptr;
  std::string on_one_line;
  WriteShort(node, on_one_line);
  const bool is_simple = !node.is_object() && !node.is_array();
  if (is_simple || (indent.size() + on_one_line.size() <= kLineBytesMax && !is_resource)) {
    out += on_one_line;
    return;
  }
  const std::string deeper = indent + "  ";
  const char* separator = node.is_object() ? "{\n" : "[\n";
  for (const Member& member : node.members()) {
    out += separator + deeper;
    WriteJsonString(member.name, out);
    out += ": ";
    WriteLaidOut(*member.value, deeper, out);
    separator = ",\n";
  }
  for (const Node* item : node.items()) {
    out += separator + deeper;
    WriteLaidOut(*item, deeper, out);
    separator = ",\n";
  }
  out += "\n" + indent + (node.is_object() ? "}" : "]");
}

}  // namespace

std::vector<std::string> Differences(const Node& expected, const Node& found, std::size_t lines_max) {
  Comparison comparison;
  comparison.Compare(expected, found, "");
  const std::vector<Finding> findings = std::move(comparison).TakeFindings();
  std::vector<std::string> lines;
  for (const Finding& finding : findings) {
    if (lines.size() == lines_max) {
      lines.push_back("and " + std::to_string(findings.size() - lines_max) + " more differences");
      break;
    }
    lines.push_back(finding.is_order ? finding.path + ": the " + finding.expected + " stand in another order"
                                     : finding.path + ": expected " + Short(finding.expected) + ", found " +
                                           Short(finding.found));
  }
  return lines;
}

std::vector<ElementDifference> ElementDifferences(const Node& before, const Node& after) {
  Comparison comparison;
  comparison.Compare(before, after, "");
  std::vector<ElementDifference> differences;
  for (Finding& finding : std::move(comparison).TakeFindings()) {
    if (finding.is_order) continue;
    differences.push_back({std::move(finding.path), std::move(finding.expected), std::move(finding.found)});
  }
  return differences;
}

std::string LayOut(const Node& root) {
  std::string out;
  WriteLaidOut(root, "", out);
  return out + "\n";
}

}  // namespace fhir_adapter::fhir
