// The way of what the EHR pushes, from the body to the resource for the server. The body is one Observation,
// or a Bundle of them; a first line that is no JSON is the search of a PUT (`identifier=…`), or an entity
// tag, or what is preferred. What is taken is taken again as it was stored, and as GET shows it, with the
// same content; a resource that goes out keeps to FHIR; an issue has a place.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "fhir/checker.h"
#include "fhir/json_reader.h"
#include "intake/push_conditions.h"
#include "pipeline/push_input.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

const std::string kEndpoint = "https://hospital.example/fhir";
const std::string kMrnSystem = "https://hospital.example/fhir/sid/mrn";
constexpr TimeUs kNow{1'399'378'200'000'000};

std::shared_ptr<const pipeline::MappingSet> LoadSet() {
  const std::filesystem::path root = FHIR_ADAPTER_SOURCE_DIR "/mappings";
  std::vector<fml::SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string path = std::filesystem::relative(entry.path(), root).string();
    if (!entry.is_regular_file() || (!path.ends_with(".map") && !path.ends_with(".json"))) continue;
    if (path.find("tests/") != std::string::npos) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files.push_back({path, std::string(std::istreambuf_iterator<char>(stream), {})});
  }
  pipeline::MappingSettings settings;
  settings.site = "pain-clinic";
  settings.patient_identifier_system = kMrnSystem;
  settings.endpoint = kEndpoint;
  settings.link_window_h = 24;
  std::vector<fml::Finding> findings;
  auto set = pipeline::MappingSet::Build(std::move(files), settings, findings);
  Demand(set != nullptr, "the shipped maps can be compiled");
  return set;
}

const pipeline::MappingSet& ShippedSet() {
  static const std::shared_ptr<const pipeline::MappingSet> set = LoadSet();
  return *set;
}

bool IsSame(const std::vector<outbox::PushedIdentifier>& a, const std::vector<outbox::PushedIdentifier>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
    return one.system == other.system && one.value == other.value;
  });
}

// What is on the server of the patient: two administrations an hour apart, and their procedure.
outbox::MappingFacts Facts(const std::string& mrn) {
  outbox::MappingFacts facts;
  facts.mrn = mrn.empty() ? "100001" : mrn;
  const std::string begin = R"({"endpoint":")" + kEndpoint + R"(","type":")";
  const std::string system = R"(","system":"https://clinic.example/fhir/sid/)";
  facts.delivered = {
      begin + "MedicationAdministration" + system +
          R"(it-administration","value":"pain-clinic.R1.1","id":"a1","nullified":false,"part":true,)"
          R"("start":"2014-05-06T10:00:00+09:00","end":""})",
      begin + "MedicationAdministration" + system +
          R"(it-administration","value":"pain-clinic.R2.1","id":"a2","nullified":false,"part":true,)"
          R"("start":"2014-05-08T11:00:00+09:00","end":""})",
      begin + "Procedure" + system +
          R"(it-procedure","value":"pain-clinic.R1","id":"p1","nullified":false,"part":false,"start":"","end":""})"};
  return facts;
}

// As the store has it, as the server gets it, and as GET shows it.
void Follow(const pipeline::PushedObservation& pushed) {
  const pipeline::MappingSet& set = ShippedSet();
  const fhir::Schema& schema = set.maps()->schema();
  const auto stored = pipeline::ReadPushBody(pushed.bytes, set);
  Demand(stored.has_value() && stored->issues.empty(), "what is stored can be read again");
  Demand(stored->bytes == pushed.bytes && stored->content_sha256 == pushed.content_sha256,
         "reading what is stored changes nothing");
  Demand(IsSame(stored->identifiers, pushed.identifiers) && stored->mrn == pushed.mrn &&
             stored->patient == pushed.patient && stored->about.size() == pushed.about.size(),
         "what is stored says the same");

  const std::string key = outbox::PushedSubjectKey("pain-clinic", "o1");
  const pipeline::MapOutput output =
      pipeline::MapPushedObservation(key, pushed.bytes, Facts(pushed.mrn), schema, set.settings());
  Demand(output.resources.empty() != output.issues.empty(), "there is a resource, or a reason why not");
  for (const outbox::IntendedResource& resource : output.resources) {
    Arena arena;
    Issues issues;
    const auto read = fhir::ReadJson(resource.json, arena);
    Demand(read.has_value(), "what goes out is JSON");
    fhir::CheckResource(**read, schema, issues);
    Demand(issues.empty(), "what goes out keeps to FHIR");
  }

  outbox::PushedVersion version;
  version.id = "o1";
  version.version = 3;
  version.received = kNow;
  version.bytes = pushed.bytes;
  version.state = outbox::WorkState::kHeld;
  version.reasons = {{Code::kUnresolvedLink, "Observation.focus", "it names no administration"}};
  const std::string shown = pipeline::ShowPushedObservation(version, schema, set.settings());
  const auto back = pipeline::ReadPushBody(shown, set);
  Demand(back.has_value() && back->issues.empty(), "what is shown can be pushed");
  Demand(back->content_sha256 == pushed.content_sha256, "what is shown and pushed is the same content");
  Demand(back->body_id == version.id, "what is shown has its id");
}

void TakeObservation(const pipeline::PushedObservation& pushed) {
  for (const Issue& issue : pushed.issues) Demand(!issue.message.empty(), "an issue says what is wrong");
  if (pushed.issues.empty()) Follow(pushed);
}

void Push(const intake::Target& target, const pipeline::PushedObservation& pushed) {
  const auto request = intake::MakePushRequest(target, pushed);
  if (!request) return;
  Demand(request->is_update == (target.method == "PUT"), "a PUT is an update");
  Demand(!request->is_update || !request->id.empty() || request->identifier.has_value(),
         "an update says of what");
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  std::string_view text = fuzz::TextOf(data, size);
  std::string head;
  if (!text.starts_with('{')) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    head = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (const auto pushed = pipeline::ReadPushBody(text, fuzz::ShippedSet())) {
    fuzz::TakeObservation(*pushed);
    fuzz::Push({"POST", {}, {}, head, {}}, *pushed);
    fuzz::Push({"POST", {}, {}, {}, head}, *pushed);
    fuzz::Push({"PUT", {}, head, {}, {}}, *pushed);
    fuzz::Push({"PUT", pushed->body_id, {}, {}, head}, *pushed);
  }
  static_cast<void>(intake::ReadPreference(head));
  const auto bundle = pipeline::ReadPushBundle(text, fuzz::ShippedSet());
  if (!bundle) return 0;
  for (const pipeline::PushBundleEntry& entry : bundle->entries) {
    fuzz::TakeObservation(entry.observation);
    auto target = intake::ReadTarget(entry.method, entry.url);
    if (!target) continue;
    target->if_none_exist = entry.if_none_exist;
    target->if_match = entry.if_match;
    fuzz::Push(*target, entry.observation);
  }
  return 0;
}
