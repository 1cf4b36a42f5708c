// Literals in map texts: read from tokens, written back.
//
// Internal to adapter/fml. FHIRPath N1 section 4.1.
#pragma once

#include <string>
#include <string_view>

#include "fml/token_reader.h"

namespace fhir_adapter::fml {

// A string, number, boolean or @date stands here.
bool AtLiteral(const TokenReader& reader);
Result<ast::Literal> TakeLiteral(TokenReader& reader);

std::string PrintLiteral(const ast::Literal& literal);
// 'text' with escapes.
std::string PrintText(std::string_view text, char quote = '\'');

}  // namespace fhir_adapter::fml
