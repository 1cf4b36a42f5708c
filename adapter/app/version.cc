#include "app/version.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

namespace fhir_adapter::app {

std::string ProgramVersion() {
  return FHIR_ADAPTER_VERSION;
}

std::string VersionText() {
  return "fhir-adapter " + ProgramVersion() + " (commit " FHIR_ADAPTER_COMMIT ")\nFHIR 4.0.1 (R4)\nSQLite " +
         sqlite3_libversion() + "\n" + OpenSSL_version(OPENSSL_VERSION) + "\n" + curl_version();
}

}  // namespace fhir_adapter::app
