// How the configuration says to reach the FHIR server.
#pragma once

#include "app/configuration.h"
#include "sync/curl_client.h"

namespace fhir_adapter::app {

sync::CurlClientSettings ClientSettingsOf(const Configuration& configuration);

}  // namespace fhir_adapter::app
