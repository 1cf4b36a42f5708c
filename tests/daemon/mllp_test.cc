// HL7 v2 messages over MLLP: into the running daemon and, where one is there, on to the server.
#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "running_adapter.h"
#include "support/certificates.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string Frame(const std::string& message) {
  return "\x0B" + message + "\x1C\r";
}

// One administration of the record `record_id`.
std::string Ras(const std::string& control_id, const std::string& record_id, const std::string& amount = "2",
                const std::string& sent = "20140506211000+0900") {
  return "MSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|" + sent + "||RAS^O17^RAS_O17|" + control_id +
         "|P|2.5\rPID|1||100003^^^^MR||Doe^John||19680203|M\rPV1|1|O\r"
         "PR1|1||intrathecal-injection||20140506100000||||||||||||||" +
         record_id + "\rORC|RE\rRXA|0|1|20140506100000||midazolam|" + amount +
         "|mg|||||||||||||CP|A\rRXR|IT|L4-L5\r";
}

std::string Oru(const std::string& control_id, const std::string& value,
                const std::string& about = "pain-clinic.H1.1", const std::string& status = "F") {
  return "MSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|20140507090000+0900||ORU^R01^ORU_R01|" + control_id +
         "|P|2.5\rPID|1||100003^^^^MR\rOBR|1|REQ-1|" + about +
         "|PAIN^Pain|||20140507090000\rOBX|1|NM|NRS^Pain^L|1|" + value + "||||||" + status + "\r";
}

class Mllp : public testing::Test {
 protected:
  void StartDaemon(const std::string& more_mllp = {}, const std::string& endpoint = {},
                   const std::string& more = {}) {
    DaemonOptions options;
    options.endpoint = endpoint;
    options.site_configuration = "time_zone = \"Asia/Tokyo\"\n";
    options.more_configuration = more + "[mllp]\nlisten = \"127.0.0.1:0\"\n" + more_mllp;
    daemon_ = std::make_unique<RunningDaemon>(options);
    FindPort();
  }

  void FindPort() {
    const auto line = daemon_->process().WaitForLine("listening on mllp");
    ASSERT_TRUE(line) << daemon_->process().StandardError();
    port_ = static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)));
  }

  // The answer to one message, without its frame.
  std::string Send(const std::string& message) {
    RawConnection connection(port_);
    EXPECT_TRUE(connection.Send(Frame(message)));
    const std::string answer = connection.ReadUntil("\x1C\r");
    EXPECT_TRUE(answer.starts_with('\x0B') && answer.ends_with("\x1C\r")) << testing::PrintToString(answer);
    return answer.size() < 3 ? "" : answer.substr(1, answer.size() - 3);
  }

  // From MSA on.
  static std::string Verdict(const std::string& answer) {
    return answer.substr(std::min(answer.find("MSA"), answer.size()));
  }

  std::unique_ptr<RunningDaemon> daemon_;
  std::uint16_t port_ = 0;
};

TEST_F(Mllp, Administration_IsAcknowledgedAndDelivered) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100003", "male", "1968-02-03");
  StartDaemon({}, sandbox.url());
  const std::string answer = Send(Ras("MSG1", "H1", "2.50"));
  EXPECT_THAT(answer, StartsWith("MSH|^~\\&|ADAPTER|HOSPITAL|EMAR|pain-clinic|"));
  EXPECT_EQ(Verdict(answer), "MSA|AA|MSG1\r");
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  const std::string given = sandbox.One(
      "MedicationAdministration?identifier=https://clinic.example/fhir/sid/"
      "it-administration%7Cpain-clinic.H1.1");
  EXPECT_EQ(AtPointer(given, "/dosage/dose/value"), "2.50");
  EXPECT_EQ(AtPointer(given, "/effectiveDateTime"), "2014-05-06T10:00:00+09:00");
  const HttpReply state = daemon_->client().Get("/records/pain-clinic/H1");
  EXPECT_EQ(AtPointer(state.body, "/revisions/0/revision"), "452693400") << "the second of MSH-7 since 2000";
  const std::string trace = daemon_->Command({"trace", "MSG1"}).standard_output;
  EXPECT_THAT(trace, HasSubstr("H1")) << "MSH-10 is the request id";
  EXPECT_THAT(trace, HasSubstr("no revisions 1 to 452693399"));
}

TEST_F(Mllp, RepeatedMessage_GetsTheSameBytesAndChangesNothing) {
  StartDaemon();
  const std::string first = Send(Ras("MSG1", "H1"));
  EXPECT_EQ(Verdict(first), "MSA|AA|MSG1\r");
  EXPECT_EQ(Send(Ras("MSG1", "H1")), first);
  // Also after a crash.
  daemon_->Kill();
  daemon_->Start();
  FindPort();
  EXPECT_EQ(Send(Ras("MSG1", "H1")), first);
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox;"), "1");
  EXPECT_EQ(
      daemon_->Query(
          "SELECT count(*) FROM audit_entry WHERE json_extract(CAST(bytes AS TEXT), '$.event') = 'duplicate' "
          "AND json_extract(CAST(bytes AS TEXT), '$.op') = 'mllp';"),
      "1")
      << "once an hour; the rest is counted";
  EXPECT_EQ(daemon_->Query("SELECT uncounted FROM repeated_message;"), "1");
}

// HL7Magic: a replay with another dose.
TEST_F(Mllp, SameNumberWithAnotherContent_IsAnErrorAndAudited) {
  StartDaemon();
  Send(Ras("MSG1", "H1"));
  EXPECT_THAT(Verdict(Send(Ras("MSG1", "H1", "20"))),
              testing::AllOf(StartsWith("MSA|AE|MSG1|"), HasSubstr("ERR||MSH^1^10|205^"),
                             HasSubstr("revision-conflict")));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox WHERE disposition = 'rejected';"), "1");
  // The number is the sender's own.
  EXPECT_THAT(Verdict(Send(Replaced(Ras("MSG1", "H2"), "EMAR", "OTHER"))), "MSA|AA|MSG1\r");
}

// Another number does not help: this second of this record is stored with another dose.
TEST_F(Mllp, SameRevisionWithAnotherContent_IsAnError) {
  StartDaemon();
  Send(Ras("MSG1", "H1"));
  EXPECT_THAT(Verdict(Send(Ras("MSG2", "H1", "20"))), HasSubstr("MSA|AE|MSG2|"));
  EXPECT_EQ(Verdict(Send(Ras("MSG3", "H1"))), "MSA|AA|MSG3\r") << "the same content is known";
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM record_revision;"), "1");
}

// The message goes with the record that it brought, and the record is not taken again.
TEST_F(Mllp, RecordThatIsErased_LeavesNothingOfItsMessageAndIsRefused) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100003");
  StartDaemon({}, sandbox.url());
  const auto pages = [this] {
    return ReadFile(daemon_->state_directory() + "/adapter.db") +
           ReadFile(daemon_->state_directory() + "/adapter.db-wal");
  };
  EXPECT_EQ(Verdict(Send(Ras("MSG1", "H1"))), "MSA|AA|MSG1\r");
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  ASSERT_THAT(pages(), HasSubstr("Doe^John"));
  ASSERT_EQ(daemon_->Command({"erase", "H1", "--reason", "asked"}).exit_code, 0);
  EXPECT_THAT(pages(), Not(HasSubstr("Doe^John")));
  const std::string later = Send(Ras("MSG2", "H1", "2", "20140506211001+0900"));
  EXPECT_THAT(Verdict(later), StartsWith("MSA|AE|MSG2"));
  EXPECT_THAT(later, HasSubstr("|erased|"));
  EXPECT_THAT(pages(), Not(HasSubstr("Doe^John")));
}

TEST_F(Mllp, PipelinedAndPartialFramesWithGarbageBetween_AreAnsweredInOrder) {
  StartDaemon();
  RawConnection connection(port_);
  const std::string all = "\r\n" + Frame(Ras("A", "H1")) + "garbage" + Frame(Ras("B", "H2")) +
                          Frame("no message") + Frame(Ras("C", "H3"));
  for (std::size_t at = 0; at < all.size(); at += 100) ASSERT_TRUE(connection.Send(all.substr(at, 100)));
  const std::string answers = connection.ReadUntil("MSA|AA|C\r");
  const std::size_t a = answers.find("MSA|AA|A\r");
  const std::size_t b = answers.find("MSA|AA|B\r");
  const std::size_t refused = answers.find("MSA|AR||");
  const std::size_t c = answers.find("MSA|AA|C\r");
  EXPECT_TRUE(a < b && b < refused && refused < c && c != std::string::npos) << answers;
}

TEST_F(Mllp, Errors_NameSegmentAndField) {
  StartDaemon();
  const auto told = [this](const std::string& message) { return Verdict(Send(message)); };
  EXPECT_THAT(
      told(Replaced(Ras("E1", "H1"), "RAS^O17^RAS_O17", "ADT^A01")),
      testing::AllOf(StartsWith("MSA|AR|E1|"),
                     HasSubstr("ERR||MSH^1^9|200^Unsupported message type^HL70357|E|not-supported|")));
  EXPECT_THAT(told(Replaced(Ras("E2", "H1"), "|P|2.5", "|T|2.5")), HasSubstr("ERR||MSH^1^11|202^"));
  EXPECT_THAT(told(Replaced(Ras("E3", "H1"), "|P|2.5", "|P|3")), HasSubstr("ERR||MSH^1^12|203^"));
  EXPECT_THAT(told(Ras("", "H1")), testing::AllOf(StartsWith("MSA|AE||"), HasSubstr("ERR||MSH^1^10|101^")));
  EXPECT_THAT(
      told(Replaced(Ras("E5", "H1"), "|pain-clinic|", "|elsewhere|")),
      testing::AllOf(StartsWith("MSA|AE|E5|"), HasSubstr("ERR||MSH^1^4|204^"), HasSubstr("wrong-site")));
  EXPECT_THAT(told(Replaced(Ras("E6", "H1"), "Doe", "D\xF6")),
              testing::AllOf(StartsWith("MSA|AE|E6|"), HasSubstr("|encoding|")));
  EXPECT_THAT(told(Replaced(Ras("E7", "H1"), "PID|1||100003^^^^MR", "PID|1||")),
              testing::AllOf(StartsWith("MSA|AE|E7|"), HasSubstr("|missing|"), HasSubstr("/patient")));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox WHERE disposition = 'accepted';"), "0");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox WHERE disposition = 'rejected';"), "7");
}

TEST_F(Mllp, ValueThatCannotBeRead_IsAcceptedAndWaitsForAPerson) {
  StartDaemon();
  EXPECT_EQ(
      Verdict(Send(Ras("Q1", "H1", "2x"))),
      "MSA|AA|Q1\rERR||RXA^1^6|102^Data type error^HL70357|W|map-failed|||the value is not a decimal\r");
  EXPECT_EQ(daemon_->WaitForState("H1", 452693400, {"quarantined"}), "quarantined");
  EXPECT_THAT(daemon_->client().Get("/records/pain-clinic/H1").body, HasSubstr("RXA-6"));
  // A second later it is mended: the higher revision takes its place.
  EXPECT_EQ(Verdict(Send(Ras("Q2", "H1", "2", "20140506211001+0900"))), "MSA|AA|Q2\r");
  EXPECT_EQ(daemon_->WaitForState("H1", 452693400, {"superseded"}), "superseded");
}

TEST_F(Mllp, TimesWithoutOffset_AreThoseOfTheSite) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100003", "male", "1968-02-03");
  StartDaemon({}, sandbox.url());
  EXPECT_EQ(Verdict(Send(Ras("Z1", "H1", "2", "20140506211000"))), "MSA|AA|Z1\r");
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_EQ(daemon_->StateOf("H1", 452693400), "delivered");
}

TEST_F(Mllp, EnhancedMode_FollowsTheHeader) {
  StartDaemon();
  const auto with = [](std::string message, const std::string& modes) {
    return Replaced(std::move(message), "|P|2.5", "|P|2.5|||" + modes);
  };
  EXPECT_EQ(Verdict(Send(with(Ras("M1", "H1"), "AL|NE"))), "MSA|CA|M1\r");
  EXPECT_THAT(Verdict(Send(with(Ras("M2", "H1", "3"), "AL|NE"))), StartsWith("MSA|CE|M2|"));
  // No answer to the first; the second's comes.
  RawConnection connection(port_);
  ASSERT_TRUE(connection.Send(Frame(with(Ras("M3", "H2"), "NE|NE")) + Frame(Ras("M4", "H3"))));
  const std::string answer = connection.ReadUntil("\x1C\r");
  EXPECT_THAT(answer, testing::AllOf(HasSubstr("MSA|AA|M4"), Not(HasSubstr("M3"))));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM record_subject WHERE record_id = 'H2';"), "1");
}

TEST_F(Mllp, Batch_IsAnsweredByABatch) {
  StartDaemon();
  const std::string answer = Send(
      "FHS|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|2014||||F1\rBHS|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|"
      "2014||||B1\r" +
      Ras("A", "H1") + Replaced(Ras("B", "H2"), "RAS^O17^RAS_O17", "ADT^A01") + Ras("C", "H3") +
      "BTS|3\rFTS|1\r");
  EXPECT_THAT(answer, StartsWith("FHS|^~\\&|ADAPTER|HOSPITAL|EMAR|pain-clinic|"));
  const std::size_t a = answer.find("MSA|AA|A\r");
  const std::size_t b = answer.find("MSA|AR|B|");
  const std::size_t c = answer.find("MSA|AA|C\r");
  EXPECT_TRUE(a < b && b < c && c != std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("BTS|3\rFTS|1\r")) << answer;
  const std::string short_of_one = Send("BHS|^~\\&|EMAR|pain-clinic\r" + Ras("D", "H4") + "BTS|2\r");
  EXPECT_THAT(Verdict(short_of_one), HasSubstr("BTS^1^1"));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM record_subject;"), "2");
}

TEST_F(Mllp, Batch_HasALimitOfMessages) {
  StartDaemon();
  const auto batch_of = [](int count) {
    std::string batch = "BHS|^~\\&|EMAR|pain-clinic\r";
    for (int i = 0; i < count; ++i) {
      batch += "MSH|^~\\&|EMAR|pain-clinic|||20140506||ADT^A01|B" + std::to_string(i) + "|P|2.5\r";
    }
    return batch;
  };
  EXPECT_TRUE(Send(batch_of(1'000)).ends_with("BTS|1000\r"));
  EXPECT_THAT(Verdict(Send(batch_of(1'001))), testing::AllOf(StartsWith("MSA|AR|B0|"), HasSubstr("|limit|")));
}

TEST_F(Mllp, TooLargeMessage_IsRefusedAndTheConnectionClosed) {
  StartDaemon();
  RawConnection connection(port_);
  std::string message = Ras("BIG", "H1");
  message += "NTE|1||" + std::string(10'000'000 - message.size() - 7 + 1, 'x');
  ASSERT_TRUE(connection.Send("\x0B" + message));
  const std::string answer = connection.ReadAll();
  EXPECT_THAT(answer, testing::AllOf(HasSubstr("MSA|AR|BIG|"), HasSubstr("kMllpMessageBytesMax")));
  EXPECT_TRUE(connection.closed());
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox;"), "0");
}

TEST_F(Mllp, IdleAndHalfFrames_AreClosedAndOthersServed) {
  StartDaemon("idle_timeout_s = 1\nconnections_max = 20\n");
  std::vector<std::unique_ptr<RawConnection>> halves;
  for (int i = 0; i < 20; ++i) {
    halves.push_back(std::make_unique<RawConnection>(port_));
    ASSERT_TRUE(halves.back()->Send("\x0BMSH|^~\\&|half"));
  }
  RawConnection one_more(port_);  // the first half gives way
  EXPECT_EQ(one_more.ReadAll(), "");
  EXPECT_TRUE(one_more.closed());
  for (const auto& half : halves) {
    EXPECT_EQ(half->ReadAll(), "");
    EXPECT_TRUE(half->closed());
  }
  RawConnection idle(port_);
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(Verdict(Send(Ras("MSG1", "H1"))), "MSA|AA|MSG1\r");
  const std::string page = daemon_->client().Get("/metrics").body;
  EXPECT_THAT(page, HasSubstr("\nfhir_adapter_mllp_messages_total{outcome=\"accepted\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nfhir_adapter_mllp_frames_broken_total 20\n"));
  EXPECT_THAT(page, HasSubstr("\nfhir_adapter_mllp_connections_refused_total 1\n"));
}

TEST_F(Mllp, HalfFramesUpToTheLimit_KeepNoSenderOut) {
  StartDaemon("connections_max = 3\n");
  std::vector<std::unique_ptr<RawConnection>> halves;
  for (int i = 0; i < 3; ++i) {
    halves.push_back(std::make_unique<RawConnection>(port_));
    ASSERT_TRUE(halves.back()->Send("\x0BMSH|^~\\&|half"));
  }
  EXPECT_EQ(Verdict(Send(Ras("MSG1", "H1"))), "MSA|AA|MSG1\r");
  EXPECT_EQ(halves.front()->ReadAll(), "");
  EXPECT_TRUE(halves.front()->closed()) << "the oldest";
  EXPECT_THAT(daemon_->client().Get("/metrics").body,
              HasSubstr("\nfhir_adapter_mllp_connections_refused_total 1\n"));
}

// So that one sender keeps nobody else out.
TEST_F(Mllp, ConnectionsOfAnAddress_HaveALimit) {
  StartDaemon("connections_per_address_max = 2\n");
  RawConnection first(port_);
  RawConnection second(port_);
  for (RawConnection* one : {&first, &second}) {
    ASSERT_TRUE(one->Send(Frame("no message")));
    EXPECT_THAT(one->ReadUntil("\x1C\r"), HasSubstr("MSA|AR|"));
  }
  RawConnection one_more(port_);
  one_more.ReadAll();
  EXPECT_TRUE(one_more.closed());
  EXPECT_THAT(daemon_->client().Get("/metrics").body,
              HasSubstr("\nfhir_adapter_mllp_connections_refused_total 1\n"));
}

TEST_F(Mllp, SendersUpToTheLimit_KeepTheirConnections) {
  StartDaemon("connections_max = 2\n");
  RawConnection first(port_);
  RawConnection second(port_);
  const auto is_answered = [](RawConnection& connection, const std::string& number) {
    EXPECT_TRUE(connection.Send(Frame(Ras(number, "H" + number))));
    return connection.ReadUntil("MSA|AA|" + number + "\r").find("MSA|AA|" + number) != std::string::npos;
  };
  ASSERT_TRUE(is_answered(first, "1"));
  ASSERT_TRUE(is_answered(second, "2"));
  RawConnection one_more(port_);
  EXPECT_EQ(one_more.ReadAll(), "");
  EXPECT_TRUE(one_more.closed()) << "beyond connections_max";
  EXPECT_TRUE(is_answered(first, "3"));
  EXPECT_TRUE(is_answered(second, "4"));
}

TEST_F(Mllp, HighWaterMark_IsAnErrorAndNothingIsRemembered) {
  StartDaemon({}, {}, "[limits]\nhigh_water = 1\n");
  EXPECT_EQ(Verdict(Send(Ras("MSG1", "H1"))), "MSA|AA|MSG1\r");
  EXPECT_THAT(Verdict(Send(Ras("MSG2", "H2"))),
              testing::AllOf(StartsWith("MSA|AE|MSG2|"), HasSubstr("|high-water|")));
  EXPECT_EQ(Verdict(Send(Ras("MSG1", "H1"))), "MSA|AA|MSG1\r");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox;"), "1");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM hl7_message;"), "1");
}

TEST_F(Mllp, Stop_AnswersWhatIsInHand) {
  StartDaemon();
  RawConnection connection(port_);
  ASSERT_TRUE(connection.Send(Frame(Ras("MSG1", "H1"))));
  EXPECT_EQ(connection.ReadUntil("\x1C\r").find("MSA|AA|MSG1"), connection.ReadUntil("\x1C\r").find("MSA"));
  EXPECT_EQ(daemon_->Stop(), 0);
  connection.ReadAll();
  EXPECT_TRUE(connection.closed());
}

// Debian's python3-hl7.
TEST_F(Mllp, MllpSend_IsUnderstood) {
  StartDaemon();
  std::string text = Ras("PY1", "H1");
  std::ranges::replace(text, '\r', '\n');
  const std::string file = daemon_->folder().Write("message.hl7", text);
  ProcessOptions options;
  options.arguments = {"timeout", "20", "mllp_send",           "--loose",  "-f",
                       file,      "-p", std::to_string(port_), "127.0.0.1"};
  const ProcessResult sent = RunProcess(options);
  EXPECT_EQ(sent.exit_code, 0) << sent.standard_error;
  EXPECT_THAT(sent.standard_output, HasSubstr("MSA|AA|PY1"));
  EXPECT_EQ(daemon_->StateOf("H1", 452693400).empty(), false);
}

TEST_F(Mllp, Score_IsTiedDeliveredAndCorrected) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100003", "male", "1968-02-03");
  StartDaemon({}, sandbox.url());
  ASSERT_EQ(Verdict(Send(Oru("O1", "4"))), "MSA|AA|O1\r") << "held until the administration is there";
  ASSERT_EQ(Verdict(Send(Ras("R1", "H1"))), "MSA|AA|R1\r");
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  const std::string query =
      "Observation?identifier=https://clinic.example/fhir/sid/it-observation-hl7v2%7C"
      "pain-clinic.hl7.pain-clinic~2EH1~2E1.REQ-1.NRS.1";
  EXPECT_EQ(AtPointer(sandbox.One(query), "/valueQuantity/value"), "4");
  EXPECT_THAT(AtPointer(sandbox.One(query), "/focus/0/reference"), StartsWith("MedicationAdministration/"));
  const std::string again = Send(Oru("O1", "4"));
  EXPECT_EQ(Verdict(again), "MSA|AA|O1\r");
  // A value that cannot be read waits in the place of the Observation; its correction goes out.
  EXPECT_THAT(
      Verdict(Send(Oru("O2", "five", "pain-clinic.H1.1", "C"))),
      StartsWith("MSA|AA|O2\rERR||OBX^1^5^^1|102^Data type error^HL70357|W|map-failed|||cast to decimal"));
  ASSERT_TRUE(daemon_->WaitUntilSettled());
  EXPECT_THAT(daemon_->Command({"queue", "list", "--state", "quarantined"}).standard_output,
              HasSubstr("map-failed"));
  EXPECT_EQ(AtPointer(sandbox.One(query), "/valueQuantity/value"), "4");
  EXPECT_EQ(Verdict(Send(Oru("O3", "5", "pain-clinic.H1.1", "C"))), "MSA|AA|O3\r");
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_EQ(AtPointer(sandbox.One(query), "/valueQuantity/value"), "5");
  EXPECT_EQ(AtPointer(sandbox.One(query), "/status"), "corrected");
  EXPECT_EQ(sandbox.Count("Observation"), 1);
}

// The type ED is none that the map knows, and the Observation without a code would break FHIR R4.
TEST_F(Mllp, ScoreThatCannotBeSent_IsAcknowledgedAndWaits) {
  StartDaemon();
  EXPECT_THAT(Verdict(Send(Replaced(Oru("O1", "4"), "OBX|1|NM|", "OBX|1|ED|"))),
              testing::AllOf(StartsWith("MSA|AA|O1\rERR||"), HasSubstr("|W|map-check|")));
  EXPECT_THAT(Verdict(Send(Replaced(Oru("O2", "4", "pain-clinic.H1.2"), "NRS^Pain^L", ""))),
              testing::AllOf(StartsWith("MSA|AA|O2\rERR||"), HasSubstr("|W|output-invalid|")));
  ASSERT_TRUE(daemon_->WaitUntilSettled());
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM work_item WHERE state = 'quarantined';"), "2");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM hl7_message;"), "2");
  EXPECT_EQ(daemon_->Stop(), 0);
  EXPECT_EQ(daemon_->Command({"audit", "verify"}).exit_code, 0);
}

TEST_F(Mllp, ScoreOfAnotherPatientsAdministration_IsRefusedWhole) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100003", "male", "1968-02-03");
  StartDaemon({}, sandbox.url());
  Send(Ras("R1", "H1"));
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  EXPECT_THAT(Verdict(Send(Replaced(Oru("O1", "4"), "100003", "999"))),
              testing::AllOf(StartsWith("MSA|AE|O1|"), HasSubstr("|other-patient|")));
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM hl7_message WHERE control_id = 'O1';"), "0");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM inbox WHERE disposition = 'rejected';"), "1");
}

TEST_F(Mllp, MutualTls_LetsEachCertificateSpeakAsItsSenderOnly) {
  const TemporaryDirectory folder;
  CertificateAuthority authority(folder, "authority");
  CertificateAuthority clients(folder, "clients");
  const IssuedCertificate server = authority.Issue("server");
  const IssuedCertificate emar = clients.Issue("emar");
  const IssuedCertificate other = clients.Issue("other");
  StartDaemon("certificate_file = \"" + server.certificate_file + "\"\nkey_file = \"" + server.key_file +
              "\"\nclient_ca_file = \"" + clients.file() + "\"\nsenders = [\"EMAR|pain-clinic|" +
              emar.certificate_file + "\", \"OTHER|pain-clinic|" + other.certificate_file + "\"]\n");
  const auto send = [&](const std::string& message, const IssuedCertificate* own) {
    const std::string file = folder.Write("frame", Frame(message));
    std::string command =
        "(cat " + file +
        "; sleep 2) | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:" + std::to_string(port_) +
        " -CAfile " + authority.file();
    if (own != nullptr) command += " -cert " + own->certificate_file + " -key " + own->key_file;
    ProcessOptions options;
    options.arguments = {"bash", "-c", command};
    return Verdict(RunProcess(options).standard_output);
  };
  EXPECT_EQ(send(Ras("T1", "H1"), &emar), "MSA|AA|T1\r\x1C\r");
  EXPECT_THAT(send(Ras("T2", "H2"), &other),
              testing::AllOf(StartsWith("MSA|AR|T2|"), HasSubstr("ERR||MSH^1^3|"), HasSubstr("|forbidden|")));
  EXPECT_THAT(send(Replaced(Ras("T3", "H2"), "EMAR", "OTHER"), &other), StartsWith("MSA|AA|T3"));
  EXPECT_EQ(send(Ras("T4", "H4"), nullptr), "");
  EXPECT_EQ(daemon_->Query("SELECT count(*) FROM record_subject;"), "2");
  EXPECT_EQ(daemon_->Query(
                "SELECT json_extract(CAST(bytes AS TEXT), '$.actor.id') || ' ' || json_extract(CAST(bytes AS "
                "TEXT), "
                "'$.actor.auth') FROM audit_entry WHERE json_extract(CAST(bytes AS TEXT), '$.event') = "
                "'rejected';"),
            "OTHER|pain-clinic certificate")
      << "the log names who showed the certificate";
}

TEST_F(Mllp, Configuration_IsRefusedWhereTheDoorWouldBeOpen) {
  const TemporaryDirectory folder;
  const auto check = [&](const std::string& mllp) {
    folder.Write("c.toml", "[site]\ntime_zone = \"Asia/Tokyo\"\n[store]\nurl = \"sqlite:" +
                               folder.File("a.db") + "\"\n[mllp]\n" + mllp);
    return RunAdapter({"--config", folder.File("c.toml"), "check"});
  };
  EXPECT_EQ(check("listen = \"127.0.0.1:2575\"\n").exit_code, 0);
  const ProcessResult open = check("listen = \"0.0.0.0:2575\"\n");
  EXPECT_EQ(open.exit_code, 2);
  EXPECT_THAT(open.standard_output,
              HasSubstr("[mllp] certificate_file, key_file, client_ca_file and senders"));
  EXPECT_EQ(check("listen = \"127.0.0.1:2575\"\ncertificate_file = \"none.pem\"\nkey_file = \"none.key\"\n")
                .exit_code,
            1);
}

}  // namespace
}  // namespace fhir_adapter::test
