#include "fml/transforms.h"

#include <algorithm>
#include <array>
#include <limits>

namespace fhir_adapter::fml {
namespace {

using plan::TransformKind;

constexpr std::uint32_t kMany = std::numeric_limits<std::uint32_t>::max();

constexpr std::array kTransforms = {
    TransformInfo{"create", TransformKind::kCreate, 0, 1, ""},
    TransformInfo{"copy", TransformKind::kCopy, 1, 1, ""},
    TransformInfo{"truncate", TransformKind::kTruncate, 2, 2, "string"},
    TransformInfo{"escape", TransformKind::kEscape, 3, 3, "string"},
    TransformInfo{"cast", TransformKind::kCast, 1, 2, ""},
    TransformInfo{"append", TransformKind::kAppend, 1, kMany, "string"},
    TransformInfo{"translate", TransformKind::kTranslate, 2, 3, ""},
    TransformInfo{"reference", TransformKind::kReference, 1, 1, "string"},
    TransformInfo{"uuid", TransformKind::kUuid, 0, 0, "string"},
    TransformInfo{"pointer", TransformKind::kPointer, 1, 1, "string"},
    TransformInfo{"evaluate", TransformKind::kEvaluate, 1, 2, ""},
    TransformInfo{"cc", TransformKind::kCodeableConcept, 1, 3, "CodeableConcept"},
    TransformInfo{"c", TransformKind::kCoding, 2, 3, "Coding"},
    TransformInfo{"qty", TransformKind::kQuantity, 1, 4, "Quantity"},
    TransformInfo{"id", TransformKind::kIdentifier, 2, 3, "Identifier"},
    TransformInfo{"cp", TransformKind::kContactPoint, 1, 2, "ContactPoint"},
    TransformInfo{"toDateTime", TransformKind::kToDateTime, 1, 2, "dateTime"},
    TransformInfo{"toDate", TransformKind::kToDate, 1, 2, "date"},
    TransformInfo{"toTime", TransformKind::kToTime, 1, 2, "time"},
    TransformInfo{"unixToDateTime", TransformKind::kUnixToDateTime, 1, 2, "dateTime"},
    TransformInfo{"unixToDate", TransformKind::kUnixToDate, 1, 2, "date"},
    TransformInfo{"unixToTime", TransformKind::kUnixToTime, 1, 2, "time"},
    TransformInfo{"dateOp", TransformKind::kDateOperation, 0, kMany, ""},
};

}  // namespace

std::span<const TransformInfo> Transforms() {
  return kTransforms;
}

const TransformInfo* FindTransform(std::string_view name) {
  for (const TransformInfo& info : kTransforms) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::optional<std::string_view> TransformCall::Text(std::size_t index) const {
  if (index >= arguments.size() || arguments[index].empty()) return std::nullopt;
  const fhirpath::Item& item = arguments[index].front();
  switch (item.kind()) {
    case fhirpath::ItemKind::kElement: {
      const fhir::Node* node = item.element().node;
      if (node == nullptr) return std::nullopt;
      if (node->is_string() || node->is_number()) return node->text;
      if (node->kind == fhir::NodeKind::kBoolean) return node->boolean ? "true" : "false";
      return std::nullopt;
    }
    case fhirpath::ItemKind::kBoolean:
      return item.boolean() ? "true" : "false";
    case fhirpath::ItemKind::kInteger:
    case fhirpath::ItemKind::kLong:
      return machine.arena().Copy(std::to_string(item.integer()));
    case fhirpath::ItemKind::kQuantity:
    case fhirpath::ItemKind::kType:
      return std::nullopt;
    default:
      return item.text();
  }
}

void TransformCall::Give(fhir::Node* node, std::string_view type_name) const {
  const fhir::TypeInfo* type = machine.schema().FindType(type_name);
  out = fhirpath::Collection(fhirpath::Item(fhir::Element{node, nullptr, type, nullptr}));
}

bool RunTransform(const TransformCall& call) {
  switch (call.transform.kind) {
    case TransformKind::kCreate: {
      // A primitive has no value yet: it comes with `.value`, or never, and then it carries extensions.
      const bool is_primitive = call.transform.type->kind == fhir::TypeKind::kPrimitive;
      fhir::Node* node = is_primitive ? nullptr : call.machine.NewObject(*call.transform.type);
      call.out =
          fhirpath::Collection(fhirpath::Item(fhir::Element{node, nullptr, call.transform.type, nullptr}));
      return call.machine.Count(1, 8);
    }
    case TransformKind::kTruncate:
      return Truncate(call);
    case TransformKind::kEscape:
      return Escape(call);
    case TransformKind::kCast:
      return Cast(call);
    case TransformKind::kAppend:
      return Append(call);
    case TransformKind::kTranslate:
      return Translate(call);
    case TransformKind::kReference:
    case TransformKind::kPointer:
      return MakeReference(call);
    case TransformKind::kUuid:
      return MakeUuid(call);
    case TransformKind::kCodeableConcept:
      return MakeCodeableConcept(call);
    case TransformKind::kCoding:
      return MakeCoding(call);
    case TransformKind::kQuantity:
      return MakeQuantity(call);
    case TransformKind::kIdentifier:
      return MakeIdentifier(call);
    case TransformKind::kContactPoint:
      return MakeContactPoint(call);
    case TransformKind::kToDateTime:
    case TransformKind::kToDate:
    case TransformKind::kToTime:
      return ParseTime(call);
    case TransformKind::kUnixToDateTime:
    case TransformKind::kUnixToDate:
    case TransformKind::kUnixToTime:
      return FromUnixTime(call);
    case TransformKind::kNone:
    case TransformKind::kCopy:
    case TransformKind::kEvaluate:
    case TransformKind::kDateOperation:
      break;
  }
  return call.Stop(Code::kMapFailed, "this transform cannot be run");
}

}  // namespace fhir_adapter::fml
