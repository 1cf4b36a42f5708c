// KeyCache: the keys of an authorisation server in memory, and when they have to be read again.
//
// Read every limits::kJwtKeysRefreshSeconds; sooner, but not more often than every
// limits::kJwtKeysRetrySeconds, when a token names a key that is not here or the last reading failed. A set
// that could not be read again for limits::kJwtKeysMaxAgeSeconds is no longer believed, since keys are also
// withdrawn. Thread-safe; reads nothing itself (KeyReader does).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "app/json_web_key.h"
#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::app {

class KeyCache {
 public:
  explicit KeyCache(Clock& clock) : clock_(clock) {}

  // Null: none yet, or too old.
  std::shared_ptr<const JsonWebKeySet> keys() const;

  // A token names a key that is not here. True: they will be read again, and the client should ask again;
  // false: they were read again since, and it was not among them.
  bool IsWorthWaiting(const std::string& key_id);

  // How long until they have to be read again; 0: now.
  std::int64_t DueInUs() const;
  void AskAgain();  // at once, whatever was before

  // What a reading gave. True when the keys are others than before.
  bool Take(const Result<std::string>& json);
  // Of the last reading; empty when it went well.
  std::string trouble() const;

 private:
  Clock& clock_;
  mutable std::mutex mutex_;                   // guards what follows
  std::shared_ptr<const JsonWebKeySet> keys_;  // shared with requests that are being looked at
  std::string json_;
  std::int64_t read_us_ = 0;             // when keys_ was read
  std::int64_t next_us_ = 0;             // when the next reading is due
  std::int64_t earliest_us_ = 0;         // before which no reading is due
  bool is_asked_again_ = false;          // since the last reading ended
  std::set<std::string> missing_;        // asked for since the last reading
  std::set<std::string> known_missing_;  // asked for before it, and not in it
  std::string trouble_;
};

}  // namespace fhir_adapter::app
