#include "map_run.h"

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::fml::test {
namespace {

MapSetOptions Options(bool require_unmapped_policy) {
  MapSetOptions options;
  options.configuration = {{"canonicalBase", "https://clinic.example/fhir"}, {"site", "s1"}, {"unset", ""}};
  options.record_variables = {"recordKey"};
  options.require_unmapped_policy = require_unmapped_policy;
  return options;
}

}  // namespace

std::string PatientMap(std::string_view rules) {
  return "/// url = 'http://example.org/StructureMap/m'\n/// name = 'M'\n"
         "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as source\n"
         "uses \"http://hl7.org/fhir/StructureDefinition/Patient\" as target\n"
         "group Main(source src : Patient, target tgt : Patient) {\n" +
         std::string(rules) + "\n}\n";
}

RunResult RunMap(std::vector<SourceFile> files, std::string_view record, const RunOptions& options) {
  RunResult run;
  std::vector<Finding> findings;
  const std::string first = options.map.empty() ? files.front().path : std::string(options.map);
  const auto set = MapSet::Compile(std::move(files), Options(options.require_unmapped_policy), findings);
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError) run.findings.push_back(ToLine(finding));
  }
  if (set == nullptr) return run;
  const MapInfo* map = set->FindMap(first);
  Arena arena;
  const auto root = fhir::ReadJson(record, arena);
  if (map == nullptr || !root) {
    run.messages.push_back(map == nullptr ? "no map" : ToString(root.error()));
    return run;
  }
  Mapper mapper(set);
  MapRequest request;
  request.seed = options.seed;
  request.log = &run.log;
  request.lineage = options.lineage;
  request.steps_max = options.steps_max;
  request.elements_max = options.elements_max;
  request.expression_steps_max = options.expression_steps_max;
  request.output_bytes_max = options.output_bytes_max;
  auto mapping = mapper.Map(*map, **root, request);
  if (!mapping) {
    run.messages.push_back(ToString(mapping.error()));
    return run;
  }
  for (const Issue& issue : mapping->issues) {
    run.issues.push_back(std::string(Name(issue.code)) + " " + issue.where.pointer);
    run.messages.push_back(issue.message);
  }
  if (mapping->target == nullptr) return run;
  ResolveReferences(*mapping, set->schema(), options.seed, mapper.arena());
  if (mapping->target_type != nullptr) {
    fhir::WriteResource(*mapping->target, set->schema(), run.json);
  } else {
    fhir::WriteJson(*mapping->target, run.json);
  }
  return run;
}

RunResult RunRules(std::string_view rules, std::string_view record, const RunOptions& options) {
  const bool is_whole = rules.find("group Main(") != std::string_view::npos;
  return RunMap({{"m.map", is_whole ? std::string(rules) : PatientMap(rules)}}, record, options);
}

std::vector<std::string> Check(std::vector<SourceFile> files, bool require_unmapped_policy) {
  std::vector<Finding> findings;
  (void)MapSet::Compile(std::move(files), Options(require_unmapped_policy), findings);
  std::vector<std::string> lines;
  for (const Finding& finding : findings) lines.push_back(ToLine(finding));
  return lines;
}

}  // namespace fhir_adapter::fml::test
