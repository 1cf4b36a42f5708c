#include "pipeline/message_mapping.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/bundle_assembler.h"
#include "pipeline/output_check.h"
#include "record/hl7v2_shape.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::Node;

// A component of the first repetition of a field of MSH.
std::string HeaderText(const Node& message, std::string_view field, std::string_view component) {
  const Node* header = message.Find("MSH");
  const Node* repetitions = header == nullptr ? nullptr : header->items()[0]->Find(field);
  const Node* value = repetitions == nullptr ? nullptr : repetitions->items()[0]->Find(component);
  return value == nullptr || !value->is_string() ? std::string() : std::string(value->text);
}

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string PathOfKind(const Node& message) {
  return "hl7v2/" + LowerCase(HeaderText(message, "9", "1")) + "-" +
         LowerCase(HeaderText(message, "9", "2")) + ".map";
}

// The logical model called `type` among the files of the set.
Result<std::unique_ptr<record::RecordModel>> ModelOf(const MappingSet& set, std::string_view type) {
  for (const fml::SourceFile& file : set.maps()->files()) {
    if (!file.path.ends_with(".json")) continue;
    Arena arena;
    const auto read = fhir::ReadJson(file.bytes, arena);
    if (!read || MemberText(**read, "resourceType") != "StructureDefinition") continue;
    if (MemberText(**read, "kind") != "logical" || MemberText(**read, "type") != type) continue;
    ADAPTER_TRY(record::RecordModel model, record::RecordModel::Build(**read, {}));
    return std::make_unique<record::RecordModel>(std::move(model));
  }
  return Fail(Code::kFileNotFound, "no logical model of type " + std::string(type));
}

Issue IssueOf(const Error& error) {
  return Issue{error.code, error.where, error.message};
}

}  // namespace

std::string MessageMapPath(std::string_view message) {
  Arena arena;
  const auto read = record::ReadHl7Message(message, arena);
  return read ? PathOfKind(**read) : "";
}

MessageMapping::MessageMapping(RecordMapping& records) : records_(records), mapper_(records.set().maps()) {}

Result<const MessageMapping::Kind*> MessageMapping::KindOf(const Node& message) {
  const std::string path = PathOfKind(message);
  Kind& kind = kinds_[path];
  if (kind.map != nullptr) return &kind;
  const fml::MapInfo* map = records_.set().maps()->FindMap(path);
  if (map == nullptr || map->source == nullptr) {
    return Fail(Code::kNotSupported, "there is no map for the kind of message that MSH-9 names",
                Location{"", 1, 1, "MSH-9"});
  }
  ADAPTER_TRY(kind.model, ModelOf(records_.set(), map->source->name));
  kind.map = map;
  return &kind;
}

// The record is written and read again: it goes the way of a record that came as JSON, limits included.
MappedRecord MessageMapping::MapRecord(const Node& record, RecordForm form, const std::string& file,
                                       const RecordFacts& facts) {
  record::RecordText text;
  text.bytes = fhir::ToJson(record);
  MappedRecord mapped = records_.Map(text, facts, form, file);
  // Lines and columns are those of a text that nobody has.
  for (Issue& issue : mapped.issues) issue.where.line = issue.where.column = 0;
  return mapped;
}

void MessageMapping::MapResources(fml::Mapping& mapping, RecordForm form, const std::string& file,
                                  MappedRecord& mapped) {
  const MappingSet& set = records_.set();
  const fhir::Schema& schema = set.maps()->schema();
  fml::AssemblyOptions options;
  options.canonical_base = set.settings().canonical_base;
  options.form =
      form == RecordForm::kResources ? fml::AssemblyForm::kResources : fml::AssemblyForm::kTransaction;
  options.file = file;
  fml::Assembly assembly = fml::AssembleBundle(mapping, {}, options, schema, mapper_.arena());
  mapped.issues.insert(mapped.issues.end(), assembly.issues.begin(), assembly.issues.end());
  if (Gravest(mapped.issues) != Disposition::kNote) return;
  CheckOutput(assembly, file, "", schema, mapped.issues);
  if (Gravest(mapped.issues) != Disposition::kNote) return;
  if (form == RecordForm::kBundle) fhir::WriteResource(*assembly.bundle, schema, mapped.bundle);
  if (form != RecordForm::kResources) return;
  for (const fml::AssembledEntry& entry : assembly.entries) {
    fhir::WriteResource(*entry.resource, schema, mapped.resources.emplace_back());
  }
}

MappedRecord MessageMapping::Map(const record::Hl7MessageText& text, RecordForm form, const std::string& file,
                                 const RecordFacts& facts) {
  MappedRecord mapped;
  Arena arena;
  const auto finish = [&]() -> MappedRecord&& {
    for (Issue& issue : mapped.issues) {
      issue.where.file = file;
      if (issue.where.line > 0) issue.where.line += text.line - 1;
    }
    return std::move(mapped);
  };
  const auto message = record::ReadHl7Message(text.bytes, arena);
  const auto kind = message ? KindOf(**message) : Result<const Kind*>(Fail(message.error()));
  if (!kind) {
    mapped.issues.push_back(IssueOf(kind.error()));
    return finish();
  }
  const Node* shaped = record::ShapeHl7Message(**message, *(*kind)->model, arena, mapped.issues);
  if (Gravest(mapped.issues) != Disposition::kNote) return finish();
  const std::string control_id = HeaderText(**message, "10", "1");
  fml::MapRequest request;
  request.seed = control_id;
  request.file = file;
  request.lineage = records_.observer();
  auto mapping = mapper_.Map(*(*kind)->map, *shaped, request);
  if (!mapping) {
    mapped.issues.push_back({Code::kMapFailed, {}, ToString(mapping.error())});
    return finish();
  }
  mapped.issues.insert(mapped.issues.end(), mapping->issues.begin(), mapping->issues.end());
  mapped.unmapped = mapping->unmapped;
  if (mapping->target == nullptr || Gravest(mapped.issues) != Disposition::kNote) return finish();
  if (mapping->target->Find("resourceType") != nullptr) {
    MapResources(*mapping, form, file, mapped);
    return finish();
  }
  MappedRecord record = MapRecord(*mapping->target, form, file, facts);
  finish();
  record.issues.insert(record.issues.begin(), mapped.issues.begin(), mapped.issues.end());
  record.unmapped.insert(record.unmapped.end(), mapped.unmapped.begin(), mapped.unmapped.end());
  return record;
}

}  // namespace fhir_adapter::pipeline
