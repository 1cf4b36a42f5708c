// Sandbox: an embedded FHIR R4 server over SQLite, for trying things out and for tests. Never for production.
//
// Start() returns when it serves, below http://HOST:PORT/fhir. One thread works on the store, in the order in
// which requests arrive; network input and output are the HttpServer's. Destroying it stops both. Base, read,
// history, search, create, update, delete, transaction and batch of FHIR R4 http; differences between real
// servers are Behaviour, bad days are FaultSpecs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/limits.h"
#include "core/result.h"
#include "net/listen_address.h"
#include "sandbox/behaviour.h"
#include "sandbox/fault.h"

namespace fhir_adapter::sandbox {

struct SandboxOptions {
  net::ListenAddress address;  // port 0: a free one
  std::string store_path;      // empty: in memory
  std::vector<FaultSpec> faults;
  Behaviour behaviour;
  std::size_t requests_waiting_max = limits::kSandboxRequestsWaitingMax;  // more are answered 503
  Clock* clock = nullptr;                                                 // null: the system's
  Random* random = nullptr;                                               // for ids; null: the system's
  // One line a request, without its end: method, path, status, what was written, request id. No queries and
  // no contents. Called from the sandbox's threads, one at a time.
  std::function<void(const std::string& line)> log;
};

class Sandbox {
 public:
  // Errors: those of the listening socket and of the store.
  static Result<std::unique_ptr<Sandbox>> Start(SandboxOptions options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::uint16_t port() const;
  const std::string& base_url() const;  // "http://127.0.0.1:8630/fhir"
  // Waits for the requests under way, then closes.
  bool Drain(std::int64_t deadline_ms);

 private:
  struct Implementation;
  explicit Sandbox(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// What the command prints for a person when it has started.
std::string BannerText(const std::string& base_url, const std::string& store_path);

}  // namespace fhir_adapter::sandbox
