#include "support/process.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fhir_adapter::test {

namespace {

using SteadyClock = std::chrono::steady_clock;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    std::perror("pipe2");
    std::abort();
  }
  return {ends[0], ends[1]};
}

[[noreturn]] void RunChild(const ProcessOptions& options, std::vector<char*>& arguments, const Pipe& input,
                           const Pipe& output, const Pipe& error) {
  dup2(input.read_end, STDIN_FILENO);
  dup2(output.write_end, STDOUT_FILENO);
  dup2(error.write_end, STDERR_FILENO);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) _exit(126);
  execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  _exit(127);
}

}  // namespace

struct Process::Output {
  struct Stream {
    int descriptor = -1;
    std::string text;
    std::size_t searched = 0;  // offset of the first line that WaitForLine has not looked at
    bool open = true;
    std::thread reader;
  };

  void Read(Stream& stream) {
    std::array<char, 4'096> chunk{};
    while (true) {
      const ssize_t count = read(stream.descriptor, chunk.data(), chunk.size());
      const std::lock_guard lock(mutex);
      if (count > 0) stream.text.append(chunk.data(), static_cast<std::size_t>(count));
      if (count <= 0) stream.open = false;
      changed.notify_all();
      if (count <= 0) return;
    }
  }

  std::optional<std::string> NextLine(Stream& stream, std::string_view wanted) {
    while (true) {
      const std::size_t end = stream.text.find('\n', stream.searched);
      if (end == std::string::npos) return std::nullopt;
      std::string line = stream.text.substr(stream.searched, end - stream.searched);
      stream.searched = end + 1;
      if (line.find(wanted) != std::string::npos) return line;
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  Stream standard_output;
  Stream standard_error;
  std::thread writer;
};

Process::Process(const ProcessOptions& options) : output_(std::make_unique<Output>()) {
  const Pipe input = MakePipe();
  const Pipe output = MakePipe();
  const Pipe error = MakePipe();
  std::vector<std::string> texts = options.arguments;
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) RunChild(options, arguments, input, output, error);
  close(input.read_end);
  close(output.write_end);
  close(error.write_end);
  output_->standard_output.descriptor = output.read_end;
  output_->standard_error.descriptor = error.read_end;
  for (Output::Stream* stream : {&output_->standard_output, &output_->standard_error}) {
    stream->reader = std::thread([this, stream] { output_->Read(*stream); });
  }
  output_->writer = std::thread([bytes = options.input, descriptor = input.write_end] {
    signal(SIGPIPE, SIG_IGN);
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
    close(descriptor);
  });
}

Process::~Process() {
  if (!exit_code_) {
    Signal(SIGKILL);
    Wait(60'000);
  }
  output_->writer.join();
  for (Output::Stream* stream : {&output_->standard_output, &output_->standard_error}) {
    stream->reader.join();
    close(stream->descriptor);
  }
}

std::optional<std::string> Process::WaitForLine(std::string_view text, std::int64_t deadline_ms) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(deadline_ms);
  std::unique_lock lock(output_->mutex);
  while (true) {
    if (auto line = output_->NextLine(output_->standard_output, text)) return line;
    if (auto line = output_->NextLine(output_->standard_error, text)) return line;
    if (!output_->standard_output.open && !output_->standard_error.open) return std::nullopt;
    if (output_->changed.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
  }
}

void Process::Signal(int signal) const {
  if (!exit_code_) kill(pid_, signal);
}

std::optional<int> Process::Wait(std::int64_t deadline_ms) {
  if (exit_code_) return exit_code_;
  // A descriptor that becomes readable when the process ends, so that waiting has a deadline.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{descriptor, POLLIN, 0};
  const int ready = poll(&ended, 1, static_cast<int>(deadline_ms));
  close(descriptor);
  if (ready <= 0) return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return exit_code_;
}

std::string Process::StandardOutput() const {
  const std::lock_guard lock(output_->mutex);
  return output_->standard_output.text;
}

std::string Process::StandardError() const {
  const std::lock_guard lock(output_->mutex);
  return output_->standard_error.text;
}

ProcessResult RunProcess(const ProcessOptions& options, std::int64_t deadline_ms) {
  ProcessResult result;
  Process process(options);
  result.exit_code = process.Wait(deadline_ms).value_or(-1);
  // The pipes can hold more than the readers have taken when the process ends.
  if (result.exit_code >= 0) process.WaitForLine("\x01 no line holds this");
  result.standard_output = process.StandardOutput();
  result.standard_error = process.StandardError();
  return result;
}

}  // namespace fhir_adapter::test
