// `fhir-adapter sandbox`: the embedded FHIR endpoint in the foreground.
#include <csignal>

#include "app/commands.h"
#include "app/signals.h"
#include "sandbox/sandbox.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kWaitMs = 3'600'000;
constexpr std::int64_t kDrainMs = 5'000;

}  // namespace

int RunSandbox(const GlobalOptions&, const SandboxCommandOptions& options, const Streams& streams) {
  sandbox::SandboxOptions settings;
  settings.address.port = options.port;
  settings.store_path = options.store;
  for (const std::string& text : options.faults) {
    auto fault = sandbox::ParseFault(text);
    if (!fault) return Report(fault.error(), streams);
    settings.faults.push_back(std::move(*fault));
  }
  if (!options.like.empty()) {
    auto behaviour = sandbox::BehaviourLike(options.like);
    if (!behaviour) return Report(behaviour.error(), streams);
    settings.behaviour = *behaviour;
  }
  settings.log = [&streams](const std::string& line) { streams.err << line << std::endl; };
  BlockSignals();
  const auto server = sandbox::Sandbox::Start(std::move(settings));
  if (!server) return Report(server.error(), streams);
  streams.out << sandbox::BannerText((*server)->base_url(), options.store) << std::endl;
  for (;;) {
    const auto signal = WaitForSignal(kWaitMs);
    if (signal && *signal != SIGHUP) break;
  }
  (*server)->Drain(kDrainMs);
  return kExitDone;
}

}  // namespace fhir_adapter::app
