#include "fhirpath/parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "fhirpath/lexer.h"
#include "fhirpath/values.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

struct OperatorWord {
  std::string_view text;
  Operation operation;
};

constexpr std::array<OperatorWord, 24> kOperators = {{{"implies", Operation::kImplies},
                                                      {"or", Operation::kOr},
                                                      {"xor", Operation::kXor},
                                                      {"and", Operation::kAnd},
                                                      {"in", Operation::kIn},
                                                      {"contains", Operation::kContains},
                                                      {"=", Operation::kEqual},
                                                      {"~", Operation::kEquivalent},
                                                      {"!=", Operation::kNotEqual},
                                                      {"!~", Operation::kNotEquivalent},
                                                      {"<", Operation::kLess},
                                                      {">", Operation::kGreater},
                                                      {"<=", Operation::kLessOrEqual},
                                                      {">=", Operation::kGreaterOrEqual},
                                                      {"|", Operation::kUnion},
                                                      {"is", Operation::kIs},
                                                      {"as", Operation::kAs},
                                                      {"+", Operation::kPlus},
                                                      {"-", Operation::kMinus},
                                                      {"&", Operation::kConcatenate},
                                                      {"*", Operation::kMultiply},
                                                      {"/", Operation::kDivide},
                                                      {"div", Operation::kIntegerDivide},
                                                      {"mod", Operation::kModulo}}};

Operation OperationOf(const Token& token) {
  if (token.kind != TokenKind::kSymbol && token.kind != TokenKind::kIdentifier) return Operation::kNone;
  for (const OperatorWord& word : kOperators) {
    if (word.text == token.source) return word.operation;
  }
  return Operation::kNone;
}

bool IsCalendarWord(std::string_view word) {
  static constexpr std::array<std::string_view, 16> kWords = {
      "year", "years", "month",  "months",  "week",   "weeks",   "day",         "days",
      "hour", "hours", "minute", "minutes", "second", "seconds", "millisecond", "milliseconds"};
  for (const std::string_view known : kWords) {
    if (known == word) return true;
  }
  return false;
}

class Parser {
 public:
  Parser(Program& program, std::string_view text, std::size_t offset)
      : program_(program), base_(offset), lexer_(text, offset) {}

  Node* ParseWhole(bool whole) {
    Advance();
    Node* root = ParseOperators(1);
    if (root != nullptr && whole && token_.kind != TokenKind::kEnd) {
      return Unexpected("an operator or the end of the expression");
    }
    return root;
  }

  std::size_t end() const { return consumed_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  // Counts the levels of the tree under construction, so that no pass recurses without bound.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  void Advance() {
    consumed_ = token_.end;
    token_ = lexer_.Next();
  }

  Node* Make(NodeKind kind, std::uint32_t offset) {
    program_.nodes.push_back(std::make_unique<Node>());
    Node* node = program_.nodes.back().get();
    node->kind = kind;
    node->offset = offset - static_cast<std::uint32_t>(base_);
    return node;
  }

  // Measures a finished node; one that stands too high above its leaves is refused.
  Node* Seal(Node* node) {
    std::uint32_t below = node->input == nullptr ? 0 : node->input->height;
    for (const Node* argument : node->arguments) below = std::max(below, argument->height);
    node->height = below + 1;
    return node->height > limits::kFhirPathDepthMax ? TooDeep() : node;
  }

  Node* Fault(std::uint32_t offset, Code code, std::string message) {
    if (!error_) {
      error_ =
          Error{code, std::move(message), program_.LocationOf(offset - static_cast<std::uint32_t>(base_))};
    }
    return nullptr;
  }
  Node* Unexpected(std::string_view wanted) {
    if (token_.kind == TokenKind::kInvalid) return Fault(token_.begin, Code::kSyntax, token_.text);
    std::string message = "expected ";
    message += wanted;
    message +=
        token_.kind == TokenKind::kEnd ? ", found the end" : ", found '" + std::string(token_.source) + "'";
    return Fault(token_.begin, Code::kSyntax, std::move(message));
  }
  Node* TooDeep() {
    return Fault(
        token_.begin, Code::kLimit,
        "the expression is nested deeper than " + std::to_string(limits::kFhirPathDepthMax) + " levels");
  }

  Node* ParseOperators(int precedence_min) {
    const Level level(*this);
    if (depth_ > limits::kFhirPathDepthMax) return TooDeep();
    Node* left = ParseUnary();
    while (left != nullptr) {
      const Operation operation = OperationOf(token_);
      if (operation == Operation::kNone || PrecedenceOf(operation) < precedence_min) break;
      const std::uint32_t offset = token_.begin;
      Advance();
      left = operation == Operation::kIs || operation == Operation::kAs
                 ? ParseTypeTest(left, operation, offset)
                 : ParseRight(left, operation, offset);
    }
    return left;
  }

  Node* ParseRight(Node* left, Operation operation, std::uint32_t offset) {
    Node* right = ParseOperators(PrecedenceOf(operation) + 1);
    if (right == nullptr) return nullptr;
    Node* node = Make(NodeKind::kBinary, offset);
    node->operation = operation;
    node->arguments = {left, right};
    return Seal(node);
  }

  Node* ParseTypeTest(Node* left, Operation operation, std::uint32_t offset) {
    Node* node = Make(NodeKind::kTypeTest, offset);
    node->operation = operation;
    node->arguments = {left};
    if (!TakeName(node->type.name)) return Unexpected("the name of a type");
    if (token_.Is(".")) {
      Advance();
      node->type.name_space = std::move(node->type.name);
      if (!TakeName(node->type.name)) return Unexpected("the name of a type");
    }
    return Seal(node);
  }

  bool TakeName(std::string& name) {
    if (token_.kind != TokenKind::kIdentifier && token_.kind != TokenKind::kDelimited) return false;
    name = std::move(token_.text);
    Advance();
    return true;
  }

  Node* ParseUnary() {
    if (!token_.Is("+") && !token_.Is("-")) return ParsePath();
    const Level level(*this);
    if (depth_ > limits::kFhirPathDepthMax) return TooDeep();
    const std::uint32_t offset = token_.begin;
    const Operation operation = token_.Is("-") ? Operation::kMinus : Operation::kPlus;
    Advance();
    Node* operand = ParseUnary();
    if (operand == nullptr) return nullptr;
    Node* node = Make(NodeKind::kUnary, offset);
    node->operation = operation;
    node->arguments = {operand};
    return Seal(node);
  }

  Node* ParsePath() {
    Node* left = ParseTerm();
    while (left != nullptr && (token_.Is(".") || token_.Is("["))) {
      const bool dot = token_.Is(".");
      const std::uint32_t offset = token_.begin;
      Advance();
      left = dot ? ParseInvocation(left) : ParseIndexer(left, offset);
    }
    return left;
  }

  Node* ParseIndexer(Node* left, std::uint32_t offset) {
    Node* index = ParseOperators(1);
    if (index == nullptr) return nullptr;
    if (!token_.Is("]")) return Unexpected("']'");
    Advance();
    Node* node = Make(NodeKind::kIndexer, offset);
    node->input = left;
    node->arguments = {index};
    return Seal(node);
  }

  // A name or a function, after a dot (`input`) or at the front of a path.
  Node* ParseInvocation(Node* input) {
    const std::uint32_t offset = token_.begin;
    std::string name;
    if (!TakeName(name)) return Unexpected("a name");
    const bool call = token_.Is("(");
    Node* node = Make(call ? NodeKind::kFunction : NodeKind::kMember, offset);
    node->name = std::move(name);
    node->input = input;
    return call ? ParseArguments(node) : Seal(node);
  }

  Node* ParseArguments(Node* call) {
    Advance();
    if (token_.Is(")")) {
      Advance();
      return Seal(call);
    }
    while (true) {
      Node* argument = ParseOperators(1);
      if (argument == nullptr) return nullptr;
      call->arguments.push_back(argument);
      if (token_.Is(")")) break;
      if (!token_.Is(",")) return Unexpected("',' or ')'");
      Advance();
    }
    Advance();
    return Seal(call);
  }

  Node* ParseTerm() {
    if (token_.Is("(")) {
      Advance();
      Node* inner = ParseOperators(1);
      if (inner == nullptr) return nullptr;
      if (!token_.Is(")")) return Unexpected("')'");
      Advance();
      return inner;
    }
    if (token_.Is("{")) {
      const std::uint32_t offset = token_.begin;
      Advance();
      if (!token_.Is("}")) return Unexpected("'}'");
      Advance();
      return Make(NodeKind::kEmpty, offset);
    }
    if (token_.Is("%")) return ParseVariable();
    if (token_.IsWord("true") || token_.IsWord("false")) return TakeLiteral(ItemKind::kBoolean);
    switch (token_.kind) {
      case TokenKind::kString:
        return TakeLiteral(ItemKind::kString);
      case TokenKind::kInteger:
        return ParseNumber(ItemKind::kInteger);
      case TokenKind::kLong:
        return ParseNumber(ItemKind::kLong);
      case TokenKind::kDecimal:
        return ParseNumber(ItemKind::kDecimal);
      case TokenKind::kDate:
        return TakeLiteral(ItemKind::kDate);
      case TokenKind::kDateTime:
        return TakeLiteral(ItemKind::kDateTime);
      case TokenKind::kTime:
        return TakeLiteral(ItemKind::kTime);
      case TokenKind::kIdentifier:
      case TokenKind::kDelimited:
        return ParseInvocation(nullptr);
      case TokenKind::kThis:
        return TakeSpecial(NodeKind::kThis);
      case TokenKind::kIndex:
        return TakeSpecial(NodeKind::kIndex);
      case TokenKind::kTotal:
        return TakeSpecial(NodeKind::kTotal);
      default:
        return Unexpected("a value, a name or '('");
    }
  }

  Node* TakeSpecial(NodeKind kind) {
    Node* node = Make(kind, token_.begin);
    Advance();
    return node;
  }

  Node* ParseVariable() {
    const std::uint32_t offset = token_.begin;
    Advance();
    Node* node = Make(NodeKind::kVariable, offset);
    if (token_.kind == TokenKind::kString) {
      node->name = std::move(token_.text);
      Advance();
      return node;
    }
    if (!TakeName(node->name)) return Unexpected("the name of a variable after '%'");
    return node;
  }

  Node* TakeLiteral(ItemKind kind) {
    Node* node = Make(NodeKind::kLiteral, token_.begin);
    node->name = kind == ItemKind::kString ? std::move(token_.text) : std::string(token_.source);
    SetLiteral(*node, kind);
    if (IsTemporalKind(kind) && !TemporalOf(node->literal)) {
      return Fault(token_.begin, Code::kSyntax, "this date or time is not in the calendar");
    }
    Advance();
    return node;
  }

  static bool IsTemporalKind(ItemKind kind) {
    return kind == ItemKind::kDate || kind == ItemKind::kDateTime || kind == ItemKind::kTime;
  }

  static void SetLiteral(Node& node, ItemKind kind) {
    switch (kind) {
      case ItemKind::kBoolean:
        node.literal = Item::Boolean(node.name == "true");
        break;
      case ItemKind::kString:
        node.literal = Item::String(node.name);
        break;
      case ItemKind::kDate:
        node.literal = Item::Date(node.name);
        break;
      case ItemKind::kDateTime:
        node.literal = Item::DateTime(node.name);
        break;
      case ItemKind::kTime:
        node.literal = Item::Time(node.name);
        break;
      default:
        node.literal = Item::Decimal(node.name);
        break;
    }
  }

  Node* ParseNumber(ItemKind kind) {
    Node* node = Make(NodeKind::kLiteral, token_.begin);
    // Without zeros in front, which JSON does not allow.
    const std::string_view digits = token_.source;
    std::size_t zeros = 0;
    while (zeros + 1 < digits.size() && digits[zeros] == '0' && digits[zeros + 1] != '.') ++zeros;
    node->name = digits.substr(zeros);
    Advance();
    if (token_.kind == TokenKind::kString) {
      node->unit = std::move(token_.text);
      node->literal = Item::Quantity(node->name, node->unit, UnitKind::kUcum);
      Advance();
      return node;
    }
    if (token_.kind == TokenKind::kIdentifier && IsCalendarWord(token_.source)) {
      node->unit = std::move(token_.text);
      node->literal = Item::Quantity(node->name, node->unit, UnitKind::kCalendar);
      Advance();
      return node;
    }
    if (kind == ItemKind::kDecimal) {
      node->literal = Item::Decimal(node->name);
      return node;
    }
    return SetInteger(node, kind);
  }

  Node* SetInteger(Node* node, ItemKind kind) {
    std::int64_t value = 0;
    for (const char digit : node->name) {
      if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
          __builtin_add_overflow(value, std::int64_t{digit - '0'}, &value)) {
        return Fault(node->offset + static_cast<std::uint32_t>(base_), Code::kSyntax,
                     "the number is too large for an Integer");
      }
    }
    // 2147483648 is allowed here for its negation; the result of an operation is checked where it is made.
    if (kind == ItemKind::kInteger && value > std::int64_t{2147483648}) {
      return Fault(node->offset + static_cast<std::uint32_t>(base_), Code::kSyntax,
                   "the number is too large for an Integer; write it with a decimal point or as a Long (L)");
    }
    node->literal = Item::Integer(value, kind);
    return node;
  }

  Program& program_;
  std::size_t base_;
  Lexer lexer_;
  Token token_;
  std::size_t consumed_ = 0;  // end of the last token taken
  std::size_t depth_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<ParsedPrefix> ParseProgram(std::string_view text, std::size_t offset, const Location& where,
                                  bool whole) {
  auto program = std::make_unique<Program>();
  program->where = where;
  if (program->where.line == 0) {
    program->where.line = 1;
    program->where.column = 1;
  }
  if (whole && text.size() > limits::kFhirPathExpressionBytesMax) {
    return Fail(
        Code::kLimit,
        "the expression is longer than " + std::to_string(limits::kFhirPathExpressionBytesMax) + " bytes",
        program->where);
  }
  const std::string_view window = text.substr(0, offset + limits::kFhirPathExpressionBytesMax);
  program->text = window.substr(offset);
  Parser parser(*program, window, offset);
  program->root = parser.ParseWhole(whole);
  if (program->root == nullptr) {
    return Fail(parser.error().value_or(Error{Code::kSyntax, "the expression is empty", program->where}));
  }
  ParsedPrefix parsed;
  parsed.end = parser.end();
  program->text.resize(parsed.end - offset);
  program->text.shrink_to_fit();
  parsed.program = std::move(program);
  return parsed;
}

}  // namespace fhir_adapter::fhirpath::internal
