// Load for a daemon that takes HL7 v2 messages, and what reading them alone would allow.
//
//   bench_intake parse SECONDS
//       Frames cut and messages read into trees per second, in one thread, without a socket or a store.
//   bench_intake mllp PORT CONNECTIONS SECONDS RUN
//       As many senders, each of which sends its next message when the one before was acknowledged. RUN keeps
//       the messages apart from those of other runs. Exit code 1 when one was not accepted.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/arena.h"
#include "intake/mllp_codec.h"
#include "record/hl7v2_reader.h"

namespace fhir_adapter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMessageBytesMax = 10'000'000;
constexpr double kMillisecondsPerSecond = 1'000;

std::string Message(const std::string& number) {
  return "MSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|20140506211000+0900||RAS^O17^RAS_O17|" + number +
         "|P|2.5\rPID|1||100003^^^^MR||Doe^John||19680203|M\rPV1|1|O\r"
         "PR1|1||intrathecal-injection||20140506100000||||||||||||||" +
         number + "\rORC|RE\rRXA|0|1|20140506100000||midazolam|2|mg|||||||||||||CP|A\rRXR|IT|L4-L5\r";
}

int Parse(int seconds) {
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  intake::MllpDecoder decoder(kMessageBytesMax);
  std::int64_t messages = 0;
  const auto begin = Clock::now();
  while (Clock::now() < end) {
    decoder.Push(intake::FrameMllp(Message("P" + std::to_string(messages))));
    const auto message = decoder.Next();
    Arena arena;
    if (!message || !record::ReadHl7Message(*message, arena)) return 1;
    ++messages;
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("%.0f\n", static_cast<double>(messages) / took.count());
  return 0;
}

// To 127.0.0.1.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Connection() { close(descriptor_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return is_open_; }
  // The answer with its frame; what came until the peer closed, when it did.
  std::string Exchange(std::string_view frame) {
    while (!frame.empty() && is_open_) {
      const ssize_t sent = send(descriptor_, frame.data(), frame.size(), MSG_NOSIGNAL);
      is_open_ = sent > 0;
      if (is_open_) frame.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string answer;
    while (is_open_ && !answer.ends_with("\x1C\r")) {
      char chunk[4'096];
      const ssize_t count = recv(descriptor_, chunk, sizeof chunk, 0);
      is_open_ = count > 0;
      if (is_open_) answer.append(chunk, static_cast<std::size_t>(count));
    }
    return answer;
  }

 private:
  int descriptor_ = -1;
  bool is_open_ = false;
};

struct Sender {
  std::vector<double> ms;  // of each message
  int refused = 0;
};

void Send(std::uint16_t port, const std::string& prefix, Clock::time_point end, Sender& sender) {
  Connection connection(port);
  for (int i = 0; Clock::now() < end; ++i) {
    const std::string number = prefix + std::to_string(i);
    const auto begin = Clock::now();
    const std::string verdict = "MSA|AA|" + number + "\r";
    const std::string answer = connection.Exchange(intake::FrameMllp(Message(number)));
    const std::chrono::duration<double> took = Clock::now() - begin;
    sender.ms.push_back(took.count() * kMillisecondsPerSecond);
    if (answer.find(verdict) == std::string::npos) {
      if (++sender.refused == 1) std::fprintf(stderr, "not accepted: %s\n", answer.c_str());
      if (!connection.is_open()) return;
    }
  }
}

int Load(std::uint16_t port, int connections, int seconds, const std::string& run) {
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(seconds);
  std::vector<Sender> senders(static_cast<std::size_t>(connections));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    threads.emplace_back(Send, port, run + "-" + std::to_string(i) + "-", end, std::ref(senders[i]));
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::vector<double> all;
  int refused = 0;
  for (const Sender& sender : senders) {
    all.insert(all.end(), sender.ms.begin(), sender.ms.end());
    refused += sender.refused;
  }
  if (all.empty()) return 1;
  std::sort(all.begin(), all.end());
  const double p99 = all[std::min(all.size() - 1, all.size() * 99 / 100)];
  std::printf("%.1f %.2f %.2f %d\n", static_cast<double>(all.size()) / took.count(), all[all.size() / 2], p99,
              refused);
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fhir_adapter

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 2 && arguments[0] == "parse")
    return fhir_adapter::Parse(std::atoi(arguments[1].c_str()));
  if (arguments.size() == 5 && arguments[0] == "mllp") {
    return fhir_adapter::Load(static_cast<std::uint16_t>(std::atoi(arguments[1].c_str())),
                              std::atoi(arguments[2].c_str()), std::atoi(arguments[3].c_str()), arguments[4]);
  }
  std::fprintf(stderr, "usage: bench_intake parse SECONDS | mllp PORT CONNECTIONS SECONDS RUN\n");
  return 2;
}
