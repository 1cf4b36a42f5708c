#include "record/column_path.h"

#include <charconv>
#include <optional>

#include "core/limits.h"

namespace fhir_adapter::record {
namespace {

// The number in `name[12]`, taken from its end; 1 when there is none, nothing when it is none.
std::optional<std::uint32_t> TakeNumber(std::string_view& name) {
  const std::size_t bracket = name.find('[');
  if (bracket == std::string_view::npos) return 1;
  std::string_view digits = name.substr(bracket + 1);
  name = name.substr(0, bracket);
  if (!digits.ends_with(']')) return std::nullopt;
  digits.remove_suffix(1);
  std::uint32_t number = 0;
  const auto [rest, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_number = failure == std::errc() && rest == digits.data() + digits.size() && number >= 1;
  return is_number ? std::optional(number) : std::nullopt;
}

void AddValuePaths(const ModelElement& element, const std::string& prefix, std::vector<std::string>& paths) {
  for (const ModelElement& child : element.children) {
    const std::string path = prefix.empty() ? child.name : prefix + "." + child.name;
    if (child.type == ValueType::kObject) {
      AddValuePaths(child, path, paths);
    } else {
      paths.push_back(path);
    }
  }
}

}  // namespace

Result<ColumnPath> ColumnPath::Parse(std::string_view text, const RecordModel& model) {
  ColumnPath path;
  const ModelElement* element = &model.root();
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('.', begin), text.size());
    std::string_view name = text.substr(begin, end - begin);
    begin = end + 1;
    const auto number = TakeNumber(name);
    const ModelElement* child = element->Find(name);
    if (child == nullptr || !number) return Fail(Code::kNotFound, "the record model has no such field");
    if (*number > 1 && !child->is_list) return Fail(Code::kNotFound, child->name + " is no list");
    if (*number > limits::kTableRecordRowsMax) return Fail(Code::kNotFound, "the number is too large");
    if (!path.text_.empty()) path.text_ += ".";
    path.text_ += child->name;
    if (*number > 1) path.text_ += "[" + std::to_string(*number) + "]";
    path.steps_.push_back({child, *number});
    element = child;
  }
  if (element->type == ValueType::kObject) {
    std::string message = element->name + " holds fields of its own; name one of them:";
    for (const ModelElement& child : element->children) message += " " + path.text_ + "." + child.name;
    return Fail(Code::kType, message);
  }
  return path;
}

std::vector<std::uint32_t> ColumnPath::Numbers() const {
  std::vector<std::uint32_t> numbers;
  for (const ColumnStep& step : steps_) {
    if (step.element->is_list) numbers.push_back(step.number);
  }
  return numbers;
}

std::vector<std::string> ValuePaths(const RecordModel& model) {
  std::vector<std::string> paths;
  AddValuePaths(model.root(), "", paths);
  return paths;
}

}  // namespace fhir_adapter::record
