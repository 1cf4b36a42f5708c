// Trees back to text: canonical FHIRPath (print after parse is the identity on trees) and S-expressions.
#include <string>

#include "fhirpath/ast.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool IsPlainName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
      return false;
  }
  for (const std::string_view word :
       {"and", "or", "xor", "implies", "div", "mod", "true", "false", "in", "contains", "is", "as"}) {
    if (word == name) return false;
  }
  return true;
}

std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c == quote) out += '\\';
        out += c;
    }
  }
  out += quote;
  return out;
}

std::string PrintName(std::string_view name) {
  return IsPlainName(name) ? std::string(name) : Quote(name, '`');
}

std::string PrintType(const TypeName& type) {
  return (type.name_space.empty() ? "" : PrintName(type.name_space) + ".") + PrintName(type.name);
}

std::string PrintLiteral(const Node& node) {
  switch (node.literal.kind()) {
    case ItemKind::kString:
      return Quote(node.name, '\'');
    case ItemKind::kDate:
      return "@" + node.name;
    case ItemKind::kDateTime:
      return "@" + node.name + (node.name.find('T') == std::string::npos ? "T" : "");
    case ItemKind::kTime:
      return "@T" + node.name;
    case ItemKind::kLong:
      return node.name + "L";
    case ItemKind::kQuantity:
      return node.name + " " +
             (node.literal.unit_kind() == UnitKind::kCalendar ? node.unit : Quote(node.unit, '\''));
    default:
      return node.name;
  }
}

// How tightly the printed form of a node holds together.
int PrecedenceOfNode(const Node& node) {
  switch (node.kind) {
    case NodeKind::kBinary:
    case NodeKind::kTypeTest:
      return PrecedenceOf(node.operation);
    case NodeKind::kUnary:
      return 20;
    default:
      return 30;
  }
}

std::string PrintNode(const Node& node);

std::string PrintOperand(const Node& node, int precedence_min) {
  const std::string text = PrintNode(node);
  return PrecedenceOfNode(node) < precedence_min ? "(" + text + ")" : text;
}

std::string PrintNode(const Node& node) {
  // A quantity before a dot would read its unit's quote as the end, which it is; numbers are safe as well.
  const std::string front = node.input == nullptr ? "" : PrintOperand(*node.input, 30);
  const std::string dot = node.input == nullptr ? "" : front + ".";
  switch (node.kind) {
    case NodeKind::kLiteral:
      return PrintLiteral(node);
    case NodeKind::kEmpty:
      return "{}";
    case NodeKind::kMember:
      return dot + PrintName(node.name);
    case NodeKind::kFunction: {
      std::string text = dot + PrintName(node.name) + "(";
      for (std::size_t i = 0; i < node.arguments.size(); ++i) {
        text += (i == 0 ? "" : ", ") + PrintNode(*node.arguments[i]);
      }
      return text + ")";
    }
    case NodeKind::kIndexer:
      return front + "[" + PrintNode(*node.arguments[0]) + "]";
    case NodeKind::kThis:
      return "$this";
    case NodeKind::kIndex:
      return "$index";
    case NodeKind::kTotal:
      return "$total";
    case NodeKind::kVariable:
      return "%" + PrintName(node.name);
    case NodeKind::kUnary:
      return std::string(SymbolOf(node.operation)) + PrintOperand(*node.arguments[0], 20);
    case NodeKind::kBinary: {
      const int precedence = PrecedenceOf(node.operation);
      return PrintOperand(*node.arguments[0], precedence) + " " + std::string(SymbolOf(node.operation)) +
             " " + PrintOperand(*node.arguments[1], precedence + 1);
    }
    case NodeKind::kTypeTest:
      return PrintOperand(*node.arguments[0], PrecedenceOf(node.operation)) + " " +
             std::string(SymbolOf(node.operation)) + " " + PrintType(node.type);
  }
  return "";
}

void AppendDump(const Node& node, std::string& out);

void AppendForm(std::string_view head, const Node& node, std::string& out) {
  out += "(";
  out += head;
  if (node.input != nullptr) {
    out += " ";
    AppendDump(*node.input, out);
  }
  for (const Node* argument : node.arguments) {
    out += " ";
    AppendDump(*argument, out);
  }
  if (node.kind == NodeKind::kTypeTest) out += " " + PrintType(node.type);
  if (node.kind == NodeKind::kMember) out += " " + PrintName(node.name);
  out += ")";
}

void AppendDump(const Node& node, std::string& out) {
  switch (node.kind) {
    case NodeKind::kMember:
      if (node.input == nullptr) {
        out += PrintName(node.name);
      } else {
        AppendForm(".", node, out);
      }
      break;
    case NodeKind::kFunction:
      AppendForm((node.input == nullptr ? "call " : ".call ") + PrintName(node.name), node, out);
      break;
    case NodeKind::kIndexer:
      AppendForm("[]", node, out);
      break;
    case NodeKind::kUnary:
      AppendForm("unary" + std::string(SymbolOf(node.operation)), node, out);
      break;
    case NodeKind::kBinary:
    case NodeKind::kTypeTest:
      AppendForm(SymbolOf(node.operation), node, out);
      break;
    default:
      out += PrintNode(node);
  }
}

}  // namespace

std::string_view SymbolOf(Operation operation) {
  static constexpr std::string_view kSymbols[] = {
      "",   "implies", "or", "xor", "and", "in", "contains", "=", "~", "!=", "!~",  "<",  ">",
      "<=", ">=",      "|",  "is",  "as",  "+",  "-",        "&", "*", "/",  "div", "mod"};
  return kSymbols[static_cast<std::size_t>(operation)];
}

int PrecedenceOf(Operation operation) {
  static constexpr int kPrecedence[] = {0, 1, 2, 2, 3, 4, 4, 5, 5,  5,  5,  6, 6,
                                        6, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10, 10};
  return kPrecedence[static_cast<std::size_t>(operation)];
}

std::string Print(const Node& root) {
  return PrintNode(root);
}

std::string DumpTree(const Node& root) {
  std::string out;
  AppendDump(root, out);
  return out;
}

}  // namespace fhir_adapter::fhirpath::internal
