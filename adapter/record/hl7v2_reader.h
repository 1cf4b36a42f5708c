// Reads an HL7 v2 message (ER7, the encoding with bars) into the same tree as JSON.
//
// The tree: {"MSH": [segment], "PID": [segment], …}, segments of one name in their order, and "segments" with
// the names in the order of the message. A segment is {"1": field, "2": field, …}; a field is an array of its
// repetitions; a repetition is {"1": component, …}; a component a string, or {"1": subcomponent, …} where
// there are several. MSH-1 and MSH-2 hold the delimiters. What is empty is absent; `""` (delete the value)
// stays as those two characters. Each node has the number of its segment as line and its byte in the segment
// as column.
//
// Escapes \F\ \S\ \T\ \R\ \E\, \X..\ and \.br\ (a line end) are resolved; formatting that has no meaning in
// plain text (\H\ \N\ \.sp\ …) is dropped, an unknown escape stays as it is written. Stateless; thread-safe.
// Errors: not-allowed, encoding, limit, with segment and column; no error quotes a value. HL7 v2.5 chapter 2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/limits.h"
#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::record {

// MSH-18. ISO 8859-1 is made UTF-8; nothing declared means UTF-8, of which ASCII is a part.
enum class Hl7Charset : std::uint8_t { kUtf8, kAscii, kLatin1 };

struct Hl7Delimiters {
  char field = '|';
  char component = '^';
  char repetition = '~';
  char escape = '\\';
  char subcomponent = '&';
  Hl7Charset charset = Hl7Charset::kUtf8;  // of the bytes of \X..\, which are written in ASCII
};

// Segments end with CR; LF and CR LF are read too.
Result<fhir::Node*> ReadHl7Message(std::string_view bytes, Arena& arena);

struct Hl7MessageText {
  std::string bytes;       // its segments end with CR
  std::uint32_t line = 1;  // of its first segment in the file
};

// The messages of a file: each begins with MSH. Batch headers and trailers (FHS, BHS, BTS, FTS) and the bytes
// of MLLP frames are left out; what stands before the first MSH is a message that cannot be read.
std::vector<Hl7MessageText> SplitHl7Messages(std::string_view text);

// The text of a value with its escapes resolved. Bytes that \X..\ makes must be UTF-8, or the escape stays.
std::string UnescapeHl7(std::string_view text, const Hl7Delimiters& delimiters);

}  // namespace fhir_adapter::record
