#include "net/http_message.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace fhir_adapter::net {

namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

constexpr char kHexDigits[] = "0123456789ABCDEF";

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string MediaType(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::ranges::transform(type, type.begin(), Lower);
  return type;
}

std::string MediaTypeParameter(std::string_view content_type, std::string_view name) {
  const auto trimmed = [](std::string_view text) {
    constexpr std::string_view kAround = " \t\"";
    text.remove_prefix(std::min(text.find_first_not_of(kAround), text.size()));
    return text.substr(0, text.find_last_not_of(kAround) + 1);
  };
  while (content_type.find(';') != std::string_view::npos) {
    content_type.remove_prefix(content_type.find(';') + 1);
    const std::string_view parameter = content_type.substr(0, content_type.find(';'));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (EqualIgnoringCase(trimmed(parameter.substr(0, equals)), name)) {
      return std::string(trimmed(parameter.substr(equals + 1)));
    }
  }
  return "";
}

std::string HttpDate(TimeUs time) {
  const std::time_t seconds = time.us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t bytes = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text.data(), bytes);
}

std::string_view HttpHeaders::Get(std::string_view name) const {
  for (const HttpHeader& field : fields_) {
    if (EqualIgnoringCase(field.name, name)) return field.value;
  }
  return {};
}

bool HttpHeaders::Has(std::string_view name) const {
  return Count(name) > 0;
}

std::size_t HttpHeaders::Count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [name](const HttpHeader& field) { return EqualIgnoringCase(field.name, name); }));
}

void HttpHeaders::Add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

void HttpHeaders::Set(std::string name, std::string value) {
  std::erase_if(fields_, [&name](const HttpHeader& field) { return EqualIgnoringCase(field.name, name); });
  Add(std::move(name), std::move(value));
}

std::string_view HttpRequest::PathParameter(std::string_view name) const {
  for (const QueryParameter& parameter : path_parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return {};
}

std::optional<std::string_view> HttpRequest::Query(std::string_view name) const {
  for (const QueryParameter& parameter : query) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

HttpResponse HttpResponse::WithBody(int status, std::string content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.Add("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

HttpProblem ProblemOf(const Error& error) {
  return {Describe(error.code).http_status, std::string(Name(error.code)), error.message};
}

std::string_view ReasonPhrase(int status) {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr std::array kRows = {Row{100, "Continue"},
                                       Row{200, "OK"},
                                       Row{201, "Created"},
                                       Row{202, "Accepted"},
                                       Row{204, "No Content"},
                                       Row{304, "Not Modified"},
                                       Row{400, "Bad Request"},
                                       Row{401, "Unauthorized"},
                                       Row{403, "Forbidden"},
                                       Row{404, "Not Found"},
                                       Row{405, "Method Not Allowed"},
                                       Row{406, "Not Acceptable"},
                                       Row{408, "Request Timeout"},
                                       Row{409, "Conflict"},
                                       Row{410, "Gone"},
                                       Row{411, "Length Required"},
                                       Row{412, "Precondition Failed"},
                                       Row{413, "Content Too Large"},
                                       Row{414, "URI Too Long"},
                                       Row{415, "Unsupported Media Type"},
                                       Row{417, "Expectation Failed"},
                                       Row{421, "Misdirected Request"},
                                       Row{422, "Unprocessable Content"},
                                       Row{428, "Precondition Required"},
                                       Row{429, "Too Many Requests"},
                                       Row{431, "Request Header Fields Too Large"},
                                       Row{500, "Internal Server Error"},
                                       Row{501, "Not Implemented"},
                                       Row{502, "Bad Gateway"},
                                       Row{503, "Service Unavailable"},
                                       Row{504, "Gateway Timeout"},
                                       Row{505, "HTTP Version Not Supported"}};
  for (const Row& row : kRows) {
    if (row.status == status) return row.phrase;
  }
  return "Status";
}

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

HttpResponse ProblemResponse(const HttpProblem& problem) {
  std::string body = "{\"type\":\"about:blank\",\"title\":" + JsonString(ReasonPhrase(problem.status)) +
                     ",\"status\":" + std::to_string(problem.status) +
                     ",\"code\":" + JsonString(problem.code) + ",\"detail\":" + JsonString(problem.detail) +
                     "}\n";
  return HttpResponse::WithBody(problem.status, "application/problem+json", std::move(body));
}

HttpResponse ProblemResponse(const Error& error) {
  return ProblemResponse(ProblemOf(error));
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Fail(Code::kNotAllowed, "the target has a percent sign without two hexadecimal digits");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return Fail(Code::kNotAllowed, "the target has a NUL character");
    out += c;
  }
  return out;
}

Result<std::vector<QueryParameter>> ParseQuery(std::string_view raw_query) {
  std::vector<QueryParameter> parameters;
  while (!raw_query.empty()) {
    const std::size_t end = std::min(raw_query.find('&'), raw_query.size());
    const std::string_view pair = raw_query.substr(0, end);
    raw_query.remove_prefix(std::min(end + 1, raw_query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    ADAPTER_TRY(std::string name, PercentDecode(pair.substr(0, equals), true));
    ADAPTER_TRY(std::string value, PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    parameters.push_back({std::move(name), std::move(value)});
  }
  return parameters;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

}  // namespace fhir_adapter::net
