#include "support/http_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstring>
#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fhir_adapter::test {

namespace {

std::size_t AppendBody(char* data, std::size_t size, std::size_t count, void* target) {
  static_cast<std::string*>(target)->append(data, size * count);
  return size * count;
}

std::size_t AppendHeader(char* data, std::size_t size, std::size_t count, void* target) {
  auto& headers = *static_cast<HeaderList*>(target);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) headers.clear();  // of an interim response
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    headers.emplace_back(line.substr(0, colon), value);
  }
  return size * count;
}

std::int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct HttpClient::Handle {
  Handle() : curl(curl_easy_init()) {}
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  CURL* curl;
};

std::string HttpReply::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key.size() == name.size() && strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
  }
  return {};
}

HttpClient::HttpClient(std::string base_url, std::string unix_socket_path)
    : base_url_(std::move(base_url)),
      unix_socket_path_(std::move(unix_socket_path)),
      handle_(std::make_unique<Handle>()) {}

HttpClient::HttpClient(HttpClient&& other) noexcept = default;
HttpClient::~HttpClient() = default;

HttpReply HttpClient::Send(const std::string& method, const std::string& path, const std::string& body,
                           const HeaderList& headers) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // keeps the connection
  HttpReply reply;
  const std::string url = base_url_ + path;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms_));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, AppendBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, AppendHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply.headers);
  if (!unix_socket_path_.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_socket_path_.c_str());
  }
  if (!authority_file_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, authority_file_.c_str());
  if (!certificate_file_.empty()) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate_file_.c_str());
    curl_easy_setopt(curl, CURLOPT_SSLKEY, key_file_.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, fresh_connections_ ? 1L : 0L);
  if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  if (!body.empty() || method == "POST" || method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    const bool has_type = std::any_of(headers.begin(), headers.end(), [](const auto& header) {
      return strcasecmp(header.first.c_str(), "Content-Type") == 0;
    });
    if (!has_type) list = curl_slist_append(list, ("Content-Type: " + content_type_).c_str());
  }
  for (const auto& [name, value] : headers) list = curl_slist_append(list, (name + ": " + value).c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(list);
  if (code != CURLE_OK) {
    reply.error = curl_easy_strerror(code);
    return reply;
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

HttpReply HttpClient::Get(const std::string& path, const HeaderList& headers) {
  return Send("GET", path, {}, headers);
}
HttpReply HttpClient::Post(const std::string& path, const std::string& body, const HeaderList& headers) {
  return Send("POST", path, body, headers);
}
HttpReply HttpClient::Put(const std::string& path, const std::string& body, const HeaderList& headers) {
  return Send("PUT", path, body, headers);
}
HttpReply HttpClient::Delete(const std::string& path, const HeaderList& headers) {
  return Send("DELETE", path, {}, headers);
}

RawConnection::RawConnection(std::uint16_t port) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(descriptor_);
    descriptor_ = -1;
  }
}

RawConnection::~RawConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool RawConnection::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawConnection::FinishSending() const {
  shutdown(descriptor_, SHUT_WR);
}

bool RawConnection::ReadSome(std::int64_t deadline_us) {
  const std::int64_t left_ms = (deadline_us - NowUs()) / 1'000;
  if (closed_ || left_ms <= 0) return false;
  pollfd ready{descriptor_, POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(left_ms)) <= 0) return false;
  std::array<char, 16'384> chunk{};
  const ssize_t count = recv(descriptor_, chunk.data(), chunk.size(), 0);
  if (count <= 0) {
    closed_ = true;
    return false;
  }
  received_.append(chunk.data(), static_cast<std::size_t>(count));
  return true;
}

std::string RawConnection::ReadAll(std::int64_t deadline_ms) {
  const std::int64_t deadline_us = NowUs() + deadline_ms * 1'000;
  while (ReadSome(deadline_us)) {
  }
  return received_;
}

std::string RawConnection::ReadUntil(std::string_view text, std::int64_t deadline_ms) {
  const std::int64_t deadline_us = NowUs() + deadline_ms * 1'000;
  while (received_.find(text) == std::string::npos && ReadSome(deadline_us)) {
  }
  return received_;
}

}  // namespace fhir_adapter::test
