// ServerCapabilities: what the server says it can do. A value. FHIR R4 CapabilityStatement.
//
// What it does not say is unknown, not refused: servers leave out what they can.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::sync {

struct TypeCapabilities {
  std::optional<bool> update_create;
  std::optional<bool> conditional_create;
  std::optional<bool> conditional_update;
  std::string versioning;      // "no-version", "versioned", "versioned-update"; empty: not said
  std::optional<bool> writes;  // create or update; nothing: no interactions are listed

  bool operator==(const TypeCapabilities&) const = default;
};

struct ServerCapabilities {
  std::string software;             // name and version
  std::string fhir_version;         // "4.0.1"
  std::optional<bool> transaction;  // nothing: no system interactions are listed
  std::optional<bool> batch;
  std::map<std::string, TypeCapabilities> types;

  bool operator==(const ServerCapabilities&) const = default;
  bool is_r4() const { return fhir_version.starts_with("4.0"); }
};

// Error kServerAnswer: not a CapabilityStatement.
Result<ServerCapabilities> ReadCapabilities(std::string_view body);

}  // namespace fhir_adapter::sync
