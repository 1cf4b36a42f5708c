// Our side of the comparison with other engines: reads a job a line, answers a line each, as the Java engine
// does (tests/interop/java-engine) and medplum.mjs and fhirpath.mjs.
//
//   {"map": PATH, "input": PATH, "repeat": N, "warm_up": N}           text of the record in, text of the
//   target out
//   {"expression": TEXT, "input": PATH, "repeat": N, "warm_up": N}    a parsed resource in, a collection out
//
// The answer: {"microseconds": of one time, "output": TEXT}, or {"error": TEXT}. Processor time, so that
// other work on the machine counts for little.

#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhirpath/answer.h"
#include "fhirpath/fhirpath.h"
#include "fml/map_set.h"
#include "fml/mapper.h"

namespace fhir_adapter::bench {
namespace {

using Work = std::function<bool()>;

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Fail(Code::kFileNotFound, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

std::string TextOf(const fhir::Node& job, std::string_view name) {
  const fhir::Node* node = job.Find(name);
  return node == nullptr ? std::string() : std::string(node->text);
}

double ProcessorUs() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// Runs the work and puts its time into the answer.
bool Measure(const fhir::Node& job, const Work& work, fhir::Node& answer, Arena& arena) {
  for (int i = std::stoi(TextOf(job, "warm_up")); i > 0; --i) {
    if (!work()) return false;
  }
  const int repeat = std::stoi(TextOf(job, "repeat"));
  const double begin = ProcessorUs();
  for (int i = 0; i < repeat; ++i) {
    if (!work()) return false;
  }
  answer.Set(arena, "microseconds",
             fhir::Node::Number(arena, std::to_string((ProcessorUs() - begin) / repeat)));
  return true;
}

Result<std::string> RunMap(const fhir::Node& job, const std::string& input, fhir::Node& answer,
                           Arena& arena) {
  ADAPTER_TRY(std::string text, ReadFile(TextOf(job, "map")));
  std::vector<fml::Finding> findings;
  fml::MapSetOptions options;
  options.require_unmapped_policy = false;
  const auto set = fml::MapSet::Compile({{"map.map", std::move(text)}}, options, findings);
  if (set == nullptr) return Fail(findings.front().code, fml::ToLine(findings.front()));
  fml::Mapper mapper(set);
  Arena record_arena;
  std::string output;
  const auto work = [&] {
    record_arena.Reset();
    output.clear();
    const auto record = fhir::ReadJson(input, record_arena);
    if (!record) return false;
    fml::MapRequest request;
    request.seed = "seed";
    auto mapping = mapper.Map(set->maps().front(), **record, request);
    if (!mapping || mapping->target == nullptr) return false;
    fml::ResolveReferences(*mapping, set->schema(), "seed", mapper.arena());
    fhir::WriteResource(*mapping->target, set->schema(), output);
    return true;
  };
  if (!Measure(job, work, answer, arena)) return Fail(Code::kMapFailed, "the record cannot be mapped");
  return output;
}

Result<std::string> RunExpression(const fhir::Node& job, const std::string& input, fhir::Node& answer,
                                  Arena& arena) {
  ADAPTER_TRY(const fhir::Node* resource, fhir::ReadJson(input, arena));
  const std::string text = TextOf(job, "expression");
  ADAPTER_TRY(fhirpath::Expression expression, fhirpath::Expression::Parse(text));
  const fhir::Schema& schema = fhir::Schema::R4();
  const fhir::Element root = fhir::RootElement(*resource, schema);
  fhirpath::Scope scope;
  scope.schema = &schema;
  if (root.type != nullptr) scope.context = fhirpath::StaticType::Of(*root.type);
  ADAPTER_CHECK(expression.Resolve(scope));
  Arena memory;
  fhirpath::EvaluationContext context;
  context.arena = &memory;
  context.schema = &schema;
  const fhirpath::Collection focus{fhirpath::Item(root)};
  fhirpath::Collection values;
  const auto work = [&] {
    memory.Reset();
    const auto result = expression.Evaluate(context, focus);
    if (result) values = *result;
    return result.has_value();
  };
  if (!Measure(job, work, answer, arena)) return Fail(Code::kExecution, "the expression cannot be evaluated");
  std::string shown;
  for (const fhirpath::Item& item : values) {
    shown += (shown.empty() ? "" : ",") + std::string(fhirpath::TextOf(item, memory).value_or("?"));
  }
  return shown;
}

std::string Answer(const std::string& line) {
  Arena arena;
  fhir::Node* answer = fhir::Node::Object(arena);
  const auto job = fhir::ReadJson(line, arena);
  const auto input = job ? ReadFile(TextOf(**job, "input")) : Fail(job.error());
  Result<std::string> output = Fail(Code::kFileNotFound, "no input");
  if (input) {
    output = (*job)->Find("map") != nullptr ? RunMap(**job, *input, *answer, arena)
                                            : RunExpression(**job, *input, *answer, arena);
  }
  answer->Set(arena, output ? "output" : "error",
              fhir::Node::String(arena, output ? *output : ToString(output.error())));
  return fhir::ToJson(*answer);
}

}  // namespace
}  // namespace fhir_adapter::bench

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::puts(fhir_adapter::bench::Answer(line).c_str());
    std::fflush(stdout);
  }
}
