// Types: is, as, ofType, type, conformsTo, memberOf. FHIRPath N1 2.0.0, sections 5.2.4, 6.3, 10 (types and
// reflection); FHIR R4 additional functions (conformsTo, memberOf).
//
// as() and ofType() take a primitive only by its exact type (a code is not a string there), anything else
// with its subtypes; is() always takes subtypes. as() on several items is an error. So the official tests
// want it.
#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Is(Call& call) {
  if (call.input.empty()) return true;
  if (call.input.size() > 1) return call.Fail("is() needs a single item, and there are several");
  return call.ReturnBoolean(IsOfType(call.input.front(), call.node.resolved_type, false));
}

bool OfType(Call& call) {
  for (const Item& item : call.input) {
    if (IsOfType(item, call.node.resolved_type, true) && !call.Add(item)) return false;
  }
  return call.evaluator.Step(call.node, call.input.size());
}

bool As(Call& call) {
  if (call.input.size() > 1) return call.Fail("as() needs a single item, and there are several");
  return OfType(call);
}

bool Type(Call& call) {
  for (const Item& item : call.input) {
    const std::string_view name = TypeNameOf(item, call.arena());
    const std::size_t dot = name.find('.');
    const Item type = dot == std::string_view::npos ? Item::Type("", name)
                                                    : Item::Type(name.substr(0, dot), name.substr(dot + 1));
    if (!call.Add(type)) return false;
  }
  return true;
}

bool ConformsTo(Call& call) {
  std::optional<std::string_view> url;
  if (!call.TextArgument(0, url)) return false;
  if (call.input.size() > 1) return call.Fail("conformsTo() needs a single item, and there are several");
  if (call.input.empty() || !url || !call.input.front().is_element()) return true;
  const fhir::Element& element = call.input.front().element();
  if (Host* host = call.evaluator.context().host) {
    Result<std::optional<bool>> answer = host->ConformsTo(element, *url);
    if (!answer) return call.evaluator.Fail(call.node, std::move(answer).error());
    if (answer->has_value()) return call.ReturnBoolean(**answer);
  }
  // The definition of a base type: conforming is being of the type.
  const fhir::TypeInfo* type = call.evaluator.schema().FindType(*url);
  if (type == nullptr || type->url != *url)
    return call.Fail("the profile '" + std::string(*url) + "' is not known");
  const bool conforms =
      element.type != nullptr && (element.type == type || fhir::Schema::IsSubtypeOf(*element.type, *type));
  return call.ReturnBoolean(conforms);
}

// A code, Coding or CodeableConcept against a value set that can be enumerated.
std::optional<bool> IsMember(const Item& item, const fhir::ValueSetInfo& value_set, Arena& arena) {
  const Item value = ToSystem(item, arena);
  if (value.kind() == ItemKind::kString) return value_set.Contains(value.text());
  if (!item.is_element() || item.element().node == nullptr) return std::nullopt;
  const auto coding_is_member = [&](const fhir::Node& coding) {
    const fhir::Node* system = coding.Find("system");
    const fhir::Node* code = coding.Find("code");
    return code != nullptr && (system == nullptr ? value_set.Contains(code->text)
                                                 : value_set.Contains(system->text, code->text));
  };
  const fhir::Node& node = *item.element().node;
  if (const fhir::Node* codings = node.Find("coding")) {
    for (const fhir::Node* coding : codings->items()) {
      if (coding_is_member(*coding)) return true;
    }
    return false;
  }
  return coding_is_member(node);
}

bool MemberOf(Call& call) {
  std::optional<std::string_view> url;
  if (!call.TextArgument(0, url)) return false;
  if (call.input.size() > 1) return call.Fail("memberOf() needs a single item, and there are several");
  if (call.input.empty() || !url) return true;
  if (Host* host = call.evaluator.context().host) {
    Result<std::optional<bool>> answer = host->MemberOf(call.input.front(), *url);
    if (!answer) return call.evaluator.Fail(call.node, std::move(answer).error());
    if (answer->has_value()) return call.ReturnBoolean(**answer);
  }
  const fhir::ValueSetInfo* value_set = call.evaluator.schema().FindValueSet(*url);
  if (value_set == nullptr) return call.Fail("the value set '" + std::string(*url) + "' is not known");
  const auto member = IsMember(call.input.front(), *value_set, call.arena());
  return !member || call.ReturnBoolean(*member);
}

constexpr FunctionInfo kFunctions[] = {
    {"is", 1, 1, Is, ResultRule::kBoolean, ArgumentRule::kType},
    {"as", 1, 1, As, ResultRule::kOfType, ArgumentRule::kType},
    {"ofType", 1, 1, OfType, ResultRule::kOfType, ArgumentRule::kType},
    {"type", 0, 0, Type, ResultRule::kTypeInfo},
    {"conformsTo", 1, 1, ConformsTo, ResultRule::kBoolean},
    {"memberOf", 1, 1, MemberOf, ResultRule::kBoolean},
};

}  // namespace

std::span<const FunctionInfo> TypeFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
