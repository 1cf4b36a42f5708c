#include "sandbox/write_interaction.h"

#include <algorithm>
#include <utility>

#include "fhir/json_writer.h"
#include "fhir/schema.h"
#include "sandbox/references.h"
#include "sandbox/resource_check.h"
#include "sandbox/search.h"

namespace fhir_adapter::sandbox {

using fhir::Node;

namespace {

std::string_view IdOf(const Node& resource) {
  const Node* id = resource.Find("id");
  return id != nullptr && id->is_string() ? id->text : std::string_view();
}

std::string Under(const Interaction& interaction, std::string_view tail) {
  if (interaction.expression.empty()) return interaction.type + "." + std::string(tail);
  return interaction.expression + ".resource." + std::string(tail);
}

std::string RequestPart(const Interaction& interaction, std::string_view part) {
  return interaction.expression.empty() ? std::string()
                                        : interaction.expression + ".request." + std::string(part);
}

}  // namespace

ResourceWriter::ResourceWriter(ResourceStore& store, const Behaviour& behaviour, Clock& clock, Random& random,
                               std::string base_url)
    : store_(store), behaviour_(behaviour), clock_(clock), random_(random), base_url_(std::move(base_url)) {}

std::int64_t ResourceWriter::NextUpdate() {
  // Milliseconds, as they are written, and never backwards, so that a poll by _lastUpdated misses nothing.
  const std::int64_t now_us = clock_.Now().us;
  last_update_us_ = std::max(last_update_us_, now_us - now_us % 1'000);
  return last_update_us_;
}

std::string ResourceWriter::NewId() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::uint64_t high = (random_.Next() & ~std::uint64_t{0xF000}) | 0x4000;  // version 4
  std::uint64_t low = (random_.Next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);
  std::string id;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
    std::uint64_t& bits = i < 16 ? high : low;
    id += kDigits[bits >> 60];
    bits <<= 4;
  }
  return id;
}

Refusable<SearchRequest> ResourceWriter::Criteria(std::string_view type, std::string_view raw_query) const {
  Result<std::vector<net::QueryParameter>> query = net::ParseQuery(raw_query);
  if (!query) return Refuse(400, "value", query.error().message);
  Refusable<SearchRequest> request = ParseSearch(type, *query, base_url_, false);
  if (request && request->criteria.empty()) {
    return Refuse(412, "incomplete", "the criteria select everything");
  }
  return request;
}

Refusable<std::vector<std::int64_t>> ResourceWriter::Matches(std::string_view type,
                                                             std::string_view raw_query) {
  Refusable<SearchRequest> request = Criteria(type, raw_query);
  if (!request) return request.refusal();
  Result<std::vector<std::int64_t>> keys = FindKeys(store_, *request);
  if (!keys) return RefusalOf(keys.error());
  return std::move(*keys);
}

Refusable<WritePlan> ResourceWriter::PlanOfKey(std::int64_t key, WritePlan::Action action) {
  Result<ResourceVersion> found = store_.ReadCurrent(key);
  if (!found) return RefusalOf(found.error());
  WritePlan plan;
  plan.action = action;
  plan.type = found->type;
  plan.id = found->id;
  plan.was_found_by_criteria = true;
  Result<std::optional<StoredResource>> existing = store_.Find(plan.type, plan.id);
  if (!existing) return RefusalOf(existing.error());
  plan.existing = *existing;
  return plan;
}

Refusable<WritePlan> ResourceWriter::Plan(const Interaction& interaction) {
  if (interaction.type == "AuditEvent" && !behaviour_.stores_audit_events) {
    return Refuse(405, "not-supported", "this server keeps no AuditEvent");
  }
  if (interaction.method == "DELETE") return PlanDelete(interaction);
  if (interaction.resource == nullptr || !interaction.resource->is_object()) {
    return Refuse(400, "required", "there is no resource", interaction.expression);
  }
  const Node* type = interaction.resource->Find("resourceType");
  if (type == nullptr || !type->is_string() || type->text != interaction.type) {
    return Refuse(400, "invalid", "the resource is not of the type that the url names",
                  Under(interaction, "resourceType"));
  }
  if (interaction.method == "POST") return PlanCreate(interaction);
  return interaction.id.empty() ? PlanConditionalUpdate(interaction) : PlanUpdate(interaction);
}

Refusable<WritePlan> ResourceWriter::PlanCreate(const Interaction& interaction) {
  if (!behaviour_.creates) return Refuse(405, "not-supported", "this server takes no POST of a resource");
  WritePlan plan;
  plan.type = interaction.type;
  if (interaction.if_none_exist) {
    Refusable<std::vector<std::int64_t>> matches = Matches(interaction.type, *interaction.if_none_exist);
    if (!matches) return matches.refusal();
    if (matches->size() > 1) {
      const int status = interaction.in_transaction ? behaviour_.several_matches_status_in_transaction : 412;
      return Refuse(status, "multiple-matches", "If-None-Exist finds more than one resource",
                    RequestPart(interaction, "ifNoneExist"));
    }
    if (matches->size() == 1) return PlanOfKey(matches->front(), WritePlan::Action::kKeep);
  }
  plan.id = NewId();
  return plan;
}

MaybeRefusal ResourceWriter::CheckPreconditions(const Interaction& interaction, const WritePlan& plan) const {
  const bool exists = plan.existing && !plan.existing->is_deleted;
  if (interaction.if_none_match == "*" && exists && behaviour_.update_checks_if_none_match) {
    return Refuse(412, "conflict", "If-None-Match: * and the resource exists",
                  RequestPart(interaction, "ifNoneMatch"));
  }
  if (interaction.if_match.empty()) return std::nullopt;
  if (plan.was_found_by_criteria && !behaviour_.conditional_update_checks_version) return std::nullopt;
  if (!exists) {
    if (behaviour_.if_match_creates_absent) return std::nullopt;
    return Refuse(412, "conflict", "If-Match names a version and the resource does not exist",
                  RequestPart(interaction, "ifMatch"));
  }
  if (interaction.if_match == "*") return std::nullopt;
  const auto wanted = ParseEntityTag(interaction.if_match);
  if (wanted && *wanted == plan.existing->version) return std::nullopt;
  const int status = interaction.in_transaction ? behaviour_.stale_version_status_in_transaction
                                                : behaviour_.stale_version_status;
  return Refuse(status, "conflict", "If-Match does not name the current version",
                RequestPart(interaction, "ifMatch"));
}

Refusable<WritePlan> ResourceWriter::PlanUpdate(const Interaction& interaction) {
  if (!IsResourceId(interaction.id)) return Refuse(400, "value", "the url's id is not one of FHIR");
  const std::string_view body_id = IdOf(*interaction.resource);
  if (body_id.empty()) {
    return Refuse(400, "required", "an update needs the id in the resource", Under(interaction, "id"));
  }
  if (body_id != interaction.id) {
    return Refuse(400, "invalid", "the id of the resource is not that of the url", Under(interaction, "id"));
  }
  WritePlan plan;
  plan.type = interaction.type;
  plan.id = interaction.id;
  Result<std::optional<StoredResource>> existing = store_.Find(plan.type, plan.id);
  if (!existing) return RefusalOf(existing.error());
  plan.existing = *existing;
  if (auto refusal = CheckPreconditions(interaction, plan)) return *refusal;
  plan.action =
      plan.existing && !plan.existing->is_deleted ? WritePlan::Action::kUpdate : WritePlan::Action::kCreate;
  if (!plan.existing && !behaviour_.update_create) {
    return Refuse(behaviour_.update_create_refusal_status, "not-supported",
                  "this server does not let clients choose ids", RequestPart(interaction, "url"));
  }
  return plan;
}

Refusable<WritePlan> ResourceWriter::PlanConditionalUpdate(const Interaction& interaction) {
  if (!behaviour_.conditional_updates) {
    return Refuse(405, "not-supported", "this server takes no conditional updates",
                  RequestPart(interaction, "url"));
  }
  Refusable<SearchRequest> criteria = Criteria(interaction.type, interaction.raw_query);
  if (!criteria) return criteria.refusal();
  const std::string body_id(IdOf(*interaction.resource));
  if (behaviour_.conditional_update_checks_body &&
      !Meets(*criteria, body_id, SearchEntriesOf(*interaction.resource))) {
    return Refuse(400, "invalid", "the resource does not meet the criteria of its url",
                  Under(interaction, "identifier"));
  }
  Result<std::vector<std::int64_t>> keys = FindKeys(store_, *criteria);
  if (!keys) return RefusalOf(keys.error());
  if (keys->size() > 1) {
    const int status = interaction.in_transaction ? behaviour_.several_matches_status_in_transaction : 412;
    return Refuse(status, "multiple-matches", "the criteria find more than one resource",
                  RequestPart(interaction, "url"));
  }
  WritePlan plan;
  plan.type = interaction.type;
  if (keys->size() == 1) {
    Refusable<WritePlan> found = PlanOfKey(keys->front(), WritePlan::Action::kUpdate);
    if (!found) return found.refusal();
    plan = std::move(*found);
    if (!body_id.empty() && body_id != plan.id) {
      return Refuse(400, "invalid", "the criteria find a resource with another id", Under(interaction, "id"));
    }
  } else if (!body_id.empty()) {
    plan.id = body_id;
    Result<std::optional<StoredResource>> existing = store_.Find(plan.type, plan.id);
    if (!existing) return RefusalOf(existing.error());
    plan.existing = *existing;
    if (plan.existing && !plan.existing->is_deleted) {
      return Refuse(409, "conflict", "the id belongs to a resource that the criteria do not find",
                    Under(interaction, "id"));
    }
  } else {
    plan.id = NewId();
  }
  if (auto refusal = CheckPreconditions(interaction, plan)) return *refusal;
  return plan;
}

Refusable<WritePlan> ResourceWriter::PlanDelete(const Interaction& interaction) {
  WritePlan plan;
  plan.type = interaction.type;
  plan.id = interaction.id;
  plan.action = WritePlan::Action::kNothing;
  if (interaction.id.empty()) {
    Refusable<std::vector<std::int64_t>> matches = Matches(interaction.type, interaction.raw_query);
    if (!matches) return matches.refusal();
    if (matches->size() > 1) {
      return Refuse(412, "multiple-matches", "the criteria find more than one resource",
                    RequestPart(interaction, "url"));
    }
    if (matches->empty()) return plan;
    Refusable<WritePlan> found = PlanOfKey(matches->front(), WritePlan::Action::kDelete);
    if (!found) return found.refusal();
    plan = std::move(*found);
  } else {
    Result<std::optional<StoredResource>> existing = store_.Find(plan.type, plan.id);
    if (!existing) return RefusalOf(existing.error());
    plan.existing = *existing;
    if (plan.existing && !plan.existing->is_deleted) plan.action = WritePlan::Action::kDelete;
  }
  if (plan.action == WritePlan::Action::kDelete) {
    if (auto refusal = CheckPreconditions(interaction, plan)) return *refusal;
  }
  return plan;
}

std::string ResourceWriter::Stamped(const Interaction& interaction, const WritePlan& plan,
                                    std::int64_t version, std::int64_t updated_us) const {
  Arena& arena = *interaction.arena;
  Node& resource = *interaction.resource;
  resource.Set(arena, "id", Node::String(arena, plan.id));
  Node* meta = resource.Find("meta");
  if (meta == nullptr || !meta->is_object()) {
    meta = Node::Object(arena);
    resource.Set(arena, "meta", meta);
  }
  meta->Set(arena, "versionId", Node::String(arena, std::to_string(version)));
  meta->Set(arena, "lastUpdated", Node::String(arena, InstantText(updated_us)));
  std::string text;
  fhir::WriteResource(resource, fhir::Schema::R4(), text);
  return text;
}

Refusable<InteractionResult> ResourceWriter::Delete(const WritePlan& plan) {
  InteractionResult result;
  result.status = behaviour_.delete_status;
  if (plan.action == WritePlan::Action::kNothing) {
    result.notes.push_back({"informational", "there was nothing to delete", "", "information"});
    return result;
  }
  ResourceWrite write;
  write.type = plan.type;
  write.id = plan.id;
  write.method = "DELETE";
  write.version = plan.existing->version + 1;
  write.updated_us = NextUpdate();
  if (auto done = store_.Write(write); !done) return RefusalOf(done.error());
  result.resource = {plan.type, plan.id, write.version, write.method, write.updated_us, {}};
  result.notes.push_back({"informational", "deleted", "", "information"});
  return result;
}

Refusable<InteractionResult> ResourceWriter::Apply(const Interaction& interaction, const WritePlan& plan) {
  if (plan.action == WritePlan::Action::kDelete || plan.action == WritePlan::Action::kNothing) {
    return Delete(plan);
  }
  InteractionResult result;
  if (plan.action == WritePlan::Action::kKeep) {
    Result<ResourceVersion> kept = store_.ReadCurrent(plan.existing->key);
    if (!kept) return RefusalOf(kept.error());
    result.resource = std::move(*kept);
    return result;
  }
  const std::int64_t old_version = plan.existing ? plan.existing->version : 0;
  ResourceWrite write;
  write.type = plan.type;
  write.id = plan.id;
  write.method = interaction.method;
  if (plan.action == WritePlan::Action::kUpdate && behaviour_.same_content_keeps_version) {
    std::string same = Stamped(interaction, plan, old_version, plan.existing->updated_us);
    Result<ResourceVersion> current = store_.ReadCurrent(plan.existing->key);
    if (!current) return RefusalOf(current.error());
    if (current->content == same) {
      result.resource = std::move(*current);
      return result;
    }
  }
  write.version = old_version + 1;
  write.updated_us = NextUpdate();
  write.content = Stamped(interaction, plan, write.version, write.updated_us);
  if (behaviour_.validates) {
    if (auto refusal = CheckContent(interaction)) return *refusal;
  }
  write.entries = SearchEntriesOf(*interaction.resource);
  write.references = LiteralReferences(*interaction.resource, base_url_);
  if (auto done = store_.Write(write); !done) return RefusalOf(done.error());
  result.status = plan.action == WritePlan::Action::kCreate ? 201 : 200;
  result.resource = {write.type,   write.id,         write.version,
                     write.method, write.updated_us, std::move(*write.content)};
  return result;
}

void ResourceWriter::StripVersion(Node& reference, Arena& arena) const {
  ReferenceTarget target;
  if (!behaviour_.strips_reference_versions || !ParseReference(reference.text, base_url_, target)) return;
  if (!target.version.empty()) reference.text = arena.Copy(target.type + "/" + target.id);
}

Refusable<std::string> ResourceWriter::ResolveConditional(std::string_view reference,
                                                          std::string_view expression) {
  const std::size_t question = reference.find('?');
  const std::string type(reference.substr(0, question));
  if (!IsResourceType(type)) {
    return Refuse(400, "value", "the conditional reference names no type of R4", std::string(expression));
  }
  Refusable<std::vector<std::int64_t>> matches = Matches(type, reference.substr(question + 1));
  if (!matches) {
    matches.refusal().issues.front().expression = std::string(expression);
    return matches.refusal();
  }
  if (matches->empty()) {
    return Refuse(behaviour_.reference_without_match_status, "not-found",
                  "the conditional reference finds no " + type, std::string(expression));
  }
  if (matches->size() > 1) {
    return Refuse(behaviour_.reference_with_matches_status, "multiple-matches",
                  "the conditional reference finds more than one " + type, std::string(expression));
  }
  Result<ResourceVersion> found = store_.ReadCurrent(matches->front());
  if (!found) return RefusalOf(found.error());
  return found->type + "/" + found->id;
}

MaybeRefusal ResourceWriter::PrepareReferences(const Interaction& interaction) {
  if (interaction.resource == nullptr) return std::nullopt;
  return ForEachReference(*interaction.resource, [&](Node& reference) -> MaybeRefusal {
    const std::string prefix =
        interaction.expression.empty() ? interaction.type : interaction.expression + ".resource";
    if (IsUrn(reference.text) && behaviour_.refuses_unresolved_urn) {
      return Refuse(400, "value", "the urn names no entry of a transaction",
                    ExpressionOf(*interaction.resource, reference, prefix));
    }
    if (IsConditional(reference.text)) {
      const std::string expression = ExpressionOf(*interaction.resource, reference, prefix);
      if (!behaviour_.conditional_reference_outside_transaction) {
        return Refuse(400, "value", "a conditional reference is for transactions only", expression);
      }
      Refusable<std::string> target = ResolveConditional(reference.text, expression);
      if (!target) return target.refusal();
      reference.text = interaction.arena->Copy(*target);
    }
    StripVersion(reference, *interaction.arena);
    return std::nullopt;
  });
}

MaybeRefusal ResourceWriter::CheckReferences(const Interaction& interaction) {
  if (interaction.resource == nullptr || !behaviour_.checks_references) return std::nullopt;
  return ForEachReference(*interaction.resource, [&](Node& reference) -> MaybeRefusal {
    ReferenceTarget target;
    if (!ParseReference(reference.text, base_url_, target)) return std::nullopt;
    Result<std::optional<StoredResource>> found = store_.Find(target.type, target.id);
    if (!found) return RefusalOf(found.error());
    if (*found && !(*found)->is_deleted) return std::nullopt;
    const std::string prefix =
        interaction.expression.empty() ? interaction.type : interaction.expression + ".resource";
    return Refuse(400, "not-found", "the reference names a resource that is not here",
                  ExpressionOf(*interaction.resource, reference, prefix));
  });
}

MaybeRefusal ResourceWriter::CheckNotReferenced(const WritePlan& plan) {
  if (plan.action != WritePlan::Action::kDelete || !behaviour_.checks_references) return std::nullopt;
  Result<bool> referenced = store_.IsReferenced(plan.type, plan.id, plan.existing->key);
  if (!referenced) return RefusalOf(referenced.error());
  if (!*referenced) return std::nullopt;
  return Refuse(409, "conflict", "other resources refer to " + plan.type + "/" + plan.id);
}

}  // namespace fhir_adapter::sandbox
