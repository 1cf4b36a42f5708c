// CreateForms: how what is not on the server yet gets there, for each type.
//
//   R4 finds the type by identifier   PUT Type?identifier=…  ─▶  POST Type, If-None-Exist
//   AdverseEvent, Provenance          PUT Type/{uuid}        ─▶  POST Type
//
// The first form needs conditionalUpdate or updateCreate of the type. A server that does not say whether it
// has that is tried; what it refuses is tried in the other form, and what it then takes is kept. After a POST
// the server's id is known from its answer. A value. FHIR R4 http.html#upsert, #cond-update, #ccreate.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/server_capabilities.h"

namespace fhir_adapter::sync {

enum class CreateForm : std::uint8_t {
  kUpdate,             // PUT: to an id or identifier of ours
  kConditionalCreate,  // POST with If-None-Exist
  kCreate,             // POST
};

enum class FormReason : std::uint8_t { kListed, kRefused };
inline constexpr int kFormReasons = 2;

constexpr std::string_view Name(FormReason reason) {
  constexpr std::array<std::string_view, kFormReasons> names = {"listed", "refused"};
  return names[static_cast<std::size_t>(reason)];
}

// A type whose new resources the server names, and why.
struct PostedType {
  std::string type;
  FormReason reason = FormReason::kListed;

  bool operator==(const PostedType&) const = default;
};

class CreateForms {
 public:
  // What the server says of itself. Says it something else than before, what it did no longer counts.
  void Learn(const ServerCapabilities& capabilities);

  CreateForm FormOf(std::string_view type) const;

  // The type was refused as PUT: from now on as POST. False when that is no way out: it is one already, the
  // server has taken the PUT before, or says that it does and the refusal may be about another entry
  // (`is_whole_bundle`).
  bool TryPost(std::string_view type, bool is_whole_bundle);
  // The server took the type in its present form.
  void Prove(std::string_view type);
  // A form that was tried on a copy was taken.
  void Adopt(std::string_view type);

  // Of the types that are ours, those that are POSTed, in the order of their names.
  std::vector<PostedType> posted() const;
  // Of the types that are ours, those of which the server does not say how it takes new ones.
  std::vector<std::string> untold() const;

 private:
  struct Type {
    std::optional<bool> takes_update;  // as the server says
    bool takes_condition = true;       // If-None-Exist; false only when it says so
    bool is_proven = false;
    bool is_refused = false;

    bool is_posted() const { return is_refused || !takes_update.value_or(true); }
    bool operator==(const Type&) const = default;
  };
  const Type& Find(std::string_view type) const;

  std::map<std::string, TypeCapabilities> learned_;
  std::map<std::string, Type, std::less<>> types_;
};

}  // namespace fhir_adapter::sync
