#include "intake/observation_routes.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "core/limits.h"
#include "intake/capability_statement.h"
#include "intake/operation_outcome.h"
#include "intake/push_conditions.h"
#include "pipeline/push_input.h"

namespace fhir_adapter::intake {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using net::JsonString;
using net::Responder;
using pipeline::PushAnswer;
using pipeline::PushBundleEntry;
using pipeline::PushRequest;

constexpr std::string_view kRoot = "/fhir";

std::string EntityTag(const PushAnswer& answer) {
  return "W/\"" + std::to_string(answer.version.version) + "\"";
}

std::string PlaceOf(const outbox::PushedVersion& version) {
  return "Observation/" + version.id + "/_history/" + std::to_string(version.version);
}

// "http://host:port/fhir"; without a Host that can be repeated, only the path.
std::string BaseOf(const HttpRequest& request) {
  const std::string_view host = request.headers.Get("Host");
  const bool is_plain = !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  });
  return (is_plain ? "http://" + std::string(host) : std::string()) + std::string(kRoot);
}

bool IsFhirJson(const HttpRequest& request) {
  const std::string type = net::MediaType(request.headers.Get("Content-Type"));
  return type == "application/fhir+json" || type == "application/json";
}

Issues NoJson() {
  return {Issue{Code::kUnsupportedMediaType, {}, "send application/fhir+json"}};
}

std::string ShowResource(const ObservationRoutesContext& context, const outbox::PushedVersion& version) {
  return pipeline::ShowPushedObservation(version, context.set->maps()->schema(), context.set->settings());
}

HttpResponse Stored(const ObservationRoutesContext& context, const PushAnswer& answer, std::string_view base,
                    Preference preference) {
  HttpResponse response;
  response.status = answer.is_created ? 201 : 200;
  if (preference == Preference::kRepresentation) {
    response = HttpResponse::WithBody(response.status, kFhirJson, ShowResource(context, answer.version));
  } else if (preference == Preference::kOperationOutcome) {
    response = HttpResponse::WithBody(response.status, kFhirJson, AllOkJson());
  }
  response.headers.Set("Location", std::string(base) + "/" + PlaceOf(answer.version));
  response.headers.Set("ETag", EntityTag(answer));
  response.headers.Set("Last-Modified", net::HttpDate(answer.version.received));
  return response;
}

// One Observation: POST, PUT by id, PUT by identifier.
void TakeOne(const ObservationRoutesContext& context, const HttpRequest& request, const Responder& responder,
             const Target& target) {
  if (!IsFhirJson(request)) return responder.Send(OperationOutcomeResponse(NoJson()));
  auto read = pipeline::ReadPushBody(request.body, *context.set);
  if (!read) return responder.Send(OperationOutcomeResponse(read.error()));
  if (!read->issues.empty()) return responder.Send(OperationOutcomeResponse(read->issues));
  auto push = MakePushRequest(target, std::move(*read));
  if (!push) return responder.Send(OperationOutcomeResponse(push.error()));
  std::vector<PushRequest> requests;
  requests.push_back(std::move(*push));
  const std::string base = BaseOf(request);
  const Preference preference = ReadPreference(request.headers.Get("Prefer"));
  context.receiver.Push(std::move(requests), request.principal,
                        [&context, responder, base, preference](Result<std::vector<PushAnswer>> answers) {
                          if (!answers) {
                            Error error = answers.error();
                            error.where.line = 0;
                            return responder.Send(OperationOutcomeResponse(error));
                          }
                          responder.Send(Stored(context, answers->front(), base, preference));
                        });
}

void PostObservation(const ObservationRoutesContext& context, const HttpRequest& request,
                     const Responder& responder) {
  Target target;
  target.method = "POST";
  target.if_none_exist = request.headers.Get("If-None-Exist");
  TakeOne(context, request, responder, target);
}

void PutObservation(const ObservationRoutesContext& context, const HttpRequest& request,
                    const Responder& responder) {
  Target target;
  target.method = "PUT";
  target.id = request.PathParameter("id");
  target.query = request.raw_query;
  target.if_match = request.headers.Get("If-Match");
  TakeOne(context, request, responder, target);
}

void GetObservation(const ObservationRoutesContext& context, const HttpRequest& request,
                    const Responder& responder) {
  std::int64_t version = 0;
  const std::string_view wanted = request.PathParameter("version");
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), version);
  const bool is_number = error == std::errc() && end == wanted.data() + wanted.size() && version > 0;
  if (!wanted.empty() && !is_number) {
    return responder.Send(OperationOutcomeResponse(Error{Code::kNotFound, "there is no such version", {}}));
  }
  const auto found =
      storage::ReadValue<outbox::PushedVersion>(context.store, [&](storage::Snapshot& snapshot) {
        return context.pushed.Load(snapshot, context.receiver.settings().site, request.PathParameter("id"),
                                   version);
      });
  if (!found) return responder.Send(OperationOutcomeResponse(found.error()));
  HttpResponse response = HttpResponse::WithBody(200, kFhirJson, ShowResource(context, *found));
  response.headers.Set("ETag", "W/\"" + std::to_string(found->version) + "\"");
  response.headers.Set("Last-Modified", net::HttpDate(found->received));
  responder.Send(std::move(response));
}

Result<PushRequest> RequestOf(PushBundleEntry& entry) {
  ADAPTER_TRY(Target target, ReadTarget(entry.method, entry.url));
  target.if_none_exist = entry.if_none_exist;
  target.if_match = entry.if_match;
  return MakePushRequest(target, std::move(entry.observation));
}

std::string AnsweredEntry(const ObservationRoutesContext& context, const PushAnswer& answer,
                          Preference preference) {
  std::string json = "{";
  if (preference == Preference::kRepresentation) {
    json += "\"resource\":" + ShowResource(context, answer.version) + ",";
  }
  return json + "\"response\":{\"status\":" + JsonString(answer.is_created ? "201 Created" : "200 OK") +
         ",\"location\":" + JsonString(PlaceOf(answer.version)) +
         ",\"etag\":" + JsonString(EntityTag(answer)) +
         ",\"lastModified\":" + JsonString(ToString(answer.version.received)) + "}}";
}

std::string RefusedEntry(const Issues& issues) {
  const HttpResponse outcome = OperationOutcomeResponse(issues);
  const std::string status =
      std::to_string(outcome.status) + " " + std::string(net::ReasonPhrase(outcome.status));
  return "{\"response\":{\"status\":" + JsonString(status) + ",\"outcome\":" + outcome.body + "}}";
}

HttpResponse BundleResponse(std::string_view type, const std::vector<std::string>& entries) {
  std::string json = "{\"resourceType\":\"Bundle\",\"type\":" + JsonString(type);
  for (std::size_t i = 0; i < entries.size(); ++i) json += (i == 0 ? ",\"entry\":[" : ",") + entries[i];
  return HttpResponse::WithBody(200, kFhirJson, json + (entries.empty() ? "}" : "]}"));
}

// The place of a refusal: below the entry of the Bundle.
Issue PlacedIssue(const Error& error, std::size_t entry) {
  constexpr std::string_view kType = "Observation";
  std::string place = "Bundle.entry[" + std::to_string(entry) + "]";
  const std::string& pointer = error.where.pointer;
  if (pointer.starts_with(kType)) place += ".resource" + pointer.substr(kType.size());
  return Issue{error.code, Location{{}, 0, 0, std::move(place)}, error.message};
}

void TakeTransaction(const ObservationRoutesContext& context, const HttpRequest& request,
                     const Responder& responder, pipeline::PushBundle bundle) {
  std::vector<PushRequest> requests;
  Issues issues;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
    PushBundleEntry& entry = bundle.entries[i];
    std::ranges::copy(entry.observation.issues, std::back_inserter(issues));
    if (!entry.observation.issues.empty()) continue;
    auto push = RequestOf(entry);
    if (!push) {
      issues.push_back(PlacedIssue(push.error(), i));
      continue;
    }
    if (!push->id.empty() && !ids.insert(push->id).second) {
      issues.push_back(PlacedIssue(Error{Code::kNotSupported, "two entries change one resource", {}}, i));
    }
    requests.push_back(std::move(*push));
  }
  if (!issues.empty()) return responder.Send(OperationOutcomeResponse(issues));
  if (requests.empty()) return responder.Send(BundleResponse("transaction-response", {}));
  const Preference preference = ReadPreference(request.headers.Get("Prefer"));
  context.receiver.Push(
      std::move(requests), request.principal,
      [&context, responder, preference](Result<std::vector<PushAnswer>> answers) {
        if (!answers) {
          const Error& error = answers.error();
          if (error.where.line == 0) return responder.Send(OperationOutcomeResponse(error));
          return responder.Send(OperationOutcomeResponse(Issues{PlacedIssue(error, error.where.line - 1)}));
        }
        std::vector<std::string> entries;
        for (const PushAnswer& answer : *answers) {
          entries.push_back(AnsweredEntry(context, answer, preference));
        }
        responder.Send(BundleResponse("transaction-response", entries));
      });
}

// A batch on its way: each entry is a transaction of its own.
struct Batch {
  Batch(std::size_t count, Responder to) : entries(count), left(count), responder(std::move(to)) {}

  void Take(std::size_t entry, std::string answer) {
    {
      const std::scoped_lock lock(mutex);
      entries[entry] = std::move(answer);
      if (--left > 0) return;
    }
    responder.Send(BundleResponse("batch-response", entries));
  }

  std::mutex mutex;  // guards the two below: refusals come on the I/O thread, the rest on the writer's
  std::vector<std::string> entries;
  std::size_t left;
  Responder responder;
};

void TakeBatch(const ObservationRoutesContext& context, const HttpRequest& request,
               const Responder& responder, pipeline::PushBundle bundle) {
  if (bundle.entries.empty()) return responder.Send(BundleResponse("batch-response", {}));
  const Preference preference = ReadPreference(request.headers.Get("Prefer"));
  // Shared by the entries that are under way.
  const auto batch = std::make_shared<Batch>(bundle.entries.size(), responder);
  for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
    PushBundleEntry& entry = bundle.entries[i];
    if (!entry.observation.issues.empty()) {
      batch->Take(i, RefusedEntry(entry.observation.issues));
      continue;
    }
    auto push = RequestOf(entry);
    if (!push) {
      batch->Take(i, RefusedEntry({PlacedIssue(push.error(), i)}));
      continue;
    }
    std::vector<PushRequest> requests;
    requests.push_back(std::move(*push));
    context.receiver.Push(std::move(requests), request.principal,
                          [&context, batch, i, preference](Result<std::vector<PushAnswer>> answers) {
                            batch->Take(i, answers ? AnsweredEntry(context, answers->front(), preference)
                                                   : RefusedEntry({PlacedIssue(answers.error(), i)}));
                          });
  }
}

void PostBundle(const ObservationRoutesContext& context, const HttpRequest& request,
                const Responder& responder) {
  if (!IsFhirJson(request)) return responder.Send(OperationOutcomeResponse(NoJson()));
  auto bundle = pipeline::ReadPushBundle(request.body, *context.set);
  if (!bundle) return responder.Send(OperationOutcomeResponse(bundle.error()));
  if (bundle->is_transaction) return TakeTransaction(context, request, responder, std::move(*bundle));
  TakeBatch(context, request, responder, std::move(*bundle));
}

}  // namespace

std::vector<net::Route> ObservationRoutes(ObservationRoutesContext context) {
  // shared_ptr: the handlers, which are copied with the routes, look at one context.
  const auto shared = std::make_shared<const ObservationRoutesContext>(std::move(context));
  using Handler = void (*)(const ObservationRoutesContext&, const HttpRequest&, const Responder&);
  const auto route = [&shared](const char* method, const char* pattern, RoleSet roles, Handler handler) {
    net::Route made{method, pattern, roles, roles.empty(), {}, limits::kPushBodyBytesMax};
    made.handler = [shared, handler](const HttpRequest& request, const Responder& responder) {
      handler(*shared, request, responder);
    };
    return made;
  };
  const RoleSet ingest = {Role::kIngest};
  return {route("POST", "/fhir", ingest, PostBundle),
          route("POST", "/fhir/Observation", ingest, PostObservation),
          route("PUT", "/fhir/Observation", ingest, PutObservation),
          route("PUT", "/fhir/Observation/{id}", ingest, PutObservation),
          route("GET", "/fhir/Observation/{id}", RoleSet::All(), GetObservation),
          route("GET", "/fhir/Observation/{id}/_history/{version}", RoleSet::All(), GetObservation),
          route("GET", "/fhir/metadata", {},
                [](const ObservationRoutesContext& of, const HttpRequest&, const Responder& responder) {
                  responder.Send(
                      HttpResponse::WithBody(200, kFhirJson, CapabilityStatementJson(of.software_version)));
                })};
}

}  // namespace fhir_adapter::intake
