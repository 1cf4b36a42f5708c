#include "fhirpath/functions/pattern.h"

#include <re2/re2.h>
#include <utility>

#include "core/limits.h"

namespace fhir_adapter::fhirpath::internal {

struct Pattern::Implementation {
  Implementation(const re2::StringPiece& expression, const RE2::Options& options)
      : regex(expression, options) {}
  RE2 regex;
};

Pattern::Pattern(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Pattern::~Pattern() = default;

Result<std::unique_ptr<Pattern>> Pattern::Compile(std::string_view expression, std::string_view flags) {
  if (expression.size() > limits::kFhirPathPatternBytesMax) {
    return Fail(Code::kLimit, "a regular expression is longer than " +
                                  std::to_string(limits::kFhirPathPatternBytesMax) + " bytes");
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(8 << 20);
  std::string text(expression);
  for (const char flag : flags) {
    if (flag == 'i') {
      options.set_case_sensitive(false);
    } else if (flag == 'm') {
      text.insert(0, "(?m)");
    } else {
      return Fail(Code::kExecution, "a regular expression knows the flags i and m only");
    }
  }
  auto implementation = std::make_unique<Implementation>(text, options);
  if (!implementation->regex.ok()) {
    return Fail(Code::kExecution, "the regular expression cannot be read: " + implementation->regex.error());
  }
  return std::unique_ptr<Pattern>(new Pattern(std::move(implementation)));
}

bool Pattern::Finds(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), implementation_->regex);
}

bool Pattern::MatchesAll(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), implementation_->regex);
}

namespace {

// $1, ${1}, ${name} and \$ of FHIRPath as RE2's \1; anything else literally.
std::string ToRewrite(std::string_view substitution, const RE2& regex) {
  std::string rewrite;
  const auto literal = [&rewrite](char c) {
    if (c == '\\') rewrite += '\\';
    rewrite += c;
  };
  for (std::size_t i = 0; i < substitution.size(); ++i) {
    const char c = substitution[i];
    const char next = i + 1 < substitution.size() ? substitution[i + 1] : '\0';
    if (c == '\\' && (next == '$' || next == '\\')) {
      literal(next);
      ++i;
    } else if (c == '$' && next >= '0' && next <= '9') {
      rewrite += '\\';
      rewrite += next;
      ++i;
    } else if (c == '$' && next == '{' && substitution.find('}', i) != std::string_view::npos) {
      const std::size_t close = substitution.find('}', i);
      const std::string name(substitution.substr(i + 2, close - i - 2));
      const auto& groups = regex.NamedCapturingGroups();
      const auto group = groups.find(name);
      if (group != groups.end() && group->second < 10) {
        rewrite += '\\' + std::to_string(group->second);
      } else if (name.size() == 1 && name[0] >= '0' && name[0] <= '9') {
        rewrite += '\\' + name;
      } else {
        rewrite += "${" + name + "}";
      }
      i = close;
    } else {
      literal(c);
    }
  }
  return rewrite;
}

}  // namespace

Result<std::string> Pattern::Replace(std::string_view text, std::string_view substitution) const {
  const RE2& regex = implementation_->regex;
  const std::string rewrite = ToRewrite(substitution, regex);
  std::string error;
  if (!regex.CheckRewriteString(rewrite, &error))
    return Fail(Code::kExecution, "the substitution names a group that the pattern does not have");
  std::string out(text);
  RE2::GlobalReplace(&out, regex, rewrite);
  return out;
}

}  // namespace fhir_adapter::fhirpath::internal
