// The cases beside the shipped maps bite: each fault that is planted in a map or a code table fails one of
// them.
//
// FHIR_ADAPTER_MUTANTS=N takes N mutants of each folder instead of the ordinary number; `all` takes every
// one.

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
#include "app/case_runner.h"
#include "app/commands.h"
#include "app/mapping_files.h"
#include "map_mutator.h"

namespace fhir_adapter::golden {
namespace {

constexpr std::uint32_t kSeed = 20260301;
constexpr std::size_t kRecordCount = 200;
constexpr std::size_t kMessageCount = 100;
constexpr unsigned kThreads = 2;

enum class Fate : std::uint8_t { kRefused, kKilled, kSurvived };

struct Subject {
  std::vector<fml::SourceFile> files;
  std::vector<app::CaseFolder> cases;
};

Result<app::Configuration> ConfigurationOf(const std::string& file) {
  app::GlobalOptions global;
  global.configuration_file = file;
  return app::ConfigurationOf(global);
}

// The first case that fails ends it.
Fate FateOf(const Subject& subject, const Mutant& mutant) {
  std::vector<fml::SourceFile> files = subject.files;
  for (fml::SourceFile& file : files) {
    if (file.path == mutant.path) file.bytes = mutant.bytes;
  }
  app::CaseRunner runner(std::move(files), ConfigurationOf);
  for (const app::CaseFolder& folder : subject.cases) {
    const auto result = runner.Run(folder);
    if (!result) return Fate::kRefused;
    if (!result->differences.empty()) return Fate::kKilled;
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

std::size_t WantedCount(std::size_t ordinary) {
  const char* text =
      std::getenv("FHIR_ADAPTER_MUTANTS");  // NOLINT(concurrency-mt-unsafe): before the threads
  if (text == nullptr) return ordinary;
  return std::string(text) == "all" ? SIZE_MAX : std::strtoul(text, nullptr, 10);
}

// What became of the mutants of one folder of maps.
class Judgement {
 public:
  Judgement(Subject subject, std::vector<Mutant> mutants)
      : subject_(std::move(subject)), mutants_(std::move(mutants)) {
    std::mt19937 random(kSeed);
    std::shuffle(mutants_.begin(), mutants_.end(), random);
  }

  void Run(std::size_t wanted) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([this, wanted] { Work(wanted); });
    for (std::thread& thread : threads) thread.join();
  }

  void Report(std::size_t at_least) {
    const std::map<std::string, std::string> equivalent = EquivalentMutants();
    std::cout << mutants_.size() << " mutants, seed " << kSeed << ": " << judged_ << " ran, "
              << killed_.size() << " killed, " << survivors_.size() << " survived; " << refused_
              << " more were refused by check\n";
    EXPECT_GE(judged_, at_least);
    std::sort(survivors_.begin(), survivors_.end());
    for (const std::string& name : survivors_) {
      EXPECT_TRUE(equivalent.contains(name)) << "no case fails with this mutant: " << name;
    }
    for (const auto& [name, reason] : equivalent) {
      EXPECT_FALSE(killed_.contains(name)) << "listed as equivalent, and a case fails with it: " << name;
      EXPECT_FALSE(reason.empty()) << name;
    }
  }

 private:
  void Work(std::size_t wanted) {
    while (judged_ < wanted) {
      const std::size_t index = next_++;
      if (index >= mutants_.size()) return;
      const Fate fate = FateOf(subject_, mutants_[index]);
      if (fate == Fate::kRefused) {
        ++refused_;
        continue;
      }
      ++judged_;
      const std::scoped_lock lock(mutex_);
      if (fate == Fate::kSurvived) survivors_.push_back(mutants_[index].name);
      if (fate == Fate::kKilled) killed_.insert(mutants_[index].name);
    }
  }

  const Subject subject_;
  std::vector<Mutant> mutants_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> judged_ = 0;
  std::atomic<std::size_t> refused_ = 0;
  std::mutex mutex_;  // guards the next two
  std::vector<std::string> survivors_;
  std::set<std::string> killed_;
};

// The cases of `folder` against what is planted in the files that `is_mutated`.
void JudgeFolder(const std::string& folder, std::size_t cases_min, std::size_t ordinary,
                 bool (*is_mutated)(const std::string& path)) {
  Subject subject;
  const std::string maps = FHIR_ADAPTER_MAPPINGS_DIR;
  subject.files = *app::ReadMappingFiles(maps);
  subject.cases = *app::ReadCases(maps + "/" + folder);
  ASSERT_GE(subject.cases.size(), cases_min);
  std::vector<fml::SourceFile> mutated = subject.files;
  std::erase_if(mutated, [is_mutated](const fml::SourceFile& file) { return !is_mutated(file.path); });
  std::vector<Mutant> mutants = MutantsOf(mutated);
  const std::size_t wanted = WantedCount(ordinary);
  Judgement judgement(std::move(subject), std::move(mutants));
  judgement.Run(wanted);
  judgement.Report(std::min(wanted, ordinary));
}

bool IsOfMessages(const std::string& path) {
  return path.starts_with("hl7v2/");
}

TEST(MapMutants, EveryMutantOfTheRecordMaps_FailsACase) {
  JudgeFolder("procedure-record", 20, kRecordCount,
              [](const std::string& path) { return !IsOfMessages(path); });
}

TEST(MapMutants, EveryMutantOfTheMessageMaps_FailsACase) {
  JudgeFolder("hl7v2", 10, kMessageCount, IsOfMessages);
}

}  // namespace
}  // namespace fhir_adapter::golden
