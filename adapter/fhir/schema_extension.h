// SchemaExtension: the types, value sets and extension definitions that are added to a Schema at run time.
//
// Owns what it adds, for as long as the Schema lives. Not thread-safe while it is being filled. FHIR R4
// (4.0.1) StructureDefinition (logical models, profiles on Extension), CodeSystem, ValueSet.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

class SchemaExtension {
 public:
  explicit SchemaExtension(const Schema& schema) : schema_(schema) {}

  Result<void> AddStructureDefinition(const Node& definition);
  Result<void> AddCodeSystem(const Node& code_system);
  Result<void> AddValueSet(const Node& value_set);

  const TypeInfo* FindType(std::string_view name_or_url) const;
  const ValueSetInfo* FindValueSet(std::string_view url) const;
  const ExtensionInfo* FindExtension(std::string_view url) const;

 private:
  // One type while its elements are collected.
  struct Draft {
    TypeInfo* type = nullptr;
    std::vector<ElementInfo> elements;
    std::vector<std::string_view> bindings;  // url or empty, for each element
  };
  using Drafts = std::map<std::string_view, Draft>;  // by path

  struct PendingBinding {
    ElementInfo* element;
    std::string_view url;
  };

  Result<void> AddLogicalModel(const Node& definition, std::span<Node* const> elements);
  Result<void> AddExtensionDefinition(const Node& definition, std::span<Node* const> elements);
  Result<void> AddElement(const Node& definition, Drafts& drafts);
  Result<void> AddElementTypes(const Node& definition, const Drafts& drafts, ElementInfo& element);
  Result<ElementType> ReadType(const Node& type, const ElementInfo& element);
  TypeInfo* AddType(std::string_view name, TypeKind kind);
  void Finish(Draft& draft);
  bool AppendCodes(const Node& include, std::vector<ValueSetInfo::Row>& rows) const;
  bool Expand(const Node& value_set);
  void ResolveValueSets();

  template <class T>
  std::span<const T> Keep(const std::vector<T>& items);

  const Schema& schema_;
  Arena arena_;
  std::deque<TypeInfo> types_;
  std::deque<ValueSetInfo> value_sets_;
  std::deque<ExtensionInfo> extensions_;
  std::map<std::string_view, const TypeInfo*> type_by_name_;  // and by url
  std::map<std::string_view, const ValueSetInfo*> value_set_by_url_;
  std::map<std::string_view, const ExtensionInfo*> extension_by_url_;
  std::map<std::string_view, std::vector<std::string_view>> codes_by_system_;
  std::vector<const Node*> open_value_sets_;  // not enumerable yet; in arena_
  std::vector<PendingBinding> pending_bindings_;
};

}  // namespace fhir_adapter::fhir
