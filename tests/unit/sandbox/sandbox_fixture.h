// A sandbox on a free port, with a clock that the test moves, and short ways to look at answers.
#pragma once

#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "fhir/json_reader.h"
#include "sandbox/sandbox.h"
#include "support/http_client.h"

namespace fhir_adapter::sandbox {

class TestClock final : public Clock {
 public:
  TimeUs Now() override { return {now_us.load()}; }
  std::int64_t MonotonicUs() override { return now_us.load(); }
  std::atomic<std::int64_t> now_us = 1'772'366'400'000'000;  // 2026-03-01T12:00:00Z
};

class SandboxFixture : public testing::Test {
 protected:
  void SetUp() override { Restart(); }

  void Restart() {
    client_.reset();
    sandbox_.reset();
    options_.clock = &clock_;
    Result<std::unique_ptr<Sandbox>> sandbox = Sandbox::Start(options_);
    ASSERT_TRUE(sandbox) << sandbox.error().message;
    sandbox_ = std::move(*sandbox);
    client_ = std::make_unique<test::HttpClient>(sandbox_->base_url());
  }

  test::HttpClient& client() { return *client_; }

  // The text at a JSON pointer of a body; numbers as written; empty when there is none.
  static std::string At(const test::HttpReply& reply, const std::string& pointer) {
    Arena arena;
    const Result<fhir::Node*> node = fhir::ReadJson(reply.body, arena);
    if (!node) return "no JSON: " + reply.body;
    const fhir::Node* found = fhir::AtPointer(**node, pointer);
    return found != nullptr ? std::string(found->text) : std::string();
  }
  static std::size_t Size(const test::HttpReply& reply, const std::string& pointer) {
    Arena arena;
    const Result<fhir::Node*> node = fhir::ReadJson(reply.body, arena);
    const fhir::Node* found = node ? fhir::AtPointer(**node, pointer) : nullptr;
    return found != nullptr ? found->size : 0;
  }
  // How many a search finds.
  std::string Total(const std::string& path) { return At(client().Get(path), "/total"); }

  static std::string Patient(const std::string& identifier, const std::string& more = {}) {
    return R"({"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":")" + identifier + "\"}]" +
           (more.empty() ? "" : "," + more) + "}";
  }
  // A Patient with a chosen id.
  std::string PutPatient(const std::string& id) {
    client().Put("/Patient/" + id, Patient("mrn-" + id, R"("id":")" + id + "\""));
    return "Patient/" + id;
  }
  static std::string Observation(const std::string& subject, const std::string& identifier = "o1",
                                 const std::string& more = {}) {
    return R"({"resourceType":"Observation","identifier":[{"system":"urn:obs","value":")" + identifier +
           R"("}],"status":"final","code":{"text":"Pain"},"subject":{"reference":")" + subject + "\"}" +
           (more.empty() ? "" : "," + more) + "}";
  }
  static std::string Transaction(const std::string& entries, const std::string& type = "transaction") {
    return R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)" + entries + "]}";
  }
  static std::string Entry(const std::string& method, const std::string& url,
                           const std::string& resource = {}, const std::string& request_more = {},
                           const std::string& full_url = {}) {
    std::string out = "{";
    if (!full_url.empty()) out += R"("fullUrl":")" + full_url + "\",";
    if (!resource.empty()) out += "\"resource\":" + resource + ",";
    out += R"("request":{"method":")" + method + R"(","url":")" + url + "\"";
    return out + (request_more.empty() ? "" : "," + request_more) + "}}";
  }

  TestClock clock_;
  SandboxOptions options_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<test::HttpClient> client_;
};

}  // namespace fhir_adapter::sandbox
