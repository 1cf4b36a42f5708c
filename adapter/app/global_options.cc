#include "app/commands.h"
#include "core/log.h"

namespace fhir_adapter::app {

Result<Configuration> ConfigurationOf(const GlobalOptions& global) {
  auto configuration = global.configuration_file.empty()
                           ? ParseConfiguration("", "defaults", ProcessEnvironment())
                           : LoadConfiguration(global.configuration_file, ProcessEnvironment());
  if (configuration) {
    SetLogLevel(
        ParseLogLevel(global.log_level.empty() ? configuration->service.log_level : global.log_level));
  }
  return configuration;
}

}  // namespace fhir_adapter::app
