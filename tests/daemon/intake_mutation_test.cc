// Random changes of the bytes of valid messages and requests: the program never falls, each is answered or
// closed for a reason that can be seen, and what was acknowledged is there after a kill.
//
// FHIR_ADAPTER_INTAKE_MUTATIONS (5,000; long.sh: 100,000): half of them over MLLP, half over HTTP.

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr std::uint32_t kSeed = 20261127;
constexpr int kFirstNumber = 1'000'000;  // of as many digits as the last

int Mutations() {
  const char* count = std::getenv("FHIR_ADAPTER_INTAKE_MUTATIONS");  // long.sh sets it
  return (count == nullptr ? 5'000 : std::atoi(count)) / 2;
}

std::string Hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

class Mutator {
 public:
  // One or two changes, each of a bit, a byte or a run of bytes.
  std::string Change(std::string bytes) {
    for (std::size_t i = 0, changes = 1 + Below(2); i < changes && !bytes.empty(); ++i) ChangeOnce(bytes);
    return bytes;
  }
  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(numbers_);
  }

 private:
  void ChangeOnce(std::string& bytes) {
    static const std::string kSigns("\x0B\x1C\r\n|^~\\&\"{}[]:,%\0\xFF\xC3 0-", 24);
    static const std::string kTyped("0123456789abcdefgABCDEFG");
    const std::size_t at = Below(bytes.size());
    const std::size_t run = std::min(bytes.size() - at, 1 + Below(40));
    switch (Below(12)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(Below(256));
        break;
      case 2:
        bytes[at] = kSigns[Below(kSigns.size())];
        break;
      case 3:
        bytes.insert(at, 1, kSigns[Below(kSigns.size())]);
        break;
      case 4:
        bytes.erase(at, run);
        break;
      case 5:
        bytes.insert(at, bytes.substr(at, run));
        break;
      case 6:
        bytes.insert(Below(bytes.size()), bytes.substr(at, run));
        break;
      case 7:
        bytes.resize(at);
        break;
      default:  // what a person mistypes
        bytes[at] = kTyped[Below(kTyped.size())];
        break;
    }
  }

  std::mt19937 numbers_{kSeed};
};

class IntakeMutation : public testing::Test {
 protected:
  IntakeMutation() : daemon_(Options()) {}

  static DaemonOptions Options() {
    DaemonOptions options;
    options.site_configuration = "time_zone = \"Asia/Tokyo\"\n";
    options.more_configuration = "[mllp]\nlisten = \"127.0.0.1:0\"\n";
    return options;
  }
  std::uint16_t HttpPort() const {
    return static_cast<std::uint16_t>(std::stoi(daemon_.url().substr(daemon_.url().rfind(':') + 1)));
  }
  std::uint16_t MllpPort() {
    const auto line = daemon_.process().WaitForLine("listening on mllp");
    EXPECT_TRUE(line);
    return line ? static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)))
                : std::uint16_t{0};
  }
  std::int64_t Metric(const std::string& name) {
    const std::string text = daemon_.client().Get("/metrics").body;
    const std::size_t at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0 : std::atoll(text.c_str() + at + name.size() + 2);
  }
  // Half-closed, so that nobody waits for what never comes.
  static std::string Exchange(std::uint16_t port, const std::string& bytes) {
    RawConnection connection(port);
    EXPECT_TRUE(connection.connected());
    static_cast<void>(connection.Send(bytes));  // an early no may have closed it
    connection.FinishSending();
    std::string answer = connection.ReadAll();
    EXPECT_TRUE(connection.closed()) << "neither answered nor closed: " << Hex(bytes);
    return answer;
  }
  void ExpectAlive() {
    EXPECT_EQ(daemon_.process().Wait(0), std::nullopt) << daemon_.process().StandardError();
    EXPECT_EQ(daemon_.client().Get("/health/live").status, 200);
  }
  std::set<std::string> Lines(const std::string& sql) const {
    std::istringstream text(daemon_.Query(sql));
    std::set<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.insert(line);
    return lines;
  }
  void KillAndStart() {
    daemon_.Kill();
    daemon_.Start();
  }

  RunningDaemon daemon_;
  Mutator mutator_;
};

std::string Ras(int number) {
  const std::string text = std::to_string(number);
  return "\x0BMSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|20140506211000+0900||RAS^O17^RAS_O17|M" + text +
         "|P|2.5\rPID|1||100003^^^^MR||Doe^John||19680203|M\rPV1|1|O\r"
         "PR1|1||intrathecal-injection||20140506100000||||||||||||||R" +
         text +
         "\rORC|RE\rRXA|0|1|20140506100000||midazolam|2|mg|||||||||||||CP|A\rRXR|IT|L4-L5\r"
         "\x1C\r";
}

std::string Oru(int number) {
  return "\x0BMSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|20140507090000+0900||ORU^R01^ORU_R01|M" +
         std::to_string(number) +
         "|P|2.5\rPID|1||100003^^^^MR\rOBR|1|REQ-1|pain-clinic.R1.1|PAIN^Pain|||20140507090000\r"
         "OBX|1|NM|NRS^Pain^L|1|4||||||F\r\x1C\r";
}

struct Told {
  std::string code;
  std::string number;  // the first part of MSH-10, by which it is stored
};

// With the delimiters of the answer, which are those of the message.
std::optional<Told> ReadVerdict(const std::string& answer) {
  const std::size_t at = answer.find("\rMSA");
  if (at == std::string::npos || answer.size() < at + 9) return std::nullopt;
  const char field = answer[4];
  const std::string ends = std::string{field, answer[5], answer[6], answer[8], '\r'};
  const std::size_t begin = at + 8;
  return Told{answer.substr(at + 5, 2), answer.substr(begin, answer.find_first_of(ends, begin) - begin)};
}

TEST_F(IntakeMutation, OfHl7Messages_EachIsAnsweredOrClosedForAReasonAndNoneThatWasTakenIsLost) {
  const std::uint16_t port = MllpPort();
  std::map<std::string, int> outcomes;
  std::int64_t broken = 0;
  std::map<std::string, int> taken;  // acknowledged with AA, by MSH-10
  const int count = Mutations();
  for (int i = 0; i < count; ++i) {
    const int number = kFirstNumber + i;
    const std::string bytes = mutator_.Change(i % 2 == 0 ? Ras(number) : Oru(number));
    const std::string answer = Exchange(port, bytes);
    if (const auto told = ReadVerdict(answer)) {
      ++outcomes[told->code];
      if (told->code == "AA") ++taken[told->number];
      continue;
    }
    EXPECT_EQ(answer, "") << Hex(bytes);
    const bool has_frame = bytes.find('\x0B') != std::string::npos;
    if (has_frame) {
      ++outcomes["frame broken"];
      const std::int64_t now = Metric("fhir_adapter_mllp_frames_broken_total");
      EXPECT_GT(now, broken) << "no reason: " << Hex(bytes);
      broken = now;
    } else {
      ++outcomes["no frame"];
    }
  }
  ExpectAlive();
  KillAndStart();
  const std::set<std::string> stored = Lines("SELECT hex(CAST(control_id AS BLOB)) FROM hl7_message;");
  for (const auto& [number, times] : taken) EXPECT_TRUE(stored.contains(Hex(number))) << number;
  for (const auto& [outcome, times] : outcomes) std::cout << outcome << ": " << times << "\n";
  std::cout << count << " changed messages, " << taken.size() << " taken and none lost, seed " << kSeed
            << "\n";
  EXPECT_GT(taken.size(), static_cast<std::size_t>(count) / 10);
  EXPECT_GT(outcomes["AE"] + outcomes["AR"], count / 10);
}

std::string Request(const std::string& path, const std::string& type, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string RecordOf(int number) {
  return R"({"recordId":"R)" + std::to_string(number) +
         R"(","revision":1,"site":"pain-clinic","status":"completed","recorded":"2011-06-01T12:00:00Z","patient":)"
         R"({"mrn":"300001"},"performed":{"start":"2011-06-01T10:00:00Z"},"procedure":{"kind":)"
         R"("intrathecal-injection"},"administrations":[{"seq":1,"purpose":"therapeutic","drug":"midazolam"}]})";
}

std::string ObservationOf(int number) {
  return R"({"resourceType":"Observation","identifier":[{"system":"https://ehr.example/obs","value":"O)" +
         std::to_string(number) +
         R"("}],"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"72514-3"}]},"subject":)"
         R"({"identifier":{"system":"https://hospital.example/fhir/sid/mrn","value":"300001"}},"effectiveDateTime":"2014-05-07T09:00:00+09:00","valueInteger":4})";
}

// The head ends, and so does the body that it announces.
bool IsWhole(const std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  static const std::regex kLength("content-length:[ \t]*([0-9]+)", std::regex::icase);
  std::smatch found;
  const std::string text = bytes.substr(0, head);
  if (!std::regex_search(text, found, kLength)) return true;
  return bytes.size() - head - 4 >= std::stoull(found[1].str().substr(0, 18));
}

// What stands behind the body is the answer to what the server took for a second request.
std::string ReceiptOf(const std::string& answer) {
  static constexpr std::string_view kMark = "\"receipt\":\"";
  const std::size_t at = answer.find(kMark);
  EXPECT_NE(at, std::string::npos) << answer;
  const std::size_t begin = at + kMark.size();
  return answer.substr(begin, answer.find('"', begin) - begin);
}

// The path of Location.
std::string PlaceOf(const std::string& answer) {
  static constexpr std::string_view kMark = "/fhir/Observation/";
  const std::size_t begin = answer.find(kMark, answer.find("Location: "));
  EXPECT_NE(begin, std::string::npos) << answer;
  return answer.substr(begin, answer.find('\r', begin) - begin);
}

TEST_F(IntakeMutation, OfHttpRequests_EachIsAnsweredOrClosedForAReasonAndNoneThatWasTakenIsLost) {
  const std::uint16_t port = HttpPort();
  std::map<std::string, int> outcomes;
  std::vector<std::string> receipts;
  std::vector<std::string> observations;
  const int count = Mutations();
  for (int i = 0; i < count; ++i) {
    const int number = kFirstNumber + i;
    const std::string path = i % 2 == 0 ? "/records" : "/fhir/Observation";
    const std::string type = i % 2 == 0 ? "application/json" : "application/fhir+json";
    const std::string body = i % 2 == 0 ? RecordOf(number) : ObservationOf(number);
    // Half of them only in the body, with a length that fits.
    const std::string bytes =
        i % 4 < 2 ? mutator_.Change(Request(path, type, body)) : Request(path, type, mutator_.Change(body));
    const std::string answer = Exchange(port, bytes);
    if (answer.empty()) {
      ++outcomes["closed: the request is cut"];
      EXPECT_FALSE(IsWhole(bytes)) << Hex(bytes);
      continue;
    }
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 ")) << Hex(bytes) << "\n" << answer;
    const std::string status = answer.substr(9, 3);
    ++outcomes[status];
    EXPECT_TRUE(status[0] != '5' || status == "505") << Hex(bytes) << "\n" << answer;
    if (status == "202") receipts.push_back(ReceiptOf(answer));
    if (status == "201") observations.push_back(PlaceOf(answer));
  }
  ExpectAlive();
  KillAndStart();
  const std::set<std::string> stored = Lines("SELECT receipt FROM inbox WHERE disposition = 'accepted';");
  for (const std::string& receipt : receipts) EXPECT_TRUE(stored.contains(receipt)) << receipt;
  for (const std::string& place : observations) EXPECT_EQ(daemon_.client().Get(place).status, 200) << place;
  for (const auto& [outcome, times] : outcomes) std::cout << outcome << ": " << times << "\n";
  std::cout << count << " changed requests, " << receipts.size() << " records and " << observations.size()
            << " Observations taken and none lost, seed " << kSeed << "\n";
  EXPECT_GT(observations.size(), static_cast<std::size_t>(count) / 100);
  EXPECT_GT(receipts.size(), static_cast<std::size_t>(count) / 100);
  EXPECT_GT(outcomes["400"] + outcomes["422"], count / 10);
}

}  // namespace
}  // namespace fhir_adapter::test
