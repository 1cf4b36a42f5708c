// EditingClient: for negative controls. It takes one protection out of what the loop sends or hears.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "delivery_rig.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::test {

// Stands between the loop and its client and takes a protection away.
class EditingClient final : public sync::FhirClient {
 public:
  using Before = std::function<void(sync::FhirRequest&)>;
  using After = std::function<void(const sync::FhirRequest&, sync::FhirAnswer&)>;
  EditingClient(sync::FhirClient& client, Before before, After after)
      : client_(client), before_(std::move(before)), after_(std::move(after)) {}

  void Send(sync::FhirRequest request, Done done) override {
    if (before_) before_(request);
    sync::FhirRequest sent = request;
    client_.Send(std::move(sent),
                 [this, request = std::move(request), done = std::move(done)](sync::FhirAnswer answer) {
                   if (after_) after_(request, answer);
                   done(std::move(answer));
                 });
  }
  bool RefreshCredentials(std::int64_t used) override { return client_.RefreshCredentials(used); }
  void CancelAll() override { client_.CancelAll(); }
  const std::string& base_url() const override { return client_.base_url(); }

 private:
  sync::FhirClient& client_;
  Before before_;
  After after_;
};

inline void Without(DeliveryRig& rig, EditingClient::Before before, EditingClient::After after = nullptr) {
  rig.WrapClient([before, after](sync::FhirClient& client) {
    return std::make_unique<EditingClient>(client, before, after);
  });
}

// Searches that begin with this find nothing.
inline EditingClient::After Blind(const std::string& prefix) {
  return [prefix](const sync::FhirRequest& request, sync::FhirAnswer& answer) {
    const bool is_search = request.path.starts_with(prefix) && request.path.find('?') != std::string::npos;
    if (!is_search || request.kind != sync::RequestKind::kLookup) return;
    answer.transport = sync::Transport::kAnswered;
    answer.status = 200;
    answer.body = R"({"resourceType":"Bundle","type":"searchset","total":0})";
  };
}

}  // namespace fhir_adapter::test
