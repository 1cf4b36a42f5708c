#include "app/key_reader.h"

#include <chrono>
#include <utility>

#include "core/log.h"

namespace fhir_adapter::app {

KeyReader::KeyReader(std::function<Result<std::string>()> read, Clock& clock)
    : read_(std::move(read)), cache_(clock) {}

KeyReader::~KeyReader() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KeyReader::Start() {
  thread_ = std::thread([this] { Run(); });
}

void KeyReader::AskAgain() {
  cache_.AskAgain();
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
}

bool KeyReader::IsWorthWaiting(const std::string& key_id) {
  const bool is_worth_it = cache_.IsWorthWaiting(key_id);
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
  return is_worth_it;
}

void KeyReader::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (const std::int64_t due_us = cache_.DueInUs(); due_us > 0) {
      changed_.wait_for(lock, std::chrono::microseconds(due_us));
      continue;
    }
    lock.unlock();
    ReadOnce();
    lock.lock();
  }
}

void KeyReader::ReadOnce() {
  if (cache_.Take(read_())) {
    LogEvent(LogLevel::kInfo, "token-keys-loaded", {{"keys", cache_.keys()->size()}});
  }
  const std::string trouble = cache_.trouble();
  if (!std::exchange(has_trouble_, !trouble.empty()) && !trouble.empty()) {
    LogEvent(LogLevel::kError, "token-keys-trouble", {{"message", trouble}});
  }
}

}  // namespace fhir_adapter::app
