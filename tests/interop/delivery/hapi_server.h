// HapiServer: the HAPI FHIR R4 server as a child process, and what stands on it.
//
// One object for one thread; the server ends with it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/node.h"
#include "support/http_client.h"
#include "support/process.h"

namespace fhir_adapter::test {

inline const std::string kMrnSystem = "https://hospital.example/fhir/sid/mrn";

// Every resource of the types that we write, as it stands on the server; lives in its own arena.
struct ServerContent {
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();  // shared: copies of the content share the trees
  std::map<std::string, fhir::Node*> resources;              // "Type/id"

  std::map<std::string, std::string> Versions() const;  // "Type/id" → versionId
  std::map<std::string, int> CountByType() const;
};

class HapiServer {
 public:
  HapiServer();  // fails the test when the server does not start
  const std::string& url() const { return url_; }
  HttpClient& client() { return *client_; }

  void RegisterPatient(const std::string& mrn, const std::string& gender, const std::string& birth_date);
  // The number of matches, as the server counts them.
  int Count(const std::string& query);
  // All pages of a search.
  void ForEach(const std::string& query, Arena& arena, const std::function<void(fhir::Node&)>& visit);
  ServerContent Content();

 private:
  std::unique_ptr<Process> process_;
  std::string url_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace fhir_adapter::test
