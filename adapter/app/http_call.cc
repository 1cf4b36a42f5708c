#include "app/http_call.h"

#include <curl/curl.h>
#include <memory>

#include "sync/transport_security.h"

namespace fhir_adapter::app {
namespace {

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Body {
  std::string& text;
  std::size_t bytes_max;  // 0: any
};

std::size_t Append(char* bytes, std::size_t size, std::size_t count, void* into) {
  const Body& body = *static_cast<Body*>(into);
  if (body.bytes_max > 0 && size * count > body.bytes_max - body.text.size()) return 0;  // ends the transfer
  body.text.append(bytes, size * count);
  return size * count;
}

}  // namespace

Result<HttpAnswer> Perform(const HttpCall& call) {
  static const bool initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const std::unique_ptr<CURL, CurlDeleter> handle(initialised ? curl_easy_init() : nullptr);
  if (!handle) return Fail(Code::kInternal, "libcurl cannot be initialised");
  HttpAnswer answer;
  CURL* curl = handle.get();
  const sync::TlsSettings tls{call.tls.authority_file, call.tls.client_certificate_file,
                              call.tls.client_key_file};
  sync::SetTransportSecurity(curl, tls);
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout_ms));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Append);
  Body body{answer.body, call.answer_bytes_max};
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  if (!call.unix_socket_path.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call.unix_socket_path.c_str());
  }
  std::unique_ptr<curl_slist, CurlDeleter> headers(curl_slist_append(nullptr, "Expect:"));
  if (!call.content_type.empty()) {
    headers.reset(curl_slist_append(headers.release(), ("Content-Type: " + call.content_type).c_str()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  if (!call.token.empty()) {
    headers.reset(curl_slist_append(headers.release(), ("Authorization: Bearer " + call.token).c_str()));
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = curl_easy_perform(curl);
  const std::string where = call.unix_socket_path.empty() ? call.url : call.unix_socket_path;
  if (code == CURLE_OPERATION_TIMEDOUT) return Fail(Code::kTimeout, where + " did not answer in time");
  if (code != CURLE_OK) return Fail(sync::FailureOf(code), where + ": " + curl_easy_strerror(code));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t wait = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
  answer.retry_after_s = wait;
  return answer;
}

}  // namespace fhir_adapter::app
