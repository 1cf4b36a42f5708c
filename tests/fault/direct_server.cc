#include "direct_server.h"

#include <gtest/gtest.h>

#include "fhir/json_writer.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::test {
namespace {

const char* NameOf(sync::Method method) {
  switch (method) {
    case sync::Method::kGet:
      return "GET";
    case sync::Method::kPost:
      return "POST";
    case sync::Method::kPut:
      return "PUT";
  }
  return "";
}

void AddPathParameters(const std::string& path, net::HttpRequest& request) {
  constexpr const char* kNames[] = {"type", "id", "history", "version"};
  std::size_t from = 0;
  for (const char* name : kNames) {
    if (from > path.size() || path.empty()) return;
    const std::size_t slash = std::min(path.find('/', from), path.size());
    request.path_parameters.push_back({name, path.substr(from, slash - from)});
    from = slash + 1;
  }
}

}  // namespace

DirectServer::DirectServer(Clock& clock, Random& random, sandbox::Behaviour behaviour)
    : behaviour_(behaviour) {
  auto store = sandbox::ResourceStore::Open("");
  EXPECT_TRUE(store.has_value());
  store_ = std::move(*store);
  handler_ = std::make_unique<sandbox::RequestHandler>(*store_, behaviour_, clock, random, base_url_);
}

net::HttpResponse DirectServer::Handle(const sync::FhirRequest& request) {
  const std::size_t question = std::min(request.path.find('?'), request.path.size());
  const std::string path = request.path.substr(0, question);
  net::HttpRequest http;
  http.method = NameOf(request.method);
  http.path = "/fhir" + (path.empty() ? "" : "/" + path);
  http.raw_query = question < request.path.size() ? request.path.substr(question + 1) : "";
  if (auto query = net::ParseQuery(http.raw_query)) http.query = std::move(*query);
  if (path != "metadata") AddPathParameters(path, http);
  http.headers.Add("Accept", "application/fhir+json");
  if (!request.body.empty()) http.headers.Add("Content-Type", "application/fhir+json");
  http.headers.Add("Prefer", "return=minimal");
  if (!request.if_match.empty()) http.headers.Add("If-Match", request.if_match);
  if (!request.if_none_exist.empty()) http.headers.Add("If-None-Exist", request.if_none_exist);
  http.body = request.body;
  return handler_->Handle(http);
}

void DirectServer::Send(sync::FhirRequest request, Done done) {
  const Fate decided = fate ? fate(request) : Fate::kGood;
  if (decided != Fate::kGood) ++faults_;
  sync::FhirAnswer answer;
  if (decided == Fate::kNeverArrived) {
    answer.transport = sync::Transport::kMaybeSent;
    answer.failure = Code::kTimeout;
    return done(std::move(answer));
  }
  if (decided == Fate::kUnreachable) return done(std::move(answer));
  answer.transport = sync::Transport::kAnswered;
  if (decided == Fate::kBusy) {
    answer.status = 503;
    return done(std::move(answer));
  }
  const net::HttpResponse response = Handle(request);
  if (carried_out && response.status < 300) carried_out(request);
  if (decided == Fate::kGatewayTimeout) {
    answer.status = 504;
    return done(std::move(answer));
  }
  if (decided == Fate::kAnswerLost || decided == Fate::kDenied) {
    const bool is_denied = decided == Fate::kDenied;
    answer.transport = is_denied ? sync::Transport::kNotSent : sync::Transport::kMaybeSent;
    answer.failure = Code::kTimeout;
    return done(std::move(answer));
  }
  answer.status = response.status;
  answer.body = response.body;
  answer.etag = response.headers.Get("ETag");
  answer.location = response.headers.Get("Location");
  answer.content_location = response.headers.Get("Content-Location");
  answer.retry_after = response.headers.Get("Retry-After");
  done(std::move(answer));
}

std::string DirectServer::Get(const std::string& path) {
  sync::FhirRequest request;
  request.path = path;
  return Handle(request).body;
}

std::string DirectServer::Post(const std::string& path, const std::string& body) {
  sync::FhirRequest request;
  request.method = sync::Method::kPost;
  request.path = path;
  request.body = body;
  const net::HttpResponse response = Handle(request);
  EXPECT_EQ(response.status, 201) << path;
  return sync::ParseLocation(response.headers.Get("Location"), base_url_).id;
}

void DirectServer::Put(const std::string& path, const std::string& body) {
  sync::FhirRequest request;
  request.method = sync::Method::kPut;
  request.path = path;
  request.body = body;
  EXPECT_LT(Handle(request).status, 300) << path;
}

std::vector<std::string> DirectServer::VersionsOf(const std::string& type, const std::string& id) {
  std::vector<std::string> versions;
  for (int version = 1;; ++version) {
    const std::string body = Get(type + "/" + id + "/_history/" + std::to_string(version));
    if (body.find("\"OperationOutcome\"") != std::string::npos || body.empty()) return versions;
    versions.push_back(body);
  }
}

std::vector<std::string> DirectServer::All(const std::string& type) {
  std::vector<std::string> all;
  std::string path = type + "?_count=1000";
  while (!path.empty()) {
    Arena arena;
    const auto bundle = sync::ReadResource(Get(path), arena);
    EXPECT_TRUE(bundle.has_value());
    if (!bundle) return all;
    const fhir::Node* entries = (*bundle)->Find("entry");
    for (const fhir::Node* entry : entries ? entries->items() : std::span<fhir::Node*>()) {
      all.push_back(fhir::ToJson(*entry->Find("resource")));
    }
    path.clear();
    const fhir::Node* links = (*bundle)->Find("link");
    for (const fhir::Node* link : links ? links->items() : std::span<fhir::Node*>()) {
      if (MemberText(*link, "relation") != "next") continue;
      path = std::string(MemberText(*link, "url")).substr(base_url_.size() + 1);
    }
  }
  return all;
}

}  // namespace fhir_adapter::test
