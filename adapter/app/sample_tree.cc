#include "app/sample_tree.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/limits.h"
#include "fhir/temporal.h"
#include "record/primitive_format.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using fhir::NodeKind;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Of an element that a model can have. One with `-` or a blank can stand in a model and in no rule.
bool CanBeElement(std::string_view name) {
  return !name.empty() && name.size() <= 64 && IsLetter(name.front()) &&
         std::ranges::all_of(
             name, [](char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == ' '; });
}

class Observer {
 public:
  explicit Observer(const SampleElement& root) { Count(root); }

  Result<void> Object(const Node& object, SampleElement& element, const std::string& path,
                      std::size_t depth) {
    if (depth > limits::kSampleDepthMax) {
      return Fail(Code::kLimit, path + ": more than " + std::to_string(limits::kSampleDepthMax) +
                                    " levels; take a part of the sample");
    }
    ++element.objects;
    for (const fhir::Member& member : object.members()) {
      if (member.value->is_null()) continue;
      ADAPTER_CHECK(Member(member, element,
                           path.empty() ? std::string(member.name) : path + "." + std::string(member.name),
                           depth));
    }
    return {};
  }

 private:
  void Count(const SampleElement& element) {
    elements_ += element.children.size();
    for (const SampleElement& child : element.children) Count(child);
  }

  Result<SampleElement*> ChildOf(SampleElement& element, std::string_view name, const std::string& path) {
    if (SampleElement* known = element.Find(name)) return known;
    if (!CanBeElement(name)) {
      return Fail(Code::kUsage,
                  path + ": no element of a logical model can be called so (letters, digits and _)");
    }
    if (++elements_ > limits::kSampleElementsMax) {
      return Fail(Code::kLimit, "more than " + std::to_string(limits::kSampleElementsMax) +
                                    " elements; take a part of the sample");
    }
    element.children.push_back({std::string(name), path, false, false, 0, 0, {}, {}, {}});
    return &element.children.back();
  }

  Result<void> Member(const fhir::Member& member, SampleElement& parent, const std::string& path,
                      std::size_t depth) {
    ADAPTER_TRY(SampleElement * child, ChildOf(parent, member.name, path));
    const auto items = member.value->items();
    const bool has_value = !member.value->is_array() ||
                           std::ranges::any_of(items, [](const Node* item) { return !item->is_null(); });
    if (has_value) ++child->seen;
    if (!member.value->is_array()) return Value(*member.value, *child, path, depth);
    child->is_list = true;
    for (const Node* item : items) {
      if (item->is_array())
        return Fail(Code::kUsage, path + ": a list in a list has no place in a logical model");
      if (!item->is_null()) ADAPTER_CHECK(Value(*item, *child, path, depth));
    }
    return {};
  }

  Result<void> Value(const Node& value, SampleElement& element, const std::string& path, std::size_t depth) {
    element.kinds.insert(value.kind);
    if (element.kinds.size() > 1) {
      return Fail(Code::kUsage, path + ": an object, a text or a number here and something else there");
    }
    element.is_object = value.is_object();
    if (value.is_object()) return Object(value, element, path, depth + 1);
    element.values.emplace_back(value.kind == NodeKind::kBoolean ? (value.boolean ? "true" : "false")
                                                                 : value.text);
    return {};
  }

  std::size_t elements_ = 0;  // without the root
};

bool IsSmallInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 9 && std::ranges::all_of(text, IsDigit) &&
         (text.size() == 1 || text.front() != '0');
}

// As JSON writes one, without an exponent.
bool IsPlainDecimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const bool is_whole =
      !whole.empty() && std::ranges::all_of(whole, IsDigit) && (whole.size() == 1 || whole.front() != '0');
  const bool is_fraction = point == text.size() ||
                           (point + 1 < text.size() && std::ranges::all_of(text.substr(point + 1), IsDigit));
  return is_whole && is_fraction && record::IsBoundedDecimal(text);
}

// At least a month: a year alone may be any number.
bool IsTime(std::string_view text) {
  return text.size() >= 7 && fhir::Temporal::ParseDateTime(text).has_value();
}

bool IsTruth(std::string_view text) {
  return text == "true" || text == "false";
}

bool All(const std::vector<std::string>& values, bool (*is)(std::string_view)) {
  return std::ranges::all_of(values, [is](const std::string& value) { return is(value); });
}

// A word of a table: no prose, no number.
bool IsWord(std::string_view text) {
  constexpr std::size_t kWordBytesMax = 32;
  return !text.empty() && text.size() <= kWordBytesMax && std::ranges::any_of(text, IsLetter) &&
         text.front() != ' ' && text.back() != ' ' && std::ranges::all_of(text, [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '-' || c == '_' || c == '/' || c == '.' || c == ' ';
         });
}

// `intrathecal-injection`
bool IsHyphenated(std::string_view text) {
  return IsWord(text) && text.find('-') != std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

}  // namespace

const SampleElement* SampleElement::Find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &SampleElement::name);
  return found == children.end() ? nullptr : &*found;
}

SampleElement* SampleElement::Find(std::string_view child) {
  const auto found = std::ranges::find(children, child, &SampleElement::name);
  return found == children.end() ? nullptr : &*found;
}

Result<void> Observe(const Node& record, SampleElement& root) {
  if (!record.is_object()) return Fail(Code::kUsage, "a record is an object");
  root.is_object = true;
  return Observer(root).Object(record, root, "", 1);
}

bool IsAlwaysThere(const SampleElement& element, const SampleElement& parent) {
  return parent.objects > 1 && element.seen == parent.objects;
}

std::string TypeOf(const SampleElement& leaf, SampleForm form) {
  if (leaf.kinds.contains(NodeKind::kBoolean)) return "boolean";
  if (leaf.kinds.contains(NodeKind::kNumber)) return All(leaf.values, IsSmallInteger) ? "integer" : "decimal";
  if (leaf.values.empty()) return "string";
  if (form == SampleForm::kTable) {
    if (All(leaf.values, IsTruth)) return "boolean";
    if (All(leaf.values, IsSmallInteger)) return "integer";
    if (All(leaf.values, IsPlainDecimal)) return "decimal";
  }
  return All(leaf.values, IsTime) ? "dateTime" : "string";
}

bool IsCoded(const SampleElement& leaf, const SampleElement* code_system) {
  constexpr std::size_t kCodesMax = 50;
  constexpr std::size_t kRepeatedMin = 4;
  if (leaf.values.empty() || !All(leaf.values, IsWord)) return false;
  const std::size_t distinct = leaf.Distinct().size();
  if (distinct > kCodesMax) return false;
  if (code_system != nullptr) return true;  // HL7 v2: a component says whose code it is
  static constexpr std::array<std::string_view, 8> kNames = {"code", "kind",  "type",    "status",
                                                             "unit", "route", "purpose", "drug"};
  const std::string name = Normalized(leaf.name);
  if (std::ranges::any_of(kNames, [&name](std::string_view end) { return name.ends_with(end); })) return true;
  const bool comes_again = leaf.values.size() >= kRepeatedMin && distinct * 2 <= leaf.values.size();
  return comes_again || All(leaf.values, IsHyphenated);
}

bool IsPersonal(std::string_view name) {
  static constexpr std::array<std::string_view, 20> kNames = {
      "name",    "surname",   "firstname", "lastname",    "givenname", "familyname", "patientname",
      "birth",   "birthdate", "birthday",  "dateofbirth", "dob",       "sex",        "gender",
      "address", "street",    "phone",     "email",       "age",       "ageyears"};
  return std::ranges::find(kNames, Normalized(name)) != kNames.end();
}

std::string Normalized(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsLetter(c) || IsDigit(c)) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string ElementName(std::string_view text) {
  constexpr std::size_t kNameBytesMax = 60;  // room for a number that tells it from another
  std::string out;
  bool begins_word = false;
  char before = ' ';
  for (const char c : text) {
    if (IsLetter(c) || IsDigit(c)) {
      if (out.empty() && IsDigit(c)) out = "n";
      const auto byte = static_cast<unsigned char>(c);
      const bool is_hump = std::isupper(byte) != 0 && std::islower(static_cast<unsigned char>(before)) != 0;
      const bool is_upper = begins_word || (is_hump && !out.empty());
      out += static_cast<char>(is_upper ? std::toupper(byte) : std::tolower(byte));
      begins_word = false;
    } else {
      begins_word = !out.empty();
    }
    before = c;
  }
  if (out.size() > kNameBytesMax) out.resize(kNameBytesMax);
  return out.empty() ? "element" : out;
}

}  // namespace fhir_adapter::app
