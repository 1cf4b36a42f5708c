// PacedClient: one request after another, not more than so many in a second, for commands that read much from
// a server that has other work to do.
//
// Refused credentials are read again once. A server that asks to wait (429, 503) is asked again after the
// time it names, a few times. Send blocks its caller while it waits for its turn, and does so again on the
// client's thread before a repetition; so it is for one user with one request under way at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "core/clock.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

class PacedClient final : public FhirClient {
 public:
  // How to let time pass; tests give their own.
  using Sleep = std::function<void(std::int64_t us)>;

  PacedClient(FhirClient& client, Clock& clock, std::int64_t requests_per_second_max, Sleep sleep = {});

  void Send(FhirRequest request, Done done) override;
  bool RefreshCredentials(std::int64_t used) override { return client_.RefreshCredentials(used); }
  void CancelAll() override { client_.CancelAll(); }
  const std::string& base_url() const override { return client_.base_url(); }

  // Sends and waits for the answer. Not from the client's thread.
  FhirAnswer Ask(FhirRequest request);

  std::int64_t requests() const { return requests_; }  // while none is under way

 private:
  void SendOnce(FhirRequest request, int attempt, bool may_refresh, Done done);

  FhirClient& client_;
  Clock& clock_;
  const std::int64_t interval_us_;
  const Sleep sleep_;
  std::int64_t next_us_ = 0;  // monotonic
  std::int64_t requests_ = 0;
};

}  // namespace fhir_adapter::sync
