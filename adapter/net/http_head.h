// Judges the head of a request (request line and header fields) before anything else is read.
//
// Pure and thread-safe. RFC 9110 and 9112: one Host, framing by either Content-Length or chunked coding and
// never both (request smuggling), no content coding (decompression bombs), only names that are ours in Host
// (DNS rebinding).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "net/http_server.h"

namespace fhir_adapter::net {

struct HttpHead {
  std::string method;
  std::string target;
  int version = 11;  // 10 for HTTP/1.0
  HttpHeaders headers;
};

struct HttpHeadPolicy {
  HttpLimits limits;
  bool check_host = true;
  std::vector<std::string> allowed_hosts;                  // without port
  std::function<bool(std::string_view host)> is_own_name;  // further ones; may be absent
};

// What is wrong with the head, or nothing.
std::optional<HttpProblem> CheckHead(const HttpHead& head, const HttpHeadPolicy& policy);

// The request without its body; principal and peer are the caller's to fill in. Takes over or makes request
// id and traceparent.
Result<HttpRequest> RequestOf(HttpHead head);

// The path of a target as sent, in origin or absolute form (RFC 9112 3.2).
std::string_view RawPath(std::string_view target);

bool IsRequestId(std::string_view text);    // 1 to 128 of A-Z a-z 0-9 . _ -
bool IsTraceparent(std::string_view text);  // version 00 of W3C Trace Context

}  // namespace fhir_adapter::net
