// What a server's answer means for the work. Pure functions; thread-safe.
//
// FHIR R4 http.html#Status-Codes, RFC 9110 section 15 and 10.2.3 (Retry-After). Never repeats a write whose
// answer is unknown without looking first, and never overwrites what somebody else changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/error.h"
#include "core/result.h"
#include "sync/fhir_client.h"

namespace fhir_adapter::sync {

enum class Verdict : std::uint8_t {
  kSucceeded,
  kAbsent,              // a read of something that is not there (404, 410)
  kRetry,               // counts against the budget
  kAmbiguous,           // may have been carried out: look first
  kQuarantine,          // needs a person
  kRefreshCredentials,  // once, then kPauseRoute
  kPauseRoute,          // nothing can be sent for now, through no fault of the work
  kMatchPatientAgain,   // the patient may have gone or been merged
  kLowerRung,           // the server does not take what is sent in this form
  kHold,                // the server does not take it in any form
  kReread,              // somebody else may have changed what is updated: read, then decide
};

std::string_view Name(Verdict verdict);

struct AnswerFacts {
  RequestKind kind = RequestKind::kWrite;
  Transport transport = Transport::kAnswered;
  Code failure = Code::kUnreachable;  // unless answered
  int status = 0;
  bool body_is_readable = true;        // the body is what an answer of this status must hold
  bool has_if_match = false;           // a condition on a version was sent
  bool has_reread = false;             // what was sent has been looked for since: nobody has changed it
  bool patient_is_remembered = false;  // the patient's id came from an earlier request
  bool is_bundle = false;              // several resources in one request
  bool has_lower_rung = false;         // there is another form to send it in
  int attempt = 1;
};

struct Classification {
  Verdict verdict = Verdict::kSucceeded;
  Code code = Code::kInternal;  // the reason; nothing for kSucceeded and kAbsent

  bool operator==(const Classification&) const = default;
};

Classification Classify(const AnswerFacts& facts);

// For a command that asks the server something and cannot go on without the answer.
Failure CannotAsk(const Classification& classification, int status);

// Seconds or an HTTP date, as microseconds from now; never negative, at most limits::kRetryAfterSecondsMax.
// Nothing for anything else.
std::optional<std::int64_t> ParseRetryAfter(std::string_view text, TimeUs now);

}  // namespace fhir_adapter::sync
