#include "fml/printer.h"

#include <string_view>

#include "fml/literal.h"

namespace fhir_adapter::fml {
namespace {

bool IsPlainName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!plain) return false;
  }
  return true;
}

std::string PrintName(std::string_view name) {
  return IsPlainName(name) ? std::string(name) : PrintText(name, '`');
}

// A type may be a path: each part is a name.
std::string PrintType(std::string_view type) {
  std::string out;
  while (true) {
    const std::size_t dot = type.find('.');
    out += PrintName(type.substr(0, dot));
    if (dot == std::string_view::npos) return out;
    out += '.';
    type.remove_prefix(dot + 1);
  }
}

std::string PrintPath(std::string_view context, const std::vector<std::string>& path) {
  std::string out = PrintName(context);
  for (const std::string& part : path) out += "." + PrintName(part);
  return out;
}

std::string PrintParameter(const ast::Parameter& parameter) {
  if (const auto* literal = std::get_if<ast::Literal>(&parameter.value)) return PrintLiteral(*literal);
  if (const auto* name = std::get_if<ast::Name>(&parameter.value)) return PrintName(name->text);
  return std::get<ast::Expression>(parameter.value).text;
}

std::string PrintParameters(const std::vector<ast::Parameter>& parameters) {
  std::string out = "(";
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0) out += ", ";
    out += PrintParameter(parameters[i]);
  }
  return out + ")";
}

std::string_view Word(ast::SourceListMode mode) {
  switch (mode) {
    case ast::SourceListMode::kAll:
      return "";
    case ast::SourceListMode::kFirst:
      return "first";
    case ast::SourceListMode::kNotFirst:
      return "not_first";
    case ast::SourceListMode::kLast:
      return "last";
    case ast::SourceListMode::kNotLast:
      return "not_last";
    case ast::SourceListMode::kOnlyOne:
      return "only_one";
  }
  return "";
}

std::string PrintSource(const ast::Source& source) {
  std::string out = PrintPath(source.context, source.path);
  if (!source.type.empty()) out += " : " + PrintType(source.type);
  if (source.cardinality) {
    out += " " + std::to_string(source.cardinality->min) + "..";
    out += source.cardinality->max == ast::kManyMax ? "*" : std::to_string(source.cardinality->max);
  }
  if (source.default_value) out += " default (" + source.default_value->text + ")";
  if (source.list_mode != ast::SourceListMode::kAll) out += " " + std::string(Word(source.list_mode));
  if (!source.alias.empty()) out += " as " + PrintName(source.alias);
  if (source.where) out += " where (" + source.where->text + ")";
  if (source.check) out += " check (" + source.check->text + ")";
  if (source.log) out += " log (" + source.log->text + ")";
  return out;
}

std::string PrintTransform(const ast::Transform& transform) {
  if (!transform.is_short) return PrintName(transform.name) + PrintParameters(transform.parameters);
  if (transform.name == "evaluate") return PrintParameters(transform.parameters);
  return PrintParameter(transform.parameters.front());
}

std::string PrintTarget(const ast::Target& target) {
  std::string out;
  if (!target.context.empty()) out = PrintPath(target.context, target.path);
  if (target.transform) out += (target.context.empty() ? "" : " = ") + PrintTransform(*target.transform);
  if (!target.alias.empty()) out += " as " + PrintName(target.alias);
  switch (target.list_mode) {
    case ast::TargetListMode::kNormal:
      break;
    case ast::TargetListMode::kFirst:
      out += " first";
      break;
    case ast::TargetListMode::kLast:
      out += " last";
      break;
    case ast::TargetListMode::kSingle:
      out += " single";
      break;
    case ast::TargetListMode::kShare:
      out += " share " + PrintName(target.share_id);
      break;
  }
  return out;
}

template <class T, class Print>
std::string Join(const std::vector<T>& items, Print print) {
  std::string out;
  for (const T& item : items) out += (out.empty() ? "" : ", ") + print(item);
  return out;
}

std::string PrintTargets(const ast::Rule& rule) {
  if (rule.identity_fields.empty()) return Join(rule.targets, PrintTarget);
  return PrintPath(rule.targets.front().context, rule.targets.front().path) + ": " +
         Join(rule.identity_fields, [](const std::string& field) { return PrintName(field); });
}

void AppendRules(const std::vector<ast::Rule>& rules, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  for (const ast::Rule& rule : rules) {
    out += margin + PrintRule(rule);
    if (rule.has_block) {
      out += rule.calls.empty() ? " then {\n" : " {\n";
      AppendRules(rule.rules, indent + 2, out);
      out += margin + "}";
    }
    if (!rule.name.empty()) out += " " + PrintText(rule.name, '"');
    out += ";\n";
  }
}

void PrintGroup(const ast::Group& group, std::string& out) {
  out += "\ngroup " + PrintName(group.name) + "(" +
         Join(group.parameters,
              [](const ast::GroupParameter& parameter) {
                const bool is_source = parameter.mode == ast::ParameterMode::kSource;
                return (is_source ? "source " : "target ") + PrintName(parameter.name) +
                       (parameter.type.empty() ? "" : " : " + PrintType(parameter.type));
              }) +
         ")";
  if (!group.extends.empty()) out += " extends " + PrintName(group.extends);
  if (group.type_mode == ast::TypeMode::kTypes) out += " <<types>>";
  if (group.type_mode == ast::TypeMode::kTypeAndTypes) out += " <<type+>>";
  out += " {\n";
  AppendRules(group.rules, 2, out);
  out += "}\n";
}

std::string_view Word(ast::ModelMode mode) {
  switch (mode) {
    case ast::ModelMode::kSource:
      return "source";
    case ast::ModelMode::kQueried:
      return "queried";
    case ast::ModelMode::kTarget:
      return "target";
    case ast::ModelMode::kProduced:
      return "produced";
  }
  return "";
}

void PrintMetadata(const ast::Metadata& metadata, std::string& out) {
  out += "/// " + PrintType(metadata.path) + " =";
  if (metadata.is_markdown) {
    out += " \"\"\"\n" + metadata.value->text + "\n\"\"\"";
  } else if (metadata.value) {
    out += " " + PrintLiteral(*metadata.value);
  }
  out += "\n";
}

}  // namespace

std::string PrintRule(const ast::Rule& rule) {
  std::string out = Join(rule.sources, PrintSource);
  if (!rule.targets.empty()) out += " -> " + PrintTargets(rule);
  if (!rule.calls.empty()) {
    out += " then " + Join(rule.calls, [](const ast::GroupCall& call) {
             return PrintName(call.group) + PrintParameters(call.parameters);
           });
  }
  return out;
}

std::string PrintHead(const ast::Map& map) {
  std::string out;
  std::string url;
  std::string name;
  for (const ast::Metadata& metadata : map.metadata) {
    PrintMetadata(metadata, out);
    if (metadata.value && metadata.path == "url") url = metadata.value->text;
    if (metadata.value && metadata.path == "name") name = metadata.value->text;
  }
  // A `map` line only where the metadata do not say the same: it stands behind them and so has the last word.
  if (url != map.url || name != map.name) {
    out += "\nmap " + PrintText(map.url, '"') + " = " + PrintText(map.name, '"') + "\n";
  }
  return out;
}

std::string PrintConceptMap(const ast::InlineConceptMap& concept_map) {
  std::string out = "conceptmap " + PrintText(concept_map.name, '"') + " {\n";
  for (const ast::ConceptMapPrefix& prefix : concept_map.prefixes) {
    out += "  prefix " + PrintName(prefix.name) + " = " + PrintText(prefix.system, '"') + "\n";
  }
  for (const ast::ConceptMapUnmapped& unmapped : concept_map.unmapped) {
    out += "  unmapped for " + PrintName(unmapped.source_prefix) + " = ";
    out += unmapped.mode.empty() ? PrintName(unmapped.target_prefix) + ":" + PrintText(unmapped.code, '"')
                                 : unmapped.mode;
    out += "\n";
  }
  for (const ast::ConceptMapRow& row : concept_map.rows) {
    out += "  " + PrintName(row.source_prefix) + ":" + PrintText(row.source_code, '"') + " " + row.relation +
           " " + PrintName(row.target_prefix) + ":" + PrintText(row.target_code, '"') + "\n";
  }
  return out + "}\n";
}

std::string PrintRules(const std::vector<ast::Rule>& rules) {
  std::string out;
  AppendRules(rules, 2, out);
  return out;
}

std::string PrintMap(const ast::Map& map) {
  std::string out = PrintHead(map);
  for (const ast::InlineConceptMap& concept_map : map.concept_maps) {
    out += "\n" + PrintConceptMap(concept_map);
  }
  if (!map.uses.empty()) out += "\n";
  for (const ast::Uses& uses : map.uses) {
    out += "uses " + PrintText(uses.url, '"');
    if (!uses.alias.empty()) out += " alias " + PrintName(uses.alias);
    out += " as " + std::string(Word(uses.mode)) + "\n";
  }
  if (!map.imports.empty()) out += "\n";
  for (const ast::Import& import : map.imports) out += "imports " + PrintText(import.url, '"') + "\n";
  if (!map.constants.empty()) out += "\n";
  for (const ast::Constant& constant : map.constants) {
    out += "let " + PrintName(constant.name) + " = " + constant.value.text + ";\n";
  }
  for (const ast::Group& group : map.groups) PrintGroup(group, out);
  return out;
}

}  // namespace fhir_adapter::fml
