#include "fhir/json_difference.h"

#include <algorithm>
#include <string_view>

#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::size_t kLineBytesMax = 150;
constexpr std::size_t kValueBytesMax = 200;

std::string_view TextOf(const Node& object, std::string_view name) {
  const Node* member = object.Find(name);
  return member != nullptr && member->is_string() ? member->text : std::string_view();
}

class Comparison {
 public:
  explicit Comparison(std::size_t lines_max) : lines_max_(lines_max) {}

  void Compare(const Node& expected, const Node& found, const std::string& path) {
    if (expected.is_object() && found.is_object()) return CompareObjects(expected, found, path);
    if (expected.is_array() && found.is_array()) return CompareArrays(expected, found, path);
    const std::string was = ToJson(expected);
    const std::string is = ToJson(found);
    if (was != is) Add(path + ": expected " + Short(was) + ", found " + Short(is));
  }

  std::vector<std::string> Lines() && {
    if (left_out_ > 0) lines_.push_back("and " + std::to_string(left_out_) + " more differences");
    return std::move(lines_);
  }

 private:
  static std::string Short(const std::string& json) {
    return json.size() <= kValueBytesMax ? json : json.substr(0, kValueBytesMax) + "…";
  }

  void Add(std::string line) {
    if (lines_.size() < lines_max_) {
      lines_.push_back(std::move(line));
    } else {
      ++left_out_;
    }
  }

  static std::string Below(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  }

  void CompareObjects(const Node& expected, const Node& found, const std::string& path) {
    bool same_members = expected.members().size() == found.members().size();
    for (const Member& member : expected.members()) {
      const Node* other = found.Find(member.name);
      if (other == nullptr) {
        Add(Below(path, member.name) + ": expected " + Short(ToJson(*member.value)) + ", found nothing");
        same_members = false;
      } else {
        Compare(*member.value, *other, Below(path, member.name));
      }
    }
    for (const Member& member : found.members()) {
      if (expected.Find(member.name) != nullptr) continue;
      Add(Below(path, member.name) + ": expected nothing, found " + Short(ToJson(*member.value)));
      same_members = false;
    }
    for (std::size_t i = 0; same_members && i < expected.members().size(); ++i) {
      if (expected.members()[i].name == found.members()[i].name) continue;
      Add((path.empty() ? "the document" : path) + ": the members stand in another order");
      return;
    }
  }

  static std::string ItemPath(const std::string& path, std::size_t index, const Node& item) {
    std::string text = path + "[" + std::to_string(index) + "]";
    const Node* resource = item.is_object() ? item.Find("resource") : nullptr;
    if (resource != nullptr) text += "(" + std::string(TextOf(*resource, "resourceType")) + ")";
    return text;
  }

  static bool AreEntries(const Node& array) {
    return !array.items().empty() && std::ranges::all_of(array.items(), [](const Node* item) {
      return item->is_object() && !TextOf(*item, "fullUrl").empty();
    });
  }

  void CompareEntries(const Node& expected, const Node& found, const std::string& path) {
    const auto find = [](const Node& in, const Node& entry) {
      const auto items = in.items();
      return std::ranges::find(items, TextOf(entry, "fullUrl"),
                               [](const Node* item) { return TextOf(*item, "fullUrl"); }) -
             items.begin();
    };
    std::ptrdiff_t last = -1;
    bool is_in_order = true;
    for (std::size_t i = 0; i < expected.size; ++i) {
      const Node& entry = *expected.items()[i];
      const std::ptrdiff_t place = find(found, entry);
      if (place == static_cast<std::ptrdiff_t>(found.size)) {
        Add(ItemPath(path, i, entry) + ": expected " + Short(ToJson(entry)) + ", found nothing");
        continue;
      }
      is_in_order = is_in_order && place > last;
      last = place;
      Compare(entry, *found.items()[static_cast<std::size_t>(place)], ItemPath(path, i, entry));
    }
    for (std::size_t i = 0; i < found.size; ++i) {
      const Node& entry = *found.items()[i];
      if (find(expected, entry) != static_cast<std::ptrdiff_t>(expected.size)) continue;
      Add(ItemPath(path, i, entry) + ": expected nothing, found " + Short(ToJson(entry)));
    }
    if (!is_in_order) Add(path + ": the entries stand in another order");
  }

  void CompareArrays(const Node& expected, const Node& found, const std::string& path) {
    if (AreEntries(expected) && AreEntries(found)) return CompareEntries(expected, found, path);
    const std::size_t count = std::max(expected.size, found.size);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string item = path + "[" + std::to_string(i) + "]";
      if (i >= found.size) {
        Add(item + ": expected " + Short(ToJson(*expected.items()[i])) + ", found nothing");
      } else if (i >= expected.size) {
        Add(item + ": expected nothing, found " + Short(ToJson(*found.items()[i])));
      } else {
        Compare(*expected.items()[i], *found.items()[i], item);
      }
    }
  }

  std::size_t lines_max_;
  std::size_t left_out_ = 0;
  std::vector<std::string> lines_;
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
  Comparison comparison(lines_max);
  comparison.Compare(expected, found, "");
  return std::move(comparison).Lines();
}

std::string LayOut(const Node& root) {
  std::string out;
  WriteLaidOut(root, "", out);
  return out + "\n";
}

}  // namespace fhir_adapter::fhir
