// A small blocking HTTP client for tests, over libcurl, and a raw connection for what a client must not send.
//
// One object for one thread. Nothing waits longer than the deadline given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fhir_adapter::test {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
  int status = 0;  // 0: no answer; `error` says why
  HeaderList headers;
  std::string body;
  std::string error;

  // The first of that name, without regard to case; empty when there is none.
  std::string Header(std::string_view name) const;
};

class HttpClient {
 public:
  // "http://127.0.0.1:8630/fhir"; paths are appended to it. With `unix_socket_path` the connection goes
  // there.
  explicit HttpClient(std::string base_url, std::string unix_socket_path = {});
  HttpClient(HttpClient&& other) noexcept;
  ~HttpClient();

  HttpReply Send(const std::string& method, const std::string& path, const std::string& body = {},
                 const HeaderList& headers = {});
  HttpReply Get(const std::string& path, const HeaderList& headers = {});
  HttpReply Post(const std::string& path, const std::string& body, const HeaderList& headers = {});
  HttpReply Put(const std::string& path, const std::string& body, const HeaderList& headers = {});
  HttpReply Delete(const std::string& path, const HeaderList& headers = {});

  void set_content_type(std::string content_type) { content_type_ = std::move(content_type); }
  // Of an https server: the CA certificates that it is known by, and what we show of ourselves (may be
  // empty).
  void set_tls(std::string authority_file, std::string certificate_file = {}, std::string key_file = {}) {
    authority_file_ = std::move(authority_file);
    certificate_file_ = std::move(certificate_file);
    key_file_ = std::move(key_file);
  }
  void set_timeout_ms(std::int64_t timeout_ms) { timeout_ms_ = timeout_ms; }
  // libcurl repeats a request by itself when a connection that it had used before closes without an answer.
  // Where a lost answer is the point of the test, each request needs a connection of its own.
  void set_fresh_connections(bool fresh) { fresh_connections_ = fresh; }

 private:
  struct Handle;
  std::string base_url_;
  std::string unix_socket_path_;
  std::string content_type_ = "application/fhir+json";
  std::string authority_file_;
  std::string certificate_file_;
  std::string key_file_;
  std::int64_t timeout_ms_ = 30'000;
  bool fresh_connections_ = false;
  std::unique_ptr<Handle> handle_;
};

// A TCP connection to 127.0.0.1 that sends and receives bytes as they are.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool connected() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }  // for poll()
  bool Send(std::string_view bytes) const;
  void FinishSending() const;  // half-closes
  // Everything until the peer closes or the deadline passes.
  std::string ReadAll(std::int64_t deadline_ms = 10'000);
  // Until `text` has come, the peer closes, or the deadline passes. Returns all that has come so far.
  std::string ReadUntil(std::string_view text, std::int64_t deadline_ms = 10'000);
  // True once the peer has closed.
  bool closed() const { return closed_; }

 private:
  bool ReadSome(std::int64_t deadline_us);
  int descriptor_ = -1;
  bool closed_ = false;
  std::string received_;
};

}  // namespace fhir_adapter::test
