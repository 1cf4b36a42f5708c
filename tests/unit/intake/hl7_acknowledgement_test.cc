// What a sender of HL7 v2 messages is told. HL7 v2.5 2.9.2, 2.9.3, 2.10.3, 2.15.
#include "intake/hl7_acknowledgement.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace fhir_adapter::intake {
namespace {

constexpr TimeUs kNow{1'399'378'200'000'000};  // 2014-05-06T12:10:00Z

std::string Message(const std::string& modes = "|||||",
                    const std::string& header = "MSH|^~\\&|EMAR|pain-clinic") {
  return header + "|ADAPTER|HOSPITAL|20140506211000+0900||RAS^O17^RAS_O17|MSG1|P|2.5" + modes + "\r" +
         "PID|1||1\rRXA||1\rRXR|IT\rRXA||2\rRXR|IT\r";
}

std::string Acknowledged(const std::string& message, Hl7Verdict verdict = Hl7Verdict::kAccept,
                         Issues issues = {}) {
  const auto header = ReadHl7Header(message);
  if (!header) return "no header";
  return Acknowledge(*header, message, {verdict, std::move(issues), "A1", kNow});
}

Issue At(Code code, std::uint32_t segment, const std::string& place, const std::string& text = "so") {
  return {code, Location{"", segment, 1, place}, text};
}

TEST(Hl7Header, Fields_AreThoseOfTheFirstSegment) {
  const auto header = ReadHl7Header("MSH#*~\\&#EM\\S\\AR*1.2#pain\\F\\clinic#A#B\rMSH|^~\\&|x\r");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->field[3], "EM\\S\\AR*1.2");
  EXPECT_EQ(header->Sender(), "EM*AR|pain#clinic");
  EXPECT_EQ(header->field[6], "B");
  EXPECT_EQ(header->field[10], "");
  for (const char* bad : {"", "MSH", "MSH|^~\\", "MSH|^^\\&|a", "MSHabcde|", "PID|^~\\&|a", "msh|^~\\&|a"}) {
    EXPECT_FALSE(ReadHl7Header(bad)) << bad;
  }
}

// MSH-2 of HL7 v2.7 may have a fifth sign; the fields behind it are not moved by it.
TEST(Hl7Header, FifthSignOfMsh2_MovesNoField) {
  const auto header = ReadHl7Header("MSH|^~\\&#|EMAR|pain|A|B|20140506||RAS^O17|MSG1|P|2.7\r");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->Sender(), "EMAR|pain");
  EXPECT_EQ(header->Text(10), "MSG1");
}

TEST(Hl7Header, Field_HasALimitOfBytes) {
  const auto header_of = [](std::size_t bytes) {
    return ReadHl7Header("MSH|^~\\&|" + std::string(bytes, 'x') + "|F\r");
  };
  const auto full = header_of(limits::kHl7HeaderFieldBytesMax);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->field[3].size(), limits::kHl7HeaderFieldBytesMax);
  EXPECT_EQ(full->too_long_field, 0U);
  const auto more = header_of(limits::kHl7HeaderFieldBytesMax + 1);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->field[3], "");
  EXPECT_EQ(more->field[4], "F");
  EXPECT_EQ(more->too_long_field, 3U);
}

TEST(Hl7Acknowledgement, OriginalMode_SwapsSenderAndReceiverAndNamesTheMessage) {
  EXPECT_EQ(Acknowledged(Message()),
            "MSH|^~\\&|ADAPTER|HOSPITAL|EMAR|pain-clinic|20140506121000+0000||ACK^O17^ACK|A1|P|2.5\r"
            "MSA|AA|MSG1\r");
}

TEST(Hl7Acknowledgement, DelimitersAndCharset_AreThoseOfTheMessage) {
  EXPECT_EQ(Acknowledged("MSH#*!?$#E?F?#pain##H####1!2*3#T#2.3######8859/1\r", Hl7Verdict::kError,
                         {At(Code::kNotAllowed, 1, "PID-3.1", "a*b#c")}),
            "MSH#*!?$##H#E?F?#pain#20140506121000+0000##ACK#A1#T#2.3######8859/1\r"
            "MSA#AE#1!2*3#a?S?b?F?c\r"
            "ERR##PID*1*3**1#102*Data type error*HL70357#E#not-allowed###a?S?b?F?c\r");
}

// 2.7 (escapes): what we write has a plus in it, and a plus may be a delimiter.
TEST(Hl7Acknowledgement, PlusAsDelimiter_DoesNotCutTheTime) {
  EXPECT_EQ(Acknowledged("MSH+^~\\&+EMAR+pain+A+B+++RAS^O17+MSG1+P+2.5\r"),
            "MSH+^~\\&+A+B+EMAR+pain+20140506121000\\F\\0000++ACK^O17^ACK+A1+P+2.5\r"
            "MSA+AA+MSG1\r");
}

struct Mode {
  const char* accept;
  const char* application;
  const char* of_accept;  // MSA-1 of a message that was taken; empty: no answer
  const char* of_error;
  const char* of_reject;
};

// Table 0155 and 2.9.3: the accept acknowledgement where one is wanted, else the application's.
TEST(Hl7Acknowledgement, Modes_FollowTheTwoFieldsOfTheHeader) {
  for (const Mode& mode :
       {Mode{"", "", "AA", "AE", "AR"}, Mode{"AL", "", "CA", "CE", "CR"}, Mode{"AL", "AL", "CA", "CE", "CR"},
        Mode{"NE", "NE", "", "", ""}, Mode{"NE", "AL", "AA", "AE", "AR"}, Mode{"", "AL", "AA", "AE", "AR"},
        Mode{"ER", "NE", "", "CE", "CR"}, Mode{"SU", "NE", "CA", "", ""}, Mode{"ER", "SU", "AA", "CE", "CR"},
        Mode{"", "NE", "", "", ""}, Mode{"??", "", "CA", "CE", "CR"}}) {
    const std::string message = Message(std::string("|||") + mode.accept + "|" + mode.application);
    const auto told = [&](Hl7Verdict verdict) {
      const std::string text = Acknowledged(message, verdict);
      const std::size_t at = text.find("MSA|");
      return at == std::string::npos ? text : text.substr(at + 4, 2);
    };
    EXPECT_EQ(told(Hl7Verdict::kAccept), mode.of_accept) << message;
    EXPECT_EQ(told(Hl7Verdict::kError), mode.of_error) << message;
    EXPECT_EQ(told(Hl7Verdict::kReject), mode.of_reject) << message;
  }
}

TEST(Hl7Acknowledgement, Errors_NameSegmentSequenceFieldAndComponent) {
  const std::string text = Acknowledged(
      Message(), Hl7Verdict::kError,
      {At(Code::kMapFailed, 5, "RXA-6"), At(Code::kMissing, 2, "PID-3.1"),
       At(Code::kUnmappedCode, 0, "/a/0/RXR"), At(Code::kMissing, 0, "/patient/mrn", "the field is required"),
       At(Code::kUnknownField, 2, "PID-9")});
  EXPECT_EQ(text.substr(text.find("MSA")),
            "MSA|AE|MSG1|so\r"
            "ERR||RXA^2^6|102^Data type error^HL70357|E|map-failed|||so\r"
            "ERR||PID^1^3^^1|101^Required field missing^HL70357|E|missing|||so\r"
            "ERR||RXR^1|103^Table value not found^HL70357|E|unmapped-code|||so\r"
            "ERR|||101^Required field missing^HL70357|E|missing|||/patient/mrn: the field is required\r");
}

TEST(Hl7Acknowledgement, WhatWasTakenAndWaits_IsAWarning) {
  const std::string text =
      Acknowledged(Message(), Hl7Verdict::kAccept, {At(Code::kMapFailed, 3, "RXA-6", "not a decimal")});
  EXPECT_EQ(text.substr(text.find("MSA")),
            "MSA|AA|MSG1\rERR||RXA^1^6|102^Data type error^HL70357|W|map-failed|||not a decimal\r");
}

TEST(Hl7Acknowledgement, Errors_HaveALimit) {
  for (const std::size_t count : {limits::kHl7ErrorsMax, limits::kHl7ErrorsMax + 1}) {
    const std::string text =
        Acknowledged(Message(), Hl7Verdict::kError, Issues(count, At(Code::kMissing, 1, "MSH-4")));
    std::size_t errors = 0;
    for (std::size_t at = text.find("\rERR|"); at != std::string::npos; at = text.find("\rERR|", at + 1))
      ++errors;
    EXPECT_EQ(errors, limits::kHl7ErrorsMax);
  }
}

TEST(Hl7Acknowledgement, Unreadable_IsRejectedWithoutANumber) {
  EXPECT_EQ(
      AcknowledgeUnreadable({Hl7Verdict::kReject, {At(Code::kNotAllowed, 1, "", "no MSH")}, "A1", kNow}),
      "MSH|^~\\&|||||20140506121000+0000||ACK|A1|P|2.5\r"
      "MSA|AR||no MSH\r"
      "ERR|||102^Data type error^HL70357|E|not-allowed|||no MSH\r");
}

TEST(Hl7Acknowledgement, Batch_IsABatchOfAnswersThatNamesTheOneAnswered) {
  const auto file = ReadHl7Header("FHS|^~\\&|EMAR|pain-clinic|ADAPTER|H|2014||||F1\r");
  const auto batch = ReadHl7Header("BHS|^~\\&|EMAR|pain-clinic|ADAPTER|H|2014||||B1\r");
  ASSERT_TRUE(file && batch);
  const std::string begin = "|^~\\&|ADAPTER|H|EMAR|pain-clinic|20140506121000+0000|||||";
  EXPECT_EQ(AcknowledgeBatch({*file, *batch}, {"MSH|a\r", "", "MSH|b\r"}, kNow),
            "FHS" + begin + "F1\rBHS" + begin + "B1\rMSH|a\rMSH|b\rBTS|2\rFTS|1\r");
  EXPECT_EQ(AcknowledgeBatch({*batch}, {"MSH|a\r"}, kNow), "BHS" + begin + "B1\rMSH|a\rBTS|1\r");
}

TEST(Hl7Acknowledgement, EveryCode_HasAVerdict) {
  EXPECT_EQ(VerdictOf(Code::kMissing), Hl7Verdict::kError);
  EXPECT_EQ(VerdictOf(Code::kHighWater), Hl7Verdict::kError);
  EXPECT_EQ(VerdictOf(Code::kNotSupported), Hl7Verdict::kReject);
  EXPECT_EQ(VerdictOf(Code::kForbidden), Hl7Verdict::kReject);
  EXPECT_EQ(VerdictOf(Code::kMapFailed), Hl7Verdict::kAccept);
}

}  // namespace
}  // namespace fhir_adapter::intake
