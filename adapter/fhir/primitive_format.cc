#include "fhir/primitive_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "core/limits.h"
#include "fhir/decimal.h"
#include "fhir/temporal.h"

namespace fhir_adapter::fhir {
namespace {

using Check = std::string_view (*)(std::string_view text);

constexpr std::string_view kUuidPrefix = "urn:uuid:";
constexpr std::string_view kOidPrefix = "urn:oid:";

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsOid(std::string_view text) {
  if (!text.starts_with(kOidPrefix)) return false;
  text.remove_prefix(kOidPrefix.size());
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.') return false;
  text.remove_prefix(1);
  while (!text.empty()) {  // each time ".digits" without zeros in front
    const std::size_t end = std::min(text.find('.', 1), text.size());
    const std::string_view arc = text.substr(1, end - 1);
    if (arc.empty() || !std::all_of(arc.begin(), arc.end(), IsDigit)) return false;
    if (arc.size() > 1 && arc[0] == '0') return false;
    text.remove_prefix(end);
  }
  return true;
}

std::string_view TextProblem(std::string_view text) {
  if (text.size() > limits::kFhirStringBytesMax) return "longer than a string may be";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && !IsSpace(c)) return "a control character";
  }
  return {};
}

std::string_view CodeProblem(std::string_view text) {
  char last = ' ';  // so that a space in front counts as a second one
  for (const char c : text) {
    if (c == '\t' || c == '\r' || c == '\n') return "white space other than single spaces in a code";
    if (c == ' ' && last == ' ') return "a code neither begins with a space nor has two in a row";
    last = c;
  }
  return last == ' ' ? "a code does not end with a space" : std::string_view();
}

std::string_view UriProblem(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsSpace)) return "white space in a URI";
  if (text.starts_with(kUuidPrefix) && !IsUuid(text.substr(kUuidPrefix.size()))) {
    return "urn:uuid: without a lower-case UUID";
  }
  if (text.starts_with(kOidPrefix) && !IsOid(text)) return "urn:oid: without an OID";
  return {};
}

std::string_view CanonicalProblem(std::string_view text) {
  if (const std::string_view problem = UriProblem(text); !problem.empty()) return problem;
  const bool is_absolute = text.find(':') != std::string_view::npos;
  return is_absolute || text.starts_with('#') ? std::string_view() : "a canonical is an absolute URL";
}

std::string_view IdProblem(std::string_view text) {
  return IsId(text) ? std::string_view() : "an id has 1 to 64 letters, digits, - and .";
}

std::string_view OidProblem(std::string_view text) {
  return IsOid(text) ? std::string_view() : "not urn:oid: and an OID";
}

std::string_view UuidProblem(std::string_view text) {
  const bool fits = text.starts_with(kUuidPrefix) && IsUuid(text.substr(kUuidPrefix.size()));
  return fits ? std::string_view() : "not urn:uuid: and a lower-case UUID";
}

std::string_view Base64Problem(std::string_view text) {
  std::size_t count = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (IsSpace(c)) continue;
    const bool is_digit = IsLetter(c) || IsDigit(c) || c == '+' || c == '/';
    if (c == '=') {
      ++padding;
    } else if (!is_digit || padding > 0) {
      return "not base64";
    }
    ++count;
  }
  return count == 0 || count % 4 != 0 || padding > 2 ? "not base64" : std::string_view();
}

std::string_view DateProblem(std::string_view text) {
  return Temporal::ParseDate(text) ? std::string_view() : "not a date of the calendar";
}
std::string_view DateTimeProblem(std::string_view text) {
  return Temporal::ParseDateTime(text) ? std::string_view() : "not a date, or a full time with offset";
}
std::string_view InstantProblem(std::string_view text) {
  return Temporal::ParseInstant(text) ? std::string_view() : "not a full time with offset";
}
std::string_view TimeProblem(std::string_view text) {
  return Temporal::ParseTime(text) ? std::string_view() : "not hh:mm:ss";
}

std::string_view XhtmlProblem(std::string_view text) {
  return text.starts_with("<div") && text.ends_with("</div>") ? std::string_view() : "not a div of XHTML";
}

std::string_view IntegerInRange(std::string_view text, std::int64_t low) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size() || text == "-0") {
    return "not an integer";
  }
  return error != std::errc() || value < low || value > INT32_MAX ? "outside the range of its type"
                                                                  : std::string_view();
}
std::string_view IntegerProblem(std::string_view text) {
  return IntegerInRange(text, INT32_MIN);
}
std::string_view UnsignedProblem(std::string_view text) {
  return IntegerInRange(text, 0);
}
std::string_view PositiveProblem(std::string_view text) {
  return IntegerInRange(text, 1);
}
std::string_view DecimalProblem(std::string_view text) {
  return Decimal::Parse(text) ? std::string_view() : "not a decimal, or with too many digits";
}
std::string_view NoProblem(std::string_view) {
  return {};
}

struct Format {
  std::string_view type;
  NodeKind kind = NodeKind::kString;
  Check check = nullptr;
};

constexpr std::array<Format, 20> kFormats = {{{"base64Binary", NodeKind::kString, Base64Problem},
                                              {"boolean", NodeKind::kBoolean, NoProblem},
                                              {"canonical", NodeKind::kString, CanonicalProblem},
                                              {"code", NodeKind::kString, CodeProblem},
                                              {"date", NodeKind::kString, DateProblem},
                                              {"dateTime", NodeKind::kString, DateTimeProblem},
                                              {"decimal", NodeKind::kNumber, DecimalProblem},
                                              {"id", NodeKind::kString, IdProblem},
                                              {"instant", NodeKind::kString, InstantProblem},
                                              {"integer", NodeKind::kNumber, IntegerProblem},
                                              {"markdown", NodeKind::kString, TextProblem},
                                              {"oid", NodeKind::kString, OidProblem},
                                              {"positiveInt", NodeKind::kNumber, PositiveProblem},
                                              {"string", NodeKind::kString, TextProblem},
                                              {"time", NodeKind::kString, TimeProblem},
                                              {"unsignedInt", NodeKind::kNumber, UnsignedProblem},
                                              {"uri", NodeKind::kString, UriProblem},
                                              {"url", NodeKind::kString, UriProblem},
                                              {"uuid", NodeKind::kString, UuidProblem},
                                              {"xhtml", NodeKind::kString, XhtmlProblem}}};

const Format* FindFormat(std::string_view type) {
  const auto found =
      std::lower_bound(kFormats.begin(), kFormats.end(), type,
                       [](const Format& format, std::string_view t) { return format.type < t; });
  return found != kFormats.end() && found->type == type ? &*found : nullptr;
}

}  // namespace

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '-' || c == '.';
  });
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !(IsDigit(text[i]) || (text[i] >= 'a' && text[i] <= 'f'))) return false;
  }
  return true;
}

std::string_view PrimitiveProblem(const TypeInfo& type, const Node& value) {
  const Format* format = FindFormat(type.name);
  if (format == nullptr) return {};
  if (value.kind != format->kind) {
    return format->kind == NodeKind::kString   ? "a JSON string is expected"
           : format->kind == NodeKind::kNumber ? "a JSON number is expected"
                                               : "true or false is expected";
  }
  if (value.is_string() && value.text.empty()) return "an empty string";
  return format->check(value.text);
}

}  // namespace fhir_adapter::fhir
