// How much of what happens often gets into the audit log.
#include "app/note_window.h"

#include <gtest/gtest.h>

#include "app/access_notes.h"
#include "core/limits.h"
#include "outbox/inbox.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kWindowUs = 1'000;

audit::Entry Of(const std::string& who) {
  audit::Entry entry;
  entry.event = audit::EventKind::kTokenRefused;
  entry.actor.id = who;
  entry.actor.client_address = who;
  entry.operation = "POST /records";
  entry.outcome = "unauthorized";
  return entry;
}

TEST(NoteWindow, FirstOfAKey_IsNotedAndTheRestIsCountedAtTheEnd) {
  NoteWindow window(kWindowUs, 10);
  EXPECT_EQ(window.Take("a", Of("a"), 0).size(), 1U);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.Take("a", Of("a"), kWindowUs - 1).empty());
  EXPECT_TRUE(window.Due(TimeUs{7}, kWindowUs - 1).empty());
  const auto owed = window.Due(TimeUs{7}, kWindowUs);
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].attempt, 5);
  EXPECT_EQ(owed[0].actor.id, "a");
  EXPECT_EQ(owed[0].time, TimeUs{7});
  EXPECT_TRUE(window.Due(TimeUs{7}, 10 * kWindowUs).empty());
}

TEST(NoteWindow, NextWindow_BeginsWithWhatTheLastOneOwes) {
  NoteWindow window(kWindowUs, 10);
  window.Take("a", Of("a"), 0);
  window.Take("a", Of("a"), 1);
  const auto entries = window.Take("a", Of("a"), kWindowUs);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].attempt, 1);
  EXPECT_EQ(entries[1].attempt, 0);
}

TEST(NoteWindow, OneKeyAboveTheLimit_IsCountedWithoutAName) {
  NoteWindow window(kWindowUs, 3);
  for (const std::string who : {"a", "b", "c"}) EXPECT_EQ(window.Take(who, Of(who), 0).size(), 1U) << who;
  EXPECT_TRUE(window.Take("d", Of("d"), 0).empty());
  EXPECT_TRUE(window.Take("e", Of("e"), 0).empty());
  const auto owed = window.Close(TimeUs{7});
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].attempt, 2);
  EXPECT_EQ(owed[0].operation, "others");
  EXPECT_EQ(owed[0].actor.id, "");
  EXPECT_EQ(owed[0].actor.client_address, "");
}

class StoppedClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{1'000'000}; }
  std::int64_t MonotonicUs() override { return us; }
  std::int64_t us = 0;
};

class Notes : public testing::Test {
 protected:
  static net::HttpExchange Exchange(int status) {
    net::HttpExchange exchange;
    exchange.method = "GET";
    exchange.pattern = "/records/{site}/{recordId}";
    exchange.status = status;
    return exchange;
  }
  static net::HttpRequest From(const std::string& address, const std::string& token = {},
                               RoleSet roles = {}) {
    net::HttpRequest head;
    head.principal.client_address = address;
    if (!token.empty()) {
      head.principal.kind = ActorKind::kCredential;
      head.principal.id = token;
      head.principal.authentication = "token";
      head.principal.roles = roles;
    }
    head.path_parameters = {{"site", "pain-clinic"}, {"recordId", "R1"}};
    return head;
  }
  std::size_t CountOf(audit::EventKind event) const {
    std::size_t count = 0;
    for (const audit::Entry& entry : entries_) count += entry.event == event ? 1 : 0;
    return count;
  }

  StoppedClock clock_;
  std::vector<audit::Entry> entries_;
  AccessNotes notes_{"pain-clinic", clock_,
                     [this](std::vector<audit::Entry> entries, AccessNotes::Done done) {
                       for (audit::Entry& entry : entries) entries_.push_back(std::move(entry));
                       done({});
                     }};
};

TEST_F(Notes, Token_IsNotedAtItsFirstUseFromAnAddress) {
  for (int i = 0; i < 3; ++i) {
    notes_.TakeExchange(Exchange(200), From("10.0.0.1", "ehr", {Role::kIngest}));
    notes_.TakeExchange(Exchange(200), From("10.0.0.2", "ehr", {Role::kIngest}));
  }
  ASSERT_EQ(entries_.size(), 2U);
  EXPECT_EQ(entries_[0].event, audit::EventKind::kTokenUsed);
  EXPECT_EQ(entries_[0].actor.id, "ehr");
  EXPECT_EQ(entries_[0].actor.client_address, "10.0.0.1");
  EXPECT_EQ(entries_[0].operation, "GET /records/{site}/{recordId}");
}

TEST_F(Notes, PublicRouteWithoutCredential_IsNotNoted) {
  notes_.TakeExchange(Exchange(200), From("10.0.0.1"));
  EXPECT_TRUE(entries_.empty());
}

TEST_F(Notes, Refusals_AreNotedUpToTheLimitOfAddresses) {
  for (std::size_t i = 0; i < limits::kNotedRefusalsMax + 1; ++i) {
    notes_.TakeExchange(Exchange(401), From("10.0.0." + std::to_string(i)));
    notes_.TakeExchange(Exchange(401), From("10.0.0." + std::to_string(i)));
  }
  EXPECT_EQ(CountOf(audit::EventKind::kTokenRefused), limits::kNotedRefusalsMax);
  notes_.Close();
  ASSERT_EQ(CountOf(audit::EventKind::kTokenRefused), 2 * limits::kNotedRefusalsMax + 1);
  EXPECT_EQ(entries_.back().operation, "others");
  EXPECT_EQ(entries_.back().attempt, 2);
  EXPECT_EQ(entries_.front().outcome, "unauthorized");
}

TEST_F(Notes, TokenUses_AreNotedUpToTheLimit) {
  for (std::size_t i = 0; i < limits::kNotedTokenUsesMax + 1; ++i) {
    notes_.TakeExchange(Exchange(200), From("10.0.0.1", "t" + std::to_string(i), {Role::kIngest}));
  }
  EXPECT_EQ(entries_.size(), limits::kNotedTokenUsesMax);
}

TEST_F(Notes, CredentialWithoutTheRole_IsRefusedByName) {
  notes_.TakeExchange(Exchange(403), From("10.0.0.1", "ehr", {Role::kIngest}));
  ASSERT_EQ(entries_.size(), 1U);
  EXPECT_EQ(entries_[0].event, audit::EventKind::kTokenRefused);
  EXPECT_EQ(entries_[0].outcome, "forbidden");
  EXPECT_EQ(entries_[0].actor.id, "ehr");
}

TEST_F(Notes, AuditorsRead_NamesTheRecordAndStandsInItsTrace) {
  notes_.TakeExchange(Exchange(200), From("10.0.0.1", "inspector", {Role::kAuditor}));
  notes_.TakeExchange(Exchange(200), From("10.0.0.1", "ehr", {Role::kIngest}));
  notes_.TakeExchange(Exchange(404), From("10.0.0.3", "inspector", {Role::kAuditor}));
  ASSERT_EQ(CountOf(audit::EventKind::kRead), 1U);
  const audit::Entry& read = entries_[1];
  ASSERT_EQ(read.event, audit::EventKind::kRead);
  EXPECT_EQ(read.actor.id, "inspector");
  EXPECT_EQ(read.role, "auditor");
  ASSERT_TRUE(read.local);
  EXPECT_EQ(read.local->system, "pain-clinic");
  EXPECT_EQ(read.local->record, "R1");
  EXPECT_EQ(read.trace_id, audit::TraceOfSubject(outbox::SubjectKey("pain-clinic", "R1")));
}

TEST_F(Notes, ReadsOfCommands_AreNotedUpToTheLimit) {
  Principal user;
  user.kind = ActorKind::kLocalUser;
  user.id = "uid:1000";
  std::vector<ReadSubject> subjects;
  for (std::size_t i = 0; i < limits::kNotedReadsMax + 1; ++i) subjects.push_back({"s", std::to_string(i)});
  bool is_done = false;
  notes_.TakeReads(user, "trace", subjects, [&is_done](const Result<void>&) { is_done = true; });
  EXPECT_TRUE(is_done);
  EXPECT_EQ(entries_.size(), limits::kNotedReadsMax);
  clock_.us = 3'600'000'000;
  notes_.Look();
  EXPECT_EQ(entries_.size(), limits::kNotedReadsMax + 1);
  EXPECT_EQ(entries_.back().attempt, 1);
}

}  // namespace
}  // namespace fhir_adapter::app
