// Refusal: why an interaction is not done, as HTTP status and OperationOutcome issues.
//
// Values. A Refusable<T> is a T or the Refusal that stands in its place. FHIR R4 OperationOutcome.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

namespace fhir_adapter::sandbox {

struct OutcomeIssue {
  std::string code;         // of the value set issue-type: "not-found"
  std::string diagnostics;  // for a person; no values of elements
  std::string expression;   // FHIRPath of the element: "Bundle.entry[2].request.url"; may be empty
  std::string severity = "error";
};

struct Refusal {
  int status = 400;
  std::vector<OutcomeIssue> issues;
};

inline Refusal Refuse(int status, std::string code, std::string diagnostics, std::string expression = {}) {
  Refusal refusal;
  refusal.status = status;
  refusal.issues.push_back({std::move(code), std::move(diagnostics), std::move(expression), "error"});
  return refusal;
}

// A failure of the sandbox itself (its store).
inline Refusal RefusalOf(const Error& error) {
  return Refuse(Describe(error.code).http_status, std::string(Describe(error.code).issue_type),
                error.message);
}

template <class T>
class [[nodiscard]] Refusable {
 public:
  Refusable(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Refusable(Refusal refusal) : state_(std::in_place_index<1>, std::move(refusal)) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  Refusal& refusal() & { return std::get<1>(state_); }
  const Refusal& refusal() const& { return std::get<1>(state_); }

 private:
  std::variant<T, Refusal> state_;
};

// Nothing when all is well.
using MaybeRefusal = std::optional<Refusal>;

// The OperationOutcome as JSON.
std::string OutcomeJson(const std::vector<OutcomeIssue>& issues);

}  // namespace fhir_adapter::sandbox
