#include "sync/response_classifier.h"

#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

// Answers to a write. Rows follow the rules for FHIR clients and what real servers were seen to answer.
struct WriteRow {
  const char* name;
  int status;
  bool has_if_match;
  bool remembered;
  int attempt;
  Verdict verdict;
  Code code;
};

class WriteAnswer : public testing::TestWithParam<WriteRow> {};

TEST_P(WriteAnswer, Status_GivesTheVerdictOfTheTable) {
  const WriteRow& row = GetParam();
  AnswerFacts facts;
  facts.kind = RequestKind::kWrite;
  facts.status = row.status;
  facts.has_if_match = row.has_if_match;
  facts.patient_is_remembered = row.remembered;
  facts.attempt = row.attempt;
  facts.is_bundle = true;
  const Classification classification = Classify(facts);
  EXPECT_EQ(Name(classification.verdict), Name(row.verdict));
  if (row.verdict != Verdict::kSucceeded) {
    EXPECT_EQ(Name(classification.code), Name(row.code));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, WriteAnswer,
    testing::Values(
        WriteRow{"Ok", 200, false, false, 1, Verdict::kSucceeded, Code::kInternal},
        WriteRow{"Created", 201, false, false, 1, Verdict::kSucceeded, Code::kInternal},
        WriteRow{"Redirect", 302, false, false, 1, Verdict::kPauseRoute, Code::kServerAnswer},
        WriteRow{"BadRequestHidesSeveralMatches", 400, false, false, 1, Verdict::kReread, Code::kConflict},
        WriteRow{"BadRequestHidesMismatch", 400, true, false, 1, Verdict::kReread, Code::kConflict},
        WriteRow{"Unauthorized", 401, false, false, 1, Verdict::kRefreshCredentials, Code::kUnauthorized},
        WriteRow{"Forbidden", 403, false, false, 1, Verdict::kPauseRoute, Code::kUnauthorized},
        WriteRow{"NotFound", 404, false, false, 1, Verdict::kQuarantine, Code::kServerRefused},
        WriteRow{"NotFoundAfterRememberedPatient", 404, false, true, 1, Verdict::kMatchPatientAgain,
                 Code::kPatientNotFound},
        WriteRow{"RequestTimeout", 408, false, false, 1, Verdict::kRetry, Code::kTimeout},
        WriteRow{"Conflict", 409, false, false, 1, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"ConflictLastTry", 409, false, false, 7, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"ConflictTooOften", 409, false, false, 8, Verdict::kReread, Code::kConflict},
        WriteRow{"ConflictOfVersions", 409, true, false, 1, Verdict::kReread, Code::kConflict},
        WriteRow{"PreconditionFailed", 412, false, false, 1, Verdict::kReread, Code::kConflict},
        WriteRow{"PreconditionOfVersion", 412, true, false, 1, Verdict::kReread, Code::kConflict},
        WriteRow{"TooLarge", 413, false, false, 1, Verdict::kQuarantine, Code::kServerRefused},
        WriteRow{"Unprocessable", 422, false, false, 1, Verdict::kQuarantine, Code::kServerRefused},
        WriteRow{"UnprocessableIsNoConflict", 422, true, false, 1, Verdict::kQuarantine,
                 Code::kServerRefused},
        WriteRow{"TooMany", 429, false, false, 1, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"ServerError", 500, false, false, 1, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"NotImplemented", 501, false, false, 1, Verdict::kPauseRoute, Code::kServerLacks},
        WriteRow{"NotImplementedAfterRememberedPatient", 501, true, true, 1, Verdict::kPauseRoute,
                 Code::kServerLacks},
        WriteRow{"MethodNotAllowed", 405, false, false, 1, Verdict::kPauseRoute, Code::kServerLacks},
        WriteRow{"BadGateway", 502, true, false, 1, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"Unavailable", 503, false, true, 1, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"GatewayTimeout", 504, false, false, 1, Verdict::kRetry, Code::kServerBusy}),
    [](const auto& one) { return one.param.name; });

// The same answers once it was looked for what was sent, and nobody has changed it.
class WriteAnswerAfterLook : public testing::TestWithParam<WriteRow> {};

TEST_P(WriteAnswerAfterLook, Status_GivesTheVerdictOfTheTable) {
  const WriteRow& row = GetParam();
  AnswerFacts facts;
  facts.status = row.status;
  facts.has_if_match = row.has_if_match;
  facts.has_reread = true;
  facts.patient_is_remembered = row.remembered;
  facts.attempt = row.attempt;
  facts.is_bundle = true;
  EXPECT_EQ(Name(Classify(facts).verdict), Name(row.verdict));
  EXPECT_EQ(Name(Classify(facts).code), Name(row.code));
}

INSTANTIATE_TEST_SUITE_P(
    Table, WriteAnswerAfterLook,
    testing::Values(
        WriteRow{"BadRequest", 400, false, false, 1, Verdict::kQuarantine, Code::kServerRefused},
        WriteRow{"BadRequestWithVersion", 400, true, false, 1, Verdict::kQuarantine, Code::kServerRefused},
        WriteRow{"BadRequestAfterRememberedPatient", 400, false, true, 1, Verdict::kMatchPatientAgain,
                 Code::kPatientNotFound},
        WriteRow{"ConflictOfVersions", 409, true, false, 7, Verdict::kRetry, Code::kServerBusy},
        WriteRow{"ConflictOfVersionsTooOften", 409, true, false, 8, Verdict::kHold, Code::kConflict},
        WriteRow{"ConflictTooOften", 409, false, true, 8, Verdict::kHold, Code::kConflict},
        WriteRow{"Precondition", 412, false, false, 1, Verdict::kHold, Code::kConflict},
        WriteRow{"PreconditionOfVersion", 412, true, false, 1, Verdict::kHold, Code::kConflict},
        WriteRow{"PreconditionAfterRememberedPatient", 412, false, true, 1, Verdict::kMatchPatientAgain,
                 Code::kPatientNotFound}),
    [](const auto& one) { return one.param.name; });

struct LostRow {
  const char* name;
  RequestKind kind;
  Transport transport;
  Code failure;
  Verdict verdict;
};

class LostAnswer : public testing::TestWithParam<LostRow> {};

TEST_P(LostAnswer, Transport_GivesTheVerdictOfTheTable) {
  const LostRow& row = GetParam();
  AnswerFacts facts;
  facts.kind = row.kind;
  facts.transport = row.transport;
  facts.failure = row.failure;
  const Classification classification = Classify(facts);
  EXPECT_EQ(Name(classification.verdict), Name(row.verdict));
  EXPECT_EQ(classification.code, row.failure);
}

INSTANTIATE_TEST_SUITE_P(Table, LostAnswer,
                         testing::Values(LostRow{"WriteNotSent", RequestKind::kWrite, Transport::kNotSent,
                                                 Code::kUnreachable, Verdict::kRetry},
                                         LostRow{"WriteMaybeSent", RequestKind::kWrite, Transport::kMaybeSent,
                                                 Code::kTimeout, Verdict::kAmbiguous},
                                         LostRow{"WriteAnswerTooLarge", RequestKind::kWrite,
                                                 Transport::kMaybeSent, Code::kServerAnswer,
                                                 Verdict::kAmbiguous},
                                         LostRow{"SearchMaybeSent", RequestKind::kPatientSearch,
                                                 Transport::kMaybeSent, Code::kTimeout, Verdict::kRetry},
                                         LostRow{"LookupNotSent", RequestKind::kLookup, Transport::kNotSent,
                                                 Code::kUnreachable, Verdict::kRetry},
                                         LostRow{"BadCertificate", RequestKind::kWrite, Transport::kNotSent,
                                                 Code::kTls, Verdict::kPauseRoute},
                                         LostRow{"NoToken", RequestKind::kWrite, Transport::kNotSent,
                                                 Code::kUnauthorized, Verdict::kPauseRoute}),
                         [](const auto& one) { return one.param.name; });

TEST(Classify, SuccessWithoutReadableBody_IsAmbiguousForAWriteOnly) {
  AnswerFacts facts;
  facts.status = 200;
  facts.body_is_readable = false;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kAmbiguous);
  facts.kind = RequestKind::kLookup;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kRetry);
}

TEST(Classify, BadRequestOfASingleCreation_IsNoConflict) {
  AnswerFacts facts;
  facts.status = 400;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kQuarantine);
  facts.patient_is_remembered = true;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kMatchPatientAgain);
}

TEST(Classify, FormThatTheServerDoesNotTake_IsTriedInALowerOneThenHeld) {
  for (const int status : {405, 501}) {
    AnswerFacts facts;
    facts.status = status;
    facts.is_bundle = true;
    facts.has_lower_rung = true;
    EXPECT_EQ(Classify(facts).verdict, Verdict::kLowerRung);
    facts.has_lower_rung = false;
    EXPECT_EQ(Classify(facts).verdict, Verdict::kPauseRoute);
    facts.is_bundle = false;
    EXPECT_EQ(Classify(facts).verdict, Verdict::kHold);
    EXPECT_EQ(Classify(facts).code, Code::kServerLacks);
  }
}

TEST(Classify, ReadOfSomethingThatIsNotThere_IsAbsent) {
  AnswerFacts facts;
  facts.kind = RequestKind::kLookup;
  facts.status = 404;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kAbsent);
  facts.status = 410;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kAbsent);
}

TEST(Classify, NoFhirServerAtTheAddress_PausesTheRoute) {
  AnswerFacts facts;
  facts.kind = RequestKind::kMetadata;
  facts.status = 404;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kPauseRoute);
  facts.status = 200;
  facts.body_is_readable = false;
  EXPECT_EQ(Classify(facts).verdict, Verdict::kPauseRoute);
}

// 2026-03-01T12:00:00Z
constexpr TimeUs kNow{1'772'366'400'000'000};

TEST(RetryAfter, SecondsAndDates_BecomeADelay) {
  EXPECT_EQ(ParseRetryAfter("120", kNow), 120'000'000);
  EXPECT_EQ(ParseRetryAfter("0", kNow), 0);
  EXPECT_EQ(ParseRetryAfter("Sun, 01 Mar 2026 12:01:30 GMT", kNow), 90'000'000);
  EXPECT_EQ(ParseRetryAfter("Sunday, 01-Mar-26 12:01:30 GMT", kNow), 90'000'000);
  EXPECT_EQ(ParseRetryAfter("Sun Mar  1 12:01:30 2026", kNow), 90'000'000);
}

TEST(RetryAfter, DateInThePast_IsNoDelay) {
  EXPECT_EQ(ParseRetryAfter("Sun, 01 Mar 2026 11:00:00 GMT", kNow), 0);
}

TEST(RetryAfter, Nonsense_IsIgnored) {
  for (const char* text : {"", "soon", "-5", "12 seconds", "1.5", "Sun, 01 Mar 2026"}) {
    EXPECT_EQ(ParseRetryAfter(text, kNow), std::nullopt) << text;
  }
}

TEST(RetryAfter, BeyondTheLimit_IsTheLimit) {
  EXPECT_EQ(ParseRetryAfter("86400", kNow), 86'400'000'000);
  EXPECT_EQ(ParseRetryAfter("86401", kNow), 86'400'000'000);
  EXPECT_EQ(ParseRetryAfter("99999999999999999999", kNow), 86'400'000'000);
}

}  // namespace
}  // namespace fhir_adapter::sync
