#include "app/map_skeleton.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "core/arena.h"
#include "fhir/json_difference.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using Role = SampleElement::Role;

constexpr std::string_view kStatuses = "in-progress|completed|corrected|not-done|voided";

// Text between single quotes of a map, on one line.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kTextBytesMax = 200;
  std::string out = "'";
  for (const char c : text.substr(0, kTextBytesMax)) {
    if (c == '\'' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  // A character that was cut through.
  while (text.size() > kTextBytesMax && (static_cast<unsigned char>(out.back()) & 0x80U) != 0) out.pop_back();
  return out + "'";
}

std::string TomlQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// "administrations.dose" → "administrations-dose"
std::string Hyphenated(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_plain) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  return out;
}

std::string Capitalised(std::string_view name) {
  std::string out;
  bool begins = true;
  for (const char c : name) {
    if (c == '-') {
      begins = true;
      continue;
    }
    out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = false;
  }
  return out;
}

// A name that stands after a dot in a rule.
bool CanBeRead(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

class Json {
 public:
  Node* Object(std::initializer_list<std::pair<std::string_view, Node*>> members) {
    Node* object = Node::Object(arena_);
    for (const auto& [name, value] : members) {
      if (value != nullptr) object->AddMember(arena_, name, value);
    }
    return object;
  }
  Node* List(const std::vector<Node*>& items) {
    Node* list = Node::Array(arena_);
    for (Node* item : items) list->Append(arena_, item);
    return list;
  }
  Node* Text(std::string_view text) { return Node::String(arena_, text); }
  Node* Number(std::int64_t number) { return Node::Number(arena_, arena_.Copy(std::to_string(number))); }
  Node* False() { return Node::Boolean(arena_, false); }

 private:
  Arena arena_;
};

class SkeletonMaker {
 public:
  SkeletonMaker(const Sample& sample, const SkeletonSettings& settings)
      : sample_(sample), settings_(settings), is_message_(sample.form == SampleForm::kMessage) {
    name_ = is_message_ ? "hl7v2-" + sample.message_kind : settings.name;
    type_ = is_message_ ? "Hl7v2" + Capitalised(sample.message_kind) : Capitalised(settings.name) + "Record";
  }

  MapSkeleton Make() {
    MapSkeleton skeleton;
    skeleton.map = is_message_ ? "hl7v2/" + sample_.message_kind + ".map" : name_ + "/" + name_ + ".map";
    skeleton.case_path =
        is_message_ ? "hl7v2/tests/" + sample_.message_kind + "-sample" : name_ + "/tests/sample";
    skeleton.files.push_back({skeleton.map, MapText()});
    skeleton.files.push_back({"models/" + type_ + ".json", ModelText()});
    for (SkeletonFile& table : tables_) skeleton.files.push_back(std::move(table));
    if (sample_.form == SampleForm::kTable) {
      skeleton.files.push_back({"columns/" + name_ + ".toml", ColumnsText()});
    }
    return skeleton;
  }

 private:
  std::string Url(std::string_view kind, std::string_view name) const {
    return settings_.canonical_base + "/" + std::string(kind) + "/" + std::string(name);
  }

  // --- The model.

  std::string ModelText() {
    std::vector<Node*> elements = {json_.Object({{"id", json_.Text(type_)},
                                                 {"path", json_.Text(type_)},
                                                 {"short", json_.Text("as a sample showed it")},
                                                 {"min", json_.Number(0)},
                                                 {"max", json_.Text("*")}})};
    AddElements(sample_.root, type_, elements);
    const Node* model = json_.Object(
        {{"resourceType", json_.Text("StructureDefinition")},
         {"id", json_.Text(type_)},
         {"url", json_.Text(Url("StructureDefinition", type_))},
         {"version", json_.Text("0.1.0")},
         {"name", json_.Text(type_)},
         {"status", json_.Text("draft")},
         {"description", json_.Text("Types and cardinalities as " + std::to_string(sample_.records) +
                                    " records of a sample have them: look at each before you rely on it.")},
         {"fhirVersion", json_.Text("4.0.1")},
         {"kind", json_.Text("logical")},
         {"abstract", json_.False()},
         {"type", json_.Text(type_)},
         {"baseDefinition", json_.Text("http://hl7.org/fhir/StructureDefinition/Element")},
         {"derivation", json_.Text("specialization")},
         {"differential", json_.Object({{"element", json_.List(elements)}})}});
    return fhir::LayOut(*model);
  }

  void AddElements(const SampleElement& parent, const std::string& path, std::vector<Node*>& elements) {
    for (const SampleElement& element : parent.children) {
      const std::string own = path + "." + element.name;
      elements.push_back(ElementNode(element, parent, own));
      AddElements(element, own, elements);
    }
  }

  bool IsOfEnvelope(const SampleElement& element) const {
    return sample_.has_envelope &&
           (element.role != Role::kNone || (element.is_object && element.Find("mrn") != nullptr &&
                                            element.Find("mrn")->role == Role::kPatient));
  }

  std::string TypeOfElement(const SampleElement& element) const {
    if (element.is_object) return "BackboneElement";
    switch (element.role) {
      case Role::kRevision:
        return "integer";
      case Role::kRecorded:
        return "instant";
      case Role::kSite:
      case Role::kRecordId:
      case Role::kStatus:
      case Role::kPatient:
        // A number that names something is a text, but where JSON says it is none.
        return sample_.form == SampleForm::kJson ? TypeOf(element, sample_.form) : "string";
      case Role::kNone:
        break;
    }
    return TypeOf(element, sample_.form);
  }

  Node* ElementNode(const SampleElement& element, const SampleElement& parent, const std::string& path) {
    const bool is_required = IsOfEnvelope(element) || (!is_message_ && IsAlwaysThere(element, parent));
    Node* extension = nullptr;
    if (sample_.has_envelope && element.role == Role::kStatus) {
      extension =
          json_.List({json_.Object({{"url", json_.Text("http://hl7.org/fhir/StructureDefinition/regex")},
                                    {"valueString", json_.Text(kStatuses)}})});
    }
    const bool has_limit = sample_.has_envelope && element.role == Role::kRecordId;
    return json_.Object(
        {{"id", json_.Text(path)},
         {"extension", extension},
         {"path", json_.Text(path)},
         {"short", json_.Text(element.label)},
         {"min", json_.Number(is_required ? 1 : 0)},
         {"max", json_.Text(element.is_list ? "*" : "1")},
         {"type", json_.List({json_.Object({{"code", json_.Text(TypeOfElement(element))}})})},
         {"maxLength", has_limit ? json_.Number(64) : nullptr},
         {"minValueInteger",
          sample_.has_envelope && element.role == Role::kRevision ? json_.Number(1) : nullptr}});
  }

  // --- The map.

  std::string Key() const {
    if (is_message_) {
      const bool has_sender = LeafAt(sample_.root, "MSH.f4") != nullptr;
      return std::string(has_sender ? "%record.MSH.f4.identifierPart() & '.hl7.' & " : "'hl7.' & ") +
             "%record.MSH.f10.identifierPart()";
    }
    const std::string path = PathOf(sample_.root, Role::kRecordId);
    if (sample_.has_envelope) {
      return "iif(%recordKey.exists(), %recordKey, %record.site.identifierPart() & '.' & "
             "%record.recordId.identifierPart())";
    }
    return Quoted(name_ + ".") + " & %record." + path + ".toString().identifierPart()";
  }

  // Where the patient's number stands; empty: the sample does not say.
  std::string Patient() const {
    if (!is_message_) return PathOf(sample_.root, Role::kPatient);
    const SampleElement* segment = sample_.root.Find("PID");
    const SampleElement* field = segment == nullptr || segment->is_list ? nullptr : segment->Find("f3");
    if (field == nullptr) return "";
    if (field->is_leaf()) return "PID.f3.first()";
    return field->Find("c1") == nullptr ? "" : "PID.f3.first().c1";
  }

  std::string Status() const {
    if (!sample_.has_envelope) return "'unknown'";
    return "(iif(%record.status = 'voided', 'entered-in-error', iif(%record.status = 'not-done', "
           "'cancelled', "
           "iif(%record.status = 'in-progress', 'preliminary', 'final'))))";
  }

  std::string MapText() {
    std::string rules = Rules(sample_.root, "record", "", 1);
    std::string text = Head();
    text += "uses \"" + Url("StructureDefinition", type_) + "\" alias " + type_ + " as source\n";
    for (const char* type :
         {"Bundle\" alias Bundle as target", "Observation\" alias Observation as produced"}) {
      text += std::string("uses \"http://hl7.org/fhir/StructureDefinition/") + type + "\n";
    }
    const std::string patient = Patient();
    if (!patient.empty()) {
      text +=
          "\nlet patientSystem = iif(%patientIdentifierSystem.exists(), %patientIdentifierSystem, "
          "%canonicalBase & "
          "'/sid/mrn');\n";
    }
    text += "\ngroup Record(source record : " + type_ + ", target bundle : Bundle) {\n" +
            "  record -> bundle.type = 'transaction' \"bundle-type\";\n" + "  record -> (" + Key() +
            ") as key then {\n" +
            "    record -> bundle.entry as entry, entry.resource = create('Observation') as observation\n" +
            "      then Values(record, key, observation) \"values\";\n  } \"record\";\n}\n\n" +
            "group Values(source record : " + type_ +
            ", source key : string, target observation : Observation) {\n" +
            "  key -> observation.identifier as identifier, identifier.system = (%canonicalBase & "
            "'/sid/it-observation'),\n    identifier.value = (%key & " +
            Quoted("." + name_) + ") \"identifier\";\n" + "  record -> observation.status = " + Status() +
            " \"status\";\n" +
            "  record -> observation.code as concept, concept.text = " + Quoted("values of " + name_) +
            " \"code\";\n";
    if (!patient.empty()) {
      text +=
          "  record where (%record." + patient +
          ".exists()) -> observation.subject as subject,\n    subject.reference = ('Patient?identifier=' & "
          "%patientSystem.searchValue() & '|' & %record." +
          patient + ".toString().searchValue()) \"patient\";\n";
    }
    if (sample_.has_envelope) {
      text += "  record.recorded as recorded -> observation.issued = recorded \"recorded\";\n";
    }
    return text + rules + "}\n";
  }

  std::string Head() const {
    std::string text =
        "/// url = " + Quoted(Url("StructureMap", name_)) + "\n/// name = " + Quoted(type_) +
        "\n/// title = 'A map begun from a sample'\n/// version = '0.1.0'\n/// status = 'draft'\n";
    for (const auto& [path, why] : not_mapped_) text += "/// notMapped = " + Quoted(path + ": " + why) + "\n";
    text +=
        "\n// Purpose: a beginning. Every value of the sample leaves as a component of one Observation, or "
        "is listed above "
        "as not\n// mapped. Move each rule to the resource and element where its value belongs, give codes "
        "to what the "
        "tables of\n// terminology/ list, and take the lines of notMapped out one by one: `fhir-adapter "
        "check` counts "
        "them.\n";
    if (is_message_) {
      text +=
          "// The segments stand side by side as they came. Groups are made in the model: a group begins "
          "with its "
          "first segment.\n";
    }
    return text + "\n";
  }

  // Why a value is not mapped; empty: it is.
  std::string Reason(const SampleElement& element, const std::string& path) const {
    if (element.role == Role::kRevision) return "the store keeps it";
    if (!CanBeRead(element.name)) return "no rule can read an element of this name";
    if (element.is_leaf() && element.values.empty()) return "the sample has no value of it";
    if (is_message_ && path.starts_with("MSH.")) return "how the message is written and sent";
    if (is_message_ && path.starts_with("PID.")) return "the hospital owns the patient";
    if (is_message_ && path.ends_with(".f1") && std::ranges::all_of(element.values, &IsCount))
      return "a count";
    return !is_message_ && IsPersonal(element.name) ? "of a person: look whether it has to leave" : "";
  }

  static bool IsCount(const std::string& text) {
    return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
  }

  // Read by what every map of records does.
  bool IsRead(const SampleElement& element, const std::string& path) const {
    if (is_message_) {
      const std::string patient = Patient();
      const bool is_patient =
          !patient.empty() && (path == "PID.f3.c1" || (path == "PID.f3" && element.is_leaf()));
      return path == "MSH.f10" || path == "MSH.f4" || is_patient;
    }
    if (element.role == Role::kNone || element.role == Role::kRevision) return false;
    const bool is_in_key = element.role == Role::kRecordId || element.role == Role::kPatient;
    return sample_.has_envelope || is_in_key;
  }

  std::string Rules(const SampleElement& parent, const std::string& variable, const std::string& prefix,
                    std::size_t depth) {
    std::string text;
    const std::string indent(2 * depth, ' ');
    for (const SampleElement& element : parent.children) {
      const std::string path = prefix + element.name;
      if (IsRead(element, path)) continue;
      const bool is_hidden = element.is_object && !CanBeRead(element.name);
      const std::string why =
          element.is_leaf() || element.children.empty() || is_hidden ? Reason(element, path) : "";
      if (element.is_object && element.children.empty()) {
        not_mapped_.emplace_back(path, "the sample has no value of it");
      } else if (is_hidden) {
        ListLeaves(element, path, why);
      } else if (!why.empty()) {
        not_mapped_.emplace_back(path, why);
      } else if (element.is_leaf()) {
        text += indent + LeafRule(element, variable, path, parent) + "\n";
      } else {
        const std::string item = "item" + std::to_string(depth);
        const std::string inner = Rules(element, item, path + ".", depth + 1);
        if (inner.empty()) continue;
        text += indent + variable + "." + element.name + " as " + item + " -> observation then {\n" + inner +
                indent + "} \"" + Hyphenated(path) + "\";\n";
      }
    }
    return text;
  }

  void ListLeaves(const SampleElement& element, const std::string& path, const std::string& why) {
    for (const SampleElement& child : element.children) {
      if (child.is_leaf() || child.children.empty()) {
        not_mapped_.emplace_back(path + "." + child.name, why);
      } else {
        ListLeaves(child, path + "." + child.name, why);
      }
    }
  }

  std::string LeafRule(const SampleElement& leaf, const std::string& variable, const std::string& path,
                       const SampleElement& parent) {
    const std::string type = TypeOfElement(leaf);
    const bool has_empty = std::ranges::find(leaf.values, "") != leaf.values.end();
    std::string rule = variable + "." + leaf.name + " as value" + (has_empty ? " where (%value != '')" : "") +
                       " -> observation.component as component, component.code as concept, concept.text = " +
                       Quoted(leaf.label) + ", component.value = ";
    const SampleElement* system = is_message_ && leaf.name == "c1" ? parent.Find("c3") : nullptr;
    if (type == "decimal") {
      rule += "create('Quantity') as quantity, quantity.value = value";
    } else if (type == "string" && IsCoded(leaf, system)) {
      rule += "translate(value, '#" + AddTable(leaf, path) + "', 'CodeableConcept')";
    } else {
      rule += "value";
    }
    return rule + " \"" + Hyphenated(path) + "\";";
  }

  // --- ConceptMaps.

  std::string AddTable(const SampleElement& leaf, const std::string& path) {
    constexpr std::size_t kIdBytesMax = 60;  // of 64 of FHIR, with room for a number
    const std::string wanted = (name_ + "-" + Hyphenated(path)).substr(0, kIdBytesMax);
    std::string id = wanted;
    for (int number = 2; !table_ids_.insert(id).second; ++number) id = wanted + "-" + std::to_string(number);
    std::vector<Node*> codes;
    for (const std::string& code : leaf.Distinct()) {
      Node* target = json_.Object(
          {{"equivalence", json_.Text("unmatched")}, {"comment", json_.Text("no code yet: sent as text")}});
      codes.push_back(json_.Object(
          {{"code", json_.Text(code)}, {"display", json_.Text(code)}, {"target", json_.List({target})}}));
    }
    Node* policy = json_.Object({{"url", json_.Text(Url("StructureDefinition", "unmapped-policy"))},
                                 {"valueCode", json_.Text("text-only")}});
    Node* group =
        json_.Object({{"source", json_.Text(Url("CodeSystem", id))}, {"element", json_.List(codes)}});
    const Node* table =
        json_.Object({{"resourceType", json_.Text("ConceptMap")},
                      {"id", json_.Text(id)},
                      {"extension", json_.List({policy})},
                      {"url", json_.Text(Url("ConceptMap", id))},
                      {"version", json_.Text("0.1.0")},
                      {"name", json_.Text(Capitalised(id))},
                      {"status", json_.Text("draft")},
                      {"description", json_.Text("The codes of a sample under: " + leaf.label)},
                      {"group", json_.List({group})}});
    tables_.push_back({"terminology/" + id + ".json", fhir::LayOut(*table)});
    return id;
  }

  // --- Columns.

  std::string ColumnsText() const {
    const SampleTable& table = sample_.table;
    std::string text =
        "# How the tables of this kind are read. mappings/README.md says what can stand here.\n";
    text += "delimiter = " + TomlQuoted(std::string(1, table.delimiter)) + "\n";
    if (table.encoding != record::TextEncoding::kUtf8) text += "encoding = \"windows-1252\"\n";
    if (table.decimal_sign != '.') text += "decimal = \",\"\n";
    if (table.dates != record::DateForm::kIso) {
      text += "dates = " + TomlQuoted(record::Name(table.dates)) + "\n";
    }
    text += "\n[columns]\n";
    for (const auto& [header, path] : table.columns)
      text += TomlQuoted(header) + " = " + TomlQuoted(path) + "\n";
    if (!table.fixed.empty()) text += "\n# What the table does not say, the same in every record.\n[fixed]\n";
    for (const auto& [path, value] : table.fixed) text += TomlQuoted(path) + " = " + TomlQuoted(value) + "\n";
    return text;
  }

  const Sample& sample_;
  const SkeletonSettings& settings_;
  const bool is_message_;
  std::string name_;
  std::string type_;
  Json json_;
  std::vector<std::pair<std::string, std::string>> not_mapped_;  // path and why
  std::set<std::string> table_ids_;
  std::vector<SkeletonFile> tables_;
};

}  // namespace

MapSkeleton MakeSkeleton(const Sample& sample, const SkeletonSettings& settings) {
  return SkeletonMaker(sample, settings).Make();
}

}  // namespace fhir_adapter::app
