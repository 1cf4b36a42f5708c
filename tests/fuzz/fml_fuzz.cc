// Maps: printing what was parsed and parsing it again is the identity; compiling ends with a set or with
// findings that say why there is none, the same for the printed text; and a set runs, within a small budget,
// on a fixed resource, to the same result from the printed text and under an observer. Written as a
// StructureMap of either release and read again it is the same map.
//
// An input is a map. A line `//// NAME` begins a further file of the set: another map, a ConceptMap, a model.
#include <algorithm>
#include <string>
#include <vector>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/bundle_assembler.h"
#include "fml/lineage.h"
#include "fml/map_set.h"
#include "fml/mapper.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "fml/structure_map.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

constexpr std::uint64_t kSteps = 3'000;
constexpr std::string_view kBase = "https://clinic.example/fhir";
constexpr std::string_view kFileMark = "//// ";
// Types that agree with R4 where it matters, and members that no type has: models of the input take those.
constexpr std::string_view kSource = R"({
  "resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1974-12-25", "gender": "male",
  "_birthDate": {"extension": [{"url": "http://example.org/t", "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
  "identifier": [{"system": "http://example.org/mrn", "value": "a|b 1"}, {"value": "20150203143428.5"}],
  "name": [{"use": "official", "family": "Doe", "given": ["A", "B"]}, {"use": "old", "given": [null, "C"]}],
  "telecom": [{"value": "+81 3 1234"}, {"value": "a@example.org"}, {"value": "http://example.org"}],
  "contact": [{"relationship": [{"coding": [{"system": "http://example.org/s", "code": "x"}], "text": "x"}]}],
  "contained": [{"resourceType": "Organization", "id": "o1", "name": "Acme"}],
  "managingOrganization": {"reference": "#o1"}, "multipleBirthInteger": 2, "deceasedDateTime": "2015-02-03",
  "amount": {"value": 72.50, "unit": "mg"}, "rows": [{"key": 1, "code": "x"}, {"key": 2, "code": "y"}],
  "flag": false, "when": "03/02/2015 14:34", "seconds": 1422974068})";

const fhir::Node& Source() {
  static Arena arena;
  static const fhir::Node* const source = *fhir::ReadJson(kSource, arena);
  return *source;
}

class Counter final : public fml::LineageSink {
 public:
  void Made(const fml::LineageStep& step) override {
    Demand(step.made != nullptr || !step.member.empty(), "what was made has a value or a place");
    // A computed source has no place; that of a rule has a place in the record, and rules around it.
    Demand(step.sources.empty() || !step.rules.empty(), "what came of a source was made by a rule");
  }
  void RuleRan(const fml::RulePlace& rule) override { Demand(rule.line > 0, "a rule has a place"); }
};

// The files of an input; the first is the map itself.
std::vector<fml::SourceFile> FilesOf(std::string_view text) {
  std::vector<fml::SourceFile> files{{"fuzz.map", {}}};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    if (line.starts_with(kFileMark)) {
      std::string name(line.substr(kFileMark.size()));
      if (name.ends_with('\n')) name.pop_back();
      files.push_back({std::move(name), {}});
    } else {
      files.back().bytes += line;
    }
  }
  return files;
}

// Null: there is no set. Findings and the set must agree.
std::shared_ptr<const fml::MapSet> Compile(std::vector<fml::SourceFile> files) {
  fml::MapSetOptions options;
  options.configuration = {{"canonicalBase", std::string(kBase)}, {"site", "s"}};
  options.record_variables = {"patient"};
  std::vector<fml::Finding> findings;
  auto set = fml::MapSet::Compile(std::move(files), options, findings);
  const bool has_error = std::ranges::any_of(
      findings, [](const fml::Finding& finding) { return finding.severity == fml::Severity::kError; });
  Demand((set == nullptr) == has_error, "there is no set exactly when a finding is an error");
  for (const fml::Finding& finding : findings) Demand(!finding.message.empty(), "a finding has a message");
  return set;
}

fml::MapRequest Request(const fhirpath::Moment& moment) {
  fml::MapRequest request;
  request.seed = "seed";
  request.moment = &moment;
  request.steps_max = kSteps;
  request.elements_max = kSteps;
  request.output_bytes_max = 100'000;
  return request;
}

// What a mapping came to, as one text without places, which printing may move.
std::string ResultOf(fml::Mapping& mapping, fml::Mapper& mapper) {
  std::string result;
  for (const Issue& issue : mapping.issues) result += std::string(Name(issue.code)) + " ";
  if (mapping.target == nullptr) return result;
  const fhir::Node* type = mapping.target->Find("resourceType");
  if (type != nullptr && type->is_string() && type->text == "Bundle") {
    fml::AssemblyOptions options;
    options.canonical_base = kBase;
    const fml::Assembly assembly =
        fml::AssembleBundle(mapping, {}, options, mapper.maps().schema(), mapper.arena());
    Demand(assembly.bundle != nullptr || !assembly.issues.empty(), "a Bundle that is not made has a reason");
    return result + (assembly.bundle == nullptr ? "none" : fhir::ToJson(*assembly.bundle));
  }
  fml::ResolveReferences(mapping, mapper.maps().schema(), "seed", mapper.arena());
  return result + fhir::ToJson(*mapping.target);
}

// The first map, which is the one of the input, on the fixed resource.
std::string Run(const std::shared_ptr<const fml::MapSet>& set) {
  const fml::MapInfo* map = set->FindMap("fuzz.map");
  if (map == nullptr) return "no map";
  const fhirpath::Moment moment = fhirpath::Moment::At(TimeUs{1'772'362'800'000'000}, 60);
  fml::Mapper mapper(set);
  fml::MapRequest request = Request(moment);
  std::string result;
  {
    auto mapping = mapper.Map(*map, Source(), request);
    Demand(mapping.has_value(), "a map of the set can be called");
    Demand(mapping->target != nullptr || !mapping->issues.empty() || mapping->steps < kSteps,
           "a run that ended early says why");
    result = ResultOf(*mapping, mapper);
  }
  Counter counter;
  request.lineage = &counter;
  auto observed = mapper.Map(*map, Source(), request);
  Demand(observed.has_value() && ResultOf(*observed, mapper) == result, "an observer changes nothing");
  return result;
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  auto files = fuzz::FilesOf(fuzz::TextOf(data, size));
  const auto parsed = fml::ParseMap(files.front().bytes, "fuzz.map");
  if (!parsed) {
    fuzz::Demand(parsed.error().where.line > 0, "a fault of syntax says where it is");
    return 0;
  }
  const std::string printed = fml::PrintMap(*parsed);
  const auto again = fml::ParseMap(printed, "fuzz.map");
  fuzz::Demand(again.has_value(), "what is printed can be parsed");
  fuzz::Demand(*again == *parsed, "what is printed is parsed as the same map");
  fuzz::Demand(fml::PrintMap(*again) == printed, "printing again gives the same text");
  for (const auto release : {fml::StructureMapRelease::kR4, fml::StructureMapRelease::kR5}) {
    Arena arena;
    const auto read = fml::ReadStructureMap(*fml::WriteStructureMap(*parsed, release, arena), "fuzz.json");
    fuzz::Demand(read.has_value(), "a StructureMap that is written can be read");
    fuzz::Demand(*read == *parsed, "a StructureMap that is written is read as the same map");
  }
  const auto set = fuzz::Compile(files);
  files.front().bytes = printed;
  const auto printed_set = fuzz::Compile(std::move(files));
  fuzz::Demand((set == nullptr) == (printed_set == nullptr), "what is printed compiles as the text does");
  if (set == nullptr) return 0;
  const std::string result = fuzz::Run(set);
  // uuid() is made from the place in the text, which printing moves.
  if (printed.find("uuid") != std::string::npos) return 0;
  fuzz::Demand(result == fuzz::Run(printed_set), "what is printed maps as the text does");
  return 0;
}
