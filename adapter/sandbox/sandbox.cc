#include "sandbox/sandbox.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "core/limits.h"
#include "net/http_server.h"
#include "sandbox/request_handler.h"
#include "sandbox/resource_store.h"

namespace fhir_adapter::sandbox {

namespace {

constexpr std::string_view kBasePath = "/fhir";

// The path below the base: "/Patient/1"; "/" for the base itself.
std::string_view RelativePath(std::string_view path) {
  path.remove_prefix(std::min(kBasePath.size(), path.size()));
  return path.empty() ? "/" : path;
}

net::HttpResponse ResponseOfProblem(const net::HttpProblem& problem) {
  std::string code = "processing";
  if (problem.status == 404) code = "not-found";
  if (problem.status == 405) code = "not-supported";
  if (problem.status == 413 || problem.status == 414 || problem.status == 431) code = "too-long";
  if (problem.status == 408) code = "timeout";
  if (problem.status == 400) code = "structure";
  if (problem.status == 503) code = "transient";
  return ResponseOfRefusal(Refuse(problem.status, code, problem.detail));
}

}  // namespace

struct Sandbox::Implementation {
  struct Job {
    net::HttpRequest request;
    net::Responder responder;
    std::int64_t delay_ms = 0;
    bool drop_reply = false;
  };

  explicit Implementation(SandboxOptions sandbox_options)
      : options(std::move(sandbox_options)), faults(options.faults) {}
  ~Implementation();

  Result<void> Start();
  std::vector<net::Route> Routes();
  void Receive(net::HttpRequest request, const net::Responder& responder);
  void Work();
  void Run(Job& job);
  void Log(const net::HttpRequest& request, const std::string& what);

  SandboxOptions options;
  FaultInjector faults;  // on the I/O thread only
  std::string base_url;
  std::unique_ptr<ResourceStore> store;     // on the worker only
  std::unique_ptr<RequestHandler> handler;  // on the worker only

  std::mutex mutex;  // guards jobs and stopping
  std::condition_variable changed;
  std::deque<Job> jobs;
  bool stopping = false;
  std::mutex log_mutex;

  std::unique_ptr<net::HttpServer> server;
  std::thread worker;
};

Sandbox::Implementation::~Implementation() {
  server.reset();
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  changed.notify_all();
  if (worker.joinable()) worker.join();
}

std::vector<net::Route> Sandbox::Implementation::Routes() {
  struct Row {
    const char* method;
    const char* pattern;
  };
  static constexpr Row kRows[] = {
      {"GET", "/fhir/metadata"},
      {"POST", "/fhir"},
      {"POST", "/fhir/"},
      {"GET", "/fhir/_history"},
      {"GET", "/fhir/{type}"},
      {"POST", "/fhir/{type}"},
      {"PUT", "/fhir/{type}"},
      {"DELETE", "/fhir/{type}"},
      {"POST", "/fhir/{type}/_search"},
      {"GET", "/fhir/{type}/_history"},
      {"GET", "/fhir/{type}/{id}"},
      {"PUT", "/fhir/{type}/{id}"},
      {"DELETE", "/fhir/{type}/{id}"},
      {"GET", "/fhir/{type}/{id}/_history"},
      {"GET", "/fhir/{type}/{id}/_history/{version}"},
  };
  std::vector<net::Route> routes;
  for (const Row& row : kRows) {
    net::Route route;
    route.method = row.method;
    route.pattern = row.pattern;
    route.is_public = true;
    route.handler = [this](net::HttpRequest request, const net::Responder& responder) {
      Receive(std::move(request), responder);
    };
    routes.push_back(std::move(route));
  }
  net::Route home;
  home.method = "GET";
  home.pattern = "/";
  home.is_public = true;
  home.handler = [this](const net::HttpRequest&, const net::Responder& responder) {
    responder.Send(net::HttpResponse::WithBody(200, "text/plain; charset=utf-8",
                                               BannerText(base_url, options.store_path)));
  };
  routes.push_back(std::move(home));
  return routes;
}

Result<void> Sandbox::Implementation::Start() {
  ADAPTER_TRY(store, ResourceStore::Open(options.store_path));
  net::HttpServerOptions http;
  http.address = options.address;
  http.limits.body_bytes_max = limits::kResourceBytesMax;
  http.render_problem = [](const net::HttpProblem& problem, std::string_view) {
    return ResponseOfProblem(problem);
  };
  http.clock = options.clock;
  ADAPTER_TRY(net::Router router, net::Router::Create(Routes()));
  // Requests wait in the queue until the worker, which needs the port, has started.
  ADAPTER_TRY(server, net::HttpServer::Start(std::move(http), std::move(router)));
  Clock& clock = options.clock != nullptr ? *options.clock : SystemClock();
  Random& random = options.random != nullptr ? *options.random : SystemRandom();
  base_url = "http://" + server->address() + std::string(kBasePath);
  handler = std::make_unique<RequestHandler>(*store, options.behaviour, clock, random, base_url);
  worker = std::thread([this] { Work(); });
  return {};
}

void Sandbox::Implementation::Log(const net::HttpRequest& request, const std::string& what) {
  if (!options.log) return;
  const std::lock_guard lock(log_mutex);
  options.log(request.method + " " + std::string(RelativePath(request.path)) + " " + what + " " +
              request.request_id);
}

void Sandbox::Implementation::Receive(net::HttpRequest request, const net::Responder& responder) {
  const FaultSpec* fault = faults.Next(request.method, RelativePath(request.path));
  if (fault != nullptr && fault->kind == FaultKind::kReset) {
    Log(request, "fault reset");
    return responder.Reset();
  }
  if (fault != nullptr && fault->kind == FaultKind::kStatus) {
    Log(request, "fault " + std::to_string(fault->status));
    net::HttpResponse response =
        ResponseOfRefusal(Refuse(fault->status, "transient", "a fault that was asked for"));
    if (fault->retry_after_s) response.headers.Add("Retry-After", std::to_string(*fault->retry_after_s));
    return responder.Send(std::move(response));
  }
  Job job{std::move(request), responder, 0, false};
  if (fault != nullptr && fault->kind == FaultKind::kDelay) job.delay_ms = fault->delay_ms;
  if (fault != nullptr && fault->kind == FaultKind::kDrop) job.drop_reply = true;
  {
    const std::lock_guard lock(mutex);
    if (jobs.size() >= options.requests_waiting_max) {
      return responder.Send(ResponseOfRefusal(Refuse(503, "throttled", "too many requests are waiting")));
    }
    jobs.push_back(std::move(job));
  }
  changed.notify_all();
}

void Sandbox::Implementation::Work() {
  while (true) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !jobs.empty(); });
    if (stopping) return;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    lock.unlock();
    Run(job);
  }
}

void Sandbox::Implementation::Run(Job& job) {
  net::HttpResponse response = handler->Handle(job.request);
  std::string what = std::to_string(response.status);
  const std::string_view location = response.headers.Get("Location");
  if (location.size() > base_url.size()) what += " " + std::string(location.substr(base_url.size()));
  if (job.drop_reply) {
    Log(job.request, what + " fault drop");
    return job.responder.Close();
  }
  Log(job.request, what);
  job.responder.SendAfter(std::move(response), job.delay_ms);
}

Result<std::unique_ptr<Sandbox>> Sandbox::Start(SandboxOptions options) {
  auto implementation = std::make_unique<Implementation>(std::move(options));
  ADAPTER_CHECK(implementation->Start());
  return std::unique_ptr<Sandbox>(new Sandbox(std::move(implementation)));
}

Sandbox::Sandbox(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Sandbox::~Sandbox() = default;

std::uint16_t Sandbox::port() const {
  return implementation_->server->port();
}

const std::string& Sandbox::base_url() const {
  return implementation_->base_url;
}

bool Sandbox::Drain(std::int64_t deadline_ms) {
  return implementation_->server->Drain(deadline_ms);
}

std::string BannerText(const std::string& base_url, const std::string& store_path) {
  return "FHIR R4 sandbox of fhir-adapter: NOT FOR PRODUCTION.\n"
         "No authentication, no guarantee for the data. For trying things out and for tests.\n"
         "Base URL: " +
         base_url + "\nStore:    " + (store_path.empty() ? "in memory, gone when it stops" : store_path) +
         "\nExample:  curl -s '" + base_url + "/Patient?_count=5'\n";
}

}  // namespace fhir_adapter::sandbox
