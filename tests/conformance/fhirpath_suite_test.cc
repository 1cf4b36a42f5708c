// The official FHIRPath suite against our engine. The suite comes from tests/conformance/fetch.sh; its
// absence is a failure. A test counts by its number, since names repeat.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/decimal.h"
#include "fhir/json_reader.h"
#include "fhir/schema.h"
#include "fhirpath/answer.h"
#include "fhirpath/fhirpath.h"
#include "suite_files.h"

namespace fhir_adapter::fhirpath {
namespace {

std::string_view Text(const fhir::Node& object, std::string_view name) {
  const fhir::Node* member = object.Find(name);
  return member == nullptr ? std::string_view() : member->text;
}

// "System.Integer", "FHIR.integer" and "integer" are one type; FHIR code, id and string stay apart.
std::string TypeKey(std::string_view type) {
  if (const std::size_t dot = type.rfind('.'); dot != std::string_view::npos) type.remove_prefix(dot + 1);
  std::string key(type);
  std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
  return key;
}

struct Value {
  std::string type;
  std::string text;
};

// A decimal by value, a temporal without @ and T, a quantity as number and unit, anything else as it is.
std::string Normalize(std::string_view text) {
  if (text.starts_with('@')) text.remove_prefix(1);
  if (text.starts_with('T') && text.size() > 1 && text[1] >= '0' && text[1] <= '9') text.remove_prefix(1);
  if (const auto number = fhir::Decimal::Parse(text)) return number->ToShortestString();
  if (const std::size_t blank = text.find(' '); blank != std::string_view::npos && text.ends_with('\'')) {
    if (const auto number = fhir::Decimal::Parse(text.substr(0, blank))) {
      return number->ToShortestString() + std::string(text.substr(blank));
    }
  }
  return std::string(text);
}

std::string TextOfItem(const Item& item, Arena& arena) {
  const Item value = ToSystem(item, arena);
  if (value.kind() == ItemKind::kQuantity)
    return std::string(value.text()) + " '" + std::string(value.unit()) + "'";
  if (const auto text = TextOf(value, arena)) return std::string(*text);
  return "(complex)";
}

class FhirPathSuite : public testing::Test {
 protected:
  void RunSuite(const std::string& version, std::size_t tests_expected, std::size_t exceptions_max);

  const fhir::Node* Input(const std::string& name) {
    if (name.empty()) return nullptr;
    auto& node = inputs_[name];
    if (node == nullptr) {
      const auto text = conformance::ReadFile(directory_ + name);
      EXPECT_TRUE(text) << name;
      auto read = fhir::ReadJson(*text, inputs_arena_);
      EXPECT_TRUE(read) << name;
      node = *read;
    }
    return node;
  }

  // Empty when the test passes, else what is wrong.
  std::string Run(const fhir::Node& test);
  std::string Compare(const fhir::Node& test, const Collection& result, Arena& arena);
  Result<Collection> Evaluate(const fhir::Node& test, Arena& arena);

  std::string directory_;
  Arena inputs_arena_;
  std::map<std::string, const fhir::Node*> inputs_;
  std::vector<std::unique_ptr<Expression>> expressions_;
  Moment moment_ = Moment::At(TimeUs{1'772'362'800'000'000}, 60);
};

Result<Collection> FhirPathSuite::Evaluate(const fhir::Node& test, Arena& arena) {
  ADAPTER_TRY(Expression parsed, Expression::Parse(Text(test, "expression")));
  expressions_.push_back(std::make_unique<Expression>(std::move(parsed)));
  Expression& expression = *expressions_.back();
  const fhir::Schema& schema = fhir::Schema::R4();
  const fhir::Node* resource = Input(std::string(Text(test, "input")));
  Scope scope;
  scope.schema = &schema;
  scope.accepts_json_names = Text(test, "mode") == "lenient/polymorphics";
  scope.check_order = Text(test, "mode") == "strict";
  Collection input;
  if (resource != nullptr) {
    const fhir::Element root = fhir::RootElement(*resource, schema);
    input = Item(root);
    scope.context = StaticType::Of(*root.type);
  }
  ADAPTER_CHECK(expression.Resolve(scope));
  EvaluationContext context;
  context.arena = &arena;
  context.schema = &schema;
  context.moment = &moment_;
  return expression.Evaluate(context, input);
}

std::string FhirPathSuite::Compare(const fhir::Node& test, const Collection& result, Arena& arena) {
  std::vector<Value> expected;
  for (const fhir::Node* output : test.Find("outputs")->items()) {
    expected.push_back({TypeKey(Text(*output, "type")), Normalize(Text(*output, "value"))});
  }
  std::vector<Value> actual;
  if (Text(test, "predicate") == "true") {
    bool truth = !result.empty();
    if (result.size() == 1 && ToSystem(result.front(), arena).kind() == ItemKind::kBoolean) {
      truth = ToSystem(result.front(), arena).boolean();
    }
    actual.push_back({"boolean", truth ? "true" : "false"});
  } else {
    for (const Item& item : result) {
      actual.push_back({TypeKey(TypeNameOf(item, arena)), Normalize(TextOfItem(item, arena))});
    }
  }
  if (Text(test, "ordered") == "false") {
    const auto by_text = [](const Value& a, const Value& b) { return a.text < b.text; };
    std::sort(expected.begin(), expected.end(), by_text);
    std::sort(actual.begin(), actual.end(), by_text);
  }
  bool same = expected.size() == actual.size();
  for (std::size_t i = 0; same && i < expected.size(); ++i) {
    same = expected[i].text == actual[i].text &&
           (expected[i].type.empty() || expected[i].type == actual[i].type);
  }
  if (same) return "";
  const auto list = [](const std::vector<Value>& values) {
    std::string text = "[";
    for (const Value& value : values) text += value.type + ":" + value.text + " ";
    return text + "]";
  };
  return "expected " + list(expected) + ", got " + list(actual);
}

std::string FhirPathSuite::Run(const fhir::Node& test) {
  Arena arena;
  const Result<Collection> result = Evaluate(test, arena);
  const bool must_fail = !Text(test, "invalid").empty();
  if (must_fail) return result ? "expected an error" : "";
  if (!result) return "error: " + ToString(result.error());
  return Compare(test, *result, arena);
}

// Modes that need a terminology server, CDA models or the HTML rules.
bool IsLeftOut(const fhir::Node& test) {
  const std::string_view mode = Text(test, "mode");
  return mode == "tx" || mode == "cda" || mode == "html";
}

void FhirPathSuite::RunSuite(const std::string& version, std::size_t tests_expected,
                             std::size_t exceptions_max) {
  directory_ = conformance::CacheDirectory() + "/conformance/fhir-test-cases/" + version + "/";
  const auto suite = conformance::ReadFile(directory_ + "tests.ndjson");
  ASSERT_TRUE(suite) << "the suite is missing: run tests/conformance/fetch.sh";
  const auto exceptions = conformance::ReadExceptions(std::string(FHIR_ADAPTER_CONFORMANCE_DIR) +
                                                      "/exceptions-fhirpath-" + version + ".txt");
  EXPECT_LE(exceptions.size(), exceptions_max);
  std::istringstream lines(*suite);
  std::size_t count = 0;
  std::size_t passed = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto test = fhir::ReadJson(line, inputs_arena_);
    ASSERT_TRUE(test);
    if (IsLeftOut(**test)) continue;
    ++count;
    const std::string number((*test)->Find("number")->text);
    const std::string fault = Run(**test);
    const auto exception = exceptions.find(number);
    if (fault.empty()) ++passed;
    if (exception == exceptions.end()) {
      EXPECT_EQ(fault, "") << number << " " << Text(**test, "name") << ": " << Text(**test, "expression");
    } else {
      EXPECT_NE(fault, "") << number << " passes: take it off the list of exceptions";
      EXPECT_FALSE(exception->second.empty()) << number << " has no reason";
    }
  }
  EXPECT_EQ(count, tests_expected);
  std::printf("FHIRPath %s: %zu of %zu tests pass\n", version.c_str(), passed, count);
}

TEST_F(FhirPathSuite, R4_AllTests_PassButForListedExceptions) {
  RunSuite("r4", 935, 5);
}

// The R5 suite over the R4 types: what it has beyond is shared behaviour, and some resources of R5.
TEST_F(FhirPathSuite, R5_AllTests_PassButForListedExceptions) {
  RunSuite("r5", 1053, 17);
}

}  // namespace
}  // namespace fhir_adapter::fhirpath
