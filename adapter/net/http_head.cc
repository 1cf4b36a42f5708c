#include "net/http_head.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"

namespace fhir_adapter::net {

namespace {

constexpr std::size_t kRequestIdBytesMax = 128;

HttpProblem BadRequest(std::string code, std::string detail) {
  return {400, std::move(code), std::move(detail)};
}

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsAllZero(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

std::string RandomHex(std::size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  while (out.size() < digits) {
    std::uint64_t bits = SystemRandom().Next();
    for (int i = 0; i < 16 && out.size() < digits; ++i, bits >>= 4) out += kDigits[bits & 15];
  }
  return out;
}

// The host of a Host header without its port: "[::1]:8620" gives "::1".
std::string_view HostWithoutPort(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

std::optional<HttpProblem> CheckHost(const HttpHead& head, const HttpHeadPolicy& policy) {
  const std::size_t count = head.headers.Count("Host");
  if (count > 1 || (count == 0 && head.version >= 11)) {
    return BadRequest("host", "a request has exactly one Host header");
  }
  if (!policy.check_host || count == 0) return std::nullopt;
  const std::string_view host = HostWithoutPort(head.headers.Get("Host"));
  for (const std::string& allowed : policy.allowed_hosts) {
    if (EqualIgnoringCase(allowed, host)) return std::nullopt;
  }
  if (policy.is_own_name && policy.is_own_name(host)) return std::nullopt;
  return HttpProblem{421, "host", "the Host header names another server"};
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<HttpProblem> CheckFraming(const HttpHead& head) {
  const std::size_t lengths = head.headers.Count("Content-Length");
  const std::size_t codings = head.headers.Count("Transfer-Encoding");
  if (lengths > 0 && codings > 0) {
    return BadRequest("framing", "Content-Length and Transfer-Encoding exclude each other");
  }
  if (lengths > 1) return BadRequest("framing", "Content-Length stands more than once");
  if (lengths == 1 && !IsDigits(head.headers.Get("Content-Length"))) {
    return BadRequest("framing", "Content-Length is not one decimal number");
  }
  if (codings == 0) return std::nullopt;
  if (codings > 1) return BadRequest("framing", "Transfer-Encoding stands more than once");
  if (head.version < 11) return BadRequest("framing", "HTTP/1.0 has no Transfer-Encoding");
  if (!EqualIgnoringCase(head.headers.Get("Transfer-Encoding"), "chunked")) {
    return HttpProblem{501, "framing", "the only transfer coding understood is chunked"};
  }
  return std::nullopt;
}

}  // namespace

std::string_view RawPath(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !EqualIgnoringCase(target.substr(0, scheme.size()), scheme))
      continue;
    const std::size_t slash = target.find_first_of("/?", scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
    break;
  }
  return target.substr(0, target.find_first_of("?#"));
}

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

bool IsTraceparent(std::string_view text) {
  if (text.size() != 55 || text.substr(0, 3) != "00-" || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  return IsLowerHex(trace) && IsLowerHex(parent) && IsLowerHex(text.substr(53)) && !IsAllZero(trace) &&
         !IsAllZero(parent);
}

std::optional<HttpProblem> CheckHead(const HttpHead& head, const HttpHeadPolicy& policy) {
  if (head.version != 10 && head.version != 11) {
    return HttpProblem{505, "http-version", "this server speaks HTTP/1.1"};
  }
  if (head.headers.all().size() > policy.limits.header_fields_max) {
    return HttpProblem{431, "limit",
                       "more than " + std::to_string(policy.limits.header_fields_max) + " header fields"};
  }
  if (head.target.size() > policy.limits.target_bytes_max) {
    return HttpProblem{
        414, "limit",
        "the target is longer than " + std::to_string(policy.limits.target_bytes_max) + " bytes"};
  }
  if (const std::string_view path = RawPath(head.target); path.empty() || path.front() != '/') {
    return BadRequest("target", "the target is not a path");
  }
  if (auto problem = CheckHost(head, policy)) return problem;
  if (auto problem = CheckFraming(head)) return problem;
  const std::string_view coding = head.headers.Get("Content-Encoding");
  if (head.headers.Count("Content-Encoding") > 1 ||
      (!coding.empty() && !EqualIgnoringCase(coding, "identity"))) {
    return HttpProblem{415, "content-encoding", "send the body without content coding"};
  }
  const std::string_view expectation = head.headers.Get("Expect");
  if (!expectation.empty() && !EqualIgnoringCase(expectation, "100-continue")) {
    return HttpProblem{417, "expectation", "the only expectation understood is 100-continue"};
  }
  return std::nullopt;
}

Result<HttpRequest> RequestOf(HttpHead head) {
  HttpRequest request;
  const std::string_view raw_path = RawPath(head.target);
  ADAPTER_TRY(request.path, PercentDecode(raw_path, false));
  std::string_view rest = std::string_view(head.target);
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    rest.remove_prefix(question + 1);
    request.raw_query = std::string(rest.substr(0, rest.find('#')));
  }
  ADAPTER_TRY(request.query, ParseQuery(request.raw_query));
  request.target = std::string(raw_path);
  if (question != std::string_view::npos) request.target += "?" + request.raw_query;
  request.method = std::move(head.method);
  request.headers = std::move(head.headers);
  const std::string_view id = request.headers.Get("X-Request-Id");
  request.request_id = IsRequestId(id) ? std::string(id) : RandomHex(32);
  const std::string_view parent = request.headers.Get("traceparent");
  request.traceparent =
      IsTraceparent(parent) ? std::string(parent) : "00-" + RandomHex(32) + "-" + RandomHex(16) + "-01";
  return request;
}

}  // namespace fhir_adapter::net
