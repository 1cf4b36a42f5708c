#include "record/structure_checker.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "fhir/json_pointer.h"
#include "fhir/temporal.h"
#include "record/local_time.h"
#include "record/primitive_format.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;

std::size_t CharacterCount(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;  // not a continuation byte of UTF-8
  }));
}

// Lengthens a pointer for as long as it lives.
class PointerStep {
 public:
  PointerStep(std::string& pointer, std::string_view member) : pointer_(pointer), size_(pointer.size()) {
    fhir::AppendPointerToken(member, pointer_);
  }
  PointerStep(std::string& pointer, std::size_t index) : pointer_(pointer), size_(pointer.size()) {
    fhir::AppendPointerIndex(index, pointer_);
  }
  ~PointerStep() { pointer_.resize(size_); }
  PointerStep(const PointerStep&) = delete;
  PointerStep& operator=(const PointerStep&) = delete;

 private:
  std::string& pointer_;
  std::size_t size_;
};

class StructureChecker {
 public:
  StructureChecker(std::string pointer, Issues& issues) : pointer_(std::move(pointer)), issues_(issues) {
    pointer_.reserve(pointer_.size() + kPointerBytes);
  }

  void Object(Node& node, const ModelElement& element) {
    if (!node.is_object()) return Report(Code::kType, node, "an object is expected");
    RemoveNulls(node);
    for (const fhir::Member& member : node.members()) {
      const PointerStep step(pointer_, member.name);
      const ModelElement* child = element.Find(member.name);
      if (child == nullptr) {
        Report(Code::kUnknownField, *member.value,
               "the record model has no such field; it is kept and not sent");
      } else if (child->is_list) {
        List(*member.value, *child);
      } else {
        Value(*member.value, *child);
      }
    }
    for (const ModelElement& child : element.children) {
      if (!child.is_required) continue;
      const Node* value = node.Find(child.name);
      if (value != nullptr && !(value->is_array() && value->size == 0)) continue;
      const PointerStep step(pointer_, child.name);
      Report(Code::kMissing, node, "the field is required");
    }
  }

 private:
  void Report(Code code, const Node& node, std::string message) {
    issues_.push_back(Issue{code, Location{{}, node.line, node.column, pointer_}, std::move(message)});
  }

  static void RemoveNulls(Node& node) {
    const auto members = node.members();
    const auto kept = std::remove_if(members.begin(), members.end(),
                                     [](const fhir::Member& member) { return member.value->is_null(); });
    node.size = static_cast<std::uint32_t>(kept - members.begin());
  }

  void List(Node& node, const ModelElement& element) {
    if (!node.is_array()) return Report(Code::kType, node, "an array is expected");
    const auto items = node.items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const PointerStep step(pointer_, i);
      Value(*items[i], element);
    }
  }

  void Value(Node& node, const ModelElement& element) {
    switch (element.type) {
      case ValueType::kObject:
        return Object(node, element);
      case ValueType::kBoolean:
        if (node.kind != fhir::NodeKind::kBoolean) WrongType(node, element);
        return;
      case ValueType::kInteger:
        return Integer(node, element);
      case ValueType::kDecimal:
        if (!node.is_number()) return WrongType(node, element);
        if (!IsBoundedDecimal(node.text)) Report(Code::kLimit, node, "the number is too long");
        return;
      case ValueType::kDate:
        return Time(node, element, fhir::Temporal::ParseDate);
      case ValueType::kDateTime:
        return Time(node, element, fhir::Temporal::ParseDateTime);
      case ValueType::kInstant:
        return Time(node, element, fhir::Temporal::ParseInstant);
      case ValueType::kString:
      case ValueType::kCode:
        return Text(node, element);
    }
  }

  void WrongType(const Node& node, const ModelElement& element) {
    Report(Code::kType, node, "a value of type " + std::string(Name(element.type)) + " is expected");
  }

  void Time(const Node& node, const ModelElement& element,
            std::optional<fhir::Temporal> (*parse)(std::string_view)) {
    if (node.is_string() && parse(node.text)) return;
    if (node.is_string() && IsUnsettledTime(node.text)) {
      return Report(Code::kTimeAmbiguous, node, "the clock skipped this local time, or showed it twice");
    }
    const auto local = node.is_string() ? fhir::Temporal::ParseDateTimeLiteral(node.text) : std::nullopt;
    if (local && local->has_time() && !local->has_offset) {
      return Report(Code::kType, node, "the time has no offset; a table takes it from [site] time_zone");
    }
    WrongType(node, element);
  }

  void Integer(const Node& node, const ModelElement& element) {
    if (!node.is_number() || !IsInteger(node.text)) return WrongType(node, element);
    std::int64_t value = 0;
    std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
    if (element.least && value < *element.least) {
      Report(Code::kNotAllowed, node, "the least value allowed is " + std::to_string(*element.least));
    } else if (element.most && value > *element.most) {
      Report(Code::kNotAllowed, node, "the greatest value allowed is " + std::to_string(*element.most));
    }
  }

  void Text(const Node& node, const ModelElement& element) {
    if (!node.is_string()) return WrongType(node, element);
    if (element.closed_list) {
      const auto& codes = *element.closed_list;
      if (!std::binary_search(codes.begin(), codes.end(), node.text)) ReportNotListed(node, codes);
      return;
    }
    const bool well_formed = element.type == ValueType::kCode ? IsCode(node.text) : IsString(node.text);
    if (!well_formed) {
      Report(Code::kNotAllowed, node,
             node.text.empty() ? "the text is empty" : "the text holds characters that are not allowed");
    } else if (element.length_max != 0 && CharacterCount(node.text) > element.length_max) {
      Report(Code::kNotAllowed, node,
             "the text is longer than " + std::to_string(element.length_max) + " characters");
    } else if (element.pattern && !element.pattern->Matches(node.text)) {
      Report(Code::kNotAllowed, node, "the text does not match the pattern of the field");
    }
  }

  void ReportNotListed(const Node& node, const std::vector<std::string>& codes) {
    std::string message = "the code is not one of";
    for (const std::string& code : codes) message += " " + code;
    Report(Code::kNotAllowed, node, std::move(message));
  }

  static constexpr std::size_t kPointerBytes = 120;  // what most take

  std::string pointer_;
  Issues& issues_;
};

}  // namespace

void CheckStructure(fhir::Node& root, const RecordModel& model, std::string pointer, Issues& issues) {
  StructureChecker(std::move(pointer), issues).Object(root, model.root());
}

}  // namespace fhir_adapter::record
