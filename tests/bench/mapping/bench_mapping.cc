// One pass over a file of records, on one core, with the maps compiled once before.
//
//   bench_mapping MODE COHORT.ndjson MAPPINGS
//
//   verify       every record gives the same bytes by the maps and by the hand-written mapper (exit 1: no)
//   fml          record -> tree -> map -> Bundle -> text; no constraints, rules, Provenance or output check
//   hand         the same by the hand-written mapper
//   parse-write  the record is read, and the finished Bundle is written: what both of the above have in
//   common full         everything that the daemon does with a record (RecordMapping)
//
// The measured part is the function MeasuredPass, for `valgrind --tool=callgrind
// --toggle-collect=MeasuredPass`; a few records run before it. Prints the number of records, the bytes of the
// output, and microseconds a record.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/bundle_assembler.h"
#include "fml/mapper.h"
#include "hand_written_mapper.h"
#include "outbox/inbox.h"
#include "pipeline/mapping_set.h"
#include "pipeline/record_mapping.h"
#include "record/record_envelope.h"
#include "support/allocation_count.h"

namespace fhir_adapter::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWarmUpRecords = 20;

// Makes the output of one record. The answer is valid until the next call; empty: it could not be made.
using RecordWork = std::function<const std::string&(std::size_t)>;

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "bench_mapping: %s\n", message.c_str());
  std::exit(3);
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) Fail("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> ReadRecords(const std::string& path) {
  std::vector<std::string> records;
  std::ifstream stream(path, std::ios::binary);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) records.push_back(line);
  }
  if (records.empty()) Fail("no records in " + path);
  return records;
}

std::shared_ptr<const pipeline::MappingSet> Compile(const std::string& folder) {
  std::vector<fml::SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    const bool is_case = name.find("/tests/") != std::string::npos;
    if ((ending != ".map" && ending != ".json") || is_case) continue;
    files.push_back({name, ReadFile(entry.path())});
  }
  std::vector<fml::Finding> findings;
  auto set = pipeline::MappingSet::Build(std::move(files), {}, findings);
  if (!set) Fail(findings.empty() ? "the maps do not compile" : fml::ToLine(findings.front()));
  return set;
}

const fhir::Node& Parse(const std::string& text, Arena& arena) {
  const auto record = fhir::ReadJson(text, arena, fhir::kRecordLimits);
  if (!record) Fail(ToString(record.error()));
  return **record;
}

std::string KeyOf(const fhir::Node& record) {
  const auto key = record::ReadKey(record);
  if (!key) Fail("a record has no key");
  return outbox::SubjectKey(key->site, key->record_id);
}

// What the modes work on.
struct Bench {
  explicit Bench(const std::string& cohort) : records(ReadRecords(cohort)), hand(kCanonicalBase) {}

  static constexpr const char* kCanonicalBase = "https://clinic.example/fhir";
  std::vector<std::string> records;
  HandWrittenMapper hand;
  Arena arena;
  std::string text;
};

RecordWork Hand(Bench& bench) {
  return [&bench](std::size_t i) -> const std::string& {
    bench.arena.Reset();
    bench.text.clear();
    const fhir::Node& record = Parse(bench.records[i], bench.arena);
    const fhir::Node* bundle = bench.hand.Map(record, KeyOf(record), bench.arena);
    if (bundle != nullptr) fhir::WriteResource(*bundle, fhir::Schema::R4(), bench.text);
    return bench.text;
  };
}

RecordWork ByMaps(Bench& bench, const pipeline::MappingSet& set, fml::Mapper& mapper) {
  return [&bench, &set, &mapper](std::size_t i) -> const std::string& {
    bench.arena.Reset();
    bench.text.clear();
    const fhir::Node& record = Parse(bench.records[i], bench.arena);
    const std::string key = KeyOf(record);
    const std::pair<std::string_view, std::string_view> variables[] = {{"recordKey", key},
                                                                       {"patientSuffix", ""}};
    fml::MapRequest request;
    request.seed = key;
    request.variables = variables;
    auto mapping = mapper.Map(set.record_map(), record, request);
    if (!mapping || mapping->target == nullptr) return bench.text;
    fml::AssemblyOptions options;
    options.canonical_base = set.settings().canonical_base;
    const fhir::Schema& schema = set.maps()->schema();
    const fml::Assembly assembly = fml::AssembleBundle(*mapping, {}, options, schema, mapper.arena());
    if (assembly.bundle != nullptr) fhir::WriteResource(*assembly.bundle, schema, bench.text);
    return bench.text;
  };
}

RecordWork Full(Bench& bench, pipeline::RecordMapping& mapping) {
  return [&bench, &mapping](std::size_t i) -> const std::string& {
    record::RecordText text;
    text.bytes = bench.records[i];
    bench.text = std::move(mapping.Map(text, {}, pipeline::RecordForm::kBundle).bundle);
    return bench.text;
  };
}

// The finished Bundles stay in `bundles_arena`.
RecordWork ParseAndWrite(Bench& bench, Arena& bundles_arena) {
  std::vector<const fhir::Node*> bundles;
  for (const std::string& text : bench.records) {
    const fhir::Node& record = Parse(text, bundles_arena);
    bundles.push_back(bench.hand.Map(record, KeyOf(record), bundles_arena));
    if (bundles.back() == nullptr) Fail("a record cannot be mapped by hand");
  }
  return [&bench, bundles](std::size_t i) -> const std::string& {
    bench.arena.Reset();
    bench.text.clear();
    Parse(bench.records[i], bench.arena);
    fhir::WriteResource(*bundles[i], fhir::Schema::R4(), bench.text);
    return bench.text;
  };
}

std::size_t Pass(const RecordWork& work, std::size_t records) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < records; ++i) {
    const std::string& text = work(i);
    if (text.empty()) Fail("record " + std::to_string(i + 1) + " could not be mapped");
    bytes += text.size();
  }
  return bytes;
}

int Verify(const Bench& bench, const RecordWork& hand, const RecordWork& by_maps) {
  for (std::size_t i = 0; i < bench.records.size(); ++i) {
    const std::string expected = by_maps(i);
    const std::string& made = hand(i);
    if (made == expected && !made.empty()) continue;
    const auto [at, other] = std::ranges::mismatch(made, expected);
    const std::size_t offset = static_cast<std::size_t>(at - made.begin());
    std::printf("record %zu differs at byte %zu\n  by hand: %s\n  by maps: %s\n", i + 1, offset,
                made.substr(offset, 120).c_str(), expected.substr(offset, 120).c_str());
    return 1;
  }
  std::printf("%zu records: the hand-written mapper gives the bytes of the maps\n", bench.records.size());
  return 0;
}

}  // namespace
}  // namespace fhir_adapter::bench

// A plain name that callgrind finds.
extern "C" __attribute__((noinline)) std::size_t MeasuredPass(const fhir_adapter::bench::RecordWork& work,
                                                              std::size_t records) {
  return fhir_adapter::bench::Pass(work, records);
}

namespace fhir_adapter::bench {
namespace {

int Measure(const std::string& mode, const RecordWork& work, std::size_t records) {
  Pass(work, std::min(records, kWarmUpRecords));
  const std::uint64_t allocations = test::AllocationCount();
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t bytes = MeasuredPass(work, records);
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  const auto count = static_cast<double>(records);
  std::printf("%s: %zu records, %.0f bytes of output a record, %.1f allocations and %.1f us a record\n",
              mode.c_str(), records, static_cast<double>(bytes) / count,
              static_cast<double>(test::AllocationCount() - allocations) / count, spent.count() / count);
  return 0;
}

int Run(const std::string& mode, const std::string& cohort, const std::string& mappings) {
  Bench bench(cohort);
  const std::size_t records = bench.records.size();
  if (mode == "hand") return Measure(mode, Hand(bench), records);
  if (mode == "parse-write") {
    Arena bundles_arena;
    return Measure(mode, ParseAndWrite(bench, bundles_arena), records);
  }
  const auto set = Compile(mappings);
  if (mode == "full") {
    pipeline::RecordMapping mapping(set);
    return Measure(mode, Full(bench, mapping), records);
  }
  fml::Mapper mapper(set->maps());
  if (mode == "fml") return Measure(mode, ByMaps(bench, *set, mapper), records);
  if (mode == "verify") return Verify(bench, Hand(bench), ByMaps(bench, *set, mapper));
  std::fprintf(stderr, "bench_mapping: unknown mode '%s'\n", mode.c_str());
  return 2;
}

}  // namespace
}  // namespace fhir_adapter::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_mapping verify|fml|hand|parse-write|full COHORT.ndjson MAPPINGS\n");
    return 2;
  }
  return fhir_adapter::bench::Run(argv[1], argv[2], argv[3]);
}
