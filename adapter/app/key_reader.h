// KeyReader: a thread that reads an authorisation server's keys, from a file or an https URL, when they are
// due.
//
// Owns its KeyCache, which may be used from any thread. Log events: `token-keys-loaded`, `token-keys-trouble`
// (once, until it has gone).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "app/key_cache.h"
#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::app {

class KeyReader {
 public:
  // `read` gives the JSON Web Key Set as text; it is called on the thread, and may take its time.
  KeyReader(std::function<Result<std::string>()> read, Clock& clock);
  ~KeyReader();  // ends the thread; a reading under way is waited for
  KeyReader(const KeyReader&) = delete;
  KeyReader& operator=(const KeyReader&) = delete;

  void Start();
  void AskAgain();  // SIGHUP

  std::shared_ptr<const JsonWebKeySet> keys() const { return cache_.keys(); }
  bool IsWorthWaiting(const std::string& key_id);

 private:
  void Run();
  void ReadOnce();

  const std::function<Result<std::string>()> read_;
  KeyCache cache_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool has_trouble_ = false;  // of the thread alone
  std::thread thread_;
};

}  // namespace fhir_adapter::app
