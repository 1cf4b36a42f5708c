// Request heads: what CheckHead lets through has one framing, one Host that is ours and a path, and what
// RequestOf decodes is the same after encoding it again. A route's parameters never hold what a `/`
// separates.
#include <algorithm>

#include "net/http_head.h"
#include "net/router.h"
#include "property.h"

namespace fhir_adapter::fuzz {
namespace {

// Up to the next `end`, which is taken away with it.
std::string_view TakeUntil(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return taken;
}

// As the message parser in front of CheckHead gives it: `METHOD TARGET HTTP/1.x`, then `Name: value` lines.
net::HttpHead HeadOf(std::string_view text) {
  net::HttpHead head;
  std::string_view line = TakeUntil(text, "\n");
  head.method = TakeUntil(line, " ");
  head.target = TakeUntil(line, " ");
  head.version = line == "HTTP/1.0" ? 10 : line == "HTTP/1.1" ? 11 : 20;
  while (!text.empty()) {
    std::string_view field = TakeUntil(text, "\n");
    const std::string_view name = TakeUntil(field, ": ");
    head.headers.Add(std::string(name), std::string(field));
  }
  return head;
}

void CheckFraming(const net::HttpHead& head) {
  const std::size_t lengths = head.headers.Count("content-length");
  const std::size_t codings = head.headers.Count("TRANSFER-ENCODING");
  Demand(lengths + codings <= 1, "a body has one framing");
  Demand(head.headers.Count("host") == 1 || (head.version == 10 && head.headers.Count("host") == 0),
         "a request has one host");
  Demand(net::RawPath(head.target).starts_with('/'), "a path begins with a slash");
}

void CheckRoundTrip(const net::HttpRequest& request) {
  Demand(net::IsRequestId(request.request_id), "a request has an id");
  Demand(net::IsTraceparent(request.traceparent), "a request has a trace context");
  const auto path = net::PercentDecode(net::PercentEncode(request.path), false);
  Demand(path.has_value() && *path == request.path, "a path survives encoding");
  std::string query;
  for (const net::QueryParameter& parameter : request.query) {
    if (!query.empty()) query += '&';
    query += net::PercentEncode(parameter.name) + "=" + net::PercentEncode(parameter.value);
  }
  const auto again = net::ParseQuery(query);
  Demand(again.has_value() && std::ranges::equal(*again, request.query,
                                                 [](const auto& a, const auto& b) {
                                                   return a.name == b.name && a.value == b.value;
                                                 }),
         "a query survives encoding");
}

const net::Router& Routes() {
  static const net::Router router = [] {
    const auto ignore = [](net::HttpRequest, net::Responder) {};
    std::vector<net::Route> routes;
    for (const char* pattern : {"/records", "/records/{site}/{record}", "/records/{site}/all"}) {
      net::Route& route = routes.emplace_back();
      route.method = "GET";
      route.pattern = pattern;
      route.is_public = true;
      route.handler = ignore;
    }
    return std::move(net::Router::Create(std::move(routes))).value();
  }();
  return router;
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  net::HttpHead head = fuzz::HeadOf(fuzz::TextOf(data, size));
  net::HttpHeadPolicy policy;
  policy.allowed_hosts = {"localhost", "127.0.0.1", "::1"};
  if (const auto problem = net::CheckHead(head, policy)) {
    fuzz::Demand(problem->status >= 400 && problem->status < 600, "a refusal has the status of an error");
    const net::HttpResponse answer = net::ProblemResponse(*problem);
    fuzz::Demand(answer.status == problem->status && answer.headers.Has("content-type"),
                 "a refusal is answered");
    fuzz::Demand(answer.body.find('\n') + 1 == answer.body.size(),
                 "what is refused cannot break the answer's line");
    return 0;
  }
  fuzz::CheckFraming(head);
  const std::string raw_path(net::RawPath(head.target));
  const auto request = net::RequestOf(std::move(head));
  if (!request) return 0;
  fuzz::CheckRoundTrip(*request);
  const auto match = fuzz::Routes().Find(request->method, raw_path);
  if (!match || match->route == nullptr) return 0;
  fuzz::Demand(std::ranges::count(raw_path, '/') == std::ranges::count(match->route->pattern, '/'),
               "only a slash as sent separates segments");
  for (const net::QueryParameter& parameter : request->query) {
    fuzz::Demand(request->Query(parameter.name).has_value(), "a parameter that was sent is found");
  }
  return 0;
}
