// DirectServer: the sandbox's FHIR server without sockets and threads, as the client of a delivery loop. For
// many short deliveries with faults by the dozen.
//
// One thread: `done` of a request is called before Send returns.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "sandbox/behaviour.h"
#include "sandbox/request_handler.h"
#include "sandbox/resource_store.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::test {

// What becomes of a request.
enum class Fate : std::uint8_t {
  kGood,
  kAnswerLost,      // carried out, and nobody hears of it
  kNeverArrived,    // nobody knows whether it did
  kUnreachable,     // not carried out; the client says so
  kBusy,            // 503
  kGatewayTimeout,  // carried out, and something before the server answers 504
  kDenied,  // carried out, and the client says that nothing was sent: what a correct client never does
};

class DirectServer final : public sync::FhirClient {
 public:
  DirectServer(Clock& clock, Random& random, sandbox::Behaviour behaviour);

  void Send(sync::FhirRequest request, Done done) override;
  bool RefreshCredentials(std::int64_t) override { return false; }
  void CancelAll() override {}
  const std::string& base_url() const override { return base_url_; }

  // Asked for each request of a delivery; none: all are good.
  std::function<Fate(const sync::FhirRequest&)> fate;
  // Told of each request that was carried out, whatever became of its answer.
  std::function<void(const sync::FhirRequest&)> carried_out;
  sandbox::Behaviour& behaviour() { return behaviour_; }
  std::size_t faults() const { return faults_; }

  // Past the faults: the answer's body.
  std::string Get(const std::string& path);
  void Put(const std::string& path, const std::string& body);
  std::string Post(const std::string& path, const std::string& body);  // its id
  // The contents of every version of a resource, oldest first.
  std::vector<std::string> VersionsOf(const std::string& type, const std::string& id);
  // The resources of a type that are not deleted.
  std::vector<std::string> All(const std::string& type);

 private:
  net::HttpResponse Handle(const sync::FhirRequest& request);

  sandbox::Behaviour behaviour_;
  const std::string base_url_ = "http://server.example/fhir";
  std::unique_ptr<sandbox::ResourceStore> store_;
  std::unique_ptr<sandbox::RequestHandler> handler_;
  std::size_t faults_ = 0;
};

}  // namespace fhir_adapter::test
