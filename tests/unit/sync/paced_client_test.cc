#include "sync/paced_client.h"

#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace fhir_adapter::sync {
namespace {

using testing::ElementsAre;

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{us}; }
  std::int64_t MonotonicUs() override { return us; }
  std::int64_t us = 1'000'000;
};

class Answering final : public FhirClient {
 public:
  void Send(FhirRequest, Done done) override {
    ++sent;
    FhirAnswer answer;
    answer.transport = Transport::kAnswered;
    answer.status = answers.empty() ? 200 : answers.front();
    answer.retry_after = retry_after;
    if (!answers.empty()) answers.pop_front();
    done(answer);
  }
  bool RefreshCredentials(std::int64_t) override { return ++refreshes == 1; }
  void CancelAll() override {}
  const std::string& base_url() const override { return base_url_; }

  std::deque<int> answers;
  std::string retry_after;
  int sent = 0;
  int refreshes = 0;

 private:
  std::string base_url_ = "http://h/fhir";
};

class PacedClientTest : public testing::Test {
 protected:
  PacedClient Make(std::int64_t per_second = 10) {
    return {server_, clock_, per_second, [this](std::int64_t us) {
              waits_.push_back(us);
              clock_.us += us;
            }};
  }
  Answering server_;
  FakeClock clock_;
  std::vector<std::int64_t> waits_;
};

TEST_F(PacedClientTest, Requests_AreNotCloserThanAllowed) {
  PacedClient client = Make(10);
  client.Ask({});
  client.Ask({});
  clock_.us += 40'000;
  client.Ask({});
  clock_.us += 1'000'000;
  client.Ask({});
  EXPECT_THAT(waits_, ElementsAre(100'000, 60'000));
}

TEST_F(PacedClientTest, BusyServer_IsAskedAgainAfterTheTimeItNames) {
  PacedClient client = Make(1'000'000);
  server_.answers = {503, 429};
  server_.retry_after = "7";
  EXPECT_EQ(client.Ask({}).status, 200);
  EXPECT_THAT(waits_, ElementsAre(7'000'000, 7'000'000));
}

TEST_F(PacedClientTest, ServerThatStaysBusy_IsGivenUp) {
  PacedClient client = Make(1'000'000);
  server_.answers.assign(20, 503);
  server_.retry_after = "86400";
  EXPECT_EQ(client.Ask({}).status, 503);
  EXPECT_EQ(server_.sent, limits::kPacedAttemptsMax);
  for (const std::int64_t us : waits_) EXPECT_EQ(us, limits::kPacedWaitSecondsMax * 1'000'000);
}

TEST_F(PacedClientTest, RefusedCredentials_AreReadAgainOnce) {
  PacedClient client = Make(1'000'000);
  server_.answers = {401, 401, 401};
  EXPECT_EQ(client.Ask({}).status, 401);
  EXPECT_EQ(server_.sent, 2);
}

}  // namespace
}  // namespace fhir_adapter::sync
