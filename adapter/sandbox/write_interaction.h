// Create, update and delete, in two steps: Plan finds out which resource is meant, Apply changes it. A
// transaction plans all entries before it applies the first.
//
// Both run inside a transaction of the store that the caller began. One thread at a time. FHIR R4 http
// 3.1.0.4 to 3.1.0.8.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "sandbox/behaviour.h"
#include "sandbox/interaction.h"
#include "sandbox/resource_store.h"
#include "sandbox/search.h"

namespace fhir_adapter::sandbox {

struct WritePlan {
  enum class Action : std::uint8_t {
    kCreate,
    kUpdate,
    kKeep,  // If-None-Exist found one: it is the answer
    kDelete,
    kNothing,  // a deletion of what is not there
  };
  Action action = Action::kCreate;
  std::string type;
  std::string id;
  std::optional<StoredResource> existing;
  bool was_found_by_criteria = false;
};

class ResourceWriter {
 public:
  ResourceWriter(ResourceStore& store, const Behaviour& behaviour, Clock& clock, Random& random,
                 std::string base_url);

  Refusable<WritePlan> Plan(const Interaction& interaction);

  // The references of the resource must be in the form in which they are to be stored.
  Refusable<InteractionResult> Apply(const Interaction& interaction, const WritePlan& plan);

  // After everything has been applied: do the references of this resource find theirs?
  MaybeRefusal CheckReferences(const Interaction& interaction);
  // After a deletion: does anything still refer to it?
  MaybeRefusal CheckNotReferenced(const WritePlan& plan);

  // References of a resource that is not part of a transaction.
  MaybeRefusal PrepareReferences(const Interaction& interaction);
  // The one resource that `Type?criteria` finds, as "Type/id".
  Refusable<std::string> ResolveConditional(std::string_view reference, std::string_view expression);
  void StripVersion(fhir::Node& reference, Arena& arena) const;

  Refusable<std::vector<std::int64_t>> Matches(std::string_view type, std::string_view raw_query);
  Refusable<SearchRequest> Criteria(std::string_view type, std::string_view raw_query) const;
  const std::string& base_url() const { return base_url_; }

 private:
  Refusable<WritePlan> PlanCreate(const Interaction& interaction);
  Refusable<WritePlan> PlanUpdate(const Interaction& interaction);
  Refusable<WritePlan> PlanConditionalUpdate(const Interaction& interaction);
  Refusable<WritePlan> PlanDelete(const Interaction& interaction);
  MaybeRefusal CheckPreconditions(const Interaction& interaction, const WritePlan& plan) const;
  Refusable<WritePlan> PlanOfKey(std::int64_t key, WritePlan::Action action);
  Refusable<InteractionResult> Delete(const WritePlan& plan);
  std::string Stamped(const Interaction& interaction, const WritePlan& plan, std::int64_t version,
                      std::int64_t updated_us) const;
  std::int64_t NextUpdate();
  std::string NewId();

  ResourceStore& store_;
  const Behaviour& behaviour_;
  Clock& clock_;
  Random& random_;
  std::string base_url_;
  std::int64_t last_update_us_ = 0;
};

}  // namespace fhir_adapter::sandbox
