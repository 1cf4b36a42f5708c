#include "sync/curl_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <curl/curl.h>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "sync/request_trace.h"

namespace fhir_adapter::sync {
namespace {

struct EasyCloser {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiCloser {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct ListCloser {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, EasyCloser>;
using MultiHandle = std::unique_ptr<CURLM, MultiCloser>;
using HeaderList = std::unique_ptr<curl_slist, ListCloser>;

void AddHeader(HeaderList& list, const std::string& line) {
  curl_slist* grown = curl_slist_append(list.get(), line.c_str());
  if (grown == nullptr) std::abort();  // out of memory
  static_cast<void>(list.release());
  list.reset(grown);
}

struct Job {
  FhirRequest request;
  FhirClient::Done done;
};

// One request under way; curl's callbacks get its address, so it stays where it is.
struct Transfer {
  FhirRequest request;
  FhirClient::Done done;
  EasyHandle easy;
  HeaderList headers;
  FhirAnswer answer;
  std::size_t sent = 0;
  std::size_t header_bytes = 0;
  std::size_t answer_bytes_max = 0;
  bool head_is_complete = false;
  bool too_large = false;
  bool stalled = false;
  std::int64_t stall_timeout_us = 0;
  std::int64_t began_us = 0;
  std::int64_t moved_us = 0;  // when a byte last went either way
  curl_off_t moved_bytes = 0;
};

std::size_t TakeBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  if (transfer.answer.body.size() + bytes > transfer.answer_bytes_max) {
    transfer.too_large = true;
    return 0;
  }
  transfer.answer.body.append(data, bytes);
  return bytes;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

std::size_t TakeHeader(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > limits::kAnswerHeaderBytesMax) {
    transfer.too_large = true;
    return 0;
  }
  // An informational answer (1xx) may come first: the last header block is the one that counts.
  if (line.starts_with("HTTP/")) {
    transfer.head_is_complete = false;
    FhirAnswer& answer = transfer.answer;
    for (std::string* field :
         {&answer.etag, &answer.location, &answer.content_location, &answer.retry_after}) {
      field->clear();
    }
    return line.size();
  }
  if (Trimmed(line).empty()) transfer.head_is_complete = true;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string value(Trimmed(line.substr(colon + 1)));
  if (name == "etag") transfer.answer.etag = value;
  if (name == "location") transfer.answer.location = value;
  if (name == "content-location") transfer.answer.content_location = value;
  if (name == "retry-after") transfer.answer.retry_after = value;
  return line.size();
}

// The body is handed over piece by piece, and there is no way back to its beginning: so curl cannot send a
// request a second time by itself when a kept connection breaks. Whether to send again is decided above.
std::size_t GiveBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = std::min(size * count, transfer.request.body.size() - transfer.sent);
  std::copy_n(transfer.request.body.data() + transfer.sent, bytes, data);
  transfer.sent += bytes;
  return bytes;
}

// A server may think for as long as the whole request may take; once bytes move they have to keep moving.
int WatchProgress(void* context, curl_off_t, curl_off_t received, curl_off_t sending, curl_off_t sent) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::int64_t now_us = SystemClock().MonotonicUs();
  const bool waiting = received == 0 && sent >= sending;
  if (waiting || received + sent != transfer.moved_bytes || transfer.moved_us == 0) {
    transfer.moved_bytes = received + sent;
    transfer.moved_us = now_us;
    return 0;
  }
  transfer.stalled = now_us - transfer.moved_us > transfer.stall_timeout_us;
  return transfer.stalled ? 1 : 0;
}

Code FailureOf(CURLcode code, const Transfer& transfer) {
  if (transfer.too_large) return Code::kServerAnswer;
  return transfer.stalled ? Code::kTimeout : sync::FailureOf(code);
}

void FinishAnswer(CURLcode code, Transfer& transfer) {
  FhirAnswer& answer = transfer.answer;
  answer.duration_us = SystemClock().MonotonicUs() - transfer.began_us;
  // curl takes a connection that ends amid the head for an answer without a body.
  if (code == CURLE_OK && transfer.head_is_complete) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    answer.transport = Transport::kAnswered;
    return;
  }
  // Before the transfer proper begins (name, connection, TLS) nothing of the request has left.
  curl_off_t began = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_PRETRANSFER_TIME_T, &began);
  answer.transport = began == 0 && transfer.sent == 0 ? Transport::kNotSent : Transport::kMaybeSent;
  answer.failure = FailureOf(code, transfer);
  answer.status = 0;
  answer.body.clear();
}

Result<std::string> CleanBaseUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const bool scheme = url.starts_with("http://") || url.starts_with("https://");
  const std::size_t host = url.find("://") + 3;
  const std::string authority = scheme ? url.substr(host, url.find('/', host) - host) : "";
  if (authority.empty())
    return Fail(Code::kConfiguration, "[endpoint] base_url must be http://… or https://…");
  if (authority.find('@') != std::string::npos) {
    return Fail(Code::kConfiguration,
                "[endpoint] base_url must not hold a user name or password: use [endpoint.auth]");
  }
  if (url.find_first_of("?# \r\n\t") != std::string::npos) {
    return Fail(Code::kConfiguration, "[endpoint] base_url must not hold a query, a fragment or white space");
  }
  return url;
}

}  // namespace

std::string_view Name(RequestKind kind) {
  switch (kind) {
    case RequestKind::kMetadata:
      return "metadata";
    case RequestKind::kPatientSearch:
      return "patient-search";
    case RequestKind::kLookup:
      return "lookup";
    case RequestKind::kWrite:
      return "write";
  }
  return "";
}

struct CurlClient::Implementation {
  explicit Implementation(CurlClientSettings given)
      : settings(std::move(given)),
        credentials(MakeCredentials(settings.credentials, settings.base_url, settings.tls)) {}

  void Run();
  void Begin(Job job);
  void SetBody(Transfer& transfer);
  void SetHeaders(Transfer& transfer, const std::string& authorization);
  void Collect();
  void FailAll();

  CurlClientSettings settings;
  const std::unique_ptr<Credentials> credentials;
  MultiHandle multi;

  std::mutex mutex;
  std::deque<Job> waiting;
  bool stopping = false;
  bool cancelling = false;

  std::map<CURL*, std::unique_ptr<Transfer>> transfers;  // of the thread
  std::vector<EasyHandle> spare;                         // of the thread; their connections live in `multi`
  std::thread thread;
};

void CurlClient::Implementation::SetHeaders(Transfer& transfer, const std::string& authorization) {
  const FhirRequest& request = transfer.request;
  HeaderList& headers = transfer.headers;
  AddHeader(headers, "Accept: application/fhir+json");
  AddHeader(headers, "Expect:");
  if (request.method == Method::kGet) {
    AddHeader(headers, "Cache-Control: no-cache");
  } else {
    AddHeader(headers, "Content-Type: application/fhir+json; charset=utf-8");
    AddHeader(headers, "Prefer: return=minimal");
  }
  if (!request.if_match.empty()) AddHeader(headers, "If-Match: " + request.if_match);
  if (!request.if_none_exist.empty()) AddHeader(headers, "If-None-Exist: " + request.if_none_exist);
  if (!request.request_id.empty()) AddHeader(headers, "X-Request-Id: " + request.request_id);
  if (!request.traceparent.empty()) AddHeader(headers, "traceparent: " + request.traceparent);
  if (!authorization.empty()) AddHeader(headers, authorization);
  curl_easy_setopt(transfer.easy.get(), CURLOPT_HTTPHEADER, headers.get());
}

void CurlClient::Implementation::SetBody(Transfer& transfer) {
  CURL* easy = transfer.easy.get();
  if (transfer.request.method == Method::kGet) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer.request.body.size()));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &GiveBody);
  curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
  if (transfer.request.method == Method::kPut) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
}

void CurlClient::Implementation::Begin(Job job) {
  // Without a token nothing can be sent, so waiting for one keeps nothing else waiting.
  const Credentials::Current current = credentials->current();
  if (!current.is_available) {
    FhirAnswer answer;
    answer.failure = Code::kUnauthorized;
    answer.credentials = current.generation;
    return job.done(std::move(answer));
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->answer.credentials = current.generation;
  transfer->request = std::move(job.request);
  transfer->done = std::move(job.done);
  transfer->answer_bytes_max = settings.answer_bytes_max;
  transfer->stall_timeout_us = settings.stall_timeout_ms * 1'000;
  transfer->began_us = SystemClock().MonotonicUs();
  if (spare.empty()) {
    transfer->easy.reset(curl_easy_init());
    if (transfer->easy == nullptr) std::abort();  // out of memory
  } else {
    transfer->easy = std::move(spare.back());
    spare.pop_back();
    curl_easy_reset(transfer->easy.get());
  }
  CURL* easy = transfer->easy.get();
  std::string url = settings.base_url;
  const std::string& path = transfer->request.path;
  if (!path.empty()) url += (path.starts_with('?') ? "" : "/") + path;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.request_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(settings.connect_timeout_ms, settings.request_timeout_ms)));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(settings.idle_connection_s));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &TakeHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &WatchProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer.get());
  SetTransportSecurity(easy, settings.tls);
  SetBody(*transfer);
  SetHeaders(*transfer, current.header);
  curl_multi_add_handle(multi.get(), easy);
  transfers.emplace(easy, std::move(transfer));
}

void CurlClient::Implementation::Collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi.get(), easy);
    auto found = transfers.extract(easy);
    Transfer& transfer = *found.mapped();
    FinishAnswer(code, transfer);
    spare.push_back(std::move(transfer.easy));
    transfer.done(std::move(transfer.answer));
  }
}

void CurlClient::Implementation::FailAll() {
  std::deque<Job> never_sent;
  {
    const std::lock_guard lock(mutex);
    never_sent.swap(waiting);
    cancelling = false;
  }
  for (Job& job : never_sent) job.done(FhirAnswer{});
  while (!transfers.empty()) {
    auto found = transfers.extract(transfers.begin());
    Transfer& transfer = *found.mapped();
    curl_multi_remove_handle(multi.get(), transfer.easy.get());
    FinishAnswer(CURLE_ABORTED_BY_CALLBACK, transfer);
    transfer.done(std::move(transfer.answer));
  }
}

void CurlClient::Implementation::Run() {
  for (;;) {
    std::deque<Job> jobs;
    bool stop = false;
    bool cancel = false;
    {
      const std::lock_guard lock(mutex);
      stop = stopping;
      cancel = cancelling;
      if (!stop && !cancel) jobs.swap(waiting);
    }
    if (stop || cancel) FailAll();
    if (stop) return;
    for (Job& job : jobs) Begin(std::move(job));
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    Collect();
    curl_multi_poll(multi.get(), nullptr, 0, 1'000, nullptr);
  }
}

CurlClient::CurlClient(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Result<std::unique_ptr<CurlClient>> CurlClient::Make(CurlClientSettings settings) {
  static const bool initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!initialised) return Fail(Code::kInternal, "libcurl cannot be initialised");
  ADAPTER_TRY(std::string base_url, CleanBaseUrl(std::move(settings.base_url)));
  settings.base_url = std::move(base_url);
  auto implementation = std::make_unique<Implementation>(std::move(settings));
  ADAPTER_CHECK(implementation->credentials->Load());
  implementation->multi.reset(curl_multi_init());
  if (implementation->multi == nullptr) return Fail(Code::kInternal, "libcurl cannot be initialised");
  CURLM* multi = implementation->multi.get();
  const long connections = static_cast<long>(implementation->settings.connections_max);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  Implementation* running = implementation.get();
  implementation->thread = std::thread([running] { running->Run(); });
  return std::unique_ptr<CurlClient>(new CurlClient(std::move(implementation)));
}

CurlClient::~CurlClient() {
  {
    const std::lock_guard lock(implementation_->mutex);
    implementation_->stopping = true;
  }
  curl_multi_wakeup(implementation_->multi.get());
  implementation_->thread.join();
}

void CurlClient::Send(FhirRequest request, Done done) {
  if (request.request_id.empty()) {
    RequestTrace trace = NewRequestTrace(SystemRandom());
    request.request_id = std::move(trace.request_id);
    request.traceparent = std::move(trace.traceparent);
  }
  {
    const std::lock_guard lock(implementation_->mutex);
    implementation_->waiting.push_back({std::move(request), std::move(done)});
  }
  curl_multi_wakeup(implementation_->multi.get());
}

bool CurlClient::RefreshCredentials(std::int64_t used) {
  return implementation_->credentials->Refresh(used);
}

void CurlClient::CancelAll() {
  {
    const std::lock_guard lock(implementation_->mutex);
    implementation_->cancelling = true;
  }
  curl_multi_wakeup(implementation_->multi.get());
}

const std::string& CurlClient::base_url() const {
  return implementation_->settings.base_url;
}

}  // namespace fhir_adapter::sync
