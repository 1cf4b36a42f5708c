#include "fml/parser.h"

#include <charconv>
#include <initializer_list>
#include <string>
#include <utility>

#include "core/limits.h"
#include "fml/head_parser.h"
#include "fml/rule_parser.h"
#include "fml/token_reader.h"

namespace fhir_adapter::fml {
namespace {

class MapParser {
 public:
  MapParser(std::string_view text, TokenReader& reader)
      : reader_(reader), head_(reader), rules_(text, reader) {}

  Result<ast::Map> Run() {
    ADAPTER_CHECK(head_.Metadata(map_));
    while (reader_.Current().kind != TokenKind::kEnd) ADAPTER_CHECK(Declaration());
    if (map_.groups.empty()) return reader_.Expected("a group");
    return std::move(map_);
  }

 private:
  Result<void> Declaration() {
    if (reader_.IsWord("group")) return Group();
    if (!map_.groups.empty()) return reader_.Expected("group, or the end of the map");
    if (reader_.IsWord("map")) return head_.MapLine(map_);
    if (reader_.IsWord("conceptmap")) return head_.ConceptMap(map_);
    if (reader_.IsWord("uses")) return head_.Uses(map_);
    if (reader_.IsWord("imports")) return head_.Import(map_);
    if (reader_.IsWord("let")) return Constant();
    return reader_.Expected("map, conceptmap, uses, imports, let or group");
  }

  Result<void> Constant() {
    ast::Constant constant;
    constant.at = reader_.Current().at;
    reader_.Next();
    ADAPTER_TRY(constant.name, reader_.TakeName("the name of a constant"));
    ADAPTER_CHECK(reader_.Take("="));
    ADAPTER_TRY(constant.value, rules_.ExpressionUntil({";"}, false));
    ADAPTER_CHECK(reader_.Take(";"));
    map_.constants.push_back(std::move(constant));
    return {};
  }

  Result<void> Group() {
    ast::Group group;
    group.at = reader_.Current().at;
    reader_.Next();
    // The oldest dialect wrote the type mode first: `group for type+types Name (…)`.
    if (reader_.IsWord("for")) {
      reader_.Next();
      ADAPTER_CHECK(TypeModeWord(group));
    }
    group.at = reader_.Current().at;
    ADAPTER_TRY(group.name, reader_.TakeName("the name of a group"));
    ADAPTER_CHECK(reader_.Take("("));
    while (true) {
      ADAPTER_CHECK(GroupParameter(group));
      if (!reader_.TakeIf(",")) break;
    }
    ADAPTER_CHECK(reader_.Take(")"));
    while (!reader_.Is("{")) ADAPTER_CHECK(GroupSuffix(group));
    ADAPTER_TRY(group.rules, rules_.Block());
    map_.groups.push_back(std::move(group));
    return {};
  }

  Result<void> GroupSuffix(ast::Group& group) {
    if (reader_.IsWord("extends") && group.extends.empty()) {
      reader_.Next();
      group.extends_at = reader_.Current().at;
      ADAPTER_TRY(group.extends, reader_.TakeName("the name of the group that is extended"));
      return {};
    }
    if (group.type_mode == ast::TypeMode::kNone && reader_.TakeIf("<<")) {
      ADAPTER_CHECK(TypeModeWord(group));
      return reader_.Take(">>");
    }
    return reader_.Expected("extends, << or {");
  }

  Result<void> TypeModeWord(ast::Group& group) {
    if (reader_.TakeIfWord("types")) {
      group.type_mode = ast::TypeMode::kTypes;
      return {};
    }
    if (reader_.TakeIfWord("type")) {
      ADAPTER_CHECK(reader_.Take("+"));
      (void)reader_.TakeIfWord("types");
      group.type_mode = ast::TypeMode::kTypeAndTypes;
      return {};
    }
    return reader_.Expected("types or type+");
  }

  Result<void> GroupParameter(ast::Group& group) {
    ast::GroupParameter parameter;
    if (reader_.TakeIfWord("source")) {
      parameter.mode = ast::ParameterMode::kSource;
    } else if (reader_.TakeIfWord("target")) {
      parameter.mode = ast::ParameterMode::kTarget;
    } else {
      return reader_.Expected("source or target");
    }
    parameter.at = reader_.Current().at;
    ADAPTER_TRY(parameter.name, reader_.TakeName("the name of a parameter"));
    if (reader_.TakeIf(":")) {
      parameter.type_at = reader_.Current().at;
      ADAPTER_TRY(parameter.type, reader_.TakeDottedName("a type"));
    }
    group.parameters.push_back(std::move(parameter));
    return {};
  }

  TokenReader& reader_;
  HeadParser head_;
  RuleParser rules_;
  ast::Map map_;
};

}  // namespace

Result<ast::Map> ParseMap(std::string_view text, std::string_view file) {
  if (text.size() > limits::kMapFileBytesMax) {
    return Fail(Code::kLimit, "the map has more bytes than kMapFileBytesMax",
                Location{std::string(file), 0, 0, ""});
  }
  ADAPTER_TRY(std::vector<Token> tokens, Tokenize(text, file));
  TokenReader reader(std::move(tokens), file);
  return MapParser(text, reader).Run();
}

}  // namespace fhir_adapter::fml
