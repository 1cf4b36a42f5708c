#include "app/alert_command.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "core/log.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared by the program

namespace fhir_adapter::app {
namespace {

constexpr std::chrono::milliseconds kLook{20};
// More than there are kinds, twice: what waits longer than that is news of yesterday.
constexpr std::size_t kWaitingMax = 32;

struct SpawnActions {
  SpawnActions() { posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions{};
};

struct SpawnAttributes {
  SpawnAttributes() { posix_spawnattr_init(&attributes); }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t attributes{};
};

// In a process group of its own, with the signals that this process blocks let through again. 0 or an errno.
int Spawn(const std::vector<std::string>& words, pid_t& child) {
  SpawnActions actions;
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions.actions, descriptor, "/dev/null",
                                     descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions.actions, STDERR_FILENO + 1);
  SpawnAttributes attributes;
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes.attributes, &signals);
  posix_spawnattr_setpgroup(&attributes.attributes, 0);
  posix_spawnattr_setflags(&attributes.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> copies = words;  // argv is not const
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return posix_spawnp(&child, arguments[0], &actions.actions, &attributes.attributes, arguments.data(),
                      environ);
}

// The wait status of the child, which is gone then; killed at the limit.
int WaitFor(pid_t child, std::int64_t limit_ms, bool& was_killed) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  for (;;) {
    int status = 0;
    const pid_t gone = waitpid(child, &status, was_killed ? 0 : WNOHANG);
    if (gone == child) return status;
    if (gone < 0 && errno != EINTR) return 0;
    if (std::chrono::steady_clock::now() >= end && !was_killed) {
      was_killed = true;
      kill(-child, SIGKILL);
      continue;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

AlertCommand::AlertCommand(std::vector<std::string> words, std::int64_t limit_ms)
    : words_(std::move(words)), limit_ms_(limit_ms) {
  if (!words_.empty()) thread_ = std::thread([this] { Work(); });
}

AlertCommand::~AlertCommand() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AlertCommand::Run(const Alert& alert) {
  if (words_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kWaitingMax) waiting_.pop_front();
    waiting_.push_back(alert);
  }
  wake_.notify_all();
}

void AlertCommand::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    const Alert alert = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    RunOne(alert);
    lock.lock();
  }
}

void AlertCommand::RunOne(const Alert& alert) const {
  std::vector<std::string> words = words_;
  words.insert(words.end(),
               {alert.has_started ? "started" : "ended", std::string(Name(alert.kind)), alert.reason});
  pid_t child = 0;
  if (const int failure = Spawn(words, child); failure != 0) {
    LogEvent(LogLevel::kError, "alert-command-failed",
             {{"command", words_[0]}, {"message", std::string(std::strerror(failure))}});
    return;
  }
  bool was_killed = false;
  const int status = WaitFor(child, limit_ms_, was_killed);
  const bool is_good = !was_killed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (is_good) return;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  LogEvent(LogLevel::kError, "alert-command-failed",
           {{"command", words_[0]},
            {"message", was_killed ? "it ran for too long and was ended" : "it did not end well"},
            {"exit", code}});
}

}  // namespace fhir_adapter::app
