// Strings: indexOf, substring, matches, replace, split and their kin. Positions count characters (code
// points). FHIRPath N1 2.0.0, section 5.6; trim, split, join, lastIndexOf: 2.1.0.
#include <algorithm>

#include "core/limits.h"
#include "fhirpath/functions/function.h"
#include "fhirpath/functions/letter_case.h"
#include "fhirpath/functions/pattern.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::int64_t CountCharacters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); });
}

// The byte where character `index` begins; the size when there are fewer.
std::size_t ByteOf(std::string_view text, std::int64_t index) {
  std::size_t byte = 0;
  while (byte < text.size() && index > 0) {
    ++byte;
    while (byte < text.size() && IsContinuation(text[byte])) ++byte;
    --index;
  }
  return byte;
}

// The input and one argument, both Strings; nothing when either is empty.
struct Texts {
  std::string_view input;
  std::string_view argument;
};

bool ReadTexts(Call& call, std::optional<Texts>& texts) {
  std::optional<std::string_view> input;
  std::optional<std::string_view> argument;
  if (!call.SingleText(input) || !call.TextArgument(0, argument)) return false;
  if (input && argument) texts = Texts{*input, *argument};
  return true;
}

bool ReturnPosition(Call& call, std::string_view text, std::size_t byte) {
  if (byte == std::string_view::npos) return call.Return(Item::Integer(-1));
  return call.Return(Item::Integer(CountCharacters(text.substr(0, byte))));
}

bool IndexOf(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  return !texts || ReturnPosition(call, texts->input, texts->input.find(texts->argument));
}

bool LastIndexOf(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  return !texts || ReturnPosition(call, texts->input, texts->input.rfind(texts->argument));
}

bool Substring(Call& call) {
  std::optional<std::string_view> text;
  std::optional<std::int64_t> start;
  if (!call.SingleText(text) || !call.IntegerArgument(0, start)) return false;
  std::optional<std::int64_t> length;
  if (call.argument_count() == 2 && !call.IntegerArgument(1, length)) return false;
  if (!text || !start || *start < 0) return true;
  const std::size_t begin = ByteOf(*text, *start);
  if (begin >= text->size()) return true;
  std::string_view rest = text->substr(begin);
  if (length) rest = rest.substr(0, ByteOf(rest, std::max<std::int64_t>(*length, 0)));
  return call.Return(Item::String(rest));
}

bool StartsWith(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  return !texts || call.ReturnBoolean(texts->input.starts_with(texts->argument));
}

bool EndsWith(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  return !texts || call.ReturnBoolean(texts->input.ends_with(texts->argument));
}

bool Contains(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  return !texts || call.ReturnBoolean(texts->input.find(texts->argument) != std::string_view::npos);
}

bool ChangeCase(Call& call, std::string (*change)(std::string_view)) {
  std::optional<std::string_view> text;
  if (!call.SingleText(text)) return false;
  return !text || call.ReturnText(change(*text));
}

bool Upper(Call& call) {
  return ChangeCase(call, ToUpperCase);
}
bool Lower(Call& call) {
  return ChangeCase(call, ToLowerCase);
}

bool Replace(Call& call) {
  std::optional<Texts> texts;
  std::optional<std::string_view> substitution;
  if (!ReadTexts(call, texts) || !call.TextArgument(1, substitution)) return false;
  if (!texts || !substitution) return true;
  const std::string_view input = texts->input;
  const std::string_view pattern = texts->argument;
  std::string out;
  std::size_t position = 0;
  while (position <= input.size()) {
    if (out.size() > limits::kFhirPathTextBytesMax) return call.ReturnText(out);
    if (pattern.empty()) {  // before each character, and at the end
      out += *substitution;
      const std::size_t next = position + ByteOf(input.substr(position), 1);
      out += input.substr(position, next - position);
      if (position == input.size()) break;
      position = next;
      continue;
    }
    const std::size_t found = input.find(pattern, position);
    if (found == std::string_view::npos) {
      out += input.substr(position);
      break;
    }
    out += input.substr(position, found - position);
    out += *substitution;
    position = found + pattern.size();
  }
  return call.ReturnText(out);
}

// The pattern of argument 0: compiled at Resolve when it is a literal, else here.
bool ReadPattern(Call& call, std::string_view expression, std::unique_ptr<Pattern>& own,
                 const Pattern*& pattern) {
  pattern = call.node.pattern;
  if (pattern != nullptr) return true;
  std::optional<std::string_view> flags;
  const std::size_t flags_at = call.node.name == "replaceMatches" ? 2 : 1;
  if (call.argument_count() > flags_at && !call.TextArgument(flags_at, flags)) return false;
  Result<std::unique_ptr<Pattern>> compiled = Pattern::Compile(expression, flags.value_or(""));
  // Not the library's message: it quotes the pattern, which may come from the record.
  if (!compiled) return call.evaluator.Fail(call.argument(0), "the regular expression cannot be read");
  own = std::move(compiled).value();
  pattern = own.get();
  return true;
}

bool Match(Call& call, bool whole) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  std::unique_ptr<Pattern> own;
  const Pattern* pattern = nullptr;
  if (!ReadPattern(call, texts->argument, own, pattern)) return false;
  return call.ReturnBoolean(whole ? pattern->MatchesAll(texts->input) : pattern->Finds(texts->input));
}

bool Matches(Call& call) {
  return Match(call, false);
}
bool MatchesFull(Call& call) {
  return Match(call, true);
}

bool ReplaceMatches(Call& call) {
  std::optional<Texts> texts;
  std::optional<std::string_view> substitution;
  if (!ReadTexts(call, texts) || !call.TextArgument(1, substitution)) return false;
  if (!texts || !substitution) return true;
  if (texts->argument.empty()) return call.Return(Item::String(texts->input));
  std::unique_ptr<Pattern> own;
  const Pattern* pattern = nullptr;
  if (!ReadPattern(call, texts->argument, own, pattern)) return false;
  Result<std::string> replaced = pattern->Replace(texts->input, *substitution);
  if (!replaced) return call.evaluator.Fail(call.argument(1), std::move(replaced).error());
  return call.ReturnText(*replaced);
}

bool Length(Call& call) {
  std::optional<std::string_view> text;
  if (!call.SingleText(text)) return false;
  return !text || call.Return(Item::Integer(CountCharacters(*text)));
}

bool ToChars(Call& call) {
  std::optional<std::string_view> text;
  if (!call.SingleText(text)) return false;
  if (!text) return true;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t size = ByteOf(rest, 1);
    if (!call.Add(Item::String(rest.substr(0, size)))) return false;
    rest.remove_prefix(size);
  }
  return true;
}

bool Trim(Call& call) {
  std::optional<std::string_view> text;
  if (!call.SingleText(text)) return false;
  if (!text) return true;
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const std::size_t begin = text->find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return call.Return(Item::String(""));
  return call.Return(Item::String(text->substr(begin, text->find_last_not_of(kBlanks) + 1 - begin)));
}

bool Split(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  std::string_view rest = texts->input;
  while (true) {
    const std::size_t end = texts->argument.empty()
                                ? (rest.empty() ? std::string_view::npos : ByteOf(rest, 1))
                                : rest.find(texts->argument);
    if (end == std::string_view::npos || (texts->argument.empty() && end == rest.size())) break;
    if (!call.Add(Item::String(rest.substr(0, end)))) return false;
    rest.remove_prefix(end + texts->argument.size());
  }
  return call.Add(Item::String(rest));
}

bool Join(Call& call) {
  std::optional<std::string_view> separator;
  if (call.argument_count() == 1 && !call.TextArgument(0, separator)) return false;
  if (call.input.empty()) return true;
  std::string out;
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    const Item value = ToSystem(call.input[i], call.arena());
    if (value.kind() != ItemKind::kString) return call.Fail("join() needs Strings");
    if (i > 0) out += separator.value_or("");
    out += value.text();
    if (out.size() > limits::kFhirPathTextBytesMax) break;
  }
  return call.ReturnText(out);
}

constexpr auto kValue = ArgumentRule::kValue;
constexpr auto kText = InputRule::kString;

constexpr FunctionInfo kFunctions[] = {
    {"indexOf", 1, 1, IndexOf, ResultRule::kInteger, kValue, kText},
    {"lastIndexOf", 1, 1, LastIndexOf, ResultRule::kInteger, kValue, kText},
    {"substring", 1, 2, Substring, ResultRule::kString, kValue, kText},
    {"startsWith", 1, 1, StartsWith, ResultRule::kBoolean, kValue, kText},
    {"endsWith", 1, 1, EndsWith, ResultRule::kBoolean, kValue, kText},
    {"contains", 1, 1, Contains, ResultRule::kBoolean, kValue, kText},
    {"upper", 0, 0, Upper, ResultRule::kString, kValue, kText},
    {"lower", 0, 0, Lower, ResultRule::kString, kValue, kText},
    {"replace", 2, 2, Replace, ResultRule::kString, kValue, kText},
    {"matches", 1, 2, Matches, ResultRule::kBoolean, kValue, kText},
    {"matchesFull", 1, 2, MatchesFull, ResultRule::kBoolean, kValue, kText},
    {"replaceMatches", 2, 3, ReplaceMatches, ResultRule::kString, kValue, kText},
    {"length", 0, 0, Length, ResultRule::kInteger, kValue, kText},
    {"toChars", 0, 0, ToChars, ResultRule::kStrings, kValue, kText},
    {"trim", 0, 0, Trim, ResultRule::kString, kValue, kText},
    {"split", 1, 1, Split, ResultRule::kStrings, kValue, kText},
    {"join", 0, 1, Join, ResultRule::kString, kValue, kText},
};

}  // namespace

std::span<const FunctionInfo> StringFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
