#include "fml/bundle_assembler.h"

#include <gtest/gtest.h>
#include <string>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::fml {
namespace {

constexpr const char* kBase = "https://clinic.example/fhir";

std::string Resource(const std::string& type, const std::string& system, const std::string& value,
                     const std::string& more = "") {
  return "{\"resource\":{\"resourceType\":\"" + type + "\",\"identifier\":[{\"system\":\"" + kBase +
         "/sid/it-" + system + "\",\"value\":\"" + value + "\"}]" + (more.empty() ? "" : "," + more) + "}}";
}

struct Assembled {
  std::string json;
  std::vector<std::string> order;
  std::vector<std::string> urls;
  std::vector<std::string> issues;
  std::vector<std::string> resources;
};

Assembled Assemble(const std::string& entries, AssemblyForm form = AssemblyForm::kTransaction,
                   const std::vector<std::size_t>& referenced = {}) {
  Arena arena;
  Mapping mapping;
  const std::string json =
      "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[" + entries + "]}";
  const auto root = fhir::ReadJson(json, arena);
  EXPECT_TRUE(root) << (root ? "" : ToString(root.error()));
  mapping.target = *root;
  for (const std::size_t index : referenced) {
    mapping.referenced.push_back((*root)->Find("entry")->items()[index]->Find("resource"));
  }
  AssemblyOptions options;
  options.canonical_base = kBase;
  options.form = form;
  const Assembly assembly = AssembleBundle(mapping, {}, options, fhir::Schema::R4(), arena);
  Assembled result;
  if (assembly.bundle != nullptr) fhir::WriteResource(*assembly.bundle, fhir::Schema::R4(), result.json);
  for (const AssembledEntry& entry : assembly.entries) {
    result.order.emplace_back(entry.identity.value);
    result.urls.emplace_back(entry.request_url);
    std::string text;
    fhir::WriteResource(*entry.resource, fhir::Schema::R4(), text);
    result.resources.push_back(text);
  }
  for (const Issue& issue : assembly.issues) {
    EXPECT_EQ(issue.code, Code::kOutputInvalid);
    result.issues.push_back(issue.message);
  }
  return result;
}

// uuid5(NAMESPACE_URL, "https://clinic.example/fhir/sid/it-procedure|s.1").
constexpr const char* kProcedureUuid = "f80a3887-cc98-5bae-ba00-6811bf782887";
// uuid5(NAMESPACE_URL, "https://clinic.example/fhir/sid/it-adverse-event|s.1.e").
constexpr const char* kEventUuid = "5b2e10e7-687d-548d-b36a-90c8af434cb9";

TEST(BundleAssembler, Entry_GetsFullUrlAndConditionalUpdate) {
  const Assembled result = Assemble(Resource("Procedure", "procedure", "s.1", R"("id":"mine")"));
  EXPECT_EQ(
      result.json,
      std::string(R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:)") +
          kProcedureUuid +
          R"(","resource":{"resourceType":"Procedure","identifier":[{"system":"https://clinic.example/fhir/sid/)"
          R"(it-procedure","value":"s.1"}]},"request":{"method":"PUT","url":"Procedure?identifier=)"
          R"(https://clinic.example/fhir/sid/it-procedure|s.1"}}]})");
}

TEST(BundleAssembler, TypeWithoutIdentifierSearch_IsPutById) {
  const std::string event =
      R"({"resource":{"resourceType":"AdverseEvent","identifier":{"system":"https://clinic.example/fhir/sid/)"
      R"(it-adverse-event","value":"s.1.e"}}})";
  const Assembled result = Assemble(event);
  ASSERT_EQ(result.urls.size(), 1u);
  EXPECT_EQ(result.urls[0], std::string("AdverseEvent/") + kEventUuid);
  EXPECT_NE(result.resources[0].find(std::string("\"id\":\"") + kEventUuid), std::string::npos);
}

TEST(BundleAssembler, ForeignIdentifiers_AreNotTheIdentity) {
  const Assembled result =
      Assemble(R"({"resource":{"resourceType":"Device","identifier":[{"system":"http://other","value":"x"},)"
               R"({"system":"https://clinic.example/fhir/sid/mrn","value":"y"},)"
               R"({"system":"https://clinic.example/fhir/sid/it-device","value":"z"}]}})");
  EXPECT_EQ(result.order, std::vector<std::string>{"z"});
}

TEST(BundleAssembler, NoIdentity_IsOutputInvalid) {
  const Assembled result = Assemble(R"({"resource":{"resourceType":"Device"}})");
  EXPECT_EQ(result.json, "");
  ASSERT_EQ(result.issues.size(), 1u);
  EXPECT_NE(result.issues[0].find("entry 0 (Device) has no identifier"), std::string::npos);
}

TEST(BundleAssembler, OneIdentityTwice_IsOutputInvalid) {
  const Assembled result =
      Assemble(Resource("Device", "device", "a") + "," + Resource("Device", "device", "a"));
  ASSERT_EQ(result.issues.size(), 1u);
  EXPECT_EQ(result.issues[0], "entries 0 and 1 (Device) have one identity");
  EXPECT_TRUE(result.json.empty());
}

std::string Refers(const std::string& type, const std::string& system, const std::string& value) {
  return R"("partOf":[{"reference":")" + type + "?identifier=" + kBase + "/sid/it-" + system + "|" + value +
         "\"}]";
}

TEST(BundleAssembler, ReferredToComesFirst_ElseTheOrderOfTheMap) {
  const Assembled result =
      Assemble(Resource("Observation", "observation", "o", Refers("Procedure", "procedure", "s.1")) + "," +
               Resource("Device", "device", "d") + "," + Resource("Procedure", "procedure", "s.1") + "," +
               Resource("Condition", "condition", "c"));
  EXPECT_EQ(result.order, (std::vector<std::string>{"d", "s.1", "o", "c"}));
  EXPECT_NE(result.json.find(std::string(R"("partOf":[{"reference":"urn:uuid:)") + kProcedureUuid + "\"}]"),
            std::string::npos);
}

TEST(BundleAssembler, Circle_IsBrokenAtTheFirstOfTheMap) {
  const Assembled result =
      Assemble(Resource("Procedure", "procedure", "a", Refers("Procedure", "procedure", "b")) + "," +
               Resource("Procedure", "procedure", "b", Refers("Procedure", "procedure", "a")));
  EXPECT_EQ(result.order, (std::vector<std::string>{"a", "b"}));
}

TEST(BundleAssembler, ConditionalReferenceToOthers_Stays) {
  const Assembled result = Assemble(
      Resource("Procedure", "procedure", "a",
               R"("subject":{"reference":"Patient?identifier=https://clinic.example/fhir/sid/mrn|7"})"));
  EXPECT_NE(result.json.find(R"("reference":"Patient?identifier=https://clinic.example/fhir/sid/mrn|7")"),
            std::string::npos);
}

TEST(BundleAssembler, OwnIdentityThatIsNotThere_IsOutputInvalid) {
  const Assembled result =
      Assemble(Resource("Observation", "observation", "o", Refers("Procedure", "procedure", "none")));
  ASSERT_EQ(result.issues.size(), 1u);
  EXPECT_EQ(result.issues[0], "entry 0 (Observation) refers to a Procedure that is not in the Bundle");
}

TEST(BundleAssembler, EscapedReference_FindsItsEntry) {
  const Assembled result =
      Assemble(Resource("Observation", "observation", "o", Refers("Procedure", "procedure", "a%5C%7Cb%20c")) +
               "," + Resource("Procedure", "procedure", "a|b c"));
  EXPECT_TRUE(result.issues.empty());
  EXPECT_EQ(result.order, (std::vector<std::string>{"a|b c", "o"}));
  EXPECT_EQ(result.urls[0], "Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|a%5C%7Cb%20c");
}

TEST(BundleAssembler, Placeholder_BecomesFullUrlOrFragment) {
  Arena arena;
  const std::string placeholder(ReferencePlaceholder(0, arena));
  const std::string observation =
      Resource("Observation", "observation", "o", "\"focus\":[{\"reference\":\"" + placeholder + "\"}]");
  const Assembled result = Assemble(observation + "," + Resource("Procedure", "procedure", "s.1"),
                                    AssemblyForm::kTransaction, {1});
  EXPECT_NE(result.json.find(std::string(R"("focus":[{"reference":"urn:uuid:)") + kProcedureUuid),
            std::string::npos);
}

TEST(BundleAssembler, Resources_CarryIdAndTypedReferences) {
  const Assembled result =
      Assemble(Resource("Observation", "observation", "o", Refers("Procedure", "procedure", "s.1")) + "," +
                   Resource("Procedure", "procedure", "s.1"),
               AssemblyForm::kResources);
  EXPECT_EQ(result.json, "");
  ASSERT_EQ(result.resources.size(), 2u);
  EXPECT_NE(result.resources[0].find(std::string(R"("resourceType":"Procedure","id":")") + kProcedureUuid),
            std::string::npos);
  EXPECT_NE(result.resources[1].find(std::string(R"("reference":"Procedure/)") + kProcedureUuid),
            std::string::npos);
}

TEST(BundleAssembler, NoBundle_IsOutputInvalid) {
  Arena arena;
  Mapping mapping;
  AssemblyOptions options;
  const Assembly assembly = AssembleBundle(mapping, {}, options, fhir::Schema::R4(), arena);
  ASSERT_EQ(assembly.issues.size(), 1u);
  EXPECT_EQ(assembly.issues[0].code, Code::kOutputInvalid);
}

TEST(SearchToken, SpecialCharacters_AreEscapedThenEncoded) {
  Arena arena;
  // R4 search: `\` `,` `|` `$` with a backslash; then percent-encoding of all but unreserved, ':' and '/'.
  EXPECT_EQ(SearchToken("http://a/b", "x-1._~", arena), "http://a/b|x-1._~");
  EXPECT_EQ(SearchToken("s", "a,b|c$d\\e", arena), "s|a%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce");
  EXPECT_EQ(SearchToken("s", "a&b=c d?#ä", arena), "s|a%26b%3Dc%20d%3F%23%C3%A4");
}

}  // namespace
}  // namespace fhir_adapter::fml
