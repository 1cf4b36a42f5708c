#include "app/difference_report.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using fhir::ElementDifference;
using net::JsonString;

constexpr std::size_t kValueBytesMax = 200;

std::string Short(const std::string& value) {
  if (value.empty()) return "nothing";
  if (value.size() <= kValueBytesMax) return value;
  std::size_t end = kValueBytesMax;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
  return value.substr(0, end) + "…";
}

std::string Change(const ElementDifference& element) {
  if (element.path.empty()) return element.before.empty() ? "made now" : "no longer made";
  return element.path + ": " + Short(element.before) + " → " + Short(element.after);
}

// "note[1].text" and "note[2].text" are counted together.
std::string WithoutIndexes(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == '[') inside = true;
    if (!inside) out += c;
    if (c == ']') inside = false;
  }
  return out;
}

std::string CountedAs(const std::string& type, const ElementDifference& element) {
  if (element.path.empty()) return type + " (" + Change(element) + ")";
  return type + "." + WithoutIndexes(element.path);
}

// The values of resources are JSON already; those of issues are names.
std::string ElementsJson(const std::vector<ElementDifference>& elements, bool are_json) {
  const auto value = [are_json](const std::string& text) {
    if (text.empty()) return std::string("null");
    return are_json ? text : JsonString(text);
  };
  std::string json = "[";
  for (const ElementDifference& element : elements) {
    json += (json.size() > 1 ? "," : "") + ("{\"path\":" + JsonString(element.path)) +
            ",\"before\":" + value(element.before) + ",\"after\":" + value(element.after) + "}";
  }
  return json + "]";
}

std::string ToJson(const RecordDifference& record) {
  std::string json = "{";
  if (!record.file.empty()) json += "\"file\":" + JsonString(record.file) + ",";
  json += "\"site\":" + JsonString(record.site) + ",\"recordId\":" + JsonString(record.record_id) +
          ",\"revision\":" + std::to_string(record.revision) + ",\"resources\":[";
  for (std::size_t i = 0; i < record.resources.size(); ++i) {
    const pipeline::ResourceDifference& resource = record.resources[i];
    json += (i == 0 ? "" : ",") + ("{\"type\":" + JsonString(resource.key.type)) +
            ",\"system\":" + JsonString(resource.key.system) +
            ",\"value\":" + JsonString(resource.key.value) +
            ",\"elements\":" + ElementsJson(resource.elements, true) + "}";
  }
  return json + "],\"issues\":" + ElementsJson(record.issues, false) + "}";
}

std::string Title(const RecordDifference& record) {
  std::string title = record.file;
  if (!title.empty()) title += ": ";
  if (record.record_id.empty()) return title + "a record that cannot be read";
  return title + record.site + "/" + record.record_id + " revision " + std::to_string(record.revision);
}

}  // namespace

void DifferenceReport::Add(const RecordDifference& record) {
  ++records_;
  if (record.is_empty()) return;
  ++changed_;
  if (json_) {
    out_ << ToJson(record) << "\n";
    return;
  }
  out_ << Title(record) << "\n";
  for (const pipeline::ResourceDifference& resource : record.resources) {
    for (const ElementDifference& element : resource.elements) {
      out_ << "  " << resource.key.type << " " << resource.key.value << ": " << Change(element) << "\n";
      ++counts_[CountedAs(resource.key.type, element)];
    }
  }
  for (const ElementDifference& issue : record.issues) {
    out_ << "  issue " << Change(issue) << "\n";
    ++counts_["issue " + issue.path.substr(issue.path.rfind(' ') + 1)];
  }
}

void DifferenceReport::Finish() const {
  if (json_) return;
  out_ << changed_ << " of " << records_ << " records changed\n";
  std::vector<std::pair<std::string, std::size_t>> counts(counts_.begin(), counts_.end());
  std::ranges::stable_sort(counts, std::ranges::greater(), &std::pair<std::string, std::size_t>::second);
  for (const auto& [what, count] : counts) {
    char number[24];
    std::snprintf(number, sizeof number, "%8zu  ", count);
    out_ << number << what << "\n";
  }
}

}  // namespace fhir_adapter::app
