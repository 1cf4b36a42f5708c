// ScriptedClient: answers requests by their path, and keeps them. For what no real server can be brought to
// say.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

class ScriptedClient final : public FhirClient {
 public:
  void Script(const std::string& path, std::string body, int status = 200) {
    FhirAnswer answer;
    answer.transport = Transport::kAnswered;
    answer.status = status;
    answer.body = std::move(body);
    answers_[path] = std::move(answer);
  }
  void Lose(const std::string& path) { answers_[path] = FhirAnswer{}; }

  void Send(FhirRequest request, Done done) override {
    requests_.push_back(request);
    const auto found = answers_.find(request.path);
    FhirAnswer none;
    none.transport = Transport::kAnswered;
    none.status = 404;
    done(found == answers_.end() ? none : found->second);
  }
  bool RefreshCredentials(std::int64_t) override { return false; }
  void CancelAll() override {}
  const std::string& base_url() const override { return base_url_; }

  const std::vector<FhirRequest>& requests() const { return requests_; }

 private:
  std::string base_url_ = "http://h/fhir";
  std::map<std::string, FhirAnswer> answers_;
  std::vector<FhirRequest> requests_;
};

inline std::string Searchset(const std::string& resources, bool has_next = false) {
  std::string entries;
  std::size_t from = 0;
  while (from < resources.size()) {
    std::size_t end = resources.find('\n', from);
    if (end == std::string::npos) end = resources.size();
    entries += (entries.empty() ? "" : ",") + std::string("{\"resource\":") +
               resources.substr(from, end - from) + "}";
    from = end + 1;
  }
  return R"({"resourceType":"Bundle","type":"searchset")" +
         std::string(has_next ? R"(,"link":[{"relation":"next","url":"http://h/fhir?page=2"}])" : "") +
         R"(,"entry":[)" + entries + "]}";
}

}  // namespace fhir_adapter::sync
