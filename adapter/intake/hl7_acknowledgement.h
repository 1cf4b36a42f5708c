// What is said to the sender of an HL7 v2 message: ACK, in the original or the enhanced mode. HL7 v2.5
// chapter 2: 2.9.2 (original), 2.9.3 (enhanced), 2.10.3 (batches), 2.15.1, 2.15.5, 2.15.8 (ERR, MSH, MSA).
//
// Pure; thread-safe. An answer has the delimiters and the charset of the message; what it gives back stands
// as it came, escapes and all. Our own words in it hold no value of a field.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/issue.h"
#include "record/hl7v2_reader.h"

namespace fhir_adapter::intake {

// Fields of MSH, BHS or FHS, as written.
struct Hl7Header {
  record::Hl7Delimiters delimiters;
  std::string segment;                // "MSH", "BHS" or "FHS"
  std::array<std::string, 19> field;  // [3]: MSH-3; up to MSH-18. [1] and [2] are the delimiters
  // A field that is longer than kHl7HeaderFieldBytesMax, which is left out; 0: none.
  std::size_t too_long_field = 0;

  // The first component, its escapes resolved.
  std::string Text(std::size_t number) const;
  // MSH-3 and MSH-4: "EMAR|pain-clinic".
  std::string Sender() const { return Text(3) + "|" + Text(4); }
};

// Of the first segment. Nothing: the text does not begin with such a segment and its delimiters.
std::optional<Hl7Header> ReadHl7Header(std::string_view text);

enum class Hl7Verdict : std::uint8_t {
  kAccept,  // safely stored: AA, CA
  kError,   // AE, CE
  kReject   // AR, CR: nothing of its content was looked at
};

// As the code's row in error_codes.def says, but that kNotSupported rejects.
Hl7Verdict VerdictOf(Code code);

struct Hl7Answer {
  Hl7Verdict verdict = Hl7Verdict::kAccept;
  Issues issues;           // become ERR, but for notes
  std::string control_id;  // MSH-10 of the answer
  TimeUs time;
};

// The acknowledgement, its segments ended by CR. Empty when the sender wants none (MSH-15, MSH-16).
// `message` is what it answers: the places of the issues are counted in it.
std::string Acknowledge(const Hl7Header& header, std::string_view message, const Hl7Answer& answer);

// For what has no header that could be read.
std::string AcknowledgeUnreadable(const Hl7Answer& answer);

// A batch of acknowledgements, for a batch that began with these headers (BHS, or FHS and BHS).
std::string AcknowledgeBatch(const std::vector<Hl7Header>& headers, const std::vector<std::string>& answers,
                             TimeUs time);

}  // namespace fhir_adapter::intake
