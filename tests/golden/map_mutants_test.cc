// The cases beside the shipped maps bite: each fault that is planted in a map or a code table fails one of
// them.
//
// FHIR_ADAPTER_MUTANTS=N takes N mutants instead of the ordinary number; `all` takes every one.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "app/case_files.h"
#include "app/commands.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "map_mutator.h"

namespace fhir_adapter::golden {
namespace {

constexpr std::uint32_t kSeed = 20260301;
constexpr std::size_t kOrdinaryCount = 100;
constexpr unsigned kThreads = 2;

enum class Fate : std::uint8_t { kRefused, kKilled, kSurvived };

struct Subject {
  std::vector<fml::SourceFile> files;
  std::vector<app::CaseFolder> cases;
};

// Cases of one configuration share a set; the first that fails ends it.
Fate FateOf(const Subject& subject, const Mutant& mutant) {
  std::vector<fml::SourceFile> files = subject.files;
  for (fml::SourceFile& file : files) {
    if (file.path == mutant.path) file.bytes = mutant.bytes;
  }
  std::set<std::string> configurations;
  for (const app::CaseFolder& folder : subject.cases) configurations.insert(folder.configuration);
  for (const std::string& file : configurations) {
    app::GlobalOptions global;
    global.configuration_file = file;
    const auto configuration = app::ConfigurationOf(global);
    if (!configuration) return Fate::kRefused;
    std::vector<fml::Finding> findings;
    const auto set = pipeline::MappingSet::Build(
        files, app::MappingSettingsOf(*configuration, subject.cases.front().map), findings);
    if (!set) return Fate::kRefused;
    pipeline::RecordMapping mapping(set);
    for (const app::CaseFolder& folder : subject.cases) {
      if (folder.configuration != file) continue;
      if (!pipeline::RunCase(mapping, folder.test).differences.empty()) return Fate::kKilled;
    }
  }
  return Fate::kSurvived;
}

// `mutant<TAB>reason` a line.
std::map<std::string, std::string> EquivalentMutants() {
  std::map<std::string, std::string> known;
  std::ifstream file(std::string(FHIR_ADAPTER_GOLDEN_DIR) + "/equivalent-mutants.txt");
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) known[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return known;
}

std::size_t WantedCount() {
  const char* text =
      std::getenv("FHIR_ADAPTER_MUTANTS");  // NOLINT(concurrency-mt-unsafe): before the threads
  if (text == nullptr) return kOrdinaryCount;
  return std::string(text) == "all" ? SIZE_MAX : std::strtoul(text, nullptr, 10);
}

TEST(MapMutants, EveryMutant_FailsACase) {
  Subject subject;
  const std::string maps = FHIR_ADAPTER_MAPPINGS_DIR;
  subject.files = *app::ReadMappingFiles(maps);
  subject.cases = *app::ReadCases(maps + "/procedure-record");
  ASSERT_GE(subject.cases.size(), 20u);
  // The maps of messages have cases of their own, which do not reach every fault yet.
  std::vector<fml::SourceFile> mutated = subject.files;
  std::erase_if(mutated, [](const fml::SourceFile& file) { return file.path.starts_with("hl7v2/"); });
  std::vector<Mutant> mutants = MutantsOf(mutated);
  std::mt19937 random(kSeed);
  std::shuffle(mutants.begin(), mutants.end(), random);
  const std::map<std::string, std::string> equivalent = EquivalentMutants();

  const std::size_t wanted = WantedCount();
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> judged = 0;
  std::atomic<std::size_t> refused = 0;
  std::mutex mutex;
  std::vector<std::string> survivors;
  std::set<std::string> killed;
  const auto work = [&] {
    while (judged < wanted) {
      const std::size_t index = next++;
      if (index >= mutants.size()) return;
      const Fate fate = FateOf(subject, mutants[index]);
      if (fate == Fate::kRefused) {
        ++refused;
        continue;
      }
      ++judged;
      const std::scoped_lock lock(mutex);
      if (fate == Fate::kSurvived) survivors.push_back(mutants[index].name);
      if (fate == Fate::kKilled) killed.insert(mutants[index].name);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();

  std::cout << mutants.size() << " mutants, seed " << kSeed << ": " << judged << " ran, " << killed.size()
            << " killed, " << survivors.size() << " survived (listed as equivalent: " << equivalent.size()
            << "); " << refused << " more were refused by check\n";
  EXPECT_GE(judged, std::min(wanted, kOrdinaryCount));
  std::sort(survivors.begin(), survivors.end());
  for (const std::string& name : survivors) {
    EXPECT_TRUE(equivalent.contains(name)) << "no case fails with this mutant: " << name;
  }
  for (const auto& [name, reason] : equivalent) {
    EXPECT_FALSE(killed.contains(name)) << "listed as equivalent, and a case fails with it: " << name;
    EXPECT_FALSE(reason.empty()) << name;
  }
}

}  // namespace
}  // namespace fhir_adapter::golden
