// PatientMatcher: finds the hospital's Patient of a record by its number, and never guesses.
//
// None: patient-not-found. More than one: patient-ambiguous. Another birth date or sex than the record has:
// patient-mismatch; only what both sides have is compared, to the shorter precision. Matches are remembered
// for a short while; misses are not. Used from one thread; `done` is called on it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "outbox/delivery_plan.h"
#include "sync/fhir_client.h"
#include "sync/request_trace.h"
#include "sync/response_classifier.h"

namespace fhir_adapter::sync {

struct PatientMatch {
  enum class Outcome : std::uint8_t {
    kFound,
    kHeld,    // see `held`
    kFailed,  // the server could not be asked: see `answer` and `classification`
  };
  Outcome outcome = Outcome::kFound;
  std::string reference;    // "Patient/x"
  bool remembered = false;  // from an earlier request
  Code held = Code::kPatientNotFound;
  FhirAnswer answer;
  Classification classification;
};

struct PatientMatcherSettings {
  std::string identifier_system;
  std::int64_t remember_us = 300'000'000;
};

class PatientMatcher {
 public:
  using Done = std::function<void(PatientMatch)>;

  PatientMatcher(FhirClient& client, Clock& clock, PatientMatcherSettings settings);

  // A patient that an operator linked is taken as it is.
  void Match(const outbox::PatientReference& patient, const RequestTrace& trace, Done done);
  void Forget(const std::string& patient_key);

 private:
  struct Known {
    std::string reference;
    std::string birth_date;
    std::string gender;
    std::int64_t until_us = 0;  // monotonic
  };

  PatientMatch Read(const outbox::PatientReference& patient, FhirAnswer answer);
  PatientMatch Compare(const outbox::PatientReference& patient, const Known& known, bool remembered) const;

  FhirClient& client_;
  Clock& clock_;
  const PatientMatcherSettings settings_;
  std::map<std::string, Known> known_;  // by patient_key
};

// True when one date begins with the other: 1960 agrees with 1960-04-05. An empty one agrees with all.
bool DatesAgree(std::string_view a, std::string_view b);
// The same for sexes; `unknown` and empty say nothing.
bool SexesAgree(std::string_view a, std::string_view b);

}  // namespace fhir_adapter::sync
