#include "record/hl7v2_shape.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fhir/temporal.h"
#include "record/primitive_format.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;
using fhir::Temporal;

constexpr std::string_view kDeleted = "\"\"";
constexpr std::int64_t kSecondsTo2000 = 946'684'800;
constexpr std::int64_t kMicroseconds = 1'000'000;

bool IsSegment(const ModelElement& element) {
  return element.name.size() == 3 && std::ranges::all_of(element.name, [](char c) {
           return std::isupper(static_cast<unsigned char>(c)) != 0 ||
                  std::isdigit(static_cast<unsigned char>(c)) != 0;
         });
}

bool AreDigits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The parts of a TS: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ].
struct TimeStamp {
  std::string_view digits;
  std::string_view fraction;  // with its point
  std::string offset;         // "+09:00"; empty: none is written
};

std::optional<TimeStamp> SplitTimeStamp(std::string_view text) {
  TimeStamp stamp;
  if (const std::size_t sign = text.find_first_of("+-"); sign != std::string_view::npos) {
    const std::string_view zone = text.substr(sign);
    if (zone.size() != 5 || !AreDigits(zone.substr(1))) return std::nullopt;
    stamp.offset = std::string(zone.substr(0, 3)) + ":" + std::string(zone.substr(3));
    text = text.substr(0, sign);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  stamp.digits = text.substr(0, point);
  stamp.fraction = text.substr(point);
  const bool is_fraction =
      stamp.fraction.empty() ||
      (stamp.fraction.size() > 1 && stamp.digits.size() == 14 && AreDigits(stamp.fraction.substr(1)));
  const bool is_whole = stamp.digits.size() >= 4 && stamp.digits.size() <= 14 && stamp.digits.size() % 2 == 0;
  if (!is_fraction || !is_whole || !AreDigits(stamp.digits)) return std::nullopt;
  return stamp;
}

enum class TimeFault : std::uint8_t { kNone, kUnreadable, kNoOffset, kUnsettled };

struct FhirTime {
  std::string text;
  TimeFault fault = TimeFault::kNone;
};

bool IsOfType(const std::string& text, ValueType type) {
  if (type == ValueType::kDate) return Temporal::ParseDate(text).has_value();
  if (type == ValueType::kInstant) return Temporal::ParseInstant(text).has_value();
  return Temporal::ParseDateTime(text).has_value();
}

// What a time without an offset has.
struct OffsetRule {
  std::string message;             // "+09:00", of MSH-7; empty: none is written
  const TimeZone* zone = nullptr;  // then that of the sender's clocks; null: none is guessed
};

// The offset of a local time, as "+09:00"; empty when its zone skipped it or had it twice.
std::string ZoneOffset(const std::string& local, const TimeZone& zone) {
  constexpr std::int32_t kMinute = 60;
  constexpr std::int32_t kHour = 3'600;
  const auto moment = Temporal::ParseInstant(local + "Z");
  const auto us = moment ? moment->ToUtcMicroseconds() : std::nullopt;
  const auto offsets = us ? zone.OffsetsOf(*us / kMicroseconds) : std::vector<std::int32_t>();
  if (offsets.size() != 1) return {};
  const std::int32_t offset_s = offsets.front();
  const std::int32_t size_s = offset_s < 0 ? -offset_s : offset_s;
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%c%02d:%02d", offset_s < 0 ? '-' : '+', size_s / kHour,
                size_s % kHour / kMinute);
  return text.data();
}

FhirTime ReadTime(std::string_view written, ValueType type, const OffsetRule& rule) {
  constexpr std::size_t kDateDigits = 8;
  constexpr std::size_t kMinuteDigits = 12;
  const std::optional<TimeStamp> stamp = SplitTimeStamp(written);
  if (!stamp) return {{}, TimeFault::kUnreadable};
  const std::string_view digits = stamp->digits;
  std::string text(digits.substr(0, 4));
  for (std::size_t i = 4; i < std::min(digits.size(), kDateDigits); i += 2) {
    text.append("-").append(digits.substr(i, 2));
  }
  if (digits.size() > kDateDigits && type != ValueType::kDate) {
    // An hour alone has no form in FHIR, and saying more or less than it would be made up.
    if (digits.size() < kMinuteDigits) return {{}, TimeFault::kUnreadable};
    std::string offset = stamp->offset.empty() ? rule.message : stamp->offset;
    if (offset.empty() && rule.zone == nullptr) return {{}, TimeFault::kNoOffset};
    if (type == ValueType::kInstant && digits.size() == kMinuteDigits) return {{}, TimeFault::kUnreadable};
    const std::string_view seconds = digits.size() > kMinuteDigits ? digits.substr(kMinuteDigits) : "00";
    text.append("T").append(digits.substr(8, 2)).append(":").append(digits.substr(10, 2));
    text.append(":").append(seconds).append(stamp->fraction);
    if (offset.empty()) {
      if (!IsOfType(text + "Z", type)) return {{}, TimeFault::kUnreadable};
      offset = ZoneOffset(text, *rule.zone);
      if (offset.empty()) return {{}, TimeFault::kUnsettled};
    }
    text.append(offset);
  }
  if (!IsOfType(text, type)) return {{}, TimeFault::kUnreadable};
  return {text, TimeFault::kNone};
}

// NM allows a plus sign, zeros in front and a point without digits before it; JSON does not.
std::string NumberOf(std::string_view written) {
  std::string number;
  const bool is_negative = written.starts_with("-");
  if (is_negative) number = "-";
  if (is_negative || written.starts_with("+")) written.remove_prefix(1);
  if (written.starts_with("-")) return std::string(written) + "-";  // two signs are no number
  const std::size_t first = std::min(written.find_first_not_of('0'), written.size());
  written.remove_prefix(first);
  if (first > 0 && (written.empty() || written.front() == '.')) number += "0";
  if (first == 0 && written.starts_with(".")) number += "0";
  return number.append(written);
}

bool IsNumber(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point);
  if (whole.starts_with("-")) whole.remove_prefix(1);
  const bool is_whole = !whole.empty() && AreDigits(whole);
  const bool is_fraction =
      point == text.size() || (point + 1 < text.size() && AreDigits(text.substr(point + 1)));
  return is_whole && is_fraction && IsBoundedDecimal(text);
}

// The text of component `c` (1-based) and subcomponent `s` of a repetition, or null.
const Node* PartOf(const Node& repetition, const std::string& component, const std::string& subcomponent) {
  const Node* value = repetition.Find(component);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return value->Find(subcomponent);
  return subcomponent == "1" ? value : nullptr;
}

class Shaper {
 public:
  Shaper(const Node& message, Arena& arena, Issues& issues, const TimeZone* zone)
      : message_(message), arena_(arena), issues_(issues) {
    rule_.zone = zone;
    if (const Node* header = message.Find("MSH"); header != nullptr) {
      if (const Node* time = header->items()[0]->Find("7"); time != nullptr)
        sent_ = PartOf(*time->items()[0], "1", "1");
    }
    const auto stamp = sent_ != nullptr ? SplitTimeStamp(sent_->text) : std::nullopt;
    if (stamp) rule_.message = stamp->offset;
  }

  Node* Shape(const ModelElement& root) {
    Node* shaped = Node::Object(arena_);
    open_.push_back({&root, shaped});
    AddSent(root, *shaped);
    std::map<std::string_view, std::size_t> seen;
    for (const Node* name : message_.Find("segments")->items()) {
      const Node* list = message_.Find(name->text);
      const Node& segment = *list->items()[seen[name->text]++];
      if (!Place(name->text, segment)) {
        Note(Code::kUnknownField, segment, std::string(name->text),
             "the map has no place for this segment here");
      }
    }
    return shaped;
  }

 private:
  struct Open {
    const ModelElement* element;
    Node* node;
  };

  void Note(Code code, const Node& where, std::string pointer, std::string message) {
    issues_.push_back({code, Location{"", where.line, where.column, std::move(pointer)}, std::move(message)});
  }

  void AddSent(const ModelElement& root, Node& shaped) {
    if (sent_ == nullptr || root.Find("sent") == nullptr) return;
    const FhirTime time = ReadTime(sent_->text, ValueType::kInstant, rule_);
    const auto moment = Temporal::ParseInstant(time.text);
    const auto us = moment ? moment->ToUtcMicroseconds() : std::nullopt;
    if (!us) return;
    shaped.AddMember(arena_, "sent",
                     Node::Number(arena_, std::to_string(*us / kMicroseconds - kSecondsTo2000)));
  }

  bool Place(std::string_view name, const Node& segment) {
    while (!open_.empty()) {
      const Open inner = open_.back();
      const ModelElement* child = inner.element->Find(name);
      const bool is_taken = child != nullptr && !child->is_list && inner.node->Find(name) != nullptr;
      if (child != nullptr && IsSegment(*child) && !is_taken) {
        AddTo(*inner.node, *child, ShapeSegment(*child, segment));
        return true;
      }
      if (OpenGroup(inner, name)) return Place(name, segment);
      if (open_.size() == 1) return false;
      // What has no place at all must not close the groups that what follows belongs to.
      if (!HasPlaceAround(name)) return false;
      open_.pop_back();
    }
    return false;
  }

  bool HasPlaceAround(std::string_view name) const {
    return std::ranges::any_of(open_, [name](const Open& open) {
      const ModelElement* child = open.element->Find(name);
      const bool is_free = child != nullptr && (child->is_list || open.node->Find(name) == nullptr);
      return is_free || GroupOf(*open.element, name) != nullptr;
    });
  }

  // The group among the children that begins with this segment.
  static const ModelElement* GroupOf(const ModelElement& element, std::string_view name) {
    for (const ModelElement& child : element.children) {
      if (!IsSegment(child) && !child.children.empty() && child.children.front().name == name) return &child;
    }
    return nullptr;
  }

  bool OpenGroup(const Open& around, std::string_view name) {
    const ModelElement* group = GroupOf(*around.element, name);
    if (group == nullptr) return false;
    Node* made = Node::Object(arena_);
    AddTo(*around.node, *group, made);
    open_.push_back({group, made});
    return true;
  }

  void AddTo(Node& object, const ModelElement& element, Node* value) {
    if (!element.is_list) {
      object.AddMember(arena_, element.name, value);
      return;
    }
    Node* list = object.Find(element.name);
    if (list == nullptr) {
      list = Node::Array(arena_);
      object.AddMember(arena_, element.name, list);
    }
    list->Append(arena_, value);
  }

  Node* ShapeSegment(const ModelElement& element, const Node& segment) {
    Node* shaped = Node::Object(arena_);
    shaped->line = segment.line;
    shaped->column = segment.column;
    for (const fhir::Member& field : segment.members()) {
      const std::string name = "f" + std::string(field.name);
      const std::string place = element.name + "-" + std::string(field.name);
      const ModelElement* known = element.Find(name);
      const auto repetitions = field.value->items();
      if (known == nullptr || (!known->is_list && repetitions.size() > 1)) {
        Note(Code::kUnknownField, *repetitions[known == nullptr ? 0 : 1], place,
             "the map has no place for this value");
      }
      if (known == nullptr) continue;
      for (const Node* repetition : repetitions) {
        if (Node* value = ShapeRepetition(*known, *repetition, place)) AddTo(*shaped, *known, value);
        if (!known->is_list) break;
      }
    }
    return shaped;
  }

  // Null: nothing in it that the model has.
  Node* ShapeRepetition(const ModelElement& field, const Node& repetition, const std::string& place) {
    if (field.children.empty()) {
      const Node* part = PartOf(repetition, "1", "1");
      return part == nullptr ? nullptr : ShapeValue(field.type, *part, place);
    }
    Node* shaped = Node::Object(arena_);
    shaped->line = repetition.line;
    shaped->column = repetition.column;
    for (const ModelElement& child : field.children) {
      const std::string name = child.name.substr(1);  // `c4s2`
      const std::size_t sub = std::min(name.find('s'), name.size());
      const std::string component = name.substr(0, sub);
      const Node* part = PartOf(repetition, component, sub < name.size() ? name.substr(sub + 1) : "1");
      if (part == nullptr) continue;
      if (Node* value = ShapeValue(child.type, *part, place + "." + component)) {
        shaped->AddMember(arena_, child.name, value);
      }
    }
    return shaped->size > 0 ? shaped : nullptr;
  }

  Node* ShapeValue(ValueType type, const Node& part, const std::string& place) {
    if (part.text.empty() || part.text == kDeleted) return nullptr;
    Node* value = nullptr;
    switch (type) {
      case ValueType::kDate:
      case ValueType::kDateTime:
      case ValueType::kInstant:
        value = ShapeTime(type, part, place);
        break;
      case ValueType::kDecimal:
      case ValueType::kInteger:
        value = ShapeNumber(type, part, place);
        break;
      default:
        value = Node::String(arena_, part.text);
    }
    if (value == nullptr) return nullptr;
    value->line = part.line;
    value->column = part.column;
    return value;
  }

  Node* ShapeTime(ValueType type, const Node& part, const std::string& place) {
    const FhirTime time = ReadTime(part.text, type, rule_);
    if (time.fault == TimeFault::kNone) return Node::String(arena_, time.text);
    if (time.fault == TimeFault::kNoOffset) {
      Note(Code::kTimeAmbiguous, part, place, "a time without an offset, and MSH-7 has none either");
    } else if (time.fault == TimeFault::kUnsettled) {
      Note(Code::kTimeAmbiguous, part, place, "the clocks of the site showed this time twice, or skipped it");
    } else {
      Note(Code::kMapFailed, part, place, "the value is not a " + std::string(Name(type)));
    }
    return nullptr;
  }

  Node* ShapeNumber(ValueType type, const Node& part, const std::string& place) {
    const std::string number = NumberOf(part.text);
    if (IsNumber(number) && (type == ValueType::kDecimal || IsInteger(number))) {
      return Node::Number(arena_, arena_.Copy(number));
    }
    Note(Code::kMapFailed, part, place, "the value is not a " + std::string(Name(type)));
    return nullptr;
  }

  const Node& message_;
  Arena& arena_;
  Issues& issues_;
  const Node* sent_ = nullptr;  // MSH-7.1
  OffsetRule rule_;
  std::vector<Open> open_;  // groups, innermost last
};

}  // namespace

fhir::Node* ShapeHl7Message(const fhir::Node& message, const RecordModel& model, Arena& arena, Issues& issues,
                            const TimeZone* zone) {
  return Shaper(message, arena, issues, zone).Shape(model.root());
}

}  // namespace fhir_adapter::record
