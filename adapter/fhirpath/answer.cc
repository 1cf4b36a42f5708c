#include "fhirpath/answer.h"

#include "fhir/json_writer.h"

namespace fhir_adapter::fhirpath {
namespace {

fhir::Node* ValueOf(const Item& item, Arena& arena) {
  if (item.kind() == ItemKind::kType) {
    fhir::Node* type = fhir::Node::Object(arena);
    type->Set(arena, "namespace", fhir::Node::String(arena, item.type_namespace()));
    type->Set(arena, "name", fhir::Node::String(arena, item.type_name()));
    return type;
  }
  fhir::Node* node = ToNode(item, arena);
  return node == nullptr ? fhir::Node::Null(arena) : node;
}

}  // namespace

std::string ToAnswer(const Collection& result, Arena& arena) {
  fhir::Node* answers = fhir::Node::Array(arena);
  for (const Item& item : result) {
    fhir::Node* answer = fhir::Node::Object(arena);
    answer->AddMember(arena, "type", fhir::Node::String(arena, TypeNameOf(item, arena)));
    answer->AddMember(arena, "value", ValueOf(item, arena));
    answers->Append(arena, answer);
  }
  return fhir::ToJson(*answers);
}

std::string_view KindOfError(const Error& error) {
  switch (error.code) {
    case Code::kSyntax:
      return "syntax";
    case Code::kSemantic:
      return "semantic";
    default:
      return "execution";
  }
}

Result<std::string> Answer(const AnswerRequest& request, const fhir::Schema& schema, const Moment& moment,
                           Host* host, Arena& arena) {
  ADAPTER_TRY(Expression expression, Expression::Parse(request.expression));
  Collection input;
  Scope scope;
  scope.schema = &schema;
  scope.strict = request.strict;
  scope.check_order = request.check_order;
  if (request.resource != nullptr) {
    const fhir::Element root = fhir::RootElement(*request.resource, schema);
    input = Item(root);
    if (root.type != nullptr) scope.context = StaticType::Of(*root.type);
  }
  ADAPTER_CHECK(expression.Resolve(scope));
  EvaluationContext context;
  context.arena = &arena;
  context.schema = &schema;
  context.moment = &moment;
  context.host = host;
  ADAPTER_TRY(const Collection result, expression.Evaluate(context, input));
  return ToAnswer(result, arena);
}

}  // namespace fhir_adapter::fhirpath
