#include "sync/create_forms.h"

#include "core/log.h"
#include "sync/own_types.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::sync {
namespace {

// In the order of their names.
template <class Function>
void ForEachOwnType(Function function) {
  for (const OwnType& own : kOwnTypes) function(own.type);
  function(kProvenance);
}

}  // namespace

void CreateForms::Learn(const ServerCapabilities& capabilities) {
  if (capabilities.types == learned_) return;
  learned_ = capabilities.types;
  types_.clear();
  for (const auto& [name, said] : learned_) {
    Type type;
    type.takes_update = HasIdentifierSearch(name) ? said.conditional_update : said.update_create;
    type.takes_condition = said.conditional_create.value_or(true);
    types_.emplace(name, type);
  }
}

const CreateForms::Type& CreateForms::Find(std::string_view type) const {
  static const Type kUntold;
  const auto found = types_.find(type);
  return found == types_.end() ? kUntold : found->second;
}

CreateForm CreateForms::FormOf(std::string_view type) const {
  const Type& known = Find(type);
  if (!known.is_posted()) return CreateForm::kUpdate;
  return HasIdentifierSearch(type) && known.takes_condition ? CreateForm::kConditionalCreate
                                                            : CreateForm::kCreate;
}

bool CreateForms::TryPost(std::string_view type, bool is_whole_bundle) {
  Type& known = types_[std::string(type)];
  const bool is_said = known.takes_update.value_or(false);
  if (known.is_posted() || known.is_proven || (is_said && is_whole_bundle)) return false;
  known.is_refused = true;
  return true;
}

void CreateForms::Prove(std::string_view type) {
  types_[std::string(type)].is_proven = true;
}

void CreateForms::Adopt(std::string_view type) {
  Type& known = types_[std::string(type)];
  if (known.is_posted()) return;
  known.is_refused = true;
  LogEvent(LogLevel::kWarning, "create-form", {{"type", type}, {"reason", Name(FormReason::kRefused)}});
}

std::vector<PostedType> CreateForms::posted() const {
  std::vector<PostedType> posted;
  ForEachOwnType([&](std::string_view name) {
    const Type& type = Find(name);
    if (!type.is_posted()) return;
    posted.push_back({std::string(name), type.is_refused ? FormReason::kRefused : FormReason::kListed});
  });
  return posted;
}

std::vector<std::string> CreateForms::untold() const {
  std::vector<std::string> untold;
  ForEachOwnType([&](std::string_view name) {
    if (!Find(name).takes_update) untold.emplace_back(name);
  });
  return untold;
}

}  // namespace fhir_adapter::sync
