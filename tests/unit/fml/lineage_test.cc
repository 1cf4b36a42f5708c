// What the executor tells a LineageSink.
#include "fml/lineage.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

class MostInputs final : public LineageSink {
 public:
  void Made(const LineageStep& step) override { most_ = std::max(most_, step.inputs.size()); }
  void RuleRan(const RulePlace&) override {}
  std::size_t most() const { return most_; }

 private:
  std::size_t most_ = 0;
};

// The most elements that one element made of `count` texts names.
std::size_t NamedOf(std::size_t count) {
  std::string record = R"({"resourceType":"Patient","name":[{"given":[)";
  std::string rule = "src.name as n -> tgt.language = append(";
  for (std::size_t i = 0; i < count; ++i) {
    record += i == 0 ? R"("x")" : R"(,"x")";
    rule += (i == 0 ? "(n.given[" : ", (n.given[") + std::to_string(i) + "])";
  }
  MostInputs sink;
  RunOptions options;
  options.lineage = &sink;
  const RunResult result = RunRules(rule + ");", record + "]}]}", options);
  EXPECT_NE(result.json.find("\"" + std::string(count, 'x') + "\""), std::string::npos) << count;
  return sink.most();
}

// What is made of very many elements names the first of them: what it costs to tell stays linear.
TEST(Lineage, ElementOfManyInputs_NamesNoMoreThanTheLimit) {
  EXPECT_EQ(NamedOf(limits::kLineageInputsMax), limits::kLineageInputsMax);
  EXPECT_EQ(NamedOf(limits::kLineageInputsMax + 1), limits::kLineageInputsMax);
}

}  // namespace
}  // namespace fhir_adapter::fml::test
