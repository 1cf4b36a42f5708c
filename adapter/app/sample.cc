// Samples of records (JSON) and of messages (HL7 v2).
#include "app/sample.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "app/mapping_files.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/temporal.h"
#include "record/hl7v2_reader.h"
#include "record/record_splitter.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using Role = SampleElement::Role;

constexpr std::pair<std::string_view, Role> kEnvelope[] = {
    {"site", Role::kSite},     {"recordId", Role::kRecordId}, {"revision", Role::kRevision},
    {"status", Role::kStatus}, {"recorded", Role::kRecorded}, {"patient.mrn", Role::kPatient}};

SampleElement* LeafAt(SampleElement& root, std::string_view path) {
  return const_cast<SampleElement*>(app::LeafAt(std::as_const(root), path));
}

// A record of our own model has what names it where the store looks for it.
bool TakeEnvelope(SampleElement& root) {
  for (const auto& [path, role] : kEnvelope) {
    const SampleElement* leaf = LeafAt(root, path);
    if (leaf == nullptr || leaf->values.empty()) return false;
    const std::string type = TypeOf(*leaf, SampleForm::kJson);
    if (role == Role::kRevision && type != "integer") return false;
    if (role == Role::kRecorded && type != "dateTime") return false;
    if (role != Role::kRevision && leaf->kinds.contains(fhir::NodeKind::kNumber)) return false;
  }
  for (const auto& [path, role] : kEnvelope) LeafAt(root, path)->role = role;
  return true;
}

// The first leaf, from the root down, whose name is one of these; lists are not looked into.
SampleElement* FindNamed(SampleElement& element, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    for (SampleElement& child : element.children) {
      if (child.is_leaf() && !child.is_list && Normalized(child.name) == name) return &child;
    }
  }
  for (SampleElement& child : element.children) {
    if (!child.is_object || child.is_list) continue;
    if (SampleElement* found = FindNamed(child, names)) return found;
  }
  return nullptr;
}

Result<void> TakeRole(SampleElement& root, const std::string& path, std::span<const std::string_view> names,
                      Role role, Sample& sample) {
  SampleElement* leaf = path.empty() ? FindNamed(root, names) : LeafAt(root, path);
  if (leaf == nullptr && !path.empty()) {
    return Fail(Code::kUsage, "the sample has no value " + path + " outside of lists");
  }
  if (leaf == nullptr) return {};
  leaf->role = role;
  if (path.empty()) {
    sample.remarks.push_back(leaf->label + (role == Role::kRecordId ? " is taken as what names a record"
                                                                    : " is taken as the patient's number"));
  }
  return {};
}

constexpr std::array<std::string_view, 9> kRecordNames = {
    "recordid", "recordno", "recordnumber", "caseid", "caseno", "casenumber", "identifier", "id", "number"};
constexpr std::array<std::string_view, 7> kPatientNames = {
    "mrn", "patientid", "patientno", "patientnumber", "patientmrn", "pid", "medicalrecordnumber"};

// {"OBX": {"f3": {"c1": …}}} of what the reader of messages gives: the tree that a map sees.
class MessageTree {
 public:
  explicit MessageTree(Arena& arena) : arena_(arena) {}

  Node* Make(const Node& message) {
    Node* root = Node::Object(arena_);
    for (const Node* name : message.Find("segments")->items()) {
      if (root->Find(name->text) != nullptr) continue;
      const auto segments = message.Find(name->text)->items();
      Node* list = Node::Array(arena_);
      for (const Node* segment : segments) list->Append(arena_, Segment(*segment));
      root->AddMember(arena_, name->text, segments.size() > 1 ? list : list->items()[0]);
    }
    return root;
  }

 private:
  Node* Segment(const Node& segment) {
    Node* made = Node::Object(arena_);
    for (const fhir::Member& field : segment.members()) {
      const auto repetitions = field.value->items();
      Node* list = Node::Array(arena_);
      for (const Node* repetition : repetitions) list->Append(arena_, Repetition(*repetition));
      made->AddMember(arena_, arena_.Join({"f", field.name}),
                      repetitions.size() > 1 ? list : list->items()[0]);
    }
    return made;
  }

  // Always with its components: another message may have more of them.
  Node* Repetition(const Node& repetition) {
    Node* made = Node::Object(arena_);
    for (const fhir::Member& component : repetition.members()) {
      if (!component.value->is_object()) {
        made->AddMember(arena_, arena_.Join({"c", component.name}), component.value);
        continue;
      }
      for (const fhir::Member& part : component.value->members()) {
        const bool is_first = part.name == "1";  // c4 and c4s1 are one place
        made->AddMember(arena_,
                        is_first ? arena_.Join({"c", component.name})
                                 : arena_.Join({"c", component.name, "s", part.name}),
                        part.value);
      }
    }
    return made;
  }

  Arena& arena_;
};

// A field of which every message has the first component alone is a simple one: `f5` and not `f5.c1`.
void Simplify(SampleElement& root) {
  for (SampleElement& segment : root.children) {
    for (SampleElement& field : segment.children) {
      if (field.children.size() != 1 || field.children.front().name != "c1") continue;
      field.is_object = false;
      field.values = std::move(field.children.front().values);
      field.kinds = std::move(field.children.front().kinds);
      field.children.clear();
    }
  }
}

// "PID.f3.c1" is PID-3.1 to people.
void LabelMessage(SampleElement& root) {
  for (SampleElement& segment : root.children) {
    segment.label = segment.name;
    for (SampleElement& field : segment.children) {
      field.label = segment.name + "-" + field.name.substr(1);
      for (SampleElement& component : field.children) {
        std::string number = component.name.substr(1);
        std::ranges::replace(number, 's', '.');
        component.label = field.label + "." + number;
      }
    }
  }
}

// YYYYMMDD, or to the minute or second, as FHIR writes it; empty: it is none, or nobody says in which zone.
std::string FhirTimeOf(std::string_view text, bool has_message_offset) {
  const std::size_t sign = std::min(text.find_first_of("+-"), text.size());
  const std::string_view digits = text.substr(0, sign);
  const bool has_form = (digits.size() == 8 || digits.size() == 12 || digits.size() == 14) &&
                        std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!has_form) return "";
  std::string time(digits.substr(0, 4));
  time.append("-").append(digits.substr(4, 2)).append("-").append(digits.substr(6, 2));
  if (digits.size() > 8) {
    if (sign == text.size() && !has_message_offset) return "";
    const std::string_view seconds = digits.size() == 14 ? digits.substr(12) : "00";
    time.append("T").append(digits.substr(8, 2)).append(":").append(digits.substr(10, 2));
    time.append(":").append(seconds).append("Z");  // which zone does not matter here
  }
  return fhir::Temporal::ParseDateTime(time) ? time : "";
}

// Values that are all times are looked at as FHIR writes them.
void TakeTimes(SampleElement& element, bool has_message_offset) {
  for (SampleElement& child : element.children) TakeTimes(child, has_message_offset);
  std::vector<std::string> times;
  for (const std::string& value : element.values) {
    times.push_back(FhirTimeOf(value, has_message_offset));
    if (times.back().empty()) return;
  }
  element.values = std::move(times);
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

const SampleElement* LeafAt(const SampleElement& root, std::string_view path) {
  const SampleElement* element = &root;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    element = element->Find(path.substr(0, dot));
    if (element == nullptr || element->is_list) return nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return element->is_leaf() ? element : nullptr;
}

std::string PathOf(const SampleElement& root, Role role) {
  for (const SampleElement& child : root.children) {
    if (child.is_list) continue;
    if (child.is_leaf() && child.role == role) return child.name;
    if (child.is_leaf()) continue;
    if (const std::string below = PathOf(child, role); !below.empty()) return child.name + "." + below;
  }
  return "";
}

Result<Sample> ReadRecordSample(std::string_view text, bool is_ndjson, const SampleOptions& options) {
  Sample sample;
  record::RecordSplitter splitter(is_ndjson ? record::RecordFormat::kNdjson : record::RecordFormat::kJson);
  splitter.Push(text);
  splitter.Finish();
  Arena arena;
  while (auto record = splitter.Next()) {
    const Location where{"", record->line, record->column, record->pointer};
    if (record->problem) return Fail(record->problem->code, record->problem->message, record->problem->where);
    ADAPTER_TRY(const Node* root, fhir::ReadJson(record->bytes, arena));
    if (auto observed = Observe(*root, sample.root); !observed) {
      return Fail(observed.error().code, observed.error().message, where);
    }
    if (sample.records++ == 0) sample.first = record->bytes;
  }
  if (sample.records == 0) return Fail(Code::kUsage, "the sample holds no record");
  sample.has_envelope = options.record_id.empty() && options.patient.empty() && TakeEnvelope(sample.root);
  if (sample.has_envelope) return sample;
  ADAPTER_CHECK(TakeRole(sample.root, options.record_id, kRecordNames, Role::kRecordId, sample));
  ADAPTER_CHECK(TakeRole(sample.root, options.patient, kPatientNames, Role::kPatient, sample));
  if (PathOf(sample.root, Role::kRecordId).empty()) {
    return Fail(Code::kUsage,
                "nothing in the sample looks like the number of a record: name it, --record-id PATH");
  }
  sample.remarks.emplace_back(
      "`serve` takes records with site, recordId, revision, status, recorded and patient.mrn only, which "
      "these are "
      "not; `map` and `map test` do");
  return sample;
}

Result<Sample> ReadMessageSample(std::string_view text) {
  Sample sample;
  sample.form = SampleForm::kMessage;
  Arena arena;
  MessageTree tree(arena);
  for (const record::Hl7MessageText& message : record::SplitHl7Messages(text)) {
    ADAPTER_TRY(const Node* read, record::ReadHl7Message(message.bytes, arena));
    ADAPTER_CHECK(Observe(*tree.Make(*read), sample.root));
    if (sample.records++ == 0) sample.first = message.bytes;
  }
  const auto values_of = [&sample](const char* path) {
    const SampleElement* leaf = LeafAt(sample.root, path);
    return leaf == nullptr ? std::set<std::string>() : leaf->Distinct();
  };
  const auto types = values_of("MSH.f9.c1");
  const auto events = values_of("MSH.f9.c2");
  if (types.size() != 1 || events.size() != 1) {
    return Fail(Code::kUsage, "a sample is messages of one kind, which MSH-9 names: RAS^O17");
  }
  const auto is_plain = [](const std::string& part) {
    return std::ranges::all_of(part, [](unsigned char c) { return std::isalnum(c) != 0; });
  };
  if (!is_plain(*types.begin()) || !is_plain(*events.begin())) {
    return Fail(Code::kUsage, "MSH-9 has another form than RAS^O17");
  }
  sample.message_kind = LowerCase(*types.begin() + "-" + *events.begin());
  LabelMessage(sample.root);
  Simplify(sample.root);
  const SampleElement* sent = LeafAt(sample.root, "MSH.f7");
  const bool has_offset = sent != nullptr && sent->values.size() == sample.records &&
                          std::ranges::all_of(sent->values, [](const std::string& time) {
                            return time.find_first_of("+-") != std::string::npos;
                          });
  for (SampleElement& segment : sample.root.children) {
    if (segment.name != "PID" && segment.name != "MSH") TakeTimes(segment, has_offset);
  }
  if (values_of("MSH.f10").empty()) return Fail(Code::kUsage, "a message has a control id (MSH-10)");
  return sample;
}

Result<Sample> ReadSample(const std::string& file, const SampleOptions& options) {
  ADAPTER_TRY(const std::string text, ReadFile(file));
  if (text.size() > limits::kSampleBytesMax) {
    return Fail(Code::kLimit, "a sample has at most " + std::to_string(limits::kSampleBytesMax) + " bytes",
                Location{file, 0, 0, ""});
  }
  auto sample = file.ends_with(".csv")   ? ReadTableSample(text, options)
                : file.ends_with(".hl7") ? ReadMessageSample(text)
                : file.ends_with(".json") || file.ends_with(".ndjson")
                    ? ReadRecordSample(text, file.ends_with(".ndjson"), options)
                    : Result<Sample>(Fail(Code::kUsage, "a sample is .csv, .json, .ndjson or .hl7"));
  if (sample) return sample;
  Error error = std::move(sample).error();
  error.where.file = file;
  return Fail(std::move(error));
}

}  // namespace fhir_adapter::app
