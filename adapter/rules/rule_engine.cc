#include "rules/rule_engine.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhirpath/fhirpath.h"
#include "rules/compiled_rules.h"

namespace fhir_adapter::rules {
namespace {

using fhir::Node;
using fhirpath::Collection;
using fhirpath::Item;
using internal::Check;
using internal::Expression;
using internal::Rule;

// One record and its rules.
class RuleRun {
 public:
  RuleRun(const internal::CompiledRules& rules, const RuleRequest& request, Arena& arena)
      : rules_(rules), request_(request), arena_(arena) {}

  RuleOutcome Run() {
    Prepare();
    for (const internal::Binding& setting : rules_.settings) {
      auto value = Evaluate(setting.value, record_);
      if (!value) return Failed("the settings", value.error());
      Bind(variables_.size(), *value);
    }
    settings_size_ = variables_.size();
    MakeFact();
    if (IsTrue(rules_.runs_when, record_)) {
      for (const Rule& rule : rules_.rules) RunRule(rule);
    }
    AddNotes();
    return std::move(outcome_);
  }

 private:
  // A reason to skip, and the rules it holds for.
  struct Skipped {
    Location where;
    std::string reason;
    std::vector<std::string> rule_ids;
  };

  void Prepare() {
    context_.arena = &arena_;
    context_.schema = rules_.schema;
    context_.steps_used = &steps_;
    context_.steps_max = request_.steps_max;
    record_ = Item(fhir::RootElement(*request_.record, *rules_.schema, rules_.record_type));
    context_.resource = context_.root_resource = record_;
    Bind(internal::kRecord, record_);
    Bind(internal::kRecordKey, Text(request_.record_key));
    Bind(internal::kPatientSuffix,
         request_.patient_suffix.empty() ? Collection(Item::String("")) : Text(request_.patient_suffix));
    Bind(internal::kOthers, Others());
  }

  RuleOutcome Failed(std::string_view what, const Error& error) {
    Location where{std::string(request_.file), 0, 0, std::string(request_.pointer_prefix)};
    outcome_.notes.push_back(Issue{Code::kRuleSkipped, std::move(where),
                                   std::string(what) + " could not be evaluated: " + error.message});
    return std::move(outcome_);
  }

  Collection Text(std::string_view text) { return Collection(Item::String(arena_.Copy(text))); }

  void Bind(std::size_t slot, const Collection& value) {
    if (variables_.size() <= slot) variables_.resize(slot + 1);
    variables_[slot] = value;
  }

  Result<Collection> Evaluate(const Expression& expression, const Collection& input) {
    context_.variables = variables_;
    return expression.Evaluate(context_, input);
  }

  // True only for true. A failure is remembered and noted for the rule that is running.
  bool IsTrue(const Expression& expression, const Collection& input) {
    context_.variables = variables_;
    const auto result = expression.EvaluateBoolean(context_, input);
    if (!result) {
      Remember(result.error());
      return false;
    }
    return result->has_value() && **result;
  }

  void Remember(const Error& error) {
    if (!failure_) failure_ = error;
  }

  // The rows of all facts, as elements of the fact's type.
  Collection Others() {
    Collection rows;
    if (request_.facts == nullptr) return rows;
    for (const std::string& fact : request_.facts->other_records) {
      auto root = fhir::ReadJson(fact, arena_);
      const Node* list = root ? (*root)->Find("rows") : nullptr;
      if (list == nullptr) continue;
      for (const Node* row : list->items())
        rows.Append(Item(fhir::RootElement(*row, *rules_.schema, rules_.fact.type)), arena_);
    }
    return rows;
  }

  void MakeFact() {
    if (!IsTrue(rules_.fact.when, record_)) return;
    const auto rows = Evaluate(rules_.fact.rows, record_);
    if (!rows) return;
    Node* list = Node::Array(arena_);
    for (const Item& row : rows->items()) {
      Node* node = Node::Object(arena_);
      node->AddMember(arena_, "recordKey", Node::String(arena_, request_.record_key));
      node->AddMember(arena_, "status", Node::String(arena_, MemberText(*request_.record, "status")));
      for (const internal::Binding& member : rules_.fact.members) {
        const auto value = Evaluate(member.value, row);
        if (value && value->size() == 1)
          node->AddMember(arena_, member.name, fhirpath::ToNode(value->front(), arena_));
      }
      list->Append(arena_, node);
    }
    if (list->size == 0) return;
    Node* fact = Node::Object(arena_);
    fact->AddMember(arena_, "rows", list);
    outcome_.fact = fhir::ToJson(*fact);
  }

  void RunRule(const Rule& rule) {
    variables_.resize(settings_size_);
    for (const Collection& parameter : rule.parameters) variables_.push_back(parameter);
    const std::size_t parameters_size = variables_.size();
    failure_.reset();
    const bool needs_store = rule.needs_others && IsTrue(*rule.needs_others, record_) &&
                             (request_.facts == nullptr || !request_.facts->known);
    fired_.clear();
    for (const Check& check : rule.checks) {
      Collection items = record_;
      if (check.each) {
        auto found = Evaluate(*check.each, record_);
        if (!found) {
          Remember(found.error());
          continue;
        }
        items = *std::move(found);
      }
      for (const Item& item : items.items()) {
        variables_.resize(parameters_size);
        RunCheck(rule, check, item, needs_store);
      }
    }
    for (Finding& finding : fired_) outcome_.findings.push_back(std::move(finding));
    if (failure_) Skip(rule, "it could not be evaluated: " + failure_->message, nullptr);
  }

  void RunCheck(const Rule& rule, const Check& check, const Item& item, bool needs_store) {
    for (const internal::Binding& let : check.lets) {
      auto value = Evaluate(let.value, item);
      if (!value) return Remember(value.error());
      variables_.push_back(*std::move(value));
    }
    if (check.when && !IsTrue(*check.when, item)) return;
    if (needs_store) {
      lacks_store_ = true;
      return;
    }
    for (const internal::Skip& skip : check.skips) {
      if (!IsTrue(skip.when, item)) continue;
      const auto place = Evaluate(skip.at, item);
      const bool has_place = place && !place->empty() && place->front().is_element();
      return Skip(rule, skip.reason, has_place ? place->front().element().node : nullptr);
    }
    for (const internal::Case& one : check.cases) {
      if (IsTrue(one.when, item)) return Fire(rule, check, one, item);
    }
  }

  void Fire(const Rule& rule, const Check& check, const internal::Case& one, const Item& item) {
    std::string identifier = std::string(request_.record_key) + "." + rule.info.id;
    if (check.suffix) identifier += "." + TextResult(*check.suffix, item);
    auto found = std::find_if(fired_.begin(), fired_.end(),
                              [&](const Finding& finding) { return finding.identifier == identifier; });
    if (found == fired_.end()) {
      Finding finding;
      finding.identifier = identifier;
      finding.rule_id = rule.info.id;
      finding.rule_version = rule.info.version;
      finding.system = one.system;
      finding.code = one.code;
      finding.severity = one.severity;
      finding.text = one.text;
      finding.identified = Identified(identifier);
      found = fired_.insert(fired_.end(), std::move(finding));
    }
    if (item.is_element() && item.element().node != nullptr) found->places.push_back(item.element().node);
    // A rule that fires once names what every firing item compared.
    AddTargets(check.implicated, item, found->implicated);
    AddTargets(check.evidence, item, found->evidence);
  }

  std::string TextResult(const Expression& expression, const Collection& input) {
    const auto value = Evaluate(expression, input);
    if (!value) {
      Remember(value.error());
      return {};
    }
    if (value->size() != 1) return {};
    return std::string(fhirpath::TextOf(value->front(), arena_).value_or(std::string_view()));
  }

  std::string Identified(const std::string& identifier) {
    if (request_.facts != nullptr) {
      for (const PastFiring& past : request_.facts->firings) {
        if (past.identifier == identifier && !past.recorded.empty()) return past.recorded;
      }
    }
    return std::string(MemberText(*request_.record, "recorded"));
  }

  void AddTargets(const std::vector<internal::Target>& targets, const Item& item,
                  std::vector<NamedResource>& out) {
    for (const internal::Target& target : targets) {
      Collection items = item;
      if (target.of) {
        auto of = Evaluate(*target.of, item);
        if (!of) {
          Remember(of.error());
          continue;
        }
        items = *std::move(of);
      }
      for (const Item& one : items.items()) {
        NamedResource named{target.resource, target.system, TextResult(target.value, one)};
        if (!named.value.empty() && std::find(out.begin(), out.end(), named) == out.end())
          out.push_back(std::move(named));
      }
    }
  }

  void Skip(const Rule& rule, std::string reason, const Node* place) {
    Location where{std::string(request_.file), 0, 0, std::string(request_.pointer_prefix)};
    if (place != nullptr) {
      where.line = place->line;
      where.column = place->column;
      where.pointer += fhir::PointerTo(*request_.record, *place);
    }
    const auto same = std::find_if(skipped_.begin(), skipped_.end(), [&](const Skipped& one) {
      return one.where == where && one.reason == reason;
    });
    if (same == skipped_.end()) {
      skipped_.push_back({std::move(where), std::move(reason), {rule.info.id}});
    } else if (same->rule_ids.back() != rule.info.id) {
      same->rule_ids.push_back(rule.info.id);
    }
  }

  // The same words for every record, without a place in it: a run over many records says it once.
  void AddStoreNote() {
    std::string message = "skipped";
    for (const Rule& rule : rules_.rules) {
      if (rule.needs_others) message += " " + rule.info.id;
    }
    message += " where they need the patient's other records, which are not known here";
    outcome_.notes.push_back(
        Issue{Code::kRuleSkipped, Location{std::string(request_.file), 0, 0, {}}, std::move(message)});
  }

  void AddNotes() {
    if (lacks_store_) AddStoreNote();
    for (Skipped& skipped : skipped_) {
      std::string message = "skipped";
      for (const std::string& id : skipped.rule_ids) message += " " + id;
      message += ": " + skipped.reason;
      outcome_.notes.push_back(Issue{Code::kRuleSkipped, std::move(skipped.where), std::move(message)});
    }
  }

  const internal::CompiledRules& rules_;
  const RuleRequest& request_;
  Arena& arena_;
  fhirpath::EvaluationContext context_;
  std::uint64_t steps_ = 0;
  Collection record_;
  std::vector<Collection> variables_;
  std::size_t settings_size_ = 0;
  std::optional<Error> failure_;  // the first of the rule that is running
  std::vector<Finding> fired_;    // of the rule that is running
  std::vector<Skipped> skipped_;
  bool lacks_store_ = false;  // a rule needed the patient's other records
  RuleOutcome outcome_;
};

void AddText(Node& node, std::string_view name, std::string_view text, Arena& arena) {
  if (!text.empty()) node.AddMember(arena, name, Node::String(arena, text));
}

Node* NamedTree(const std::vector<NamedResource>& named, Arena& arena) {
  Node* list = Node::Array(arena);
  for (const NamedResource& one : named) {
    Node* node = Node::Object(arena);
    AddText(*node, "resource", one.resource, arena);
    AddText(*node, "system", one.system, arena);
    AddText(*node, "value", one.value, arena);
    list->Append(arena, node);
  }
  return list;
}

}  // namespace

RuleOutcome RunRules(const RuleSet& rules, const RuleRequest& request, Arena& arena) {
  return RuleRun(rules.compiled(), request, arena).Run();
}

Node* FindingsTree(const std::vector<Finding>& findings, std::string_view record_key,
                   std::string_view patient_mrn, Arena& arena) {
  Node* root = Node::Object(arena);
  AddText(*root, "recordKey", record_key, arena);
  Node* patient = Node::Object(arena);
  AddText(*patient, "mrn", patient_mrn, arena);
  root->AddMember(arena, "patient", patient);
  Node* list = Node::Array(arena);
  for (const Finding& finding : findings) {
    Node* node = Node::Object(arena);
    AddText(*node, "identifier", finding.identifier, arena);
    AddText(*node, "ruleId", finding.rule_id, arena);
    AddText(*node, "version", finding.rule_version, arena);
    AddText(*node, "status", finding.status, arena);
    AddText(*node, "system", finding.system, arena);
    AddText(*node, "code", finding.code, arena);
    AddText(*node, "severity", finding.severity, arena);
    AddText(*node, "text", finding.text, arena);
    AddText(*node, "identified", finding.identified, arena);
    node->AddMember(arena, "implicated", NamedTree(finding.implicated, arena));
    node->AddMember(arena, "evidence", NamedTree(finding.evidence, arena));
    list->Append(arena, node);
  }
  root->AddMember(arena, "finding", list);
  return root;
}

}  // namespace fhir_adapter::rules
