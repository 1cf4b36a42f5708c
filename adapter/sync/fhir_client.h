// FhirClient: the port to the FHIR server. Requests and answers are values; what they mean is decided
// elsewhere.
//
// Send returns at once. `done` is called exactly once, on a thread of the client, and must be short. All
// methods are thread-safe. A client never repeats a request by itself once a byte of its body was sent, never
// follows a redirect, and never logs a URL (queries hold patient identifiers).
//
// FHIR R4 http.html; RFC 9110; trace context: W3C Trace Context.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/error.h"

namespace fhir_adapter::sync {

enum class RequestKind : std::uint8_t {
  kMetadata,
  kPatientSearch,
  kLookup,  // what the server holds of ours
  kWrite,
};
inline constexpr int kRequestKinds = 4;

std::string_view Name(RequestKind kind);

enum class Method : std::uint8_t { kGet, kPost, kPut };

struct FhirRequest {
  RequestKind kind = RequestKind::kLookup;
  Method method = Method::kGet;
  std::string path;  // below the base URL, without a slash in front: "metadata", "Patient?identifier=…",
                     // "?page=…"; "" posts to the base
  std::string body;
  std::string if_match;       // W/"3"; empty: none
  std::string if_none_exist;  // query part; empty: none
  std::string request_id;     // X-Request-Id; empty: the client makes one, and a traceparent
  std::string traceparent;
};

// Whether the server may have acted.
enum class Transport : std::uint8_t {
  kAnswered,   // status and body are complete
  kNotSent,    // nothing of the request reached the server
  kMaybeSent,  // something was sent, and no complete answer came
};

struct FhirAnswer {
  Transport transport = Transport::kNotSent;
  Code failure = Code::kUnreachable;  // unless answered: kUnreachable, kTimeout, kTls, kServerAnswer (too
                                      // large), kUnauthorized (there is no token to send it with)
  int status = 0;                     // 0 unless answered
  std::string body;
  std::string etag;
  std::string location;
  std::string content_location;
  std::string retry_after;
  std::int64_t duration_us = 0;
  std::int64_t credentials = 0;  // which ones were used; see Refresh
};

class FhirClient {
 public:
  using Done = std::function<void(FhirAnswer)>;

  virtual ~FhirClient() = default;

  virtual void Send(FhirRequest request, Done done) = 0;

  // The credentials numbered `used` were refused: reads them again. True when there are others now.
  virtual bool RefreshCredentials(std::int64_t used) = 0;

  // Ends what is under way; each `done` is called. For stopping.
  virtual void CancelAll() = 0;

  virtual const std::string& base_url() const = 0;  // without a slash at the end
};

}  // namespace fhir_adapter::sync
