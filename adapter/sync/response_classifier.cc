#include "sync/response_classifier.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <time.h>

#include "core/limits.h"

namespace fhir_adapter::sync {
namespace {

constexpr Classification Make(Verdict verdict, Code code) {
  return Classification{verdict, code};
}

Classification ClassifyLost(const AnswerFacts& facts) {
  if (facts.failure == Code::kTls) return Make(Verdict::kPauseRoute, Code::kTls);
  if (facts.failure == Code::kUnauthorized) return Make(Verdict::kPauseRoute, Code::kUnauthorized);
  if (facts.transport == Transport::kMaybeSent && facts.kind == RequestKind::kWrite) {
    return Make(Verdict::kAmbiguous, facts.failure);
  }
  return Make(Verdict::kRetry, facts.failure);
}

// A condition on a version failed, or one that several resources meet, or a rule of the server's own. 400 of
// a transaction can stand for the 412 of one of its entries.
bool MayBeConflict(const AnswerFacts& facts) {
  if (facts.status == 400) return facts.has_if_match || facts.is_bundle;
  return facts.status == 409 || facts.status == 412;
}

Classification ClassifyRefusedWrite(const AnswerFacts& facts) {
  // Writers that meet: the loser is to try again.
  const bool may_pass = facts.status == 409 && (!facts.has_if_match || facts.has_reread);
  if (may_pass && facts.attempt < limits::kDuplicateAttemptsMax) {
    return Make(Verdict::kRetry, Code::kServerBusy);
  }
  if (MayBeConflict(facts) && !facts.has_reread) return Make(Verdict::kReread, Code::kConflict);
  const bool may_be_patient =
      facts.status == 400 || facts.status == 404 || facts.status == 412 || facts.status == 422;
  if (facts.patient_is_remembered && may_be_patient) {
    return Make(Verdict::kMatchPatientAgain, Code::kPatientNotFound);
  }
  const bool is_conflict = facts.status == 409 || facts.status == 412;
  return is_conflict ? Make(Verdict::kHold, Code::kConflict)
                     : Make(Verdict::kQuarantine, Code::kServerRefused);
}

// Nothing was carried out. A server that takes no bundles takes nobody's; one that does not take a resource
// may take others.
Classification ClassifyLack(const AnswerFacts& facts) {
  if (facts.has_lower_rung) return Make(Verdict::kLowerRung, Code::kServerLacks);
  return Make(facts.is_bundle ? Verdict::kPauseRoute : Verdict::kHold, Code::kServerLacks);
}

Classification ClassifyClientError(const AnswerFacts& facts) {
  switch (facts.status) {
    case 401:
      return Make(Verdict::kRefreshCredentials, Code::kUnauthorized);
    case 403:
    case 407:
      return Make(Verdict::kPauseRoute, Code::kUnauthorized);
    case 405:
      if (facts.kind != RequestKind::kWrite) break;
      return ClassifyLack(facts);
    case 408:
      return Make(Verdict::kRetry, Code::kTimeout);
    case 423:
    case 425:
    case 429:
      return Make(Verdict::kRetry, Code::kServerBusy);
    default:
      break;
  }
  if (facts.kind == RequestKind::kWrite) return ClassifyRefusedWrite(facts);
  if (facts.kind == RequestKind::kLookup && (facts.status == 404 || facts.status == 410)) {
    return Make(Verdict::kAbsent, Code::kNotFound);
  }
  // The address is not that of a FHIR server: waiting helps, other work would fare no better.
  if (facts.kind == RequestKind::kMetadata) return Make(Verdict::kPauseRoute, Code::kServerAnswer);
  return Make(Verdict::kQuarantine, Code::kServerRefused);
}

// tm in UTC to seconds since 1970; timegm is in every libc we build on.
std::optional<std::int64_t> ParseHttpDate(const std::string& text) {
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return static_cast<std::int64_t>(::timegm(&parts));
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSucceeded:
      return "succeeded";
    case Verdict::kAbsent:
      return "absent";
    case Verdict::kRetry:
      return "retry";
    case Verdict::kAmbiguous:
      return "ambiguous";
    case Verdict::kQuarantine:
      return "quarantine";
    case Verdict::kRefreshCredentials:
      return "refresh-credentials";
    case Verdict::kPauseRoute:
      return "pause-route";
    case Verdict::kMatchPatientAgain:
      return "match-patient-again";
    case Verdict::kLowerRung:
      return "lower-rung";
    case Verdict::kHold:
      return "hold";
    case Verdict::kReread:
      return "reread";
  }
  return "";
}

Classification Classify(const AnswerFacts& facts) {
  if (facts.transport != Transport::kAnswered) return ClassifyLost(facts);
  if (facts.status >= 200 && facts.status < 300) {
    if (facts.body_is_readable) return Make(Verdict::kSucceeded, Code::kInternal);
    // The server acted, and what it did is not known.
    if (facts.kind == RequestKind::kWrite) return Make(Verdict::kAmbiguous, Code::kServerAnswer);
    if (facts.kind == RequestKind::kMetadata) return Make(Verdict::kPauseRoute, Code::kServerAnswer);
    return Make(Verdict::kRetry, Code::kServerAnswer);
  }
  if (facts.status >= 400 && facts.status < 500) return ClassifyClientError(facts);
  if (facts.status == 501 || facts.status == 505) {
    if (facts.kind == RequestKind::kMetadata) return Make(Verdict::kPauseRoute, Code::kServerAnswer);
    if (facts.kind == RequestKind::kWrite) return ClassifyLack(facts);
    return Make(Verdict::kQuarantine, Code::kServerRefused);
  }
  if (facts.status >= 500) return Make(Verdict::kRetry, Code::kServerBusy);
  // Redirects are not followed (credentials would go with them), and an informational status is no answer.
  return Make(Verdict::kPauseRoute, Code::kServerAnswer);
}

Failure CannotAsk(const Classification& classification, int status) {
  const std::string what =
      status == 0 ? std::string(Name(classification.code)) : "HTTP " + std::to_string(status);
  return Fail(classification.code, "the server could not be asked: " + what);
}

std::optional<std::int64_t> ParseRetryAfter(std::string_view text, TimeUs now) {
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc::result_out_of_range) {
    seconds = limits::kRetryAfterSecondsMax;
  } else if (error != std::errc() || end != text.data() + text.size()) {
    const std::optional<std::int64_t> moment = ParseHttpDate(std::string(text));
    if (!moment) return std::nullopt;
    seconds = *moment - now.us / 1'000'000;
  } else if (seconds < 0) {
    return std::nullopt;
  }
  return std::clamp<std::int64_t>(seconds, 0, limits::kRetryAfterSecondsMax) * 1'000'000;
}

}  // namespace fhir_adapter::sync
