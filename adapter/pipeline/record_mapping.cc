#include "pipeline/record_mapping.h"

#include <array>
#include <utility>

#include "core/arena.h"
#include "core/digest.h"
#include "fhir/json_writer.h"
#include "fml/bundle_assembler.h"
#include "fml/mapper.h"
#include "pipeline/output_check.h"
#include "record/record_envelope.h"
#include "record/record_reader.h"
#include "rules/rule_engine.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::Node;

std::string PatientSuffix(int generation) {
  return generation <= 1 ? "" : ".p" + std::to_string(generation);
}

void Append(Issues& to, Issues from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

rules::PatientFacts FactsOfRules(const RecordFacts& facts) {
  rules::PatientFacts known;
  known.known = facts.has_store;
  known.other_records = facts.facts.other_records;
  for (const outbox::Firing& firing : facts.facts.firings)
    known.firings.push_back({firing.issue, firing.recorded});
  return known;
}

// The resources of a Bundle that a map made.
std::vector<Node*> ResourcesOf(const Node* bundle) {
  std::vector<Node*> resources;
  const Node* entries = bundle == nullptr ? nullptr : bundle->Find("entry");
  if (entries != nullptr) resources.reserve(entries->items().size());
  for (const Node* entry : entries ? entries->items() : std::span<Node*>()) {
    if (Node* resource = entry->Find("resource")) resources.push_back(resource);
  }
  return resources;
}

}  // namespace

struct RecordMapping::State {
  explicit State(std::shared_ptr<const MappingSet> mapping_set)
      : set(std::move(mapping_set)),
        record_mapper(set->maps()),
        issue_mapper(set->maps()),
        provenance_mapper(set->maps()),
        provenance_system(set->settings().canonical_base + "/sid/it-provenance") {}

  MappedRecord Map(const record::RecordText& text, const RecordFacts& facts, RecordForm form);
  // Empty when an issue stands against going on.
  Node* ReadAndCheck(const record::RecordText& text, Issues& issues);
  std::vector<fml::ExtraEntry> MakeIssues(const Node& record, const RecordFacts& facts, MappedRecord& mapped);
  std::vector<fml::ExtraEntry> MakeFurther(const Node& record, const RecordFacts& facts,
                                           fml::Mapping& mapping, MappedRecord& mapped);
  Node* MakeProvenance(const Node& record, Issues& issues);
  void AddMapEntity(Node& provenance);
  void AddTargets(Node& provenance, fml::Mapping& mapping, const std::vector<fml::ExtraEntry>& extras);
  void Fill(const fml::Assembly& assembly, RecordForm form, MappedRecord& mapped);
  fml::MapRequest Request() const;

  LineageCollector* collector = nullptr;  // while a record is explained
  std::vector<ElementLineage>* lineage = nullptr;
  std::shared_ptr<const MappingSet> set;  // shared: threads may run on while another set takes its place
  fml::Mapper record_mapper;
  fml::Mapper issue_mapper;
  fml::Mapper provenance_mapper;
  Arena arena;          // record, findings
  std::string written;  // the resource that was written last: its memory serves the next
  std::string file;
  std::string pointer_prefix;
  record::RecordEnvelope envelope;
  std::string record_key;
  std::string patient_suffix;
  const std::string provenance_system;
  std::string provenance_value;
  fml::LineageSink* observer = nullptr;
  std::array<std::pair<std::string_view, std::string_view>, 2> variables;
};

Node* RecordMapping::State::ReadAndCheck(const record::RecordText& text, Issues& issues) {
  record::RecordReading reading = record::ReadRecord(text, set->model(), arena, file);
  Append(issues, std::move(reading.issues));
  if (reading.root == nullptr || Gravest(issues) == Disposition::kRejected) return nullptr;
  set->constraints().Check(*reading.root, arena, pointer_prefix, file, issues);
  if (!set->has_envelope()) {
    envelope = {};
    return Gravest(issues) == Disposition::kNote ? reading.root : nullptr;
  }
  auto read = record::ReadEnvelope(*reading.root);
  if (!read || Gravest(issues) != Disposition::kNote) return nullptr;
  envelope = std::move(*read);
  return reading.root;
}

fml::MapRequest RecordMapping::State::Request() const {
  fml::MapRequest request;
  request.seed = record_key;
  request.pointer_prefix = pointer_prefix;
  request.file = file;
  request.variables = variables;
  request.lineage = collector != nullptr ? collector : observer;
  return request;
}

std::vector<fml::ExtraEntry> RecordMapping::State::MakeIssues(const Node& record, const RecordFacts& facts,
                                                              MappedRecord& mapped) {
  const rules::PatientFacts known = FactsOfRules(facts);
  rules::RuleRequest request;
  request.record = &record;
  request.record_key = record_key;
  request.patient_suffix = patient_suffix;
  request.facts = &known;
  request.pointer_prefix = pointer_prefix;
  request.file = file;
  rules::RuleOutcome outcome = rules::RunRules(set->rules(), request, arena);
  Append(mapped.issues, std::move(outcome.notes));
  mapped.fact = std::move(outcome.fact);
  if (outcome.findings.empty()) return {};
  for (const rules::Finding& finding : outcome.findings) mapped.firings.push_back(finding.identifier);
  const Node* tree = rules::FindingsTree(outcome.findings, record_key, envelope.patient_mrn, arena);
  if (collector != nullptr) collector->Derive(*tree, outcome.findings);
  auto mapping = issue_mapper.Map(set->issue_map(), *tree, Request());
  if (!mapping) {
    mapped.issues.push_back(
        {Code::kMapFailed, Location{file, 0, 0, pointer_prefix}, ToString(mapping.error())});
    return {};
  }
  Append(mapped.issues, std::move(mapping->issues));
  std::vector<fml::ExtraEntry> extras;
  for (Node* resource : ResourcesOf(mapping->target)) extras.push_back({resource, {}, {}});
  return extras;
}

// entity: the map itself, by url and version.
void RecordMapping::State::AddMapEntity(Node& provenance) {
  Arena& memory = provenance_mapper.arena();
  const fml::MapInfo& map = set->record_map();
  Node* identifier = Node::Object(memory);
  identifier->Set(memory, "system", Node::String(memory, "urn:ietf:rfc:3986"));
  identifier->Set(memory, "value", Node::String(memory, map.url + "|" + map.version));
  Node* what = Node::Object(memory);
  what->Set(memory, "type", Node::String(memory, "StructureMap"));
  what->Set(memory, "identifier", identifier);
  Node* entity = Node::Object(memory);
  entity->Set(memory, "role", Node::String(memory, "source"));
  entity->Set(memory, "what", what);
  Node* entities = provenance.Find("entity");
  if (entities == nullptr) {
    entities = Node::Array(memory);
    provenance.Set(memory, "entity", entities);
  }
  entities->Append(memory, entity);
  if (collector != nullptr) collector->Added(*entity, "pipeline: the map");
}

Node* RecordMapping::State::MakeProvenance(const Node& record, Issues& issues) {
  const fml::MapInfo* map = set->provenance_map();
  if (map == nullptr) return nullptr;
  auto mapping = provenance_mapper.Map(*map, record, Request());
  if (!mapping) {
    issues.push_back({Code::kMapFailed, Location{file, 0, 0, pointer_prefix}, ToString(mapping.error())});
    return nullptr;
  }
  Append(issues, std::move(mapping->issues));
  if (mapping->target != nullptr) AddMapEntity(*mapping->target);
  return mapping->target;
}

// target: everything else in the Bundle, in the order of the maps.
void RecordMapping::State::AddTargets(Node& provenance, fml::Mapping& mapping,
                                      const std::vector<fml::ExtraEntry>& extras) {
  Arena& memory = provenance_mapper.arena();
  std::vector<Node*> resources = ResourcesOf(mapping.target);
  mapping.referenced.reserve(mapping.referenced.size() + resources.size() + extras.size());
  for (const fml::ExtraEntry& extra : extras) resources.push_back(extra.resource);
  Node* targets = Node::Array(memory);
  for (Node* resource : resources) {
    Node* reference = Node::Object(memory);
    reference->AddMember(memory, "reference",
                         Node::String(memory, fml::ReferencePlaceholder(mapping.referenced.size(), memory)));
    mapping.referenced.push_back(resource);
    targets->Append(memory, reference);
  }
  provenance.Set(memory, "target", targets);
  if (collector != nullptr) collector->Added(*targets, "pipeline: what was written");
}

void RecordMapping::State::Fill(const fml::Assembly& assembly, RecordForm form, MappedRecord& mapped) {
  const auto write = [this](const Node& resource) {
    written.clear();
    fhir::WriteResource(resource, set->maps()->schema(), written);
    return written;
  };
  if (form == RecordForm::kBundle) {
    mapped.bundle = write(*assembly.bundle);
    return;
  }
  for (const fml::AssembledEntry& entry : assembly.entries) {
    std::string text = write(*entry.resource);
    if (form == RecordForm::kResources) {
      mapped.resources.push_back(std::move(text));
      continue;
    }
    outbox::IntendedResource intended;
    intended.key = {std::string(entry.type), std::string(entry.identity.system),
                    std::string(entry.identity.value)};
    intended.uuid = entry.identity.uuid;
    intended.sha256 = Sha256Hex(text);
    intended.json = std::move(text);
    intended.has_identifier_search = fml::IsFoundByIdentifier(entry.type);
    mapped.intended.push_back(std::move(intended));
  }
}

// What stands beside the entries of the record's own map: findings of the rules, and the Provenance.
std::vector<fml::ExtraEntry> RecordMapping::State::MakeFurther(const Node& record, const RecordFacts& facts,
                                                               fml::Mapping& mapping, MappedRecord& mapped) {
  std::vector<fml::ExtraEntry> extras = MakeIssues(record, facts, mapped);
  if (Node* provenance = MakeProvenance(record, mapped.issues)) {
    AddTargets(*provenance, mapping, extras);
    extras.push_back({provenance, provenance_system, provenance_value});
  }
  return extras;
}

MappedRecord RecordMapping::State::Map(const record::RecordText& text, const RecordFacts& facts,
                                       RecordForm form) {
  MappedRecord mapped;
  arena.Reset();
  const Node* record = ReadAndCheck(text, mapped.issues);
  if (record == nullptr) return mapped;
  mapped.envelope = envelope;
  patient_suffix = PatientSuffix(facts.facts.patient_generation);
  // A document has no key of its own; its content stands for it where a map asks for a uuid.
  record_key = set->has_envelope()
                   ? outbox::SubjectKey(envelope.key.site, envelope.key.record_id) + patient_suffix
                   : Sha256Hex(text.bytes);
  provenance_value = record_key + "." + std::to_string(envelope.key.revision);
  variables = {{{"recordKey", record_key}, {"patientSuffix", patient_suffix}}};

  auto mapping = record_mapper.Map(set->record_map(), *record, Request());
  if (!mapping) {
    mapped.issues.push_back(
        {Code::kMapFailed, Location{file, 0, 0, pointer_prefix}, ToString(mapping.error())});
    return mapped;
  }
  Append(mapped.issues, std::move(mapping->issues));
  mapped.unmapped = std::move(mapping->unmapped);
  std::vector<fml::ExtraEntry> extras;
  if (set->has_envelope()) extras = MakeFurther(*record, facts, *mapping, mapped);
  if (mapping->target == nullptr || Gravest(mapped.issues) != Disposition::kNote) return mapped;

  fml::AssemblyOptions options;
  options.canonical_base = set->settings().canonical_base;
  options.form =
      form == RecordForm::kResources ? fml::AssemblyForm::kResources : fml::AssemblyForm::kTransaction;
  options.pointer_prefix = pointer_prefix;
  options.file = file;
  const fhir::Schema& schema = set->maps()->schema();
  fml::Assembly assembly = fml::AssembleBundle(*mapping, extras, options, schema, record_mapper.arena());
  Append(mapped.issues, std::move(assembly.issues));
  if (Gravest(mapped.issues) != Disposition::kNote) return mapped;
  CheckOutput(assembly, file, pointer_prefix, schema, mapped.issues);
  if (Gravest(mapped.issues) != Disposition::kNote) return mapped;
  Fill(assembly, form, mapped);
  if (lineage != nullptr) *lineage = collector->Explain(assembly, *record, pointer_prefix);
  return mapped;
}

RecordMapping::RecordMapping(std::shared_ptr<const MappingSet> set)
    : state_(std::make_unique<State>(std::move(set))) {}
RecordMapping::~RecordMapping() = default;
RecordMapping::RecordMapping(RecordMapping&&) noexcept = default;

MappedRecord RecordMapping::Map(const record::RecordText& text, const RecordFacts& facts, RecordForm form,
                                const std::string& file) {
  state_->file = file;
  state_->pointer_prefix = text.pointer;
  return state_->Map(text, facts, form);
}

void RecordMapping::Observe(fml::LineageSink* sink) {
  state_->observer = sink;
}

fml::LineageSink* RecordMapping::observer() const {
  return state_->observer;
}

MappedRecord RecordMapping::Explain(const record::RecordText& text, const RecordFacts& facts, RecordForm form,
                                    const std::string& file, std::vector<ElementLineage>& lineage) {
  lineage.clear();
  LineageCollector collector;
  state_->collector = &collector;
  state_->lineage = &lineage;
  MappedRecord mapped = Map(text, facts, form, file);
  state_->collector = nullptr;
  state_->lineage = nullptr;
  return mapped;
}

const MappingSet& RecordMapping::set() const {
  return *state_->set;
}

}  // namespace fhir_adapter::pipeline
