// Result<T>: a value or an Error, with the member names of std::expected.
//
//   Result<int> Parse(std::string_view text);
//   ADAPTER_TRY(const int n, Parse("12"));   // returns the error from the enclosing function
//
// Not thread-safe beyond what T is. Reading value() of an error aborts: that is a defect of the caller.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "core/error.h"

namespace fhir_adapter {

// What Fail() makes: converts to any Result<T>.
struct Failure {
  Error error;
};

inline Failure Fail(Error error) {
  return Failure{std::move(error)};
}
inline Failure Fail(Code code, std::string message, Location where = {}) {
  return Failure{Error{code, std::move(message), std::move(where)}};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    if (T* const value = std::get_if<0>(&state_)) return *value;
    std::abort();
  }
  const T& value() const& {
    if (const T* const value = std::get_if<0>(&state_)) return *value;
    std::abort();
  }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    if (const Error* const error = std::get_if<1>(&state_)) return *error;
    std::abort();
  }
  Error&& error() && { return std::move(const_cast<Error&>(std::as_const(*this).error())); }

  T value_or(T fallback) && { return has_value() ? std::move(value()) : std::move(fallback); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failed_(true), error_(std::move(failure.error)) {}  // NOLINT

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  void value() const {
    if (failed_) std::abort();
  }
  const Error& error() const& {
    if (!failed_) std::abort();
    return error_;
  }
  Error&& error() && {
    if (!failed_) std::abort();
    return std::move(error_);
  }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace fhir_adapter

#define ADAPTER_CONCAT_INNER(a, b) a##b
#define ADAPTER_CONCAT(a, b) ADAPTER_CONCAT_INNER(a, b)

// Declares `declaration` from the value of `expression`, or returns its error.
#define ADAPTER_TRY(declaration, ...) \
  ADAPTER_TRY_AS(ADAPTER_CONCAT(adapter_try_, __LINE__), declaration, __VA_ARGS__)
#define ADAPTER_TRY_AS(name, declaration, ...)                     \
  auto name = (__VA_ARGS__);                                       \
  if (!name) return ::fhir_adapter::Fail(std::move(name).error()); \
  declaration = std::move(name).value()

// The same for a Result<void>.
#define ADAPTER_CHECK(...)                                           \
  do {                                                               \
    if (auto adapter_check = (__VA_ARGS__); !adapter_check)          \
      return ::fhir_adapter::Fail(std::move(adapter_check).error()); \
  } while (false)
