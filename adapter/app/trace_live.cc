#include "app/trace_live.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "app/endpoint_setup.h"
#include "app/exit_code.h"
#include "core/limits.h"
#include "sync/curl_client.h"
#include "sync/paced_client.h"

namespace fhir_adapter::app {
namespace {

using sync::LiveResource;
using sync::LiveState;

void SleepForReal(std::int64_t us) {
  std::this_thread::sleep_for(std::chrono::microseconds(us));
}

std::size_t CountElsewhere(const TracePage& page, const std::string& base) {
  return static_cast<std::size_t>(std::ranges::count_if(
      page.record.ledger, [&](const outbox::LedgerRow& row) { return row.endpoint != base; }));
}

std::string Words(const LiveResource& live) {
  switch (live.state) {
    case LiveState::kAsDelivered:
      return "as delivered";
    case LiveState::kSameContent:
      return "another version than the delivered one, with the same content";
    case LiveState::kChangedByOthers:
      return "changed by others since it was delivered: see below";
    case LiveState::kStoredOtherwise:
      return "the version that was delivered, but not its content: see below";
    case LiveState::kNotThere:
      return "not there (HTTP 404)";
    case LiveState::kRemoved:
      return "deleted by others (HTTP 410)";
    case LiveState::kRefused:
      return "the server does not let us read it (HTTP " + std::to_string(live.status) + ")";
    case LiveState::kNothingToCompare:
      return "there; what was delivered is erased, so that it cannot be compared";
    case LiveState::kNotAsked:
      return "not asked";
  }
  return {};
}

std::string Version(const std::string& version) {
  return version.empty() ? "–" : version;
}

// "15 as-delivered, 1 removed"
std::string Counts(const TraceLive& live) {
  std::map<LiveState, int> counts;
  for (const LiveResource& resource : live.record.resources) ++counts[resource.state];
  std::string text;
  for (const auto& [state, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(sync::Name(state));
  }
  return text.empty() ? "nothing was delivered there" : text;
}

}  // namespace

Result<int> LookLive(const Configuration& configuration, outbox::SqliteBackend& backend,
                     std::vector<TracePage>& pages, const Streams& streams) {
  const std::string& base = configuration.endpoint.base_url;
  if (base.empty()) {
    return Fail(Code::kConfiguration, "[endpoint] base_url is empty: there is no server to ask");
  }
  ADAPTER_TRY(const auto curl, sync::CurlClient::Make(ClientSettingsOf(configuration)));
  sync::PacedClient client(*curl, SystemClock(), limits::kPacedRequestsPerSecondMax);
  sync::LiveReader reader(client, *backend.store, backend.queue, SystemClock(), &SleepForReal,
                          {base, configuration.PatientIdentifierSystem()});
  int status = kExitDone;
  std::optional<Error> failure;
  for (TracePage& page : pages) {
    TraceLive live{base, SystemClock().Now(), {}, CountElsewhere(page, base)};
    if (failure) {
      live.record.failure = failure;
    } else {
      ADAPTER_TRY(live.record, reader.Look(page.record.subject_key));
      failure = live.record.failure;
    }
    if (std::ranges::any_of(live.record.resources, sync::IsDifference, &LiveResource::state)) {
      status = kExitRejected;
    }
    page.live = std::move(live);
  }
  return failure ? Report(*failure, streams) : status;
}

void AddLiveSections(const TraceLive& live, std::vector<TraceSection>& sections) {
  TraceSection now;
  now.heading = "On the server now";
  now.facts = {{"server", live.base}, {"asked", ToString(live.asked)}, {"found", Counts(live)}};
  if (live.record.failure) now.facts.emplace_back("not all", live.record.failure->message);
  if (live.elsewhere > 0) {
    now.facts.emplace_back(
        "elsewhere",
        std::to_string(live.elsewhere) + " resources were delivered to another server, which was not asked");
  }
  now.columns = {"resource", "identifier", "delivered", "now", "last updated", "what"};
  std::vector<TraceSection> changed;
  for (const LiveResource& resource : live.record.resources) {
    now.rows.push_back({resource.url, resource.key.value, Version(resource.delivered_version),
                        Version(resource.version), Version(resource.last_updated), Words(resource)});
    if (resource.changes.empty()) continue;
    TraceSection section;
    section.heading = resource.key.type + " " + resource.key.value + " on the server now";
    AddChanges(resource.changes, "delivered", "now", section);
    changed.push_back(std::move(section));
  }
  sections.push_back(std::move(now));
  std::ranges::move(changed, std::back_inserter(sections));
}

}  // namespace fhir_adapter::app
