// The columns of a ConceptMap's table. Internal to adapter/fml.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fhir_adapter::fml::internal {

enum class TableColumn : std::uint8_t {
  kSystem,
  kSystemVersion,
  kCode,
  kDisplay,
  kTargetSystem,
  kTargetVersion,
  kTargetCode,
  kTargetDisplay,
  kEquivalence,
  kRelationship,
  kComment,
  kDependsOn,
  kProduct,
  kMore
};

inline constexpr std::size_t kTableColumns = 14;
inline constexpr std::array<std::string_view, kTableColumns> kTableColumnNames = {
    "system",         "system version", "code",           "display",     "target system",
    "target version", "target code",    "target display", "equivalence", "relationship",
    "comment",        "depends on",     "product",        "more"};

inline constexpr std::string_view kUnmappedPolicyUrl =
    "https://clinic.example/fhir/StructureDefinition/unmapped-policy";

}  // namespace fhir_adapter::fml::internal
