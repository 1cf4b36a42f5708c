// Runs the output check on resources, one JSON document a line on standard input, and answers each with one
// line: {"errors":[{"pointer":"…","message":"…"}]}. The comparison with the HAPI validator reads both.
//
//   checker_stream [DEFINITION.json...]      StructureDefinitions, CodeSystems and ValueSets of our own

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "fhir/checker.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {
namespace {

Result<void> AddDefinition(const std::string& path, Schema& schema) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  Arena arena;
  ADAPTER_TRY(const Node* node, ReadJson(text.str(), arena));
  const Node* type = node->Find("resourceType");
  if (type == nullptr) return Fail(Code::kSemantic, "no resourceType");
  if (type->text == "CodeSystem") return schema.AddCodeSystem(*node);
  if (type->text == "ValueSet") return schema.AddValueSet(*node);
  return schema.AddStructureDefinition(*node);
}

void AppendError(std::string_view pointer, std::string_view message, std::string& out) {
  if (!out.ends_with('[')) out += ',';
  out += "{\"pointer\":";
  WriteJsonString(pointer, out);
  out += ",\"message\":";
  WriteJsonString(message, out);
  out += '}';
}

std::string Check(const std::string& line, const Schema& schema) {
  std::string out = "{\"errors\":[";
  Arena arena;
  const Result<Node*> node = ReadJson(line, arena);
  if (!node) {
    AppendError("", ToString(node.error()), out);
    return out + "]}";
  }
  Issues issues;
  CheckResource(**node, schema, issues);
  for (const Issue& issue : issues) AppendError(issue.where.pointer, issue.message, out);
  return out + "]}";
}

int Main(int count, char** arguments) {
  const std::unique_ptr<Schema> schema = Schema::ExtendR4();
  for (int i = 1; i < count; ++i) {
    const Result<void> added = AddDefinition(arguments[i], *schema);
    if (!added) {
      std::cerr << arguments[i] << ": " << ToString(added.error()) << '\n';
      return 2;
    }
  }
  std::string line;
  while (std::getline(std::cin, line)) std::cout << Check(line, *schema) << std::endl;
  return 0;
}

}  // namespace
}  // namespace fhir_adapter::fhir

int main(int count, char** arguments) {
  return fhir_adapter::fhir::Main(count, arguments);
}
