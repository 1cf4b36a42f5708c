#include "app/service_routes.h"

namespace fhir_adapter::app {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using net::Responder;

constexpr RoleSet kReaders = {Role::kOperator, Role::kAuditor};

Result<outbox::QueueStatistics> Statistics(const ServiceRoutesContext& context) {
  return storage::ReadValue<outbox::QueueStatistics>(
      context.store, [&](storage::Snapshot& snapshot) { return context.queue.Statistics(snapshot); });
}

void AnswerReady(const ServiceRoutesContext& context, const Responder& responder) {
  const std::string reason = NotReadyReason(context);
  if (reason.empty()) {
    responder.Send(HttpResponse::WithBody(200, "application/json", "{\"ready\":true}"));
    return;
  }
  HttpResponse response = net::ProblemResponse(net::HttpProblem{503, "not-ready", reason});
  response.headers.Set("Retry-After", "5");
  responder.Send(std::move(response));
}

void AnswerMetrics(const ServiceRoutesContext& context, const Responder& responder) {
  const auto statistics = Statistics(context);
  if (!statistics) {
    responder.Send(statistics.error());
    return;
  }
  MetricsPage page;
  page.Family("fhir_adapter_ready", "gauge", "1 while records are accepted.");
  page.Sample({}, NotReadyReason(context).empty() ? 1 : 0);
  AddQueue(page, *statistics, context.clock.Now());
  AddProcess(page, ReadProcessFacts());
  if (context.add_metrics) context.add_metrics(page);
  responder.Send(HttpResponse::WithBody(200, "application/openmetrics-text; version=1.0.0; charset=utf-8",
                                        std::move(page).Finish()));
}

}  // namespace

std::string NotReadyReason(const ServiceRoutesContext& context) {
  if (context.draining) return "the daemon is stopping";
  switch (context.store.health()) {
    case storage::Health::kDiskFull:
      return "the disk of the store is full";
    case storage::Health::kFailed:
      return "the store failed";
    case storage::Health::kReady:
      break;
  }
  const auto statistics = Statistics(context);
  if (!statistics) return "the store cannot be read";
  if (statistics->undelivered() >= context.high_water) return "the queue is at its high-water mark";
  return "";
}

std::vector<net::Route> ServiceRoutes(const ServiceRoutesContext& context) {
  net::Route live{"GET", "/health/live", {}, true, {}, 0};
  live.handler = [](const HttpRequest&, const Responder& responder) {
    responder.Send(HttpResponse::WithBody(200, "application/json", "{\"live\":true}"));
  };
  net::Route ready{"GET", "/health/ready", {}, true, {}, 0};
  ready.handler = [context](const HttpRequest&, const Responder& responder) {
    AnswerReady(context, responder);
  };
  net::Route metrics{"GET", "/metrics", kReaders, false, {}, 0};
  metrics.handler = [context](const HttpRequest&, const Responder& responder) {
    AnswerMetrics(context, responder);
  };
  return {live, ready, metrics};
}

}  // namespace fhir_adapter::app
