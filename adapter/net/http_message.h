// HTTP requests and responses as values, as handlers see them.
//
// Values; not shared between threads. Header names are compared without regard to case (RFC 9110 5.1). The
// query is decoded as application/x-www-form-urlencoded: `+` and `%20` are both a space.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"

namespace fhir_adapter::net {

struct HttpHeader {
  std::string name;
  std::string value;
};

// Header fields in the order in which they came; a name may stand more than once.
class HttpHeaders {
 public:
  // The first value, or empty when there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
  void Add(std::string name, std::string value);
  void Set(std::string name, std::string value);  // replaces every field of that name

  const std::vector<HttpHeader>& all() const { return fields_; }

 private:
  std::vector<HttpHeader> fields_;
};

struct QueryParameter {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;     // as sent: "GET"; a HEAD request reaches the handler of GET as "HEAD"
  std::string target;     // as sent, origin form: "/fhir/Patient?identifier=a%7Cb"
  std::string path;       // decoded: "/fhir/Patient"
  std::string raw_query;  // as sent, without "?"
  std::vector<QueryParameter> query;
  std::vector<QueryParameter> path_parameters;  // what the braces of the route's pattern matched
  HttpHeaders headers;
  std::string body;
  std::string peer_address;               // "127.0.0.1", "::1"; empty for a Unix-domain socket
  std::string client_certificate_sha256;  // lower-case hex, of the certificate shown in TLS; empty for none
  Principal principal;
  std::string request_id;   // X-Request-Id of the client, or generated; echoed in the response
  std::string traceparent;  // W3C Trace Context; of the client, or generated

  std::string_view PathParameter(std::string_view name) const;         // empty when there is none
  std::optional<std::string_view> Query(std::string_view name) const;  // the first
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;

  // Sets Content-Type and body.
  static HttpResponse WithBody(int status, std::string content_type, std::string body);
};

// What is wrong with a request, before it is rendered as problem+json or OperationOutcome.
struct HttpProblem {
  int status = 500;
  std::string code;    // wire name, as in core/error_codes.def or of this module: "method-not-allowed"
  std::string detail;  // for a person; no field values
  std::int64_t retry_after_s = 0;  // 0: as usual for the status
};

HttpProblem ProblemOf(const Error& error);
std::string_view ReasonPhrase(int status);

// application/problem+json (RFC 9457) with type about:blank, title, status, detail and our `code`.
HttpResponse ProblemResponse(const HttpProblem& problem);
HttpResponse ProblemResponse(const Error& error);

// `"` and escapes included. For the small documents that this module writes.
std::string JsonString(std::string_view text);

// Parts of a target. Errors: kNotAllowed for a bad percent escape or a NUL.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);
Result<std::vector<QueryParameter>> ParseQuery(std::string_view raw_query);
// Everything but unreserved characters (RFC 3986 2.3) is escaped.
std::string PercentEncode(std::string_view text);

bool EqualIgnoringCase(std::string_view a, std::string_view b);

// `application/JSON; charset=utf-8` → `application/json`.
std::string MediaType(std::string_view content_type);
// The value of one of its parameters without quotes; empty when it is not there.
std::string MediaTypeParameter(std::string_view content_type, std::string_view name);

// IMF-fixdate (RFC 9110 5.6.7), to the second.
std::string HttpDate(TimeUs time);

}  // namespace fhir_adapter::net
