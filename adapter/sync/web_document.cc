#include "sync/web_document.h"

#include <curl/curl.h>
#include <memory>

#include "core/clock.h"
#include "core/limits.h"
#include "sync/request_trace.h"

namespace fhir_adapter::sync {
namespace {

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

struct Bounded {
  std::string text;
  std::size_t bytes_max = 0;
};

std::size_t TakeBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& body = *static_cast<Bounded*>(context);
  const std::size_t bytes = size * count;
  if (bytes > body.bytes_max - body.text.size()) return 0;
  body.text.append(data, bytes);
  return bytes;
}

}  // namespace

Result<WebDocument> Fetch(const WebRequest& request, const TlsSettings& tls) {
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (easy == nullptr) return Fail(Code::kInternal, "libcurl cannot be initialised");
  const RequestTrace trace = NewRequestTrace(SystemRandom());
  curl_slist* list = curl_slist_append(nullptr, "Accept: application/json");
  list = curl_slist_append(list, ("X-Request-Id: " + trace.request_id).c_str());
  list = curl_slist_append(list, ("traceparent: " + trace.traceparent).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, &curl_slist_free_all);
  Bounded body{{}, request.bytes_max};
  SetTransportSecurity(easy.get(), tls);
  curl_easy_setopt(easy.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(limits::kTokenTimeoutMs));
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
  if (!request.form.empty()) curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, request.form.c_str());
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_WRITE_ERROR) return Fail(Code::kServerAnswer, "the answer is too long: " + request.url);
  if (code != CURLE_OK) {
    return Fail(FailureOf(code), std::string(curl_easy_strerror(code)) + ": " + request.url);
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return WebDocument{static_cast<int>(status), std::move(body.text)};
}

}  // namespace fhir_adapter::sync
