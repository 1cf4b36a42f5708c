// The transforms of the language, by family. Each takes values that are already evaluated and gives values
// that have no place yet.
//
// Internal to adapter/fml. FHIR Mapping Language, "transform"; the arities stand in kTransforms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fml/machine.h"
#include "fml/plan.h"

namespace fhir_adapter::fml {

// One transform that runs. `out` starts empty; empty at the end: no element is made.
struct TransformCall {
  Machine& machine;
  const plan::Transform& transform;
  std::span<const fhirpath::Collection> arguments;
  const fhir::TypeInfo* target_type = nullptr;  // when the target has one type
  fhirpath::Collection& out;
  std::vector<ConceptMapRow>* rows = nullptr;  // takes the rows used, for lineage

  bool Stop(Code code, std::string message) const {
    return machine.Stop(code, std::move(message), &transform.at);
  }
  // The argument as text; none when it is empty or complex.
  std::optional<std::string_view> Text(std::size_t index) const;
  void Give(fhir::Node* node, std::string_view type_name) const;
};

struct TransformInfo {
  std::string_view name;
  plan::TransformKind kind;
  std::uint32_t arguments_min;
  std::uint32_t arguments_max;
  std::string_view result;  // FHIR type; empty: depends
};

const TransformInfo* FindTransform(std::string_view name);
std::span<const TransformInfo> Transforms();

// False: the run has stopped.
bool RunTransform(const TransformCall& call);

bool Truncate(const TransformCall& call);
bool Escape(const TransformCall& call);
bool Append(const TransformCall& call);
bool Cast(const TransformCall& call);
bool Translate(const TransformCall& call);
bool MakeCodeableConcept(const TransformCall& call);
bool MakeCoding(const TransformCall& call);
bool MakeQuantity(const TransformCall& call);
bool MakeIdentifier(const TransformCall& call);
bool MakeContactPoint(const TransformCall& call);
bool MakeReference(const TransformCall& call);
bool MakeUuid(const TransformCall& call);
bool ParseTime(const TransformCall& call);
bool FromUnixTime(const TransformCall& call);

// Known formats of escape().
bool IsEscapeFormat(std::string_view name);
// Empty: the format is good; else what is wrong with it.
std::string CheckTimeFormat(std::string_view format);

}  // namespace fhir_adapter::fml
