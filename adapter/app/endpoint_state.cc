#include "app/endpoint_state.h"

#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "app/control_socket.h"
#include "app/http_call.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

std::int64_t NumberOf(const fhir::Node& object, std::string_view name) {
  const fhir::Node* value = object.Find(name);
  std::int64_t number = 0;
  if (value != nullptr) std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
  return number;
}

}  // namespace

EndpointState EndpointStateOf(const sync::SyncStatistics& statistics) {
  EndpointState state;
  state.rung = sync::Name(statistics.rung.rung);
  state.rung_reason = sync::Name(statistics.rung.reason);
  state.route = sync::Name(statistics.route);
  if (statistics.has_trouble) state.trouble = Name(statistics.trouble);
  state.software = statistics.server_software;
  for (const sync::PostedType& one : statistics.posted) {
    if (!state.posted.empty()) state.posted += ", ";
    state.posted += one.type + " (" + std::string(sync::Name(one.reason)) + ")";
  }
  state.audit_events = sync::Name(statistics.audit_events);
  state.limit = statistics.concurrency;
  state.in_flight = statistics.in_flight;
  return state;
}

std::string ToJson(const EndpointState& state) {
  return "{\"rung\":" + JsonString(state.rung) + ",\"rungReason\":" + JsonString(state.rung_reason) +
         ",\"route\":" + JsonString(state.route) + ",\"trouble\":" + JsonString(state.trouble) +
         ",\"software\":" + JsonString(state.software) + ",\"posted\":" + JsonString(state.posted) +
         ",\"auditEvents\":" + JsonString(state.audit_events) + ",\"limit\":" + std::to_string(state.limit) +
         ",\"inFlight\":" + std::to_string(state.in_flight) + "}";
}

namespace {

// The state of the way to the server for people: "closed", the breaker's word for a way that is free, would
// say the contrary to them.
std::string_view RouteInWords(std::string_view route) {
  if (route == sync::Name(sync::RouteState::kClosed)) return "records are sent";
  if (route == sync::Name(sync::RouteState::kOpen)) return "nothing is sent for a while";
  if (route == sync::Name(sync::RouteState::kProbing)) return "asked whether it can be reached";
  if (route == sync::Name(sync::RouteState::kHalfOpen)) return "one record is tried";
  return route;
}

}  // namespace

std::string ToText(const EndpointState& state) {
  std::string text = "server       " + (state.software.empty() ? "not asked yet" : state.software) + ", " +
                     (state.trouble.empty() ? "no trouble" : "trouble: " + state.trouble) + ", " +
                     std::string(RouteInWords(state.route)) + "\n";
  text += "sent as      " + state.rung + " (" + state.rung_reason + "), " + std::to_string(state.in_flight) +
          " patients at the moment, " + std::to_string(state.limit) + " at most\n";
  if (!state.posted.empty()) text += "new ids      by the server for " + state.posted + "\n";
  if (state.audit_events == sync::Name(sync::AuditEventState::kNotListed) ||
      state.audit_events == sync::Name(sync::AuditEventState::kRefused)) {
    text += "AuditEvents  not sent: the server does not take them (" + state.audit_events + ")\n";
  } else if (state.audit_events != sync::Name(sync::AuditEventState::kOff)) {
    text += "AuditEvents  sent (" + state.audit_events + ")\n";
  }
  return text;
}

Result<EndpointState> ParseEndpointState(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  EndpointState state;
  state.rung = MemberString(*root, "rung");
  if (state.rung.empty()) return Fail(Code::kServerAnswer, "the daemon does not say how it sends");
  state.rung_reason = MemberString(*root, "rungReason");
  state.route = MemberString(*root, "route");
  state.trouble = MemberString(*root, "trouble");
  state.software = MemberString(*root, "software");
  state.posted = MemberString(*root, "posted");
  state.audit_events = MemberString(*root, "auditEvents");
  state.limit = NumberOf(*root, "limit");
  state.in_flight = NumberOf(*root, "inFlight");
  return state;
}

net::Route EndpointControlRoute(std::function<std::optional<sync::SyncStatistics>()> statistics) {
  net::Route route{"GET", "/control/endpoint", {Role::kOperator}, false, {}, 0};
  route.handler = [statistics = std::move(statistics)](const net::HttpRequest&,
                                                       const net::Responder& responder) {
    const auto now = statistics();
    if (!now)
      return responder.Send(Error{Code::kNotFound, "nothing is sent: there is no [endpoint] base_url", {}});
    responder.Send(net::HttpResponse::WithBody(200, "application/json", ToJson(EndpointStateOf(*now))));
  };
  return route;
}

Result<EndpointState> AskEndpointState(const Configuration& configuration) {
  HttpCall call;
  call.unix_socket_path = ControlSocketPath(configuration);
  if (!std::filesystem::exists(call.unix_socket_path)) return Fail(Code::kUnreachable, "no daemon runs");
  call.method = "GET";
  call.url = "http://localhost/control/endpoint";
  ADAPTER_TRY(const HttpAnswer answer, Perform(call));
  if (answer.status == 404) return Fail(Code::kNotFound, "nothing is sent: there is no [endpoint] base_url");
  return ParseEndpointState(answer.body);
}

}  // namespace fhir_adapter::app
