// Maps: printing what was parsed and parsing it again is the identity, and compiling ends with a set or with
// findings that say why there is none, the same for the printed text.
#include <algorithm>

#include "fml/map_set.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

// Whether a set came about. Findings and the set must agree.
bool Compiles(std::string_view text) {
  fml::MapSetOptions options;
  options.configuration = {{"canonicalBase", "http://example.org"}, {"site", "s"}};
  options.record_variables = {"patient"};
  std::vector<fml::Finding> findings;
  const auto set = fml::MapSet::Compile({{"fuzz.map", std::string(text)}}, options, findings);
  const bool has_error = std::ranges::any_of(
      findings, [](const fml::Finding& finding) { return finding.severity == fml::Severity::kError; });
  Demand((set == nullptr) == has_error, "there is no set exactly when a finding is an error");
  for (const fml::Finding& finding : findings) {
    Demand(!finding.message.empty(), "a finding has a message");
  }
  return set != nullptr;
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view text = fuzz::TextOf(data, size);
  const auto parsed = fml::ParseMap(text, "fuzz.map");
  if (!parsed) {
    fuzz::Demand(parsed.error().where.line > 0, "a fault of syntax says where it is");
    return 0;
  }
  const std::string printed = fml::PrintMap(*parsed);
  const auto again = fml::ParseMap(printed, "fuzz.map");
  fuzz::Demand(again.has_value(), "what is printed can be parsed");
  fuzz::Demand(*again == *parsed, "what is printed is parsed as the same map");
  fuzz::Demand(fml::PrintMap(*again) == printed, "printing again gives the same text");
  fuzz::Demand(fuzz::Compiles(text) == fuzz::Compiles(printed), "what is printed compiles as the text does");
  return 0;
}
