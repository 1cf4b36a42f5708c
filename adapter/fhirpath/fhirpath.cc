#include "fhirpath/fhirpath.h"

#include <cstdio>
#include <utility>

#include "fhir/temporal.h"
#include "fhirpath/ast.h"
#include "fhirpath/evaluator.h"
#include "fhirpath/functions/pattern.h"
#include "fhirpath/parser.h"
#include "fhirpath/resolver.h"

namespace fhir_adapter::fhirpath {

namespace internal {

Program::Program() = default;
Program::~Program() = default;

Location Program::LocationOf(std::uint32_t offset) const {
  Location location = where;
  for (std::uint32_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++location.line;
      location.column = 1;
    } else {
      ++location.column;
    }
  }
  return location;
}

}  // namespace internal

using internal::Program;

Expression::Expression() = default;
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<Expression> Expression::Parse(std::string_view text, const Location& where) {
  ADAPTER_TRY(internal::ParsedPrefix parsed, internal::ParseProgram(text, 0, where, true));
  Expression expression;
  expression.program_ = std::move(parsed.program);
  return expression;
}

Result<Expression::Prefix> Expression::ParsePrefix(std::string_view text, std::size_t offset,
                                                   const Location& where) {
  ADAPTER_TRY(internal::ParsedPrefix parsed, internal::ParseProgram(text, offset, where, false));
  Prefix prefix;
  prefix.expression.program_ = std::move(parsed.program);
  prefix.end = parsed.end;
  return prefix;
}

Result<void> Expression::Resolve(const Scope& scope) {
  if (program_ == nullptr) return Fail(Code::kSemantic, "the expression is empty");
  if (program_->resolved) return Fail(Code::kInternal, "the expression is resolved already");
  return internal::Resolver(*program_, scope).Run();
}

Result<Collection> Expression::Evaluate(const EvaluationContext& context, const Collection& input) const {
  if (!resolved()) return Fail(Code::kExecution, "the expression is not resolved");
  return internal::Evaluator(*program_, context, input).Run();
}

Result<std::optional<bool>> Expression::EvaluateBoolean(const EvaluationContext& context,
                                                        const Collection& input) const {
  ADAPTER_TRY(const Collection result, Evaluate(context, input));
  if (result.empty()) return std::optional<bool>();
  if (result.size() > 1) {
    return Fail(Code::kExecution, "a single Boolean is needed, and there are several items", program_->where);
  }
  const Item value = ToSystem(result.front(), *context.arena);
  return std::optional<bool>(value.kind() != ItemKind::kBoolean || value.boolean());
}

bool Expression::resolved() const {
  return program_ != nullptr && program_->resolved;
}

const StaticType& Expression::result_type() const {
  static const StaticType kUnknown;
  return program_ == nullptr ? kUnknown : program_->result;
}

std::span<const fhir::ElementInfo* const> Expression::elements_read() const {
  if (program_ == nullptr) return {};
  return program_->elements_read;
}

std::string_view Expression::text() const {
  return program_ == nullptr ? std::string_view() : program_->text;
}

std::string Expression::ToText() const {
  return program_ == nullptr ? "" : internal::Print(*program_->root);
}

std::string Expression::Dump() const {
  return program_ == nullptr ? "" : internal::DumpTree(*program_->root);
}

Moment Moment::At(TimeUs time, int offset_minutes) {
  constexpr std::int64_t kMinuteUs = 60'000'000;
  const std::string local =
      fhir::Temporal::FromUtcMicroseconds(time.us + offset_minutes * kMinuteUs, 3).ToString();
  Moment moment;
  moment.today = local.substr(0, 10);
  moment.time_of_day = local.substr(11, 12);
  char offset[16] = "Z";
  if (offset_minutes != 0) {
    const int minutes = offset_minutes < 0 ? -offset_minutes : offset_minutes;
    std::snprintf(offset, sizeof offset, "%c%02d:%02d", offset_minutes < 0 ? '-' : '+', minutes / 60 % 100,
                  minutes % 60);
  }
  moment.now = local.substr(0, 23) + offset;
  return moment;
}

Result<fhir::Element> Host::ResolveReference(std::string_view) {
  return fhir::Element{};
}
Result<std::optional<bool>> Host::MemberOf(const Item&, std::string_view) {
  return std::optional<bool>();
}
Result<std::optional<bool>> Host::ConformsTo(const fhir::Element&, std::string_view) {
  return std::optional<bool>();
}
void Host::Trace(std::string_view, const Collection&) {}

}  // namespace fhir_adapter::fhirpath
